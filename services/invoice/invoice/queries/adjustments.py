"""Adjustments: what may be taken off an item, what was asked for and decided, what the ledger made of it. Columns: `tables.adjustments`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from chassis.database import Connection

from invoice.domain.adjustments import AdjustableDocument, AskedBefore, Standing, Status, open_item
from invoice.domain.approvals import AdjustmentKind
from invoice.queries.steps import Step

_STORED: Final = """
    SELECT adjustment.*, document.document_no, document.currency
    FROM adjustment JOIN document ON document.id = adjustment.document_id
"""


@dataclass(frozen=True, slots=True)
class NewAdjustment:
    """A request on its way in, amounts in minor units; `seq` counts the requests for its item."""

    id: str
    entity: str
    customer: str
    account: str
    document_row_id: int
    n: int
    seq: int
    kind: AdjustmentKind
    reason: str
    asked_minor: int
    requested_by: str
    requested_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class StoredAdjustment:
    """
    An adjustment as it stands, amounts in minor units of `currency`.

    `approved` is zero until it is. `posted` and `taken_back` are sums of the ledger's facts: see `domain.adjustments.gross_and_recovered`.
    """

    id: str
    number: int
    entity: str
    document_no: str
    n: int
    customer: str
    account: str
    currency: str
    kind: AdjustmentKind
    reason: str
    status: Status
    asked_minor: int
    approved: Standing
    posted: Standing
    taken_back: Standing
    requested_by: str
    requested_on: date
    expires_on: date
    decided_by: str | None
    decided_on: date | None


@dataclass(frozen=True, slots=True)
class Decided:
    """How a request was decided, with the step that says why; `approved` is what was approved of it."""

    status: Status
    step: Step
    approved: Standing | None = None


@dataclass(frozen=True, slots=True)
class NewPosting:
    """What the ledger has posted and taken back of an adjustment by now, in all, and the status that follows."""

    adjustment: str
    posted: Standing
    taken_back: Standing
    status: Status


async def lock_document(db: Connection, entity: str, document_no: str, posting_since: date) -> AdjustableDocument | None:
    """Lock a document against other adjustments and voids of it, and read its items as they stand; see `domain.adjustments.open_item`."""
    return await _lock(db, "entity = $1 AND document_no = $2", (entity, document_no), posting_since)


async def lock_document_of(db: Connection, adjustment: str, posting_since: date) -> AdjustableDocument | None:
    """Lock the document an adjustment is about, and with it every decision about the adjustment; like `lock_document`."""
    return await _lock(db, "id = (SELECT document_id FROM adjustment WHERE id = $1)", (adjustment,), posting_since)


async def _lock(db: Connection, condition: str, arguments: Sequence[str], posting_since: date) -> AdjustableDocument | None:
    row = await db.fetchrow(f"SELECT * FROM document WHERE {condition} FOR NO KEY UPDATE", *arguments)
    if row is None:
        return None
    instalments = await db.fetch(
        """
        SELECT instalment.n, instalment.amount_minor
                   - coalesce(settled.settled_minor + settled.credited_minor + settled.adjusted_minor + settled.discounted_minor, 0)
                   AS open_minor
        FROM instalment LEFT JOIN settled ON settled.subject = concat_ws('|', $2::text, $3::text, instalment.n)
        WHERE instalment.document_id = $1
        ORDER BY instalment.n
        """,
        row["id"],
        row["entity"],
        row["document_no"],
    )
    earlier = [_asked_before(one) for one in await db.fetch("SELECT * FROM adjustment WHERE document_id = $1", row["id"])]
    return AdjustableDocument(
        row_id=row["id"],
        entity=row["entity"],
        document_no=row["document_no"],
        customer=row["customer"],
        account=row["account"],
        currency=row["currency"],
        is_voided=row["document_status"] == "voided",
        total_minor=row["total_minor"],
        tax_minor=row["tax_minor"] or 0,
        adjusted_minor=sum(one.approved_minor for one in earlier),
        items=tuple(open_item(one["n"], one["open_minor"], earlier, posting_since) for one in instalments),
    )


def _asked_before(row: Any) -> AskedBefore:
    approved_minor = row["amount_minor"] or 0
    return AskedBefore(
        n=row["n"],
        is_pending=row["status"] == "pending",
        asked_minor=row["asked_minor"],
        approved_minor=approved_minor,
        posted_minor=row["posted_minor"],
        by_policy=approved_minor > 0 and row["decided_by"] is None,
        decided_on=row["decided_on"],
    )


async def insert_adjustment(db: Connection, new: NewAdjustment) -> None:
    """Write a request; nothing is decided yet."""
    await db.execute(
        """
        INSERT INTO adjustment (
            id, entity, customer, account, document_id, n, seq, kind, reason, asked_minor, status, requested_by, requested_on, expires_on,
            posted_minor, posted_tax_minor, recovered_minor, recovered_tax_minor
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12, $13, 0, 0, 0, 0)
        """,
        new.id,
        new.entity,
        new.customer,
        new.account,
        new.document_row_id,
        new.n,
        new.seq,
        new.kind,
        new.reason,
        new.asked_minor,
        new.requested_by,
        new.requested_on,
        new.expires_on,
    )


async def save_decisions(db: Connection, decisions: Sequence[Decided], booked_on: date) -> None:
    """Write how pending requests were decided."""
    ordered = sorted(decisions, key=lambda decided: decided.step.request)
    await db.execute(
        """
        UPDATE adjustment
        SET status = decided.status, amount_minor = decided.amount_minor, tax_minor = decided.tax_minor, decided_by = decided.by,
            decided_on = $6
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) AS decided (id, status, amount_minor, tax_minor, by)
        WHERE adjustment.id = decided.id AND adjustment.status = 'pending'
        """,
        [decided.step.request for decided in ordered],
        [decided.status for decided in ordered],
        [decided.approved.minor if decided.approved else None for decided in ordered],
        [decided.approved.tax_minor if decided.approved else None for decided in ordered],
        [decided.step.by for decided in ordered],
        booked_on,
    )


async def find_adjustment(db: Connection, id_: str) -> StoredAdjustment | None:
    """Read one adjustment as it stands."""
    row = await db.fetchrow(f"{_STORED} WHERE adjustment.id = $1", id_)
    return None if row is None else _stored(row)


async def list_adjustments(
    db: Connection, entity: str, status: Status | None, account: str | None, after: int, limit: int
) -> list[StoredAdjustment]:
    """Read up to `limit` adjustments of an entity whose number is greater than `after`, in the order they were asked for."""
    narrowed = "".join(  # A text of its own for each filter, so that each finds its index.
        f" AND adjustment.{column} = ${place}"
        for place, column in enumerate([name for name, value in (("status", status), ("account", account)) if value is not None], start=4)
    )
    rows = await db.fetch(
        f"{_STORED} WHERE adjustment.entity = $1 AND adjustment.number > $2{narrowed} ORDER BY adjustment.number LIMIT $3",
        *(entity, after, limit),
        *(value for value in (status, account) if value is not None),
    )
    return [_stored(row) for row in rows]


async def list_bad_debts(db: Connection, entity: str, customer: str) -> list[StoredAdjustment]:
    """Read every bad debt of a customer that was approved, by number."""
    rows = await db.fetch(
        f"""
        {_STORED}
        WHERE adjustment.entity = $1 AND adjustment.customer = $2 AND adjustment.kind = 'bad_debt'
          AND adjustment.status IN ('approved', 'posted', 'recovered')
        ORDER BY adjustment.number
        """,
        entity,
        customer,
    )
    return [_stored(row) for row in rows]


async def list_expiring_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted, with requests that nobody may approve any more when `day` starts."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account FROM adjustment
        WHERE entity = $1 AND status = 'pending' AND expires_on < $2 AND account > $3 ORDER BY account LIMIT $4
        """,
        entity,
        day,
        after,
        limit,
    )
    return [row["account"] for row in rows]


