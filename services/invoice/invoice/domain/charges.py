"""
What a late item has to bear (INV-09). Pure: values in, values out.

A charge is cumulative: what an item owes for its lateness from the first day on, less what earlier charges came to. So whatever becomes
known later (a payment booked late, a credit memo dated back, a void) corrects the next charge and needs no rule of its own.

Three policies may speak in one charge. The rate of each day is that of the policy in force on that day. Grace, minimum, cap, day count
and fixed sum are those of the policy in force when the item became late, or of the first one after, and stay for the item's life. Cycle
and posting are those of the policy in force on the day that charges.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Final, Literal, NamedTuple, TypeAlias

from money import round_half_up
from policies.versions import STANDARD, PolicyVersion, in_force

from invoice.domain.charge_terms import ChargeTerms, parse_late_charges
from invoice.domain.drafts import document_id, item_id
from invoice.domain.interest import ONE_DAY, DayCount, Run, Step, accrue, level_on, total_minor

Posting: TypeAlias = Literal["memo_only", "debit_memo", "credit_memo"]
NUMBER_LENGTH_MAX: Final = 64  # What an identifier may have.


class Charged(NamedTuple):
    """What an item was charged so far: interest, fixed sums, and what of both stands as documents; minor units."""

    interest_minor: int = 0
    fixed_minor: int = 0
    posted_minor: int = 0


NOTHING: Final = Charged()


class Reduction(NamedTuple):
    """What the principal falls by from the end of `effective_on` on, in minor units; below zero it rises."""

    effective_on: date
    minor: int


class Excluded(NamedTuple):
    """A part of the principal that bears nothing from `from_on` through `through_on` (None: for good), such as what is disputed."""

    from_on: date
    through_on: date | None
    minor: int


@dataclass(frozen=True, slots=True)
class LateItem:
    """
    An instalment that was not settled by its due date, as known on one day.

    `owed_on` is the day it had to be paid on: its due date, or where its document came into being later, that day. `charged_document` is
    the number of the last debit memo it was charged by that stands.
    """

    entity: str
    document_no: str
    n: int
    kind: str
    customer: str
    account: str
    currency: str
    amount_minor: int
    owed_on: date
    voided: bool = False
    reductions: Sequence[Reduction] = ()
    excluded: Sequence[Excluded] = ()
    charged: Charged = NOTHING
    charged_document: str | None = None

    @property
    def invoice(self) -> str:
        return document_id(self.entity, self.document_no)

    @property
    def item(self) -> str:
        return item_id(self.invoice, self.n)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an item owes for being late through a day, whatever was charged of it: interest as bounded, and the fixed sum."""

    runs: Sequence[Run]
    accrued_minor: int
    interest_minor: int
    fixed_minor: int
    day_count: DayCount
    policy_version: str
    limited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """
    What an item is charged now: `interest_minor` and `fixed_minor` on top of what it was charged before, below zero to give back.

    `posted_minor` is what of it becomes a document: a debit memo, below zero a credit memo, nothing where it is memo only.
    """

    item: LateItem
    assessment: Assessment
    through_on: date
    interest_minor: int
    fixed_minor: int
    posting: Posting
    posted_minor: int

    @property
    def amount_minor(self) -> int:
        return self.interest_minor + self.fixed_minor


class Policies:
    """
    The late-charge policies of an entity as known on one day, ascending by their first day.

    :raises ValueError: a body that `parse_late_charges` refuses, which nobody can have approved.
    """

    def __init__(self, versions: Sequence[PolicyVersion]) -> None:
        self._versions = versions
        self._terms: dict[str, ChargeTerms] = {}
        for version in versions:
            terms = parse_late_charges(version.body)
            if not isinstance(terms, ChargeTerms):
                raise ValueError(f"late charges version {version.version}: {terms}")
            self._terms[version.version] = terms

    def in_force(self, on: date) -> ChargeTerms | None:
        """Return what is in force on a day; None where that is the standard, under which nothing is charged."""
        version = in_force(self._versions, on)
        return None if version is None else self._terms[version.version]

    def governing(self, first_late_on: date) -> tuple[str, ChargeTerms] | None:
        """Return version and terms for an item that became late on a day; None where there never was a policy."""
        version = in_force(self._versions, first_late_on) or (self._versions[0] if self._versions else None)
        return None if version is None else (version.version, self._terms[version.version])

    def rates(self, first_late_on: date, from_on: date, through_on: date) -> tuple[list[Step[Decimal]], list[str]]:
        """Return the rates of the days from `from_on` to `through_on` for a claim, and the versions that set them."""
        changes = {from_on, *(version.valid_from for version in self._versions)}
        for terms in self._terms.values():
            changes.update(step.from_on for step in terms.rates)
        if any(terms.statutory is not None for terms in self._terms.values()):
            changes.update(date(year, month, 1) for year in range(from_on.year, through_on.year + 1) for month in (1, 7))
        steps: list[Step[Decimal]] = []
        used: list[str] = []
        for day in sorted(day for day in changes if from_on <= day <= through_on):
            version = in_force(self._versions, day)
            if version is not None:
                steps.append(Step(day, self._terms[version.version].percent_on(day, first_late_on)))
                used.append(version.version)
        return steps, used


