"""The read model made from all facts at once: gathered by COPY into tables without an index, then summed."""

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Connection

from reporting.domain import Deltas
from reporting.queries import closings, exchange
from reporting.queries.folds import item_rows
from reporting.queries.matching import SuggestionTold, receipt_rows

WORK_MEM = "256MB"
SECONDS_MAX = 3600
"""How long one statement may take over all facts there are."""
_ITEM = ("item", "entity", "account", "customer", "currency", "due_on", "issued_on", "booked_on", "total_minor", "open_minor")
_RECEIPT = (
    "receipt",
    "booked_on",
    "entity",
    "currency",
    "value_on",
    "received_minor",
    "automatic_minor",
    "by_person_minor",
    "free_minor",
)
_DIFFERED = ("entity", "account", "currency", "measure", "effective_on", "booked_on", "delta_minor")
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
        );
        CREATE UNLOGGED TABLE receipt_told (
            receipt text, booked_on date, entity text, currency char(3), value_on date, received_minor bigint, automatic_minor bigint,
            by_person_minor bigint, free_minor bigint
        );
        CREATE UNLOGGED TABLE differed (
            entity text, account text, currency char(3), measure text, effective_on date, booked_on date, delta_minor bigint
        );
        CREATE UNLOGGED TABLE suggestion_told (
            suggestion text, entity text, currency char(3), amount_minor bigint, made_on date, accepted_on date, rejected_on date
        )
        """
    )


async def gather(db: Connection, deltas: Deltas) -> None:
    """Keep what some facts add; the same key may come any number of times."""
    await db.copy_records_to_table("item_told", columns=_ITEM, records=item_rows(deltas.items))
    posted = [(*key, minor) for key, minor in deltas.postings.items() if minor]
    await db.copy_records_to_table("posted", columns=_POSTED, records=posted)
    await db.copy_records_to_table("receipt_told", columns=_RECEIPT, records=receipt_rows(deltas.receipts))
    if deltas.exchange:
        differed = [(*key, minor) for key, minor in deltas.exchange.items() if minor]
        await db.copy_records_to_table("differed", columns=_DIFFERED, records=differed)
    await exchange.save_revaluations(db, deltas.revaluations)


async def gather_suggestions(db: Connection, told: Sequence[SuggestionTold]) -> None:
    """Keep what some facts tell of suggestions."""
    if told:
        await db.copy_records_to_table("suggestion_told", columns=SuggestionTold._fields, records=told)


async def add_up(db: Connection, folded_at: datetime) -> None:
    """Fill the empty tables of the read model from what was gathered, and derive what closed days leave behind."""
    await db.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
    await db.execute("ANALYZE item_told; ANALYZE posted; ANALYZE receipt_told")
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
    await _add_up_matching(db)
    await db.execute("DROP TABLE item_told, posted, receipt_told, differed, suggestion_told")
    await closings.derive(db)


async def _add_up_matching(db: Connection) -> None:
    """Fill what is kept of receipts, suggestions and exchange differences."""
    await db.execute(
        """
        INSERT INTO receipt_day (
            receipt, booked_on, entity, currency, value_on, received_minor, automatic_minor, by_person_minor, free_minor
        )
        SELECT receipt, booked_on, min(entity), min(currency), min(value_on), sum(received_minor), sum(automatic_minor),
            sum(by_person_minor), sum(free_minor)
        FROM receipt_told GROUP BY receipt, booked_on
        """,
        timeout=SECONDS_MAX,
    )
    await db.execute(
        """
        INSERT INTO exchange_delta (entity, account, currency, measure, effective_on, booked_on, delta_minor)
        SELECT entity, account, currency, measure, effective_on, booked_on, sum(delta_minor)
        FROM differed GROUP BY entity, account, currency, measure, effective_on, booked_on HAVING sum(delta_minor) <> 0
        """,
        timeout=SECONDS_MAX,
    )
    await db.execute(
        """
        INSERT INTO suggestion (suggestion, entity, currency, amount_minor, made_on, accepted_on, rejected_on)
        SELECT suggestion, min(entity), min(currency), min(amount_minor), min(made_on), min(accepted_on), min(rejected_on)
        FROM suggestion_told GROUP BY suggestion
        """,
        timeout=SECONDS_MAX,
    )
