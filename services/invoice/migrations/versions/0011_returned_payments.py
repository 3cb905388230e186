"""What is billed of a payment that a bank took back: the fee of it, and where that stays on what it paid, its amount."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE return_fee RENAME TO return_charge")
    op.execute("ALTER INDEX ix_return_fee_unbilled RENAME TO ix_return_charge_unbilled")
    op.execute("ALTER TABLE return_charge RENAME fee_minor TO amount_minor")
    op.execute("ALTER TABLE return_charge RENAME CONSTRAINT ck_return_fee_fee TO ck_return_charge_amount")
    op.execute("ALTER TABLE return_charge ADD origin text NOT NULL DEFAULT 'return_fee'")
    op.execute(
        """
        ALTER TABLE return_charge ALTER origin DROP DEFAULT, DROP CONSTRAINT pk_return_fee,
            ADD CONSTRAINT pk_return_charge PRIMARY KEY (receipt, origin),
            ADD CONSTRAINT ck_return_charge_origin CHECK (origin IN ('return_fee', 'returned_payment'))
        """
    )
    op.execute(
        """
        CREATE OR REPLACE VIEW chk.return_fee AS
        SELECT receipt, entity, account, currency, amount_minor AS fee_minor, effective_on, booked_on, billed_on FROM return_charge
        WHERE origin = 'return_fee'
        """
    )


def downgrade() -> None:
    """Forget the amounts that were to be billed; fees stay."""
    op.execute("DELETE FROM return_charge WHERE origin <> 'return_fee'")
    op.execute(
        """
        CREATE OR REPLACE VIEW chk.return_fee AS
        SELECT receipt, entity, account, currency, amount_minor AS fee_minor, effective_on, booked_on, billed_on FROM return_charge
        """
    )
    op.execute(
        """
        ALTER TABLE return_charge DROP CONSTRAINT ck_return_charge_origin, DROP CONSTRAINT pk_return_charge,
            ADD CONSTRAINT pk_return_fee PRIMARY KEY (receipt), DROP origin
        """
    )
    op.execute("ALTER TABLE return_charge RENAME CONSTRAINT ck_return_charge_amount TO ck_return_fee_fee")
    op.execute("ALTER TABLE return_charge RENAME amount_minor TO fee_minor")
    op.execute("ALTER INDEX ix_return_charge_unbilled RENAME TO ix_return_fee_unbilled")
    op.execute("ALTER TABLE return_charge RENAME TO return_fee")
