"""
What the `chk` views of the five databases say, each database in one snapshot.

A row class names its view and the columns it reads. `Books` is plain data: the self-test bends it, the checker only reads it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, ClassVar, Final, TypeVar, cast

import asyncpg

from torture.check.ledger_rows import (
    Allowance,
    Application,
    Exchanged,
    LedgerAdjustment,
    LedgerItem,
    LedgerMemo,
    Leg,
    Receipt,
    Refund,
    Transfer,
)
from torture.check.rows import Day, Head, Held, Idem, Parked, Position, Refused, Row, Seen, Unpublished
from torture.check.topology import SERVICES


@dataclass(frozen=True, slots=True)
class Document(Row):
    VIEW: ClassVar[str] = "document"
    entity: str
    document: str
    kind: str
    account: str
    currency: str
    total_minor: int
    booked_on: date


@dataclass(frozen=True, slots=True)
class Item(Row):
    """An item as the invoice service projects it; one that is voided has a total of zero."""

    VIEW: ClassVar[str] = "item"
    item: str
    entity: str
    account: str
    currency: str
    total_minor: int
    open_minor: int
    settled_minor: int
    credited_minor: int
    adjusted_minor: int
    discounted_minor: int = 0


@dataclass(frozen=True, slots=True)
class ReturnFee(Row):
    """A fee that a bank asked for a return, as the invoice service bills it; `billed_on` is None until it has."""

    VIEW: ClassVar[str] = "return_fee"
    receipt: str
    entity: str
    account: str
    currency: str
    fee_minor: int
    billed_on: date | None


@dataclass(frozen=True, slots=True)
class Adjustment(Row):
    """
    A request to write off in the invoice service, which decides about it.

    `approved_minor` is zero until it is approved; `posted_minor` less `taken_back_minor` is what it heard to stand of it in the ledger.
    """

    VIEW: ClassVar[str] = "adjustment"
    adjustment: str
    entity: str
    item: str
    account: str
    currency: str
    kind: str
    status: str
    asked_minor: int
    approved_minor: int
    posted_minor: int
    taken_back_minor: int
    requested_by: str
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class Memo(Row):
    VIEW: ClassVar[str] = "memo"
    memo: str
    entity: str
    account: str
    currency: str
    total_minor: int
    remaining_minor: int


@dataclass(frozen=True, slots=True)
class Exposure(Row):
    VIEW: ClassVar[str] = "exposure"
    entity: str
    account: str
    currency: str
    open_minor: int
    on_account_minor: int
    memo_minor: int
    exposure_minor: int
    limit_minor: int | None


@dataclass(frozen=True, slots=True)
class DunnedItem(Row):
    VIEW: ClassVar[str] = "item"
    item: str
    entity: str
    account: str
    currency: str
    open_minor: int
    level: int
    last_noticed_on: date | None


@dataclass(frozen=True, slots=True)
class Notice(Row):
    VIEW: ClassVar[str] = "notice"
    notice: str
    entity: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total_minor: int
    items: Sequence[str]
    items_minor: int


@dataclass(frozen=True, slots=True)
class ReportedItem(Row):
    VIEW: ClassVar[str] = "item"
    item: str
    entity: str
    account: str
    currency: str
    open_minor: int


@dataclass(frozen=True, slots=True)
class Balance(Row):
    VIEW: ClassVar[str] = "balance"
    entity: str
    account: str
    currency: str
    open_minor: int
    unapplied_minor: int
    on_account_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class CubeDelta(Row):
    VIEW: ClassVar[str] = "cube"
    entity: str
    currency: str
    measure: str
    due_on: date | None
    effective_on: date
    booked_on: date
    delta_minor: int


@dataclass(frozen=True, slots=True)
class AccountDelta(Row):
    VIEW: ClassVar[str] = "account_delta"
    entity: str
    account: str
    currency: str
    measure: str
    due_on: date | None
    effective_on: date
    booked_on: date
    delta_minor: int


@dataclass(frozen=True, slots=True)
class ReportedReceipt(Row):
    """A receipt in the read model: what came less what a bank took back, what is applied of it, and what is neither that nor placed."""

    VIEW: ClassVar[str] = "receipt"
    receipt: str
    entity: str
    currency: str
    received_minor: int
    applied_minor: int
    free_minor: int


@dataclass(frozen=True, slots=True)
class ExchangeDelta(Row):
    """A part of the exchange differences in the read model, in the entity's currency."""

    VIEW: ClassVar[str] = "exchange_delta"
    entity: str
    account: str
    currency: str
    measure: str
    effective_on: date
    booked_on: date
    delta_minor: int


@dataclass(frozen=True, slots=True)
class ReportedNotice(Row):
    VIEW: ClassVar[str] = "notice"
    notice: str
    entity: str
    account: str
    currency: str
    noticed_on: date
    level: int
    booked_on: date


PROTOCOL: Final[tuple[type[Row], ...]] = (Position, Day, Head, Seen, Unpublished, Held, Parked, Refused, Idem)
OF: Final[Mapping[str, tuple[type[Row], ...]]] = {
    "invoice": (*PROTOCOL, Document, Item, Memo, Adjustment, ReturnFee),
    "payment": (*PROTOCOL, LedgerItem, LedgerAdjustment, LedgerMemo, Receipt, Transfer, Refund, Application, Allowance, Exchanged, Leg),
    "credit": (*PROTOCOL, Exposure),
    "dunning": (*PROTOCOL, DunnedItem, Notice),
    "reporting": (*PROTOCOL, ReportedItem, ReportedReceipt, Balance, CubeDelta, AccountDelta, ExchangeDelta, ReportedNotice),
}
RowT = TypeVar("RowT", bound=Row)
Shelf = Mapping[type[Row], Sequence[Row]]
"""The views of one database."""


@dataclass(frozen=True, slots=True)
class Books:
    """The views of all databases, by service."""

    shelves: Mapping[str, Shelf]

    def rows(self, service: str, kind: type[RowT]) -> Sequence[RowT]:
        """Return the rows of one view."""
        return cast(Sequence[RowT], self.shelves[service].get(kind, ()))

    def replaced(self, service: str, kind: type[RowT], rows: Sequence[RowT]) -> "Books":
        """Return other books, in which one view says something else."""
        return Books({**self.shelves, service: {**self.shelves[service], kind: rows}})


async def read_books(dsn_of: Mapping[str, str]) -> Books:
    """Read every view of every database, each database in one repeatable-read transaction; `dsn_of` by service."""
    shelves = await asyncio.gather(*(_read_shelf(dsn_of[service], OF[service]) for service in SERVICES))
    return Books(dict(zip(SERVICES, shelves, strict=True)))


async def _read_shelf(dsn: str, kinds: Sequence[type[Row]]) -> Shelf:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {kind: [_row(kind, found) for found in await connection.fetch(_select(kind))] for kind in kinds}
    finally:
        await connection.close()


def _select(kind: type[Row]) -> str:
    columns = ", ".join(f'"{column.name}"' for column in fields(kind))
    return f"SELECT {columns} FROM chk.{kind.VIEW}"


def _row(kind: type[RowT], found: Any) -> RowT:
    return kind(*found)
