"""What the settlement ledger did to each item and memo, one row a fact. Columns: `tables`; nothing here commits."""

from collections.abc import Collection, Sequence
from datetime import date

from chassis.database import Connection

from invoice.domain import Movement, Told


async def insert_movements(db: Connection, movements: Sequence[Movement]) -> None:
    """Write what settlement facts did; a subject has one row of each fact."""
    await db.execute(
        """
        INSERT INTO movement (
            subject, fact_id, fact_type, kind, amount_minor, tax_minor, act, counterpart, rule, reason, effective_on, booked_on,
            recorded_at, causation_id, traceparent
        )
        SELECT * FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::date[], $12::date[], $13::timestamptz[], $14::text[], $15::text[]
        )
        """,
        [one.subject for one in movements],
        [one.told.id for one in movements],
        [one.told.type for one in movements],
        [one.kind for one in movements],
        [one.amount_minor for one in movements],
        [one.tax_minor for one in movements],
        [one.act for one in movements],
        [one.counterpart for one in movements],
        [one.rule for one in movements],
        [one.reason for one in movements],
        [one.effective_on for one in movements],
        [one.booked_on for one in movements],
        [one.recorded_at for one in movements],
        [one.told.causation_id for one in movements],
        [one.told.traceparent for one in movements],
    )


async def load_movements(db: Connection, subjects: Collection[str], as_of: date, known_at: date) -> list[Movement]:
    """
    Read what was done to these items and memos, effective on or before `as_of` and booked on or before `known_at`, in booked order.

    Within a day by effective date, then in the order of the ledger: facts of one key are numbered, so the shorter id is the earlier one.
    """
    rows = await db.fetch(
        """
        SELECT * FROM movement WHERE subject = ANY($1) AND effective_on <= $2 AND booked_on <= $3
        ORDER BY booked_on, effective_on, length(fact_id), fact_id, subject
        """,
        list(subjects),
        as_of,
        known_at,
    )
    return [
        Movement(
            subject=row["subject"],
            kind=row["kind"],
            amount_minor=row["amount_minor"],
            tax_minor=row["tax_minor"],
            act=row["act"],
            counterpart=row["counterpart"],
            rule=row["rule"],
            reason=row["reason"],
            effective_on=row["effective_on"],
            booked_on=row["booked_on"],
            recorded_at=row["recorded_at"],
            told=Told(row["fact_id"], row["fact_type"], row["causation_id"], row["traceparent"]),
        )
        for row in rows
    ]
