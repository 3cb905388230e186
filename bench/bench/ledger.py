"""
A ledger of any size from arithmetic alone: which items there are, whose, since when, and how much of each was paid when.

The same number gives the same item in every run, so nothing needs to be kept: what must come out is computed beside what is told. Items
are numbered account by account.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from math import gcd
from typing import Final

from bench.facts import ENTITY, OPENS_ON

CURRENCIES: Final = ("USD", "USD", "EUR", "JPY")
"""By account: an account has one."""
TODAY: Final = OPENS_ON + timedelta(days=380)
"""The last business day that has closed; nothing is effective or booked later."""
PAST: Final = OPENS_ON + timedelta(days=200)
"""A day in the middle, to ask about."""

_ISSUE_DAYS: Final = 365
_TERMS_DAYS: Final = (14, 30, 30, 60)
_PAID_AFTER_DAYS_MAX: Final = 75
_GOLDEN: Final = 618  # Thousandths of all items to step on: neighbours end up far apart, whatever their number.
_WORD: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Paid:
    """Money of one receipt, all of it applied to one item: effective on `value_on`."""

    minor: int
    value_on: date
    booked_on: date


@dataclass(frozen=True, slots=True)
class Billed:
    """One invoice with one item, effective on `issued_on`, and what was paid of it."""

    number: int
    account: str
    currency: str
    issued_on: date
    booked_on: date
    due_on: date
    minor: int
    paid: Paid | None

    @property
    def document_no(self) -> str:
        return f"L{self.number:08}"

    @property
    def item(self) -> str:
        return f"{ENTITY}|{self.document_no}|1"

    @property
    def bank_ref(self) -> str:
        """The bank's reference of the money that pays it, if any does."""
        return f"R{self.number:08}"

    @property
    def open_minor(self) -> int:
        """What is open of it in the end."""
        return self.minor - (self.paid.minor if self.paid else 0)


@dataclass(frozen=True, slots=True)
class Ledger:
    """
    So many open items of so many accounts, with `closed_per_open` items that were paid in full for each of them.

    Of every fourth open item half is paid. `seed` changes the dates and amounts, nothing else.
    """

    open_items: int
    accounts: int
    closed_per_open: int = 1
    seed: int = 1

    @classmethod
    def of_facts(cls, n: int, seed: int = 1) -> "Ledger":
        """Return a ledger that is told in about `n` facts: nine for every two open items and the two paid ones beside them."""
        return cls(max(4, n * 2 // 9), max(1, n // 50), 1, seed)

    @property
    def items(self) -> int:
        """All items, open and paid."""
        return self.open_items * (self.closed_per_open + 1)

    def account_of(self, number: int) -> int:
        """Return the number of the account that an item belongs to."""
        return number * self.accounts // self.items

    def bill(self, number: int) -> Billed:
        """Return the item of a number below `items`."""
        mixed = (number * 2_654_435_761 + self.seed * 40_503) & _WORD
        mixed ^= mixed >> 15
        account = self.account_of(number)
        issued_on = OPENS_ON + timedelta(days=mixed % _ISSUE_DAYS)
        minor = 1_000 + mixed % 100_003
        return Billed(
            number,
            f"L{account:06}",
            CURRENCIES[account % len(CURRENCIES)],
            issued_on,
            issued_on + timedelta(days=3 if mixed % 50 == 0 else 0),  # Some are known only later: that is what `known_at` is for.
            issued_on + timedelta(days=_TERMS_DAYS[mixed // _ISSUE_DAYS % len(_TERMS_DAYS)]),
            minor,
            self._paid(number, minor, issued_on, mixed),
        )

    def _paid(self, number: int, minor: int, issued_on: date, mixed: int) -> Paid | None:
        group, place = divmod(number, self.closed_per_open + 1)
        if place == 0 and group % 4:
            return None
        value_on = min(issued_on + timedelta(days=1 + mixed // 7 % _PAID_AFTER_DAYS_MAX), TODAY - timedelta(days=2))
        booked_on = value_on + timedelta(days=2 if mixed % 20 == 0 else 1)  # A bank tells the next day, mostly.
        return Paid(minor // 2 if place == 0 else minor, value_on, booked_on)

    def in_order(self) -> Iterator[Billed]:
        """Return all items, account by account."""
        return map(self.bill, range(self.items))

    def spread_out(self) -> Iterator[Billed]:
        """Return all items, neighbours of different accounts, as business comes in."""
        stride = next(stride for stride in count(self.items * _GOLDEN // 1000) if gcd(stride, self.items) == 1)
        return (self.bill(place * stride % self.items) for place in range(self.items))


@dataclass(slots=True)
class Outcome:
    """What must stand in the books when these items have been told; amounts in minor units by currency."""

    items: int = 0
    facts: int = 0
    open_minor: Counter[str] = field(default_factory=Counter)

    def add(self, billed: Billed) -> None:
        """Count one item with all that was paid of it."""
        self.items += 1
        self.facts += 3 if billed.paid else 1
        self.open_minor[billed.currency] += billed.open_minor
