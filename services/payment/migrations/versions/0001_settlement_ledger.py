"""Receipts, items, memos and the settlement ledger."""

from alembic import op
from chassis.protocol import protocol_sql

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE account (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    account text NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_name_key UNIQUE (entity, account)
);

CREATE TABLE document (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    document_no text NOT NULL,
    kind text NOT NULL,
    account text NOT NULL,
    customer text NOT NULL,
    currency char(3) NOT NULL,
    issued_on date NOT NULL,
    booked_on date NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT document_pkey PRIMARY KEY (id),
    CONSTRAINT document_number_key UNIQUE (entity, document_no),
    CONSTRAINT document_kind_known CHECK (kind IN ('invoice', 'memo'))
);
CREATE INDEX document_by_digest ON document (digest);

CREATE TABLE item (
    id bigint GENERATED ALWAYS AS IDENTITY,
    document_id bigint NOT NULL,
    account_id bigint NOT NULL,
    n integer NOT NULL,
    due_on date NOT NULL,
    total_minor bigint NOT NULL,
    settled_minor bigint NOT NULL,
    credited_minor bigint NOT NULL,
    is_open boolean NOT NULL,
    CONSTRAINT item_pkey PRIMARY KEY (id),
    CONSTRAINT item_instalment_key UNIQUE (document_id, n),
    CONSTRAINT item_document_id_fkey FOREIGN KEY (document_id) REFERENCES document (id),
    CONSTRAINT item_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT item_never_overapplied CHECK (settled_minor >= 0 AND credited_minor >= 0 AND settled_minor + credited_minor <= total_minor),
    CONSTRAINT item_open_is_what_is_left CHECK (is_open = (settled_minor + credited_minor < total_minor))
) WITH (fillfactor = 80);
CREATE INDEX item_open ON item (account_id) WHERE is_open;
CREATE INDEX item_by_account ON item (account_id, id);

CREATE TABLE memo (
    document_id bigint NOT NULL,
    account_id bigint NOT NULL,
    names text,
    total_minor bigint NOT NULL,
    applied_minor bigint NOT NULL,
    is_open boolean NOT NULL,
    CONSTRAINT memo_pkey PRIMARY KEY (document_id),
    CONSTRAINT memo_document_id_fkey FOREIGN KEY (document_id) REFERENCES document (id),
    CONSTRAINT memo_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT memo_never_overspent CHECK (applied_minor BETWEEN 0 AND total_minor),
    CONSTRAINT memo_open_is_what_is_left CHECK (is_open = (applied_minor < total_minor))
) WITH (fillfactor = 80);
CREATE INDEX memo_open ON memo (account_id) WHERE is_open;

CREATE TABLE receipt (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    bank_ref text NOT NULL,
    account_id bigint NOT NULL,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL,
    applied_minor bigint NOT NULL,
    on_account_minor bigint NOT NULL,
    is_live boolean NOT NULL,
    value_on date NOT NULL,
    booked_on date NOT NULL,
    identified_on date,
    identified_by text,
    method text NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT receipt_pkey PRIMARY KEY (id),
    CONSTRAINT receipt_reference_key UNIQUE (entity, bank_ref),
    CONSTRAINT receipt_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT receipt_never_overspent CHECK (
        amount_minor > 0 AND applied_minor >= 0 AND on_account_minor >= 0 AND applied_minor + on_account_minor <= amount_minor
    ),
    CONSTRAINT receipt_live_while_something_is_left CHECK (is_live = (applied_minor < amount_minor)),
    CONSTRAINT receipt_spent_by_a_known_payer CHECK (
        (identified_on IS NULL) = (identified_by IS NULL) AND (identified_on IS NOT NULL OR applied_minor + on_account_minor = 0)
    )
) WITH (fillfactor = 80);
CREATE INDEX receipt_live ON receipt (account_id) WHERE is_live;
CREATE INDEX receipt_unidentified ON receipt (entity, bank_ref) WHERE identified_on IS NULL;

CREATE TABLE clue (
    receipt_id bigint NOT NULL,
    place integer NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT clue_pkey PRIMARY KEY (receipt_id, place),
    CONSTRAINT clue_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id)
);
CREATE INDEX clue_by_digest ON clue (digest);

CREATE TABLE bank_account (
    entity text NOT NULL,
    customer text NOT NULL,
    booked_on date NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT bank_account_pkey PRIMARY KEY (entity, customer, booked_on, content, digest)
);
CREATE INDEX bank_account_by_digest ON bank_account (digest);

