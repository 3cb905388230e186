"""Credit memos that wait for a second person. Columns: `tables.memo_requests`; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from chassis.database import Connection

from invoice.domain import Draft
from invoice.domain.memo_requests import Status


@dataclass(frozen=True, slots=True)
class NewMemoRequest:
    """A request on its way in, its total in minor units; `content_hash` is that of the document it makes."""

    id: str
    draft: Draft
    account: str
    total_minor: int
    content_hash: bytes
    requested_by: str
    requested_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class StoredMemoRequest:
    """A request as it stands; `total_minor` is what the memo came to when it was asked for."""

    id: str
    number: int
    draft: Draft
    account: str
    total_minor: int
    content_hash: bytes
    status: Status
    requested_by: str
    requested_on: date
    expires_on: date
    decided_by: str | None
    decided_on: date | None


async def insert_request(db: Connection, new: NewMemoRequest) -> None:
    """
    Write a request; nothing is decided yet.

    :raises UniqueViolationError: another one for this number came at the same time: begin again.
    """
    draft = new.draft
    await db.execute(
        """
        INSERT INTO credit_memo_request (
            id, entity, document_no, customer, account, currency, total_minor, draft, content_hash, status,
            requested_by, requested_on, expires_on
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, 'pending', $10, $11, $12)
        """,
        *(new.id, draft.entity, draft.document_no, draft.customer, new.account, draft.currency, new.total_minor),
        *(msgspec.json.encode(draft).decode(), new.content_hash, new.requested_by, new.requested_on, new.expires_on),
    )


async def lock_requests(db: Connection, entity: str, document_no: str) -> list[StoredMemoRequest]:
    """Lock and read every request there has been for a document number, first first; a decision about one waits, or has committed."""
    rows = await db.fetch(
        "SELECT * FROM credit_memo_request WHERE entity = $1 AND document_no = $2 ORDER BY number FOR NO KEY UPDATE",
        entity,
        document_no,
    )
    return [_stored(row) for row in rows]


async def lock_request(db: Connection, id_: str) -> StoredMemoRequest | None:
    """Read a request that is about to be decided about; a second decision waits here."""
    row = await db.fetchrow("SELECT * FROM credit_memo_request WHERE id = $1 FOR NO KEY UPDATE", id_)
    return None if row is None else _stored(row)


async def find_request(db: Connection, id_: str) -> StoredMemoRequest | None:
    """Read a request as it stands."""
    row = await db.fetchrow("SELECT * FROM credit_memo_request WHERE id = $1", id_)
    return None if row is None else _stored(row)


async def save_outcome(db: Connection, ids: Sequence[str], outcome: Status, by: str | None, booked_on: date) -> None:
    """Write what became of pending requests."""
    await db.execute(
        """
        UPDATE credit_memo_request SET status = $2, decided_by = $3, decided_on = $4
        WHERE id = ANY($1) AND status = 'pending'
        """,
        *(list(ids), outcome, by, booked_on),
    )


async def list_requests(db: Connection, entity: str, status: Status | None, after: int, limit: int) -> list[StoredMemoRequest]:
    """Read up to `limit` requests of an entity whose number is greater than `after`, in the order they were made."""
    narrowed = "" if status is None else "AND status = $4"
    rows = await db.fetch(
        f"SELECT * FROM credit_memo_request WHERE entity = $1 AND number > $2 {narrowed} ORDER BY number LIMIT $3",
        *(entity, after, limit),
        *(() if status is None else (status,)),
    )
    return [_stored(row) for row in rows]


async def list_expiring_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted, with requests that nobody may approve any more when `day` starts."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account FROM credit_memo_request
        WHERE entity = $1 AND status = 'pending' AND expires_on < $2 AND account > $3 ORDER BY account LIMIT $4
        """,
        *(entity, day, after, limit),
    )
    return [row["account"] for row in rows]


async def lock_expiring(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[StoredMemoRequest]:
    """Lock and read the requests of these accounts that nobody may approve any more when `day` starts, by id."""
    rows = await db.fetch(
        """
        SELECT * FROM credit_memo_request
        WHERE entity = $1 AND status = 'pending' AND expires_on < $2 AND account = ANY($3) ORDER BY id FOR NO KEY UPDATE
        """,
        *(entity, day, list(accounts)),
    )
    return [_stored(row) for row in rows]


def _stored(row: Any) -> StoredMemoRequest:
    return StoredMemoRequest(
        id=row["id"],
        number=row["number"],
        draft=msgspec.json.decode(row["draft"], type=Draft),
        account=row["account"],
        total_minor=row["total_minor"],
        content_hash=row["content_hash"],
        status=row["status"],
        requested_by=row["requested_by"],
        requested_on=row["requested_on"],
        expires_on=row["expires_on"],
        decided_by=row["decided_by"],
        decided_on=row["decided_on"],
    )
