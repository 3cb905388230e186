"""Money that went from one account to another."""

from alembic import op

revision = "0010"
down_revision = "0009"

COLUMNS = """
ALTER TABLE receipt
    ADD COLUMN transferred_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN from_receipt_id bigint,
    ADD COLUMN origin_id bigint,
    ADD COLUMN transfer text,
    ADD COLUMN arrived_on date,
    ADD CONSTRAINT receipt_from_receipt_id_fkey FOREIGN KEY (from_receipt_id) REFERENCES receipt (id),
    ADD CONSTRAINT receipt_origin_id_fkey FOREIGN KEY (origin_id) REFERENCES receipt (id),
    ADD CONSTRAINT receipt_transferred_whole CHECK (num_nonnulls(from_receipt_id, origin_id, transfer, arrived_on) IN (0, 4)),
    DROP CONSTRAINT receipt_never_overspent,
    DROP CONSTRAINT receipt_live_while_something_is_left,
    DROP CONSTRAINT receipt_spent_by_a_known_payer;
ALTER TABLE receipt
    ADD CONSTRAINT receipt_never_overspent CHECK (
        amount_minor > 0 AND least(applied_minor, on_account_minor, refunded_minor, returned_minor, transferred_minor) >= 0
        AND applied_minor + on_account_minor + refunded_minor + returned_minor + transferred_minor <= amount_minor
    ),
    ADD CONSTRAINT receipt_live_while_something_is_left CHECK (
        is_live = (applied_minor + refunded_minor + returned_minor + transferred_minor < amount_minor)
    ),
    ADD CONSTRAINT receipt_spent_by_a_known_payer CHECK (
        (identified_on IS NULL) = (identified_by IS NULL)
        AND (identified_on IS NOT NULL OR applied_minor + on_account_minor + refunded_minor + transferred_minor = 0)
    );
ALTER TABLE receipt ALTER COLUMN transferred_minor DROP DEFAULT;
CREATE INDEX receipt_by_origin ON receipt (origin_id) WHERE origin_id IS NOT NULL;
CREATE UNIQUE INDEX receipt_transfer_key ON receipt (transfer) WHERE transfer IS NOT NULL;

ALTER TABLE decision DROP CONSTRAINT decision_kind_known;
ALTER TABLE decision ADD CONSTRAINT decision_kind_known CHECK (kind IN ('apply', 'unapply', 'release', 'refund', 'transfer'));
"""

VIEWS = """
CREATE OR REPLACE VIEW chk.receipt AS
SELECT receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.entity,
    CASE WHEN receipt.identified_on IS NOT NULL THEN account.account END AS account, receipt.currency, receipt.amount_minor,
    CASE WHEN receipt.identified_on IS NULL THEN receipt.amount_minor - receipt.returned_minor ELSE 0 END AS unidentified_minor,
    CASE WHEN receipt.identified_on IS NULL THEN 0
        ELSE receipt.amount_minor - receipt.applied_minor - receipt.on_account_minor - receipt.refunded_minor - receipt.returned_minor
            - receipt.transferred_minor
    END AS unapplied_minor,
    receipt.on_account_minor, receipt.applied_minor, receipt.refunded_minor, receipt.returned_minor, receipt.pinned_minor,
    receipt.transferred_minor
FROM receipt JOIN account ON account.id = receipt.account_id;

CREATE VIEW chk.transfer AS
SELECT receipt.transfer, source.entity || '|' || source.bank_ref AS from_receipt, receipt.entity || '|' || receipt.bank_ref AS receipt,
    origin.entity || '|' || origin.bank_ref AS origin, left_on.account AS from_account, account.account, receipt.currency,
    receipt.amount_minor, receipt.arrived_on AS effective_on, receipt.booked_on
FROM receipt
JOIN receipt AS source ON source.id = receipt.from_receipt_id
JOIN receipt AS origin ON origin.id = receipt.origin_id
JOIN account ON account.id = receipt.account_id
JOIN account AS left_on ON left_on.id = source.account_id;
"""

WITHOUT = """
DROP VIEW chk.transfer, chk.receipt;
ALTER TABLE decision DROP CONSTRAINT decision_kind_known;
ALTER TABLE decision ADD CONSTRAINT decision_kind_known CHECK (kind IN ('apply', 'unapply', 'release', 'refund'));
DROP INDEX receipt_by_origin;
ALTER TABLE receipt
    DROP CONSTRAINT receipt_never_overspent,
    DROP CONSTRAINT receipt_live_while_something_is_left,
    DROP CONSTRAINT receipt_spent_by_a_known_payer,
    DROP CONSTRAINT receipt_transferred_whole,
    DROP COLUMN transferred_minor,
    DROP COLUMN from_receipt_id,
    DROP COLUMN origin_id,
    DROP COLUMN transfer,
    DROP COLUMN arrived_on;
ALTER TABLE receipt
    ADD CONSTRAINT receipt_never_overspent CHECK (
        amount_minor > 0 AND least(applied_minor, on_account_minor, refunded_minor, returned_minor) >= 0
        AND applied_minor + on_account_minor + refunded_minor + returned_minor <= amount_minor
    ),
    ADD CONSTRAINT receipt_live_while_something_is_left CHECK (
        is_live = (applied_minor + refunded_minor + returned_minor < amount_minor)
    ),
    ADD CONSTRAINT receipt_spent_by_a_known_payer CHECK (
        (identified_on IS NULL) = (identified_by IS NULL)
        AND (identified_on IS NOT NULL OR applied_minor + on_account_minor + refunded_minor = 0)
    );
CREATE VIEW chk.receipt AS
SELECT receipt.entity || '|' || receipt.bank_ref AS receipt, receipt.entity,
    CASE WHEN receipt.identified_on IS NOT NULL THEN account.account END AS account, receipt.currency, receipt.amount_minor,
    CASE WHEN receipt.identified_on IS NULL THEN receipt.amount_minor - receipt.returned_minor ELSE 0 END AS unidentified_minor,
    CASE WHEN receipt.identified_on IS NULL THEN 0
        ELSE receipt.amount_minor - receipt.applied_minor - receipt.on_account_minor - receipt.refunded_minor - receipt.returned_minor
    END AS unapplied_minor,
    receipt.on_account_minor, receipt.applied_minor, receipt.refunded_minor, receipt.returned_minor, receipt.pinned_minor
FROM receipt JOIN account ON account.id = receipt.account_id;
"""


def upgrade() -> None:
    """Let money of a receipt go to another account, and say of a receipt where its money came from."""
    op.execute(COLUMNS)
    op.execute(VIEWS)


def downgrade() -> None:
    """Forget it; fails, changing nothing, where money was transferred: what is left would not add up."""
    op.execute(WITHOUT)
