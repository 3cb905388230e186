"""HTTP bodies of the dunning service."""

from collections.abc import Sequence
from datetime import date

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel

from dunning.domain import Procedure, next_notice_on


class NoticedItemOut(BaseModel):
    """An item on a notice: the level it reached with it and what was open when the noticed day closed."""

    item: str
    level: int
    due_on: date
    open: str


class NoticeOut(BaseModel):
    """A notice that was sent over the facts booked up to `noticed_on`; its level is the highest of its items."""

    notice: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total: str
    procedure: str
    channel: str
    items: list[NoticedItemOut]

    @classmethod
    def of(cls, notice: Record, items: Sequence[Record]) -> "NoticeOut":
        """Write a notice for people and programs."""
        currency = notice["currency"]
        return cls(
            notice=notice["notice"],
            account=notice["account"],
            currency=currency,
            noticed_on=notice["noticed_on"],
            level=notice["level"],
            total=format_minor(notice["total_minor"], currency),
            procedure=notice["procedure_version"],
            channel=notice["channel"],
            items=[
                NoticedItemOut(item=one["item"], level=one["level"], due_on=one["due_on"], open=format_minor(one["open_minor"], currency))
                for one in items
            ],
        )


class NoticesOut(BaseModel):
    """A page of notices in the order they were sent; `next_cursor` is null on the last page."""

    notices: list[NoticeOut]
    next_cursor: str | None


class ItemOut(BaseModel):
    """An open item: its level, and the first day whose notice it can be on (null after the last level)."""

    item: str
    currency: str
    due_on: date
    open: str
    level: int
    last_noticed_on: date | None
    next_notice_on: date | None

    @classmethod
    def of(cls, row: Record, procedure: Procedure) -> "ItemOut":
        """Write an item for people and programs."""
        return cls(
            item=row["item"],
            currency=row["currency"],
            due_on=row["due_on"],
            open=format_minor(row["open_minor"], row["currency"]),
            level=row["level"],
            last_noticed_on=row["last_noticed_on"],
            next_notice_on=next_notice_on(row["level"], row["due_on"], row["last_noticed_on"], procedure),
        )


class AccountOut(BaseModel):
    """A page of the open items of an account; `complete_up_to` is the last closed day of the entity, null before its first."""

    entity: str
    account: str
    complete_up_to: date | None
    procedure: str
    items: list[ItemOut]
    next_cursor: str | None
