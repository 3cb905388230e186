"""Findings about items and payments, for the people who work them off."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from typing import Final

from asyncpg import Record
from chassis.database import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What was found on a day that closed: of `kind` `short_payment`, `unearned_discount` or `overpayment`, about a receipt.

    The first two are about an item, too; the last is about the document numbers `named`. `amount_minor` is what was open, or left over.
    """

    finding: str
    entity: str
    kind: str
    found_on: date
    booked_on: date
    receipt: str
    account: str
    currency: str
    amount_minor: int
    item: str | None
    invoice: str | None
    customer: str | None
    due_on: date | None
    until_on: date | None
    deduction_code: str | None
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedFinding:
    """A finding, and what is open now of the item it is about; None where it is about none, or the item has not come."""

    finding: Finding
    open_minor: int | None


@dataclass(frozen=True, slots=True)
class OpenFindings:
    """How many items, or receipts, of a currency have a finding of a `kind`, and what is open of them, or was left over."""

    currency: str
    kind: str
    count: int
    minor: int


_COLUMNS: Final = tuple(field.name for field in fields(Finding))


async def save(db: Connection, findings: Sequence[Finding]) -> None:
    """Keep findings; each comes once."""
    if not findings:
        return
    await db.copy_records_to_table("finding", columns=_COLUMNS, records=[astuple(one) for one in findings])


async def listed(
    db: Connection, entity: str, *, kind: str | None, account: str | None, only_open: bool, after: str, limit: int
) -> list[ListedFinding]:
    """
    Return an entity's findings greater than `after`, in the order of their ids, which begin with the day; at most `limit`.

    With `only_open` those are left out whose item is settled by now.
    """
    rows = await db.fetch(
        f"""
        SELECT {", ".join(f"finding.{column}" for column in _COLUMNS)}, item.open_minor
        FROM finding LEFT JOIN item ON item.item = finding.item
        WHERE finding.entity = $1 AND finding.finding > $2 AND ($3::text IS NULL OR finding.kind = $3)
            AND ($4::text IS NULL OR finding.account = $4) AND (NOT $5 OR finding.item IS NULL OR coalesce(item.is_open, true))
        ORDER BY finding.finding LIMIT $6
        """,
        entity,
        after,
        kind,
        account,
        only_open,
        limit,
    )
    return [ListedFinding(_finding(row), row["open_minor"]) for row in rows]


async def still_open(db: Connection, entity: str, found_since: date, found_until: date) -> list[OpenFindings]:
    """
    Count by currency and kind what was found up to `found_until` and is open now.

    An item counts once, with what is open of it; before it has come, with what was found. An overpayment counts where it was found on or
    after `found_since`, as it was found: what became of that money is not told by receipt.
    """
    rows = await db.fetch(
        """
        SELECT currency, kind, count(*)::int AS count, sum(minor)::bigint AS minor
        FROM (
            SELECT finding.currency, finding.kind, coalesce(max(item.open_minor), max(finding.amount_minor)) AS minor
            FROM finding LEFT JOIN item ON item.item = finding.item
            WHERE finding.entity = $1 AND finding.found_on <= $3 AND (finding.kind <> 'overpayment' OR finding.found_on >= $2)
                AND (finding.item IS NULL OR coalesce(item.is_open, true))
            GROUP BY finding.currency, finding.kind, coalesce(finding.item, finding.finding)
        ) AS one
        GROUP BY currency, kind ORDER BY currency, kind
        """,
        entity,
        found_since,
        found_until,
    )
    return [OpenFindings(**row) for row in rows]


def _finding(row: Record) -> Finding:
    return Finding(**{column: row[column] for column in _COLUMNS if column != "named"}, named=tuple(row["named"]))
