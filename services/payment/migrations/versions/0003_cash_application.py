"""Allowances, returns, decisions of people and currencies in the settlement ledger."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
ALTER TABLE account ADD COLUMN decided_on date;
ALTER TABLE document
    ADD COLUMN terms text,
    ADD COLUMN total_minor bigint,
    ADD COLUMN tax_minor bigint,
    ADD COLUMN base_currency char(3);

ALTER TABLE item
    ADD COLUMN allowed_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN discounted_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN early jsonb,
    ADD COLUMN base_minor bigint,
    DROP CONSTRAINT item_never_overapplied,
    DROP CONSTRAINT item_open_is_what_is_left,
    ADD CONSTRAINT item_never_overapplied CHECK (
        least(settled_minor, credited_minor, adjusted_minor, discounted_minor) >= 0 AND voided_minor IN (0, total_minor)
        AND discounted_minor <= allowed_minor
        AND settled_minor + credited_minor + adjusted_minor + allowed_minor + voided_minor <= total_minor
    ),
    ADD CONSTRAINT item_open_is_what_is_left CHECK (
        is_open = (settled_minor + credited_minor + adjusted_minor + allowed_minor + voided_minor < total_minor)
    );
ALTER TABLE item ALTER COLUMN allowed_minor DROP DEFAULT, ALTER COLUMN discounted_minor DROP DEFAULT;

ALTER TABLE memo
    ADD COLUMN pinned_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN is_barred boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT memo_pinned_of_what_is_open CHECK (pinned_minor BETWEEN 0 AND total_minor - applied_minor);
ALTER TABLE memo ALTER COLUMN pinned_minor DROP DEFAULT, ALTER COLUMN is_barred DROP DEFAULT;

ALTER TABLE receipt
    ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN returned_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN pinned_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN is_barred boolean NOT NULL DEFAULT false,
    ADD COLUMN base_minor bigint,
    ADD COLUMN stated jsonb,
    ADD COLUMN payment_ref bytea,
    ADD COLUMN received_currency char(3),
    ADD COLUMN received_minor bigint,
    ADD COLUMN returned_on date,
    ADD COLUMN return_booked_on date,
    DROP CONSTRAINT receipt_never_overspent,
    DROP CONSTRAINT receipt_live_while_something_is_left,
    DROP CONSTRAINT receipt_spent_by_a_known_payer,
    ADD CONSTRAINT receipt_never_overspent CHECK (
        amount_minor > 0 AND least(applied_minor, on_account_minor, refunded_minor, returned_minor) >= 0
        AND applied_minor + on_account_minor + refunded_minor + returned_minor <= amount_minor
    ),
    ADD CONSTRAINT receipt_pinned_of_on_account CHECK (pinned_minor BETWEEN 0 AND on_account_minor),
    ADD CONSTRAINT receipt_live_while_something_is_left CHECK (
        is_live = (applied_minor + refunded_minor + returned_minor < amount_minor)
    ),
    ADD CONSTRAINT receipt_returned_once CHECK (
        (returned_on IS NULL) = (return_booked_on IS NULL) AND (returned_on IS NOT NULL OR returned_minor = 0)
    ),
    ADD CONSTRAINT receipt_exchanged_whole CHECK ((received_currency IS NULL) = (received_minor IS NULL)),
    ADD CONSTRAINT receipt_spent_by_a_known_payer CHECK (
        (identified_on IS NULL) = (identified_by IS NULL)
        AND (identified_on IS NOT NULL OR applied_minor + on_account_minor + refunded_minor = 0)
    );
ALTER TABLE receipt
    ALTER COLUMN refunded_minor DROP DEFAULT,
    ALTER COLUMN returned_minor DROP DEFAULT,
    ALTER COLUMN pinned_minor DROP DEFAULT,
    ALTER COLUMN is_barred DROP DEFAULT;
CREATE INDEX receipt_by_payment_ref ON receipt (payment_ref) WHERE payment_ref IS NOT NULL;

CREATE TABLE decision (
    id bigint GENERATED ALWAYS AS IDENTITY,
    decision text NOT NULL,
    account_id bigint NOT NULL,
    receipt_id bigint,
    memo_id bigint,
    item_id bigint,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    effective_on date NOT NULL,
    booked_on date NOT NULL,
    reason text NOT NULL,
    decided_by text NOT NULL,
    CONSTRAINT decision_pkey PRIMARY KEY (id),
    CONSTRAINT decision_name_key UNIQUE (decision),
    CONSTRAINT decision_account_id_fkey FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT decision_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipt (id),
    CONSTRAINT decision_memo_id_fkey FOREIGN KEY (memo_id) REFERENCES memo (document_id),
    CONSTRAINT decision_item_id_fkey FOREIGN KEY (item_id) REFERENCES item (id),
    CONSTRAINT decision_kind_known CHECK (kind IN ('apply', 'unapply', 'release', 'refund')),
    CONSTRAINT decision_about_one_source CHECK (num_nonnulls(receipt_id, memo_id) = 1),
    CONSTRAINT decision_about_an_item CHECK ((item_id IS NOT NULL) = (kind IN ('apply', 'unapply'))),
    CONSTRAINT decision_amount_where_it_moves CHECK ((amount_minor > 0) = (kind <> 'release'))
);
CREATE INDEX adjustment_by_item ON adjustment (item_id);
CREATE INDEX decision_of_day ON decision (account_id, booked_on);
CREATE INDEX decision_by_receipt ON decision (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE INDEX decision_by_memo ON decision (memo_id) WHERE memo_id IS NOT NULL;

CREATE TABLE bank_return (
    id bigint GENERATED ALWAYS AS IDENTITY,
    entity text NOT NULL,
    bank_ref text NOT NULL,
    returned_bank_ref text NOT NULL,
    value_on date NOT NULL,
    amount_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    kind text NOT NULL,
    reason_code text,
    fee_minor bigint,
    booked_on date NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT bank_return_pkey PRIMARY KEY (id),
    CONSTRAINT bank_return_reference_key UNIQUE (entity, bank_ref),
    CONSTRAINT bank_return_kind_known CHECK (kind IN ('nsf', 'return', 'chargeback', 'error')),
    CONSTRAINT bank_return_amounts_positive CHECK (amount_minor > 0 AND (fee_minor IS NULL OR fee_minor > 0))
);
CREATE INDEX bank_return_of ON bank_return (entity, returned_bank_ref);

ALTER TABLE entry
    ADD COLUMN allowance_id bigint,
    ADD CONSTRAINT entry_allowance_id_fkey FOREIGN KEY (allowance_id) REFERENCES receipt (id),
    DROP CONSTRAINT entry_from_one_source,
    DROP CONSTRAINT entry_to_an_item_or_on_account,
    DROP CONSTRAINT entry_reversal_has_a_reason,
    ADD CONSTRAINT entry_from_one_source CHECK (num_nonnulls(receipt_id, memo_id, adjustment_id, void_id, allowance_id) = 1),
    ADD CONSTRAINT entry_to_an_item_or_of_its_source CHECK (
        (item_id IS NULL) = (application IS NULL) AND (item_id IS NOT NULL OR receipt_id IS NOT NULL OR memo_id IS NOT NULL)
    ),
    ADD CONSTRAINT entry_reversal_has_a_reason CHECK (
        (reason IS NOT NULL) = (amount_minor < 0 AND item_id IS NOT NULL AND rule <> 'fx')
    );
CREATE INDEX entry_by_allowance ON entry (allowance_id) WHERE allowance_id IS NOT NULL;
CREATE INDEX entry_taken_off ON entry (account_id, booked_on)
    WHERE amount_minor < 0 AND applied_on < booked_on AND item_id IS NOT NULL AND rule <> 'fx';
"""

