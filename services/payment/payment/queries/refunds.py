"""Refunds as they are asked for and decided about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from asyncpg import Record
from chassis.database import Connection

Status: TypeAlias = Literal["pending", "approved", "rejected", "withdrawn", "expired"]


@dataclass(frozen=True, slots=True)
class NewRefund:
    """A request to keep, of a receipt (row id)."""

    refund: str
    entity: str
    receipt_id: int
    amount_minor: int
    reason: str
    requested_by: str
    requested_on: date
    requested_at: datetime
    expires_on: date


@dataclass(frozen=True, slots=True)
class StoredRefund:
    """A request as it stands; `number` counts them in the order they came, `account` is where the receipt stands."""

    number: int
    refund: str
    entity: str
    bank_ref: str
    account: str
    currency: str
    amount_minor: int
    reason: str
    status: Status
    requested_by: str
    requested_on: date
    requested_at: datetime
    expires_on: date
    decided_by: str | None
    decided_on: date | None
    decided_at: datetime | None
    decided_why: str | None
    policy_version: str | None
    limit_minor: int | None

    @property
    def receipt(self) -> str:
        """The id of the receipt in facts."""
        return f"{self.entity}|{self.bank_ref}"

    @property
    def key(self) -> str:
        """The key of its facts."""
        return f"{self.entity}|{self.account}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How requests were decided: by whom (None: nobody in time), why, and by which limit of which policy version."""

    status: Status
    decided_by: str | None = None
    decided_why: str | None = None
    policy_version: str | None = None
    limit_minor: int | None = None


_STORED: Final = """
    SELECT refund.id AS number, refund.refund, refund.entity, receipt.bank_ref, account.account, receipt.currency, refund.amount_minor,
        refund.reason, refund.status, refund.requested_by, refund.requested_on, refund.requested_at, refund.expires_on, refund.decided_by,
        refund.decided_on, refund.decided_at, refund.decided_why, refund.policy_version, refund.limit_minor
    FROM refund JOIN receipt ON receipt.id = refund.receipt_id JOIN account ON account.id = receipt.account_id
"""


async def count_refunds(db: Connection, receipt_id: int) -> int:
    """How often a refund of a receipt (row id) was asked for."""
    count: int = await db.fetchval("SELECT count(*) FROM refund WHERE receipt_id = $1", receipt_id)
    return count


async def insert_refund(db: Connection, new: NewRefund) -> None:
    """Write a request; nothing is decided yet."""
    await db.execute(
        """
        INSERT INTO refund (refund, entity, receipt_id, amount_minor, reason, status, requested_by, requested_on, requested_at, expires_on)
        VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9)
        """,
        *(new.refund, new.entity, new.receipt_id, new.amount_minor, new.reason, new.requested_by, new.requested_on, new.requested_at),
        new.expires_on,
    )


async def save_outcome(db: Connection, refunds: Sequence[str], outcome: Outcome, booked_on: date, now: datetime) -> None:
    """Write how pending requests were decided."""
    await db.execute(
        """
        UPDATE refund SET status = $2, decided_by = $3, decided_why = $4, policy_version = $5, limit_minor = $6, decided_on = $7,
            decided_at = $8
        WHERE refund = ANY($1::text[]) AND status = 'pending'
        """,
        list(refunds),
        *(outcome.status, outcome.decided_by, outcome.decided_why, outcome.policy_version, outcome.limit_minor, booked_on, now),
    )


async def find_refund(db: Connection, refund: str) -> StoredRefund | None:
    """Read one request as it stands."""
    row = await db.fetchrow(f"{_STORED} WHERE refund.refund = $1", refund)
    return None if row is None else _stored(row)


async def list_refunds(
    db: Connection, entity: str, status: Status | None, account: str | None, bank_ref: str | None, after: int, limit: int
) -> list[StoredRefund]:
    """The next requests of an entity, in the order they came: all, or those of a status, an account, a receipt."""
    rows = await db.fetch(
        f"""
        {_STORED}
        WHERE refund.entity = $1 AND ($2::text IS NULL OR refund.status = $2) AND ($3::text IS NULL OR account.account = $3)
            AND ($4::text IS NULL OR receipt.bank_ref = $4) AND refund.id > $5
        ORDER BY refund.id LIMIT $6
        """,
        *(entity, status, account, bank_ref, after, limit),
    )
    return [_stored(row) for row in rows]


async def list_expiring_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """The next accounts, sorted, with requests that nobody may approve any more when `day` starts."""
    rows = await db.fetch(
        """
        SELECT DISTINCT account.account COLLATE "C" AS account
        FROM refund JOIN receipt ON receipt.id = refund.receipt_id JOIN account ON account.id = receipt.account_id
        WHERE refund.entity = $1 AND refund.status = 'pending' AND refund.expires_on < $2 AND account.account COLLATE "C" > $3
        ORDER BY account LIMIT $4
        """,
        *(entity, day, after, limit),
    )
    return [row["account"] for row in rows]


async def list_expiring(db: Connection, entity: str, day: date, accounts: Sequence[str]) -> list[StoredRefund]:
    """The requests of these accounts that nobody may approve any more when `day` starts, by account and number."""
    rows = await db.fetch(
        f"""
        {_STORED}
        WHERE refund.entity = $1 AND refund.status = 'pending' AND refund.expires_on < $2 AND account.account = ANY($3::text[])
        ORDER BY account.account COLLATE "C", refund.id
        """,
        *(entity, day, list(accounts)),
    )
    return [_stored(row) for row in rows]


def _stored(row: Record) -> StoredRefund:
    return StoredRefund(*row)
