"""Late charges, and what they are computed from. Columns: `tables.charges`; nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import msgspec
from chassis.database import Connection
from events.invoice import ChargeRange

from invoice.domain.charges import Charged, LateItem, Reduction


@dataclass(frozen=True, slots=True)
class StoredCharge:
    """A late charge as it was made, in minor units; `charge_no` and `posted_document_no` are numbers within the entity."""

    entity: str
    charge_no: str
    item: str
    document_no: str
    n: int
    customer: str
    account: str
    currency: str
    amount_minor: int
    fixed_minor: int
    accrued_minor: int
    charged_before_minor: int
    through_on: date
    day_count: str
    ranges: Sequence[ChargeRange]
    limited_by: str | None
    policy_version: str
    posting: str
    posted_minor: int
    posted_document_no: str | None
    booked_on: date


@dataclass(frozen=True, slots=True)
class ChargedBefore:
    """What an item was charged, and the number of its last debit memo that stands."""

    charged: Charged
    document_no: str | None


# An opening balance was somebody else's to charge until the day its books were taken over.
_ITEM = """
    SELECT concat_ws('|', document.entity, document.document_no, instalment.n) AS item, document.entity, document.document_no, instalment.n,
           document.kind, document.customer, document.account, document.currency, instalment.amount_minor,
           greatest(
               instalment.due_on, document.issued_on, CASE WHEN document.origin = 'opening_balance' THEN document.origin_id::date END
           ) AS owed_on
"""
_BEARS_INTEREST = """
    document.kind IN ('invoice', 'debit_memo') AND document.origin IS DISTINCT FROM 'late_charge' AND instalment.amount_minor > 0
"""


async def find_accounts(db: Connection, entity: str, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, that have documents at all."""
    rows = await db.fetch(
        "SELECT DISTINCT account FROM document WHERE entity = $1 AND account > $2 ORDER BY account LIMIT $3", entity, after, limit
    )
    return [row["account"] for row in rows]


async def load_late_items(db: Connection, entity: str, accounts: Collection[str], through_on: date, known_through: date) -> list[LateItem]:
    """
    Read what may have to be charged through a day, as the settlement ledger was known through `known_through`, by item.

    That is what was owed before and is open; what is settled, where that became known or took effect after the account was last judged;
    and what was charged and is voided. All else has been charged to its end.
    """
    rows = await db.fetch(
        f"""
        SELECT late.* FROM (
            {_ITEM}, document.document_status = 'voided' AS voided
            FROM document JOIN instalment ON instalment.document_id = document.id
            WHERE document.entity = $1 AND document.account = ANY($2) AND instalment.due_on < $3 AND {_BEARS_INTEREST}
        ) AS late
        LEFT JOIN charge_run ON charge_run.entity = late.entity AND charge_run.account = late.account
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_minor), 0) AS settled_minor, max(greatest(booked_on, effective_on)) AS moved_on
            FROM movement WHERE subject = late.item AND booked_on <= $4
        ) AS known
        WHERE late.owed_on < $3 AND CASE
            WHEN late.voided THEN EXISTS (SELECT FROM late_charge WHERE late_charge.item = late.item)
            ELSE known.settled_minor < late.amount_minor OR known.moved_on > coalesce(charge_run.known_through, '-infinity')
        END
        ORDER BY late.item
        """,
        entity,
        list(accounts),
        through_on,
        known_through,
    )
    return [_item(row) for row in rows]


async def load_document_items(db: Connection, entity: str, document_no: str, known_at: date) -> list[LateItem]:
    """Read the instalments of a document that was booked on or before `known_at`, whether they are late or not."""
    rows = await db.fetch(
        f"""
        {_ITEM}, EXISTS (SELECT FROM void WHERE void.document_id = document.id AND void.booked_on <= $3) AS voided
        FROM document JOIN instalment ON instalment.document_id = document.id
        WHERE document.entity = $1 AND document.document_no = $2 AND document.booked_on <= $3 AND {_BEARS_INTEREST}
        ORDER BY instalment.n
        """,
        entity,
        document_no,
        known_at,
    )
    return [_item(row) for row in rows]


def _item(row: Any) -> LateItem:
    names = ("entity", "document_no", "n", "kind", "customer", "account", "currency", "amount_minor", "owed_on", "voided")
    return LateItem(**{name: row[name] for name in names})


async def load_reductions(db: Connection, items: Collection[str], known_through: date) -> dict[str, list[Reduction]]:
    """
    Read what was taken off items, by item and day, of what was booked on or before `known_through`.

    What takes an application back is dated as its cause, which may lie before the application: it never counts before what it takes back.
    """
    rows = await db.fetch(
        """
        SELECT subject, counts_on, sum(amount_minor)::bigint AS minor
        FROM (
            SELECT subject, amount_minor, CASE WHEN amount_minor < 0
                THEN greatest(effective_on, min(effective_on) FILTER (WHERE amount_minor > 0) OVER (PARTITION BY subject, act))
                ELSE effective_on
            END AS counts_on
            FROM movement WHERE subject = ANY($1) AND booked_on <= $2
        ) AS moved
        GROUP BY subject, counts_on ORDER BY subject, counts_on
        """,
        list(items),
        known_through,
    )
    found: dict[str, list[Reduction]] = {}
    for row in rows:
        found.setdefault(row["subject"], []).append(Reduction(row["counts_on"], row["minor"]))
    return found