def assess(item: LateItem, policies: Policies, through_on: date) -> Assessment:
    """
    Say what an item owes for being late through the end of a day: all of it, from its first late day on.

    What is settled within the grace counts as settled in time. What is open after it bears interest from the day after it was owed, or from
    the end of the grace where the policy says so. A voided document never owed anything.
    """
    first_late_on = item.owed_on + ONE_DAY
    governing = policies.governing(first_late_on)
    if governing is None:
        return Assessment((), 0, 0, 0, "ACT/365", STANDARD)
    version, terms = governing
    grace_end_on = item.owed_on + timedelta(days=terms.grace_days)
    if item.voided or through_on <= grace_end_on or item.kind not in terms.from_kinds:
        return Assessment((), 0, 0, 0, terms.day_count, version)
    from_on = (grace_end_on if terms.accrues_from == "grace_end" else item.owed_on) + ONE_DAY
    principals = _principals(item, grace_end_on, through_on)
    rates, used = policies.rates(first_late_on, from_on, through_on)
    runs = accrue(principals, rates, terms.day_count, from_on, through_on)
    accrued = total_minor(runs)
    interest, limited_by = _bounded(accrued, item, terms)
    debt = level_on(principals, grace_end_on + ONE_DAY, 0)
    fixed = terms.statutory.fixed_minor(debt, item.currency) if terms.statutory is not None else 0
    versions = ",".join(dict.fromkeys([version, *used]))
    return Assessment(runs, accrued, interest, fixed, terms.day_count, versions, limited_by)


def _principals(item: LateItem, grace_end_on: date, through_on: date) -> list[Step[int]]:
    """Return the principal by day, from before the first late day on. A day's payments count from the day after."""
    changes: dict[date, int] = {date.min: item.amount_minor}
    for effective_on, minor in item.reductions:
        in_time = effective_on <= grace_end_on
        if effective_on <= through_on:
            from_on = date.min if in_time else effective_on + ONE_DAY
            changes[from_on] = changes.get(from_on, 0) - minor
    for part in item.excluded:
        changes[part.from_on] = changes.get(part.from_on, 0) - part.minor
        if part.through_on is not None:
            again_on = part.through_on + ONE_DAY
            changes[again_on] = changes.get(again_on, 0) + part.minor
    days = sorted(changes)
    return [Step(day, level) for day, level in zip(days, accumulate(changes[day] for day in days), strict=True)]


def _bounded(accrued_minor: int, item: LateItem, terms: ChargeTerms) -> tuple[int, str | None]:
    """Raise interest to the minimum and cut it to the cap, which wins; and say which of them it was."""
    interest, limited_by = accrued_minor, None
    minimum = terms.minimum.get(item.currency, 0)
    if terms.below_minimum == "raise" and 0 < interest < minimum:
        interest, limited_by = minimum, "minimum"
    caps = [terms.cap[item.currency]] if item.currency in terms.cap else []
    if terms.cap_percent is not None:
        caps.append(round_half_up(Fraction(terms.cap_percent) * item.amount_minor / 100))
    if caps and interest > min(caps):
        interest, limited_by = min(caps), "cap"
    return interest, limited_by


def charge(item: LateItem, policies: Policies, through_on: date, posting: str) -> Charge | None:
    """
    Charge an item what it owes through a day beyond what it was charged before, or nothing.

    What is less than the minimum waits, where the policy says so; what is to be given back never does. With `posting` `debit_memo` a charge
    becomes a debit memo. What is given back becomes a credit memo as far as it stands as documents, whatever the posting is by now: carried
    to a next charge it might wait for ever, for an item that is settled has none.
    """
    assessment = assess(item, policies, through_on)
    interest = assessment.interest_minor - item.charged.interest_minor
    fixed = assessment.fixed_minor - item.charged.fixed_minor
    amount = interest + fixed
    if amount == 0 or _waits(amount, item, policies):
        return None
    owed = amount if posting == "debit_memo" else 0
    posted = owed if amount > 0 else -min(-amount, max(item.charged.posted_minor, 0))
    how: Posting = "memo_only" if posted == 0 else "debit_memo" if posted > 0 else "credit_memo"
    return Charge(item, assessment, through_on, interest, fixed, how, posted)


def _waits(amount_minor: int, item: LateItem, policies: Policies) -> bool:
    governing = policies.governing(item.owed_on + ONE_DAY)
    if governing is None or governing[1].below_minimum != "wait":
        return False
    return 0 < amount_minor < governing[1].minimum.get(item.currency, 0)


def is_due(cycle: str, day: date) -> bool:
    """Whether a day that starts is one to charge on."""
    return cycle == "daily" or (cycle == "monthly" and day.day == 1)


def charge_no(document_no: str, n: int, day: date) -> str:
    """
    Return the number of an item's charge of a day, the same whoever asks: `LC-<document>-<n>-<yyyymmdd>`.

    Where that is too long for an identifier, a fingerprint stands for the document's number.
    """
    tail = f"-{n}-{day:%Y%m%d}"
    if len(document_no) > NUMBER_LENGTH_MAX - len("LC-") - len(tail):
        document_no = hashlib.sha256(document_no.encode()).hexdigest()[:32]
    return f"LC-{document_no}{tail}"
