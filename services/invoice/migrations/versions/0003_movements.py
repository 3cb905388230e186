"""What the settlement ledger did to each item, one row a fact; and which instalments were told to be due."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE movement (
            subject text NOT NULL,
            fact_id text NOT NULL,
            fact_type text NOT NULL,
            kind text NOT NULL,
            amount_minor bigint NOT NULL,
            tax_minor bigint,
            act text NOT NULL,
            counterpart text,
            rule text,
            reason text,
            effective_on date NOT NULL,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            causation_id text,
            traceparent text,
            CONSTRAINT pk_movement PRIMARY KEY (subject, fact_id),
            CONSTRAINT ck_movement_kind CHECK (kind IN ('applied', 'credited', 'adjusted'))
        )
        """
    )
    op.execute("ALTER TABLE settled ADD credited_minor bigint NOT NULL DEFAULT 0, ADD adjusted_minor bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE instalment ADD entity text, ADD account text, ADD judged_due_on date")
    op.execute(
        """
        UPDATE instalment SET entity = document.entity, account = document.account
        FROM document WHERE document.id = instalment.document_id
        """
    )
    op.execute("ALTER TABLE instalment ALTER entity SET NOT NULL, ALTER account SET NOT NULL")
    op.execute("CREATE INDEX ix_instalment_due ON instalment (entity, due_on, account) WHERE judged_due_on IS NULL")
    _show(
        "settled.settled_minor + settled.credited_minor + settled.adjusted_minor",
        """,
               coalesce(settled.settled_minor, 0) AS settled_minor, coalesce(settled.credited_minor, 0) AS credited_minor,
               coalesce(settled.adjusted_minor, 0) AS adjusted_minor""",
    )


def _show(settled: str, columns: str) -> None:
    """Show every item and memo less what is `settled` of it, and more `columns` of every item."""
    op.execute("DROP VIEW chk.item")
    op.execute(
        f"""
        CREATE VIEW chk.item AS
        SELECT item.item, item.entity, item.account, item.currency, item.total_minor,
               item.total_minor - coalesce({settled}, 0) AS open_minor{columns}
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


def downgrade() -> None:
    _show("settled.settled_minor", "")
    op.execute("DROP INDEX ix_instalment_due")
    op.execute("ALTER TABLE instalment DROP entity, DROP account, DROP judged_due_on")
    op.execute("ALTER TABLE settled DROP credited_minor, DROP adjusted_minor")
    op.execute("DROP TABLE movement")
