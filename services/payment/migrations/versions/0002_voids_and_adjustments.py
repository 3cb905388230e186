"""Voids, adjustments and write-offs in the settlement ledger; debit memos."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
ALTER TABLE document
    ADD COLUMN voided_on date,
    ADD COLUMN void_booked_on date,
    DROP CONSTRAINT document_kind_known,
    ADD CONSTRAINT document_kind_known CHECK (kind IN ('invoice', 'debit_memo', 'memo')),
    ADD CONSTRAINT document_voided_once CHECK (
        (voided_on IS NULL) = (void_booked_on IS NULL) AND (voided_on IS NULL OR kind <> 'memo')
    );

ALTER TABLE item
    ADD COLUMN adjusted_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN voided_minor bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT item_never_overapplied,
    DROP CONSTRAINT item_open_is_what_is_left,
    ADD CONSTRAINT item_never_overapplied CHECK (
        least(settled_minor, credited_minor, adjusted_minor) >= 0 AND voided_minor IN (0, total_minor)
        AND settled_minor + credited_minor + adjusted_minor + voided_minor <= total_minor
    ),
    ADD CONSTRAINT item_open_is_what_is_left CHECK (
        is_open = (settled_minor + credited_minor + adjusted_minor + voided_minor < total_minor)
    );
ALTER TABLE item ALTER COLUMN adjusted_minor DROP DEFAULT, ALTER COLUMN voided_minor DROP DEFAULT;

CREATE TABLE adjustment (
    id bigint GENERATED ALWAYS AS IDENTITY,
    adjustment text NOT NULL,
    account_id bigint NOT NULL,
    item_id bigint NOT NULL,
    kind text NOT NULL,
    approved_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    posted_minor bigint NOT NULL,
    effective_on date NOT NULL,
    booked_on date NOT NULL,
    CONSTRAINT adjustment_pkey PRIMARY KEY (id),
    CONSTRAINT adjustment_name_key UNIQUE (adjustment),
    CONSTRAINT adjustment_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT adjustment_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT adjustment_never_above_approval CHECK (
        approved_minor > 0 AND posted_minor BETWEEN 0 AND approved_minor AND tax_minor BETWEEN 0 AND approved_minor
    )
);

ALTER TABLE entry
    ADD COLUMN adjustment_id bigint,
    ADD COLUMN void_id bigint,
    ADD CONSTRAINT entry_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES adjustment (id),
    ADD CONSTRAINT entry_void_id_fkey FOREIGN KEY (void_id) REFERENCES document (id),
    DROP CONSTRAINT entry_from_one_source,
    ADD CONSTRAINT entry_from_one_source CHECK (num_nonnulls(receipt_id, memo_id, adjustment_id, void_id) = 1),
    ADD CONSTRAINT entry_void_stays CHECK (void_id IS NULL OR amount_minor > 0);
"""

VIEWS = """
CREATE OR REPLACE VIEW chk.item AS
SELECT document.entity || '|' || document.document_no || '|' || item.n AS item, document.entity, document.account, document.currency,
    item.total_minor,
    item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.voided_minor AS open_minor,
    item.settled_minor, item.credited_minor, item.adjusted_minor, item.voided_minor
FROM item JOIN document ON document.id = item.document_id;

CREATE OR REPLACE VIEW chk.application AS
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
WHERE entry.receipt_id IS NOT NULL OR entry.memo_id IS NOT NULL
GROUP BY entry.application, entry.receipt_id, source, document.entity, document.document_no, item.n, document.currency;

CREATE VIEW chk.adjustment AS
SELECT adjustment.adjustment, document.entity, document.account, document.currency,
    document.entity || '|' || document.document_no || '|' || item.n AS item, adjustment.kind, adjustment.approved_minor,
    adjustment.posted_minor, adjustment.booked_on, adjustment.effective_on
FROM adjustment
JOIN item ON item.id = adjustment.item_id
JOIN document ON document.id = item.document_id;

CREATE OR REPLACE VIEW chk.entry AS
SELECT entry.id AS entry, account.entity, account.account, coalesce(receipt.currency, document.currency, billed.currency) AS currency,
    leg.kind AS leg, leg.amount_minor, entry.booked_on, entry.effective_on
FROM entry
JOIN account ON account.id = entry.account_id
LEFT JOIN receipt ON receipt.id = entry.receipt_id
LEFT JOIN document ON document.id = entry.memo_id
LEFT JOIN item ON item.id = entry.item_id
LEFT JOIN document AS billed ON billed.id = item.document_id
CROSS JOIN LATERAL (
    VALUES (
        CASE WHEN entry.receipt_id IS NOT NULL THEN 'unapplied' WHEN entry.memo_id IS NOT NULL THEN 'memo_credit'
            WHEN entry.adjustment_id IS NOT NULL THEN 'adjustment' ELSE 'void' END,
        -entry.amount_minor
    ),
    (CASE WHEN entry.item_id IS NULL THEN 'on_account' ELSE 'item' END, entry.amount_minor)
) AS leg (kind, amount_minor);
"""

WITHOUT = """
DROP VIEW chk.adjustment, chk.item;
CREATE VIEW chk.item AS
SELECT document.entity || '|' || document.document_no || '|' || item.n AS item, document.entity, document.account, document.currency,
    item.total_minor, item.total_minor - item.settled_minor - item.credited_minor AS open_minor, item.settled_minor, item.credited_minor
FROM item JOIN document ON document.id = item.document_id;

CREATE OR REPLACE VIEW chk.application AS
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

CREATE OR REPLACE VIEW chk.entry AS
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

ALTER TABLE entry
    DROP CONSTRAINT entry_void_stays,
    DROP CONSTRAINT entry_from_one_source,
    DROP COLUMN adjustment_id,
    DROP COLUMN void_id,
    ADD CONSTRAINT entry_from_one_source CHECK (num_nonnulls(receipt_id, memo_id) = 1);
DROP TABLE adjustment;
ALTER TABLE item
    DROP CONSTRAINT item_never_overapplied,
    DROP CONSTRAINT item_open_is_what_is_left,
    DROP COLUMN adjusted_minor,
    DROP COLUMN voided_minor,
    ADD CONSTRAINT item_never_overapplied CHECK (
        settled_minor >= 0 AND credited_minor >= 0 AND settled_minor + credited_minor <= total_minor
    ),
    ADD CONSTRAINT item_open_is_what_is_left CHECK (is_open = (settled_minor + credited_minor < total_minor));
ALTER TABLE document
    DROP CONSTRAINT document_voided_once,
    DROP COLUMN voided_on,
    DROP COLUMN void_booked_on,
    DROP CONSTRAINT document_kind_known,
    ADD CONSTRAINT document_kind_known CHECK (kind IN ('invoice', 'memo'));
"""


def upgrade() -> None:
    """Let documents be voided and items be adjusted, and say so in the views that outside checkers read."""
    op.execute(TABLES)
    op.execute(VIEWS)


def downgrade() -> None:
    """Take the columns and tables away again; fails, changing nothing, where voids, adjustments or debit memos are booked."""
    op.execute(WITHOUT)
