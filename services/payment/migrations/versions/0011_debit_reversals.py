"""Money that was taken back and is billed anew instead of being taken off what it paid (PAY-10)."""

from alembic import op

revision = "0011"
down_revision = "0010"

COLUMNS = """
ALTER TABLE receipt
    ADD COLUMN debited_on date,
    ADD CONSTRAINT receipt_taken_back_one_way CHECK (debited_on IS NULL OR returned_on IS NULL);
"""

WITHOUT = "ALTER TABLE receipt DROP COLUMN debited_on"


def upgrade() -> None:
    """Keep which way money was taken back; all of it was taken off what it paid so far."""
    op.execute(COLUMNS)


def downgrade() -> None:
    """Forget it; what was billed stays billed."""
    op.execute(WITHOUT)
