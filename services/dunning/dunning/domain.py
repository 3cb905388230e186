"""Which items are due for a notice, and at which level: a function of items, procedure and day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from money import parse_minor


@dataclass(frozen=True, slots=True)
class Procedure:
    """
    A dunning procedure as data. `version` names these very values: other values are another version.

    `level_days[n - 1]` is how many days an item must be overdue for level n. `interval_days` pass between two notices about one item.
    A letter under `total_min_units`, in whole units of its currency, is not sent.
    """

    version: str
    level_days: tuple[int, ...]
    interval_days: int
    total_min_units: int

    def total_min_minor(self, currency: str) -> int:
        """The smallest total of a letter: 25 units are 2500 minor units of USD and 25 of JPY."""
        return parse_minor(str(self.total_min_units), currency)


STANDARD = Procedure(version="standard-1", level_days=(5, 20, 40), interval_days=10, total_min_units=25)
"""The procedure in force."""


@dataclass(frozen=True, slots=True)
class Item:
    """An open item as dunning sees it; `level` is that of its last notice, 0 before the first."""

    item: str
    entity: str
    account: str
    currency: str
    due_on: date
    open_minor: int
    level: int
    last_noticed_on: date | None


@dataclass(frozen=True, slots=True)
class NoticedItem:
    """An item on a notice: the level it reaches with it, and what was open when the noticed day closed."""

    item: str
    level: int
    due_on: date
    open_minor: int


@dataclass(frozen=True, slots=True)
class Notice:
    """One letter to one account in one currency; its level is the highest of its items."""

    entity: str
    account: str
    currency: str
    noticed_on: date
    items: tuple[NoticedItem, ...]

    @property
    def notice(self) -> str:
        """The id: there is at most one notice per account, currency and day."""
        return f"{self.entity}|{self.account}|{self.currency}|{self.noticed_on}"

    @property
    def level(self) -> int:
        return max(one.level for one in self.items)

    @property
    def total_minor(self) -> int:
        return sum(one.open_minor for one in self.items)


def next_notice_on(level: int, due_on: date, last_noticed_on: date | None, procedure: Procedure) -> date | None:
    """The first day whose notice an open item can be on; None at the last level, and where the calendar ends before."""
    if level >= len(procedure.level_days):
        return None
    try:
        overdue_on = due_on + timedelta(days=procedure.level_days[level])
        return max(overdue_on, last_noticed_on + timedelta(days=procedure.interval_days)) if last_noticed_on else overdue_on
    except OverflowError:
        return None


def due_on_last(procedure: Procedure, noticed_on: date) -> list[date]:
    """By the level an item has, from 0: the last due date with which it can be on a notice of this day."""
    return [noticed_on - timedelta(days=days) for days in procedure.level_days]


def judge(items: Iterable[Item], procedure: Procedure, noticed_on: date) -> list[Notice]:
    """
    Decide the notices of a day that has closed, from the items as they stood when it closed.

    An item is due for a notice when it is open, overdue enough for its next level, and its last notice is an interval ago. It rises by
    one level, never more. A letter that would not reach the minimum is not sent: its items keep their level and wait. The result does
    not depend on the order of the items.
    """
    due = sorted(
        (item for item in items if _is_due(item, procedure, noticed_on)), key=lambda item: (*_letter_of(item), item.due_on, item.item)
    )
    notices = []
    for (entity, account, currency), group in groupby(due, key=_letter_of):
        noticed = tuple(NoticedItem(item.item, item.level + 1, item.due_on, item.open_minor) for item in group)
        notice = Notice(entity, account, currency, noticed_on, noticed)
        if notice.total_minor >= procedure.total_min_minor(currency):
            notices.append(notice)
    return notices


def _letter_of(item: Item) -> tuple[str, str, str]:
    return (item.entity, item.account, item.currency)


def _is_due(item: Item, procedure: Procedure, noticed_on: date) -> bool:
    first_on = next_notice_on(item.level, item.due_on, item.last_noticed_on, procedure)
    return item.open_minor > 0 and first_on is not None and first_on <= noticed_on
