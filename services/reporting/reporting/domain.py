"""
The arithmetic of the read model: what a fact adds, the aging buckets, the roll-forward, the KPIs.

Money is signed minor units. A figure for (`as_of`, `known_at`) is the sum of the deltas effective on or before the one and booked on or
before the other, so any past date is exact and a correction is one more delta.
"""

import calendar
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from money import round_half_up

INVOICED: Final = "invoiced"
CREDITED: Final = "credited"
SETTLED: Final = "settled"
CHARGED: Final = "charged"
WRITTEN_OFF: Final = "written_off"
VOIDED: Final = "voided"
UNAPPLIED: Final = "unapplied"
ON_ACCOUNT: Final = "on_account"
MEMO: Final = "memo"
UNIDENTIFIED: Final = "unidentified"

ITEM_MEASURES: Final = (INVOICED, CHARGED, CREDITED, SETTLED, WRITTEN_OFF, VOIDED)
"""
What open items are made of: billed by invoices and debit memos, and by late charges (both positive); less memo credit applied, money
applied, what was adjusted or written off, and what was voided (all negative, net of reversals and recoveries). A voided late charge is less
charged. Their sum is the open amount. They are kept by due date; the other measures have none.
"""
OPEN: Final = "open"
"""Their sum, in what a closed day leaves behind."""
NO_DUE_ON: Final = date(1900, 1, 1)
"""Stands in a key for the due date of a measure that has none; never read."""

BUCKETS: Final = ("current", "1-30", "31-60", "61-90", "90+")
BUCKET_DAYS_MAX: Final = (0, 30, 60, 90)
"""The most days past due (`as_of` less the due date) that each bucket but the last takes."""


def bucket_of(days_past_due: int) -> str:
    """Name the bucket of an item so many days past due; not due yet is `current`."""
    return BUCKETS[bisect_left(BUCKET_DAYS_MAX, days_past_due)]


def bucket_starts(as_of: date) -> list[date]:
    """
    Return the earliest due date of each bucket but the last, oldest first.

    An item due on or after k of them is in bucket `len(BUCKETS) - 1 - k`. Dates rather than days, because a due date may be one that no
    day count reaches (9999-12-31 stands for «never» in many systems).
    """
    return [as_of - timedelta(days=days) for days in reversed(BUCKET_DAYS_MAX)]


def due_dates_that_age(since: date, day: date) -> list[date]:
    """Return the due dates whose items are in another bucket on `day` than they were on `since`."""
    passed = range((day - since).days)
    return sorted({since + timedelta(days=n - most) for most in BUCKET_DAYS_MAX for n in passed})


CubeKey = tuple[str, str, str, date, date, date]
"""(entity, currency, measure, due_on, effective_on, booked_on)"""
AccountKey = tuple[str, str, str, str, date, date, date]
"""(entity, account, currency, measure, due_on, effective_on, booked_on)"""
PostingKey = tuple[str, str | None, str, str, date, date, date]
"""The same; the account is None while the payer is unknown."""


@dataclass(frozen=True, slots=True)
class Posting:
    """Where a fact is posted; `account` is None while the payer is unknown."""

    entity: str
    account: str | None
    currency: str
    effective_on: date
    booked_on: date


@dataclass(slots=True)
class ItemDelta:
    """What a batch adds to one item; `issued_on` and `booked_on` are None until the fact that issued it has come."""

    entity: str
    account: str
    customer: str
    currency: str
    due_on: date
    issued_on: date | None = None
    booked_on: date | None = None
    total_minor: int = 0
    open_minor: int = 0


