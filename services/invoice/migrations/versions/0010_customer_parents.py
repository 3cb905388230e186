"""Customers that settle under the account of another; a schedule bills its customer, whatever that one's account is by then."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE customer_parent (
            entity text NOT NULL,
            customer text NOT NULL,
            booked_on date NOT NULL,
            parent text,
            CONSTRAINT pk_customer_parent PRIMARY KEY (entity, customer, booked_on),
            CONSTRAINT ck_customer_parent_another CHECK (parent <> customer)
        )
        """
    )
    op.execute("DROP INDEX ix_billing_schedule_account")
    op.execute("ALTER TABLE billing_schedule DROP account")
    op.execute("CREATE INDEX ix_billing_schedule_due ON billing_schedule (entity, next_on)")


def downgrade() -> None:
    """Forget who settles under whom; documents stay on the accounts they were given."""
    op.execute("DROP INDEX ix_billing_schedule_due")
    op.execute("ALTER TABLE billing_schedule ADD account text")
    op.execute("UPDATE billing_schedule SET account = customer")
    op.execute("ALTER TABLE billing_schedule ALTER account SET NOT NULL")
    op.execute("CREATE INDEX ix_billing_schedule_account ON billing_schedule (entity, account, next_on)")
    op.execute("DROP TABLE customer_parent")
