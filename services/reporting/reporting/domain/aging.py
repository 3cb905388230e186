"""Open items by age, of an entity or an account."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

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
class Valued:
    """
    Open items of a foreign currency in the entity's `currency`, at the rate of the period's end they were revalued at (RPT-01, RPT-08).

    `buckets_minor` are in the order of `BUCKETS`; `of_minor` is what they stand for, in the items' own currency.
    """

    currency: str
    of_minor: int
    buckets_minor: tuple[int, ...]

    @property
    def open_minor(self) -> int:
        """All that was valued."""
        return sum(self.buckets_minor)