VIEWS = """
CREATE OR REPLACE VIEW chk.item AS
SELECT document.entity || '|' || document.document_no || '|' || item.n AS item, document.entity, document.account, document.currency,
    item.total_minor,
    item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.allowed_minor - item.voided_minor
        AS open_minor,
    item.settled_minor, item.credited_minor, item.adjusted_minor, item.voided_minor, item.allowed_minor, item.discounted_minor
FROM item JOIN document ON document.id = item.document_id;

CREATE OR REPLACE VIEW chk.receipt AS
SELECT receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.entity,
    CASE WHEN receipt.identified_on IS NOT NULL THEN account.account END AS account, receipt.currency, receipt.amount_minor,
    CASE WHEN receipt.identified_on IS NULL THEN receipt.amount_minor - receipt.returned_minor ELSE 0 END AS unidentified_minor,
    CASE WHEN receipt.identified_on IS NULL THEN 0
        ELSE receipt.amount_minor - receipt.applied_minor - receipt.on_account_minor - receipt.refunded_minor - receipt.returned_minor
    END AS unapplied_minor,
    receipt.on_account_minor, receipt.applied_minor, receipt.refunded_minor, receipt.returned_minor, receipt.pinned_minor
FROM receipt JOIN account ON account.id = receipt.account_id;

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
WHERE (entry.receipt_id IS NOT NULL OR entry.memo_id IS NOT NULL) AND entry.rule <> 'fx'
GROUP BY entry.application, entry.receipt_id, source, document.entity, document.document_no, item.n, document.currency;

CREATE VIEW chk.allowance AS
SELECT entry.application AS allowance, entry.rule AS kind, receipt.entity || '|' || receipt.bank_ref AS receipt,
    document.entity || '|' || document.document_no || '|' || item.n AS item, document.currency,
    sum(entry.amount_minor)::bigint AS amount_minor, (array_agg(entry.effective_on ORDER BY entry.id))[1] AS effective_on
FROM entry
JOIN item ON item.id = entry.item_id
JOIN document ON document.id = item.document_id
JOIN receipt ON receipt.id = entry.allowance_id
GROUP BY entry.application, entry.rule, receipt.entity, receipt.bank_ref, document.entity, document.document_no, item.n, document.currency;

CREATE VIEW chk.exchange AS
SELECT entry.application, document.entity || '|' || document.document_no || '|' || item.n AS item,
    receipt.entity || '|' || receipt.bank_ref AS receipt, sum(entry.amount_minor)::bigint AS gain_minor
FROM entry
JOIN item ON item.id = entry.item_id
JOIN document ON document.id = item.document_id
JOIN receipt ON receipt.id = entry.receipt_id
WHERE entry.rule = 'fx'
GROUP BY entry.application, document.entity, document.document_no, item.n, receipt.entity, receipt.bank_ref;

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
            WHEN entry.adjustment_id IS NOT NULL THEN 'adjustment' WHEN entry.allowance_id IS NOT NULL THEN 'allowance' ELSE 'void' END,
        -entry.amount_minor
    ),
    (CASE WHEN entry.item_id IS NULL THEN split_part(entry.rule, ':', 1) ELSE 'item' END, entry.amount_minor)
) AS leg (kind, amount_minor)
WHERE entry.rule NOT IN ('fx', 'pinned');
"""

