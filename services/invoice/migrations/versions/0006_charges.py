"""Late charges, and up to which day each account was judged for them."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE late_charge (
            entity text NOT NULL,
            charge_no text NOT NULL,
            item text NOT NULL,
            document_no text NOT NULL,
            n integer NOT NULL,
            customer text NOT NULL,
            account text NOT NULL,
            currency char(3) NOT NULL,
            amount_minor bigint NOT NULL,
            fixed_minor bigint NOT NULL,
            accrued_minor bigint NOT NULL,
            charged_before_minor bigint NOT NULL,
            through_on date NOT NULL,
            day_count text NOT NULL,
            ranges jsonb NOT NULL,
            limited_by text,
            policy_version text NOT NULL,
            posting text NOT NULL,
            posted_minor bigint NOT NULL,
            posted_document_no text,
            booked_on date NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT pk_late_charge PRIMARY KEY (entity, charge_no),
            CONSTRAINT ck_late_charge_amount CHECK (amount_minor <> 0),
            CONSTRAINT ck_late_charge_posting CHECK (posting IN ('memo_only', 'debit_memo', 'credit_memo')),
            CONSTRAINT ck_late_charge_posted CHECK ((posted_document_no IS NULL) = (posted_minor = 0))
        )
        """
    )
    op.execute("CREATE INDEX ix_late_charge_item ON late_charge (item)")
    op.execute("CREATE INDEX ix_late_charge_account ON late_charge (entity, account, charge_no)")
    op.execute(
        """
        CREATE TABLE charge_run (
            entity text NOT NULL,
            account text NOT NULL,
            known_through date NOT NULL,
            CONSTRAINT pk_charge_run PRIMARY KEY (entity, account)
        )
        """
    )
    op.execute(
        """
        CREATE VIEW chk.late_charge AS
        SELECT entity, entity || '|' || charge_no AS charge, item, account, currency, amount_minor, posted_minor, through_on, booked_on
        FROM late_charge
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW chk.late_charge")
    op.execute("DROP TABLE charge_run")
    op.execute("DROP TABLE late_charge")