async def list_expiring(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[StoredAdjustment]:
    """Read the requests of these accounts that nobody may approve any more when `day` starts, by account and number."""
    rows = await db.fetch(
        f"""
        {_STORED}
        WHERE adjustment.entity = $1 AND adjustment.status = 'pending' AND adjustment.expires_on < $2 AND adjustment.account = ANY($3)
        ORDER BY adjustment.account, adjustment.number
        """,
        entity,
        day,
        list(accounts),
    )
    return [_stored(row) for row in rows]


async def lock_adjustments(db: Connection, ids: Collection[str]) -> list[StoredAdjustment]:
    """Lock these adjustments in sorted order and read them; unknown ones are left out."""
    rows = await db.fetch(f"{_STORED} WHERE adjustment.id = ANY($1) ORDER BY adjustment.id FOR NO KEY UPDATE OF adjustment", list(ids))
    return [_stored(row) for row in rows]


async def save_postings(db: Connection, postings: Sequence[NewPosting]) -> None:
    """Write what was posted and taken back of adjustments that are locked, and the status that follows."""
    await db.execute(
        """
        UPDATE adjustment
        SET posted_minor = sums.posted_minor, posted_tax_minor = sums.posted_tax_minor, recovered_minor = sums.recovered_minor,
            recovered_tax_minor = sums.recovered_tax_minor, status = sums.status
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
            AS sums (id, posted_minor, posted_tax_minor, recovered_minor, recovered_tax_minor, status)
        WHERE adjustment.id = sums.id
        """,
        [one.adjustment for one in postings],
        [one.posted.minor for one in postings],
        [one.posted.tax_minor for one in postings],
        [one.taken_back.minor for one in postings],
        [one.taken_back.tax_minor for one in postings],
        [one.status for one in postings],
    )


def _stored(row: Any) -> StoredAdjustment:
    return StoredAdjustment(
        id=row["id"],
        number=row["number"],
        entity=row["entity"],
        document_no=row["document_no"],
        n=row["n"],
        customer=row["customer"],
        account=row["account"],
        currency=row["currency"],
        kind=row["kind"],
        reason=row["reason"],
        status=row["status"],
        asked_minor=row["asked_minor"],
        approved=Standing(row["amount_minor"] or 0, row["tax_minor"] or 0),
        posted=Standing(row["posted_minor"], row["posted_tax_minor"]),
        taken_back=Standing(row["recovered_minor"], row["recovered_tax_minor"]),
        requested_by=row["requested_by"],
        requested_on=row["requested_on"],
        expires_on=row["expires_on"],
        decided_by=row["decided_by"],
        decided_on=row["decided_on"],
    )
