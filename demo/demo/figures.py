"""Aging figures as the demo compares them: integer minor units per customer and currency."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, get_args

from demo.postings import Cause, Owner, Posting

BUCKETS: Final = ("current", "1-30", "31-60", "61-90", "90+")
_BILLED: Final = ("invoiced", "charged")
_LAST_DAYS: Final = (0, 30, 60, 90)  # The last day past due of each bucket but the last.


@dataclass(slots=True)
class Figures:
    """What one customer owes in one currency, by days past due, and what is held for them."""

    buckets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(BUCKETS, 0))
    unapplied: int = 0
    on_account: int = 0

    @property
    def open(self) -> int:
        """All that is owed."""
        return sum(self.buckets.values())

    def shown(self) -> dict[str, int]:
        """Every figure by its name, for a comparison."""
        return {"open": self.open, **self.buckets, "unapplied": self.unapplied, "on_account": self.on_account}

    def __bool__(self) -> bool:
        return any(self.shown().values())


def bucket(due_on: date, as_of: date) -> str:
    """Return the bucket of an item by its days past due: `current` up to and including the due date."""
    days = (as_of - due_on).days
    return next((name for name, last in zip(BUCKETS, _LAST_DAYS, strict=False) if days <= last), BUCKETS[-1])


def figures_at(postings: Iterable[Posting], as_of: date, known_at: date = date.max) -> dict[Owner, Figures]:
    """
    Sum what is effective by one day and booked by another; owners without any figure are left out, and so is unidentified money.

    :param known_at: as the books stood then; by default everything known counts, also what was booked later.
    """
    found: defaultdict[Owner, Figures] = defaultdict(Figures)
    for posting in postings:
        if posting.effective_on > as_of or posting.booked_on > known_at:
            continue
        figures = found[posting.owner]
        match posting.figure:
            case "open" if posting.due_on:
                figures.buckets[bucket(posting.due_on, as_of)] += posting.minor
            case "unapplied":
                figures.unapplied += posting.minor
            case "on_account":
                figures.on_account += posting.minor
    return {owner: figures for owner, figures in found.items() if figures}


def moved_in(postings: Iterable[Posting], month: date, known_at: date = date.max) -> dict[str, dict[Cause, int]]:
    """
    Sum by currency why open items came and went in a month, by effective date: what was billed, and what was taken off by each cause; and
    which money left us.

    Currencies of which nothing moved are left out.
    """
    found: defaultdict[str, dict[Cause, int]] = defaultdict(lambda: dict.fromkeys(get_args(Cause), 0))
    for one in postings:
        day = one.effective_on
        if one.cause and one.booked_on <= known_at and (day.year, day.month) == (month.year, month.month):
            found[one.owner[1]][one.cause] += one.minor if one.cause in _BILLED else -one.minor
    return dict(found)


def unidentified_at(postings: Iterable[Posting], as_of: date) -> dict[str, int]:
    """Return the money nobody could be found for, by currency."""
    found: defaultdict[str, int] = defaultdict(int)
    for posting in postings:
        if posting.figure == "unidentified" and posting.effective_on <= as_of:
            found[posting.owner[1]] += posting.minor
    return {currency: minor for currency, minor in found.items() if minor}