@dataclass(slots=True)
class Deltas:
    """
    What a batch adds to the read model, folded by key.

    Everything here is a sum or is written once, so the order of the facts and the cut of the batches leave no trace.
    """

    items: dict[str, ItemDelta] = field(default_factory=dict)
    postings: dict[PostingKey, int] = field(default_factory=dict)

    @property
    def accounts(self) -> dict[AccountKey, int]:
        """What is added to accounts, without what cancels out."""
        return {(key[0], account, *key[2:]): minor for key, minor in self.postings.items() if minor and (account := key[1]) is not None}

    @property
    def cube(self) -> dict[CubeKey, int]:
        """What is added to entities, without what cancels out."""
        sums: dict[CubeKey, int] = {}
        for (entity, _, currency, measure, due_on, effective_on, booked_on), minor in self.postings.items():
            key = (entity, currency, measure, due_on, effective_on, booked_on)
            sums[key] = sums.get(key, 0) + minor
        return {key: minor for key, minor in sums.items() if minor}

    def post(self, to: Posting, measure: str, minor: int, due_on: date = NO_DUE_ON) -> None:
        """Add `minor` to a measure, for the entity and for the account where there is one."""
        key = (to.entity, to.account, to.currency, measure, due_on, to.effective_on, to.booked_on)
        self.postings[key] = self.postings.get(key, 0) + minor

    def issue(self, to: Posting, item: str, customer: str, due_on: date, minor: int, measure: str = INVOICED) -> None:
        """Bill an item by `measure` (`INVOICED`, `CHARGED`)."""
        delta = self._item(to, item, customer, due_on)
        delta.issued_on, delta.booked_on = to.effective_on, to.booked_on
        delta.total_minor += minor
        delta.open_minor += minor
        self.post(to, measure, minor, due_on)

    def settle(self, to: Posting, measure: str, item: str, customer: str, due_on: date, minor: int) -> None:
        """Take `minor` off an item by any other measure, or off what was charged; a negative amount puts it back."""
        self._item(to, item, customer, due_on).open_minor -= minor
        self.post(to, measure, -minor, due_on)

    def _item(self, to: Posting, item: str, customer: str, due_on: date) -> ItemDelta:
        delta = self.items.get(item)
        if delta is None:
            if to.account is None:
                raise ValueError(f"{item} has no account")
            delta = self.items[item] = ItemDelta(to.entity, to.account, customer, to.currency, due_on)
        return delta


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What is owed in one currency, by the whole entity or by one account, for one (`as_of`, `known_at`).

    `buckets_minor` are the open amounts in the order of `BUCKETS`; `on_account_minor` is money left on account, `memo_minor` the open
    credit of memos; `unidentified_minor` is known for an entity only.
    """

    currency: str
    account: str | None
    buckets_minor: tuple[int, ...]
    unapplied_minor: int
    on_account_minor: int
    memo_minor: int
    unidentified_minor: int = 0

    @property
    def open_minor(self) -> int:
        """All open items."""
        return sum(self.buckets_minor)

    @property
    def current_minor(self) -> int:
        """Open items not past due."""
        return self.buckets_minor[0]

    @property
    def overdue_minor(self) -> int:
        """Open items past due."""
        return sum(self.buckets_minor[1:])

    @property
    def credit_minor(self) -> int:
        """Credit on the account: on-account money and the open credit of memos. Reports show the two as one column, `on_account`."""
        return self.on_account_minor + self.memo_minor

    @property
    def balance_minor(self) -> int:
        """What the customer owes once every credit is used: open less unapplied less credit."""
        return self.open_minor - self.unapplied_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class RollForward:
    """
    How open items came from one month's end to the next, in one currency, by effective date and net of reversals.

    `charged_minor` is what late charges billed, less those voided. `credited_minor` is memo credit applied, `settled_minor` money applied,
    `written_off_minor` what was adjusted or written off less what was recovered; these and `voided_minor` are positive when they reduce
    what is open.
    """

    currency: str
    opening_minor: int
    invoiced_minor: int
    charged_minor: int
    credited_minor: int
    settled_minor: int
    written_off_minor: int
    voided_minor: int
    unapplied_minor: int
    credit_minor: int

    @property
    def closing_minor(self) -> int:
        """Opening + invoiced + charged - credited - settled - written off - voided."""
        billed_minor = self.invoiced_minor + self.charged_minor - self.voided_minor
        return self.opening_minor + billed_minor - self.credited_minor - self.settled_minor - self.written_off_minor


def month_bounds(month: str) -> tuple[date, date]:
    """Return the first and the last day of a month written `YYYY-MM`; ValueError when it is no month."""
    first = date.fromisoformat(f"{month}-01")
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def next_month_end(day: date) -> date:
    """Return the last day of the month after that of a month's end."""
    return month_end(day + timedelta(days=1))


def is_month_end(day: date) -> bool:
    """Say whether a day is the last of its month."""
    return day == month_end(day)


NO_SALES: Final = "not defined: no net credit sales in the window"
DEFINITIONS: Final[dict[str, str]] = {
    "open_total": "All open items, before unapplied money and credit on account.",
    "overdue": "Open items whose due date is before as_of.",
    "unapplied": "Money of known payers that is not applied and was not put on account.",
    "on_account": "Money left on account plus the open credit of credit memos.",
    "unidentified": "Money whose payer is not known.",
    "net_credit_sales": (
        "Invoices and debit memos less credit memos issued and less voids in the last `days` days up to and including as_of, by effective"
        " date. Late charges are not sales; a void counts on its own date; what is written off is no less sold."
    ),
    "written_off": "Adjusted and written off in the last `days` days, less what was recovered or taken back in them.",
    "dso": "Days sales outstanding: open_total / net_credit_sales x days. One decimal, half up.",
    "best_possible_dso": "Open items not past due / net_credit_sales x days. One decimal, half up.",
    "average_days_delinquent": "DSO less best possible DSO, which is overdue / net_credit_sales x days. One decimal, half up.",
}
"""What each KPI means, printed beside it (RPT-03)."""


@dataclass(frozen=True, slots=True)
class Kpis:
    """
    The figures of one currency; the three day figures are tenths of a day, or None where there are no net credit sales to divide by.
    """

    standing: Standing
    net_credit_sales_minor: int
    written_off_minor: int
    dso_tenths: int | None
    best_possible_dso_tenths: int | None
    average_days_delinquent_tenths: int | None


def kpis(standing: Standing, net_credit_sales_minor: int, written_off_minor: int, days: int) -> Kpis:
    """
    Measure how long money takes to come in (RPT-03).

    Each figure is rounded from its exact fraction, so the delinquent days may differ from the difference of the printed two by 0.1.
    """
    return Kpis(
        standing,
        net_credit_sales_minor,
        written_off_minor,
        _tenths_of_days(standing.open_minor, net_credit_sales_minor, days),
        _tenths_of_days(standing.current_minor, net_credit_sales_minor, days),
        _tenths_of_days(standing.overdue_minor, net_credit_sales_minor, days),
    )


def _tenths_of_days(minor: int, sales_minor: int, days: int) -> int | None:
    return round_half_up(Fraction(10 * minor * days, sales_minor)) if sales_minor > 0 else None


def written_tenths(tenths: int) -> str:
    """Write tenths with one decimal: 350 is "35.0", -5 is "-0.5"."""
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def per_mille(parts_minor: Sequence[int]) -> list[int]:
    """Scale parts to the largest of them, which is 1000; negative parts and a largest of zero give 0. For bars, never for figures."""
    largest = max(parts_minor, default=0)
    return [max(0, part) * 1000 // largest if largest > 0 else 0 for part in parts_minor]
