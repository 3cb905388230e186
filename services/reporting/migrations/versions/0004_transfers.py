"""One more measure of money that left its account: what went to another."""

from alembic import op

revision = "0004"
down_revision = "0003"

BEFORE = (
    "'invoiced', 'charged', 'credited', 'settled', 'discounted', 'written_off', 'voided', "
    "'unapplied', 'on_account', 'memo', 'reversed', 'refunded'"
)
MEASURES = f"{BEFORE}, 'transferred'"


def upgrade() -> None:
    """Allow the new measure."""
    _allow(MEASURES)


def downgrade() -> None:
    """Allow the old measures only; fails, changing nothing, where there are rows of the new one."""
    _allow(BEFORE)


def _allow(measures: str) -> None:
    for table, allowed in (("cube", f"{measures}, 'unidentified'"), ("account_delta", measures)):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_measure, ADD CONSTRAINT {table}_measure CHECK (measure IN ({allowed}))")
