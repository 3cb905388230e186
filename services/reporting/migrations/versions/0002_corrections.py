"""More measures of items: late charges, what was written off, what was voided."""

from alembic import op

revision = "0002"
down_revision = "0001"

ITEMS_BEFORE = "'invoiced', 'credited', 'settled'"
ITEMS = "'invoiced', 'charged', 'credited', 'settled', 'written_off', 'voided'"
OTHERS = "'unapplied', 'on_account', 'memo'"


def upgrade() -> None:
    """Allow the new measures, and count them as open in the views that outside checkers read."""
    _allow(ITEMS)


def downgrade() -> None:
    """Allow the old measures only; fails, changing nothing, where there are rows of the new ones."""
    _allow(ITEMS_BEFORE)


def _allow(items: str) -> None:
    for table, measures in (("cube", f"{items}, {OTHERS}, 'unidentified'"), ("account_delta", f"{items}, {OTHERS}")):
        op.execute(
            f"""
            ALTER TABLE {table} DROP CONSTRAINT {table}_measure, ADD CONSTRAINT {table}_measure CHECK (measure IN ({measures}))
            """
        )
    due_on = f"CASE WHEN measure IN ({items}) THEN due_on END AS due_on"  # The other measures have none.
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.balance AS
        SELECT
            entity,
            account,
            currency,
            open_minor,
            unapplied_minor,
            on_account_minor,
            open_minor - unapplied_minor - on_account_minor AS balance_minor
        FROM (
            SELECT
                entity,
                account,
                currency,
                coalesce(sum(delta_minor) FILTER (WHERE measure IN ({items})), 0)::bigint AS open_minor,
                coalesce(sum(delta_minor) FILTER (WHERE measure = 'unapplied'), 0)::bigint AS unapplied_minor,
                coalesce(sum(delta_minor) FILTER (WHERE measure IN ('on_account', 'memo')), 0)::bigint AS on_account_minor
            FROM account_delta
            GROUP BY entity, account, currency
        ) AS sums
        """
    )
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.cube AS
        SELECT entity, currency, measure, {due_on}, effective_on, booked_on, delta_minor FROM cube
        """
    )
    op.execute(
        f"""
        CREATE OR REPLACE VIEW chk.account_delta AS
        SELECT entity, account, currency, measure, {due_on}, effective_on, booked_on, delta_minor FROM account_delta
        """
    )
