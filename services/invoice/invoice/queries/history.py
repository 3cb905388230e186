"""What happened to items besides movements. Columns: `tables`; nothing here commits."""

from collections.abc import Collection
from datetime import date

from chassis.database import Connection

from invoice.domain.history import Event


async def load_charges(db: Connection, items: Collection[str], known_at: date) -> list[Event]:
    """
    Read the late charges of items that were booked on or before a day, in the order they were made.

    A charge changes nothing of what is open of the item: where it is posted, it is owed by a document of its own.
    """
    rows = await db.fetch(
        """
        SELECT item, amount_minor, booked_on, recorded_at, posted_document_no
        FROM late_charge WHERE item = ANY($1) AND booked_on <= $2
        ORDER BY booked_on, item, charge_no
        """,
        list(items),
        known_at,
    )
    return [
        Event(
            "charged",
            effective_on=row["booked_on"],
            booked_on=row["booked_on"],
            amount_minor=row["amount_minor"],
            item=row["item"],
            recorded_at=row["recorded_at"],
            document_no=row["posted_document_no"],
        )
        for row in rows
    ]