CREATE TABLE entry (
    id bigint GENERATED ALWAYS AS IDENTITY,
    account_id bigint NOT NULL,
    receipt_id bigint,
    memo_id bigint,
    item_id bigint,
    application text,
    rule text NOT NULL,
    reason text,
    amount_minor bigint NOT NULL,
    applied_on date NOT NULL,
    booked_on date NOT NULL,
    effective_on date NOT NULL,
    is_finished boolean NOT NULL,
    CONSTRAINT entry_pkey PRIMARY KEY (id),
    CONSTRAINT entry_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT entry_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT entry_memo_id_fkey FOREIGN KEY (memo_id) REFERENCES memo (document_id),
    CONSTRAINT entry_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT entry_moves_something CHECK (amount_minor <> 0),
    CONSTRAINT entry_from_one_source CHECK (num_nonnulls(receipt_id, memo_id) = 1),
    CONSTRAINT entry_to_an_item_or_on_account CHECK (
        (item_id IS NULL) = (application IS NULL) AND (item_id IS NOT NULL OR receipt_id IS NOT NULL)
    ),
    CONSTRAINT entry_reversal_has_a_reason CHECK ((reason IS NOT NULL) = (amount_minor < 0 AND item_id IS NOT NULL))
);
CREATE INDEX entry_of_day ON entry (account_id, booked_on, is_finished);
CREATE INDEX entry_by_item ON entry (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX entry_by_receipt ON entry (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE INDEX entry_by_memo ON entry (memo_id) WHERE memo_id IS NOT NULL;
"""

VIEWS = """
CREATE VIEW chk.item AS
SELECT document.entity || '|' || document.document_no || '|' || item.n AS item, document.entity, document.account, document.currency,
    item.total_minor, item.total_minor - item.settled_minor - item.credited_minor AS open_minor, item.settled_minor, item.credited_minor
FROM item JOIN document ON document.id = item.document_id;

CREATE VIEW chk.receipt AS
SELECT receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.entity,
    CASE WHEN receipt.identified_on IS NOT NULL THEN account.account END AS account, receipt.currency, receipt.amount_minor,
    CASE WHEN receipt.identified_on IS NULL THEN receipt.amount_minor ELSE 0 END AS unidentified_minor,
    CASE WHEN receipt.identified_on IS NULL THEN 0
        ELSE receipt.amount_minor - receipt.applied_minor - receipt.on_account_minor END AS unapplied_minor,
    receipt.on_account_minor, receipt.applied_minor
FROM receipt JOIN account ON account.id = receipt.account_id;

CREATE VIEW chk.memo AS
SELECT document.entity || '|' || document.document_no AS memo, document.entity, document.account, document.currency,
    memo.total_minor, memo.total_minor - memo.applied_minor AS remaining_minor, memo.applied_minor
FROM memo JOIN document ON document.id = memo.document_id;

CREATE VIEW chk.application AS
SELECT entry.application,
    CASE WHEN entry.receipt_id IS NULL THEN 'memo' ELSE 'receipt' END AS source_kind,
    coalesce(receipt.entity || '|' || receipt.bank_ref, credit.entity || '|' || credit.document_no) AS source,
    document.entity || '|' || document.document_no || '|' || item.n AS item, document.currency,
    sum(entry.amount_minor)::bigint AS amount_minor,
    (-coalesce(sum(entry.amount_minor) FILTER (WHERE entry.amount_minor < 0), 0))::bigint AS reversed_minor,
    sum(entry.amount_minor) = 0 AS reversed,
    min(entry.applied_on) AS booked_on,
    (array_agg(entry.effective_on ORDER BY entry.id))[1] AS effective_on
FROM entry
JOIN item ON item.id = entry.item_id
JOIN document ON document.id = item.document_id
LEFT JOIN receipt ON receipt.id = entry.receipt_id
LEFT JOIN document AS credit ON credit.id = entry.memo_id
GROUP BY entry.application, entry.receipt_id, source, document.entity, document.document_no, item.n, document.currency;

CREATE VIEW chk.entry AS
SELECT entry.id AS entry, account.entity, account.account, coalesce(receipt.currency, document.currency) AS currency, leg.kind AS leg,
    leg.amount_minor, entry.booked_on, entry.effective_on
FROM entry
JOIN account ON account.id = entry.account_id
LEFT JOIN receipt ON receipt.id = entry.receipt_id
LEFT JOIN document ON document.id = entry.memo_id
CROSS JOIN LATERAL (
    VALUES (CASE WHEN entry.memo_id IS NULL THEN 'unapplied' ELSE 'memo_credit' END, -entry.amount_minor),
        (CASE WHEN entry.item_id IS NULL THEN 'on_account' ELSE 'item' END, entry.amount_minor)
) AS leg (kind, amount_minor);
"""


def upgrade() -> None:
    """Make the protocol's tables, ours, and the views that outside checkers read."""
    op.execute(protocol_sql())
    op.execute(TABLES)
    op.execute(VIEWS)


def downgrade() -> None:
    """Leave an empty database."""
    op.execute("DROP SCHEMA chk CASCADE")
    op.execute("DROP SCHEMA chassis CASCADE")
    op.execute("DROP TABLE entry, bank_account, clue, receipt, memo, item, document, account")
