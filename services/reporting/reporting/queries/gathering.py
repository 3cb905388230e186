"""The read model made from all facts at once: gathered by COPY into tables without an index, then summed."""

from datetime import datetime

from chassis.database import Connection

from reporting.domain import Deltas
from reporting.queries import closings
from reporting.queries.folds import item_rows

WORK_MEM = "256MB"
SECONDS_MAX = 3600
"""How long one statement may take over all facts there are."""
_ITEM = ("item", "entity", "account", "customer", "currency", "due_on", "issued_on", "booked_on", "total_minor", "open_minor")
_POSTED = ("entity", "account", "currency", "measure", "due_on", "effective_on", "booked_on", "delta_minor")


async def prepare(db: Connection) -> None:
    """Make the tables to gather in, unlogged: whoever loses them starts again."""
    await db.execute(
        """
        CREATE UNLOGGED TABLE item_told (
            item text, entity text, account text, customer text, currency char(3), due_on date, issued_on date, booked_on date,
            total_minor bigint, open_minor bigint
        );
        CREATE UNLOGGED TABLE posted (
            entity text, account text, currency char(3), measure text, due_on date, effective_on date, booked_on date, delta_minor bigint
        )
        """
    )


async def gather(db: Connection, deltas: Deltas) -> None:
    """Keep what some facts add; the same key may come any number of times."""
    await db.copy_records_to_table("item_told", columns=_ITEM, records=item_rows(deltas.items))
    posted = [(*key, minor) for key, minor in deltas.postings.items() if minor]
    await db.copy_records_to_table("posted", columns=_POSTED, records=posted)


async def add_up(db: Connection, folded_at: datetime) -> None:
    """Fill the empty tables of the read model from what was gathered, and derive what closed days leave behind."""
    await db.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
    await db.execute("ANALYZE item_told; ANALYZE posted")
    await db.execute(
        """
        INSERT INTO item (
            item, entity, account, customer, currency, due_on, issued_on, booked_on, total_minor, open_minor, is_open, folded_at
        )
        SELECT
            item, min(entity), min(account), min(customer), min(currency), min(due_on), min(issued_on), min(booked_on),
            sum(total_minor), sum(open_minor), sum(open_minor) > 0, CASE WHEN min(issued_on) IS NOT NULL THEN $1::timestamptz END
        FROM item_told GROUP BY item
        """,
        folded_at,
        timeout=SECONDS_MAX,
    )
    await db.execute(
        """
        INSERT INTO account_delta (entity, account, currency, measure, due_on, effective_on, booked_on, delta_minor)
        SELECT entity, account, currency, measure, due_on, effective_on, booked_on, sum(delta_minor)
        FROM posted WHERE account IS NOT NULL
        GROUP BY entity, account, currency, measure, due_on, effective_on, booked_on HAVING sum(delta_minor) <> 0
        """,
        timeout=SECONDS_MAX,
    )
    await db.execute(
        """
        INSERT INTO cube (entity, currency, measure, due_on, effective_on, booked_on, delta_minor)
        SELECT entity, currency, measure, due_on, effective_on, booked_on, sum(delta_minor)
        FROM posted GROUP BY entity, currency, measure, due_on, effective_on, booked_on HAVING sum(delta_minor) <> 0
        """,
        timeout=SECONDS_MAX,
    )
    await db.execute("DROP TABLE item_told, posted")
    await closings.derive(db)
