"""Discounts among what is settled, and fees of money that a bank took back."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS_BEFORE = "'applied', 'credited', 'adjusted'"
KINDS = "'applied', 'credited', 'discounted', 'adjusted'"
SETTLED_BEFORE = "settled.settled_minor + settled.credited_minor + settled.adjusted_minor"


def upgrade() -> None:
    _allow(KINDS)
    op.execute("ALTER TABLE settled ADD discounted_minor bigint NOT NULL DEFAULT 0")
    _show(f"{SETTLED_BEFORE} + settled.discounted_minor", ", coalesce(settled.discounted_minor, 0) AS discounted_minor")
    op.execute(
        """
        CREATE TABLE return_fee (
            receipt text NOT NULL,
            entity text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            fee_minor bigint NOT NULL,
            kind text NOT NULL,
            effective_on date NOT NULL,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            billed_on date,
            CONSTRAINT pk_return_fee PRIMARY KEY (receipt),
            CONSTRAINT ck_return_fee_fee CHECK (fee_minor > 0)
        )
        """
    )
    op.execute("CREATE INDEX ix_return_fee_unbilled ON return_fee (entity, account, booked_on) WHERE billed_on IS NULL")
    op.execute(
        """
        CREATE VIEW chk.return_fee AS
        SELECT receipt, entity, account, currency, fee_minor, effective_on, booked_on, billed_on FROM return_fee
        """
    )


def downgrade() -> None:
    """Forget discounts and fees; fails, changing nothing, where discounts were granted."""
    op.execute("DROP VIEW chk.return_fee")
    op.execute("DROP TABLE return_fee")
    _show(SETTLED_BEFORE, "")
    op.execute("ALTER TABLE settled DROP discounted_minor")
    _allow(KINDS_BEFORE)


def _allow(kinds: str) -> None:
    op.execute(f"ALTER TABLE movement DROP CONSTRAINT ck_movement_kind, ADD CONSTRAINT ck_movement_kind CHECK (kind IN ({kinds}))")


def _show(settled: str, more: str) -> None:
    """Show every item and memo less what is `settled` of it, and `more` columns of every item."""
    op.execute("DROP VIEW chk.item")
    op.execute(
        f"""
        CREATE VIEW chk.item AS
        SELECT item.item, item.entity, item.account, item.currency, item.total_minor,
               item.total_minor - coalesce({settled}, 0) AS open_minor, coalesce(settled.settled_minor, 0) AS settled_minor,
               coalesce(settled.credited_minor, 0) AS credited_minor, coalesce(settled.adjusted_minor, 0) AS adjusted_minor{more}
        FROM (
            SELECT document.entity || '|' || document_no || '|' || n AS item, document.entity, document.account, currency,
                   CASE document_status WHEN 'voided' THEN 0 ELSE amount_minor END AS total_minor
            FROM document JOIN instalment ON instalment.document_id = document.id
        ) AS item
        LEFT JOIN settled ON settled.subject = item.item
        """
    )
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.memo AS
        SELECT memo.memo, memo.entity, memo.account, memo.currency, memo.total_minor,
               memo.total_minor - coalesce({settled}, 0) AS remaining_minor
        FROM (
            SELECT entity || '|' || document_no AS memo, entity, account, currency, total_minor FROM document WHERE kind = 'credit_memo'
        ) AS memo
        LEFT JOIN settled ON settled.subject = memo.memo
        """
    )
