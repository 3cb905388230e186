"""Money that is bound to an order or a contract (PAY-16)."""

from alembic import op

revision = "0009"
down_revision = "0008"

COLUMNS = """
ALTER TABLE receipt
    ADD COLUMN deposit_for text,
    ADD COLUMN is_bound boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT receipt_bound_to_something CHECK (deposit_for IS NOT NULL OR NOT is_bound);
ALTER TABLE receipt ALTER COLUMN is_bound DROP DEFAULT;
CREATE INDEX receipt_bound ON receipt (entity, id) WHERE is_bound AND is_live;
"""

WITHOUT = """
DROP INDEX receipt_bound;
ALTER TABLE receipt DROP COLUMN deposit_for, DROP COLUMN is_bound;
"""


def upgrade() -> None:
    """Keep what deposits are for; no money that is here is one."""
    op.execute(COLUMNS)


def downgrade() -> None:
    """Forget it: what is left of deposits is money like other money."""
    op.execute(WITHOUT)