WITHOUT = """
DROP VIEW chk.exchange, chk.allowance, chk.item, chk.receipt;
CREATE VIEW chk.item AS
SELECT document.entity || '|' || document.document_no || '|' || item.n AS item, document.entity, document.account, document.currency,
    item.total_minor,
    item.total_minor - item.settled_minor - item.credited_minor - item.adjusted_minor - item.voided_minor AS open_minor,
    item.settled_minor, item.credited_minor, item.adjusted_minor, item.voided_minor
FROM item JOIN document ON document.id = item.document_id;

CREATE VIEW chk.receipt AS
SELECT receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.entity,
    CASE WHEN receipt.identified_on IS NOT NULL THEN account.account END AS account, receipt.currency, receipt.amount_minor,
    CASE WHEN receipt.identified_on IS NULL THEN receipt.amount_minor ELSE 0 END AS unidentified_minor,
    CASE WHEN receipt.identified_on IS NULL THEN 0
        ELSE receipt.amount_minor - receipt.applied_minor - receipt.on_account_minor END AS unapplied_minor,
    receipt.on_account_minor, receipt.applied_minor
FROM receipt JOIN account ON account.id = receipt.account_id;

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

DROP INDEX entry_taken_off;
ALTER TABLE entry
    DROP CONSTRAINT entry_from_one_source,
    DROP CONSTRAINT entry_to_an_item_or_of_its_source,
    DROP CONSTRAINT entry_reversal_has_a_reason,
    DROP COLUMN allowance_id,
    ADD CONSTRAINT entry_from_one_source CHECK (num_nonnulls(receipt_id, memo_id, adjustment_id, void_id) = 1),
    ADD CONSTRAINT entry_to_an_item_or_on_account CHECK (
        (item_id IS NULL) = (application IS NULL) AND (item_id IS NOT NULL OR receipt_id IS NOT NULL)
    ),
    ADD CONSTRAINT entry_reversal_has_a_reason CHECK ((reason IS NOT NULL) = (amount_minor < 0 AND item_id IS NOT NULL));
DROP TABLE bank_return, decision;
DROP INDEX adjustment_by_item;
ALTER TABLE receipt
    DROP CONSTRAINT receipt_never_overspent,
    DROP CONSTRAINT receipt_live_while_something_is_left,
    DROP CONSTRAINT receipt_spent_by_a_known_payer,
    DROP COLUMN refunded_minor,
    DROP COLUMN returned_minor,
    DROP COLUMN pinned_minor,
    DROP COLUMN is_barred,
    DROP COLUMN base_minor,
    DROP COLUMN stated,
    DROP COLUMN payment_ref,
    DROP COLUMN received_currency,
    DROP COLUMN received_minor,
    DROP COLUMN returned_on,
    DROP COLUMN return_booked_on,
    ADD CONSTRAINT receipt_never_overspent CHECK (
        amount_minor > 0 AND applied_minor >= 0 AND on_account_minor >= 0 AND applied_minor + on_account_minor <= amount_minor
    ),
    ADD CONSTRAINT receipt_live_while_something_is_left CHECK (is_live = (applied_minor < amount_minor)),
    ADD CONSTRAINT receipt_spent_by_a_known_payer CHECK (
        (identified_on IS NULL) = (identified_by IS NULL) AND (identified_on IS NOT NULL OR applied_minor + on_account_minor = 0)
    );
ALTER TABLE memo DROP COLUMN pinned_minor, DROP COLUMN is_barred;
ALTER TABLE item
    DROP CONSTRAINT item_never_overapplied,
    DROP CONSTRAINT item_open_is_what_is_left,
    DROP COLUMN allowed_minor,
    DROP COLUMN discounted_minor,
    DROP COLUMN early,
    DROP COLUMN base_minor,
    ADD CONSTRAINT item_never_overapplied CHECK (
        least(settled_minor, credited_minor, adjusted_minor) >= 0 AND voided_minor IN (0, total_minor)
        AND settled_minor + credited_minor + adjusted_minor + voided_minor <= total_minor
    ),
    ADD CONSTRAINT item_open_is_what_is_left CHECK (
        is_open = (settled_minor + credited_minor + adjusted_minor + voided_minor < total_minor)
    );
ALTER TABLE document DROP COLUMN terms, DROP COLUMN total_minor, DROP COLUMN tax_minor, DROP COLUMN base_currency;
ALTER TABLE account DROP COLUMN decided_on;
"""


def upgrade() -> None:
    """Let payments keep back what they may, be returned and be placed by people; say so in the views that outside checkers read."""
    op.execute(TABLES)
    op.execute(VIEWS)


def downgrade() -> None:
    """Take the columns and tables away again; fails, changing nothing, where entries are booked that the old ledger does not know."""
    op.execute(WITHOUT)