async def load_charged(db: Connection, items: Collection[str], charged_through: date, settled_through: date) -> dict[str, ChargedBefore]:
    """
    Read what items were charged on or before `charged_through`, and what of it stands as documents.

    A debit memo that was voided does not stand, nor what was waived of one by an adjustment booked on or before `settled_through`.
    """
    rows = await db.fetch(
        """
        SELECT item, sum(amount_minor - fixed_minor)::bigint AS interest_minor, sum(fixed_minor)::bigint AS fixed_minor,
               coalesce(sum(posted_minor - waived_minor) FILTER (WHERE stands), 0)::bigint AS posted_minor,
               (array_agg(posted_document_no ORDER BY booked_on DESC) FILTER (WHERE stands AND posted_minor > 0))[1] AS document_no
        FROM (
            SELECT late_charge.*, document.document_status = 'issued' AS stands, coalesce(waived.minor, 0) AS waived_minor
            FROM late_charge
            LEFT JOIN document ON document.entity = late_charge.entity AND document.document_no = late_charge.posted_document_no
            LEFT JOIN LATERAL (
                SELECT sum(movement.amount_minor) AS minor FROM movement
                WHERE movement.subject = concat_ws('|', late_charge.entity, late_charge.posted_document_no, 1)
                AND movement.kind = 'adjusted' AND movement.booked_on <= $3
            ) AS waived ON late_charge.posted_minor > 0
            WHERE late_charge.item = ANY($1) AND late_charge.booked_on <= $2
        ) AS charged
        GROUP BY item
        """,
        list(items),
        charged_through,
        settled_through,
    )
    found = {}
    for row in rows:
        charged = Charged(row["interest_minor"], row["fixed_minor"], row["posted_minor"])
        found[row["item"]] = ChargedBefore(charged, row["document_no"])
    return found


async def insert_charges(db: Connection, charges: Sequence[StoredCharge], now: datetime) -> None:
    """Write new charges."""
    await db.execute(
        """
        INSERT INTO late_charge (
            entity, charge_no, item, document_no, n, customer, account, currency, amount_minor, fixed_minor, accrued_minor,
            charged_before_minor, through_on, day_count, ranges, limited_by, policy_version, posting, posted_minor, posted_document_no,
            booked_on, recorded_at
        )
        SELECT *, $22::timestamptz
        FROM unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
            $11::bigint[], $12::bigint[], $13::date[], $14::text[], $15::jsonb[], $16::text[], $17::text[], $18::text[], $19::bigint[],
            $20::text[], $21::date[]
        )
        """,
        [one.entity for one in charges],
        [one.charge_no for one in charges],
        [one.item for one in charges],
        [one.document_no for one in charges],
        [one.n for one in charges],
        [one.customer for one in charges],
        [one.account for one in charges],
        [one.currency for one in charges],
        [one.amount_minor for one in charges],
        [one.fixed_minor for one in charges],
        [one.accrued_minor for one in charges],
        [one.charged_before_minor for one in charges],
        [one.through_on for one in charges],
        [one.day_count for one in charges],
        [msgspec.json.encode(one.ranges).decode() for one in charges],
        [one.limited_by for one in charges],
        [one.policy_version for one in charges],
        [one.posting for one in charges],
        [one.posted_minor for one in charges],
        [one.posted_document_no for one in charges],
        [one.booked_on for one in charges],
        now,
    )


async def note_run(db: Connection, entity: str, accounts: Collection[str], known_through: date) -> None:
    """Note up to which bookings the settlement of accounts was known when they were judged."""
    await db.execute(
        """
        INSERT INTO charge_run (entity, account, known_through) SELECT $1, account, $3 FROM unnest($2::text[]) AS account ORDER BY account
        ON CONFLICT (entity, account) DO UPDATE SET known_through = excluded.known_through
        """,
        entity,
        list(accounts),
        known_through,
    )


async def list_charges(
    db: Connection, entity: str, account: str | None, document_no: str | None, after: str, limit: int
) -> list[StoredCharge]:
    """Read up to `limit` charges whose number is greater than `after`, by number: of an account, of a document, or all."""
    arguments: list[object] = [entity, after, limit]
    conditions = ["entity = $1", "charge_no > $2"]
    for column, wanted in (("account", account), ("document_no", document_no)):
        if wanted is not None:  # A text of its own for every set of filters, so that each finds its index.
            arguments.append(wanted)
            conditions.append(f"{column} = ${len(arguments)}")
    rows = await db.fetch(f"SELECT * FROM late_charge WHERE {' AND '.join(conditions)} ORDER BY charge_no LIMIT $3", *arguments)
    return [_charge(row) for row in rows]


async def find_charge(db: Connection, entity: str, charge_no: str) -> StoredCharge | None:
    """Read one charge by its number."""
    row = await db.fetchrow("SELECT * FROM late_charge WHERE entity = $1 AND charge_no = $2", entity, charge_no)
    return None if row is None else _charge(row)


def _charge(row: Any) -> StoredCharge:
    ranges = msgspec.json.decode(row["ranges"], type=list[ChargeRange])
    return StoredCharge(**{field.name: row[field.name] for field in fields(StoredCharge) if field.name != "ranges"}, ranges=ranges)
