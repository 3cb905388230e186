"""Customers that settle under the account of another."""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = """
CREATE TABLE customer_parent (
    entity text NOT NULL,
    customer text NOT NULL,
    booked_on date NOT NULL,
    parent text,
    CONSTRAINT customer_parent_pkey PRIMARY KEY (entity, customer, booked_on),
    CONSTRAINT customer_parent_another CHECK (parent <> customer)
);
"""


def upgrade() -> None:
    """Know who settles under whose account."""
    op.execute(TABLES)


def downgrade() -> None:
    """Forget it; documents and receipts stay on the accounts they were given."""
    op.execute("DROP TABLE customer_parent")
