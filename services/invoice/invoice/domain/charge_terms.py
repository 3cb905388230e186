"""
The policy of late charges: what a `late_charges` body says, read once, with every fault in it. Pure: values in, values out.

Without a policy nothing is charged (`STANDARD_LATE_CHARGES`): a rate is something people have agreed on, or that a law sets.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from money import AmountRefused, CurrencyUnknown, parse_minor

from invoice.domain.faults import Fault
from invoice.domain.interest import DAY_COUNTS, DayCount, Step, level_on

DAYS_MAX: Final = 365
RATES_MAX: Final = 400
PERCENT_MAX: Final = 1000
CYCLES: Final = ("none", "monthly", "daily")
POSTINGS: Final = ("memo_only", "debit_memo")
KINDS: Final = ("invoice", "debit_memo")
ACCRUES_FROM: Final = ("due", "grace_end")
BELOW_MINIMUM: Final = ("wait", "raise")

STANDARD_LATE_CHARGES: Final[Mapping[str, Any]] = {
    "rates": [],
    "day_count": "ACT/365",
    "grace_days": 0,
    "accrues_from": "due",
    "minimum": None,
    "below_minimum": "wait",
    "cap": None,
    "cap_percent": None,
    "cycle": "none",
    "posting": "memo_only",
    "memo_due_days": 0,
    "statutory": None,
    "from_kinds": ["invoice"],
}
"""What each field is where a body leaves it out, and what is in force without any policy."""
_STATUTORY: Final[Mapping[str, Any]] = {"reference_rates": [], "points": "0", "fixed_for_claim": False, "currency": None, "fixed": []}

_percent = re.compile(r"-?\d{1,4}(\.\d{1,6})?", re.ASCII).fullmatch
_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Statutory:
    """
    Interest by law: the reference rate in force on 1 January or 1 July of the half year, plus points (EU 2011/7, articles 2 and 3).

    With `fixed_for_claim` the half year in which the claim became late counts for as long as it is (UK, Late Payment of Commercial Debts
    (Rate of Interest) Order 2002). `fixed` are (debts below, sum) in minor units of `currency`, the last without a bound; claims in other
    currencies bear no fixed sum.
    """

    reference_rates: Sequence[Step[Decimal]]
    points: Decimal
    fixed_for_claim: bool
    currency: str | None
    fixed: Sequence[tuple[int | None, int]]

    def percent_on(self, day: date, first_late_on: date) -> Decimal:
        """Return the rate of a day for a claim that became late on `first_late_on`; none where no reference rate is known."""
        of = first_late_on if self.fixed_for_claim else day
        half_year_on = date(of.year, 1 if of.month <= 6 else 7, 1)
        if not self.reference_rates or self.reference_rates[0].from_on > half_year_on:
            return Decimal()
        return level_on(self.reference_rates, half_year_on, Decimal()) + self.points

    def fixed_minor(self, debt_minor: int, currency: str) -> int:
        """Return the fixed sum for a claim of this size: that of the first tier it is below."""
        if currency != self.currency or debt_minor <= 0:
            return 0
        return next((amount for below, amount in self.fixed if below is None or debt_minor < below), 0)


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """
    How lateness is charged. Amounts are minor units by currency; an item in a currency they do not name has no minimum and no cap.

    `below_minimum`: what is less than the minimum waits for a later charge, or is raised to it. The cap bounds all interest of an item,
    not the fixed sum. With `posting` `debit_memo` a charge is owed, `memo_due_days` after the day it was made on.
    """

    rates: Sequence[Step[Decimal]]
    day_count: DayCount
    grace_days: int
    accrues_from: str
    minimum: Mapping[str, int]
    below_minimum: str
    cap: Mapping[str, int]
    cap_percent: Decimal | None
    cycle: str
    posting: str
    memo_due_days: int
    statutory: Statutory | None
    from_kinds: tuple[str, ...]

    def percent_on(self, day: date, first_late_on: date) -> Decimal:
        """Return the rate of a day, in percent a year."""
        if self.statutory is not None:
            return self.statutory.percent_on(day, first_late_on)
        return level_on(self.rates, day, Decimal())


def parse_late_charges(body: Mapping[str, Any]) -> ChargeTerms | list[Fault]:
    """
    Read a `late_charges` body, or return every fault in it with the path of its field. What is left out is as in the standard.

    `rates` is `[{"from": "2026-01-01", "percent": "9"}]`, in percent a year, ascending; `minimum` and `cap` are `{"USD": "1.00"}`;
    `cap_percent` is of the billed amount. Instead of rates, `statutory` is `{"reference_rates": [like rates], "points": "8",
    "fixed_for_claim": false, "currency": "EUR", "fixed": [{"below": "1000.00", "amount": "40.00"}, {"amount": "70.00"}]}`; without `fixed`
    it needs no `currency`.
    """
    faults: list[Fault] = []
    fields = _with_defaults(body, STANDARD_LATE_CHARGES, "", faults)
    statutory = None if fields["statutory"] is None else _statutory(fields["statutory"], faults)
    terms = ChargeTerms(
        rates=_rates(fields["rates"], "rates", faults),
        day_count=_one_of(fields["day_count"], DAY_COUNTS, "day_count", faults),
        grace_days=_days(fields["grace_days"], "grace_days", faults),
        accrues_from=_one_of(fields["accrues_from"], ACCRUES_FROM, "accrues_from", faults),
        minimum=_by_currency(fields["minimum"], "minimum", faults),
        below_minimum=_one_of(fields["below_minimum"], BELOW_MINIMUM, "below_minimum", faults),
        cap=_by_currency(fields["cap"], "cap", faults),
        cap_percent=None if fields["cap_percent"] is None else _rate(fields["cap_percent"], "cap_percent", faults),
        cycle=_one_of(fields["cycle"], CYCLES, "cycle", faults),
        posting=_one_of(fields["posting"], POSTINGS, "posting", faults),
        memo_due_days=_days(fields["memo_due_days"], "memo_due_days", faults),
        statutory=statutory,
        from_kinds=tuple(
            _one_of(kind, KINDS, f"from_kinds[{index}]", faults) for index, kind in _listed(fields["from_kinds"], "from_kinds", faults)
        ),
    )
    if fields["rates"] and fields["statutory"] is not None:
        faults.append(Fault("RATES_AND_STATUTORY", "statutory"))
    if not fields["rates"] and fields["statutory"] is None and terms.cycle != "none":
        faults.append(Fault("RATES_MISSING", "rates"))
    return faults or terms


def _statutory(value: object, faults: list[Fault]) -> Statutory | None:
    if not isinstance(value, Mapping):
        faults.append(Fault("WRONG_TYPE", "statutory"))
        return None
    fields = _with_defaults(value, _STATUTORY, "statutory.", faults)
    currency, fixed_for_claim = fields["currency"], fields["fixed_for_claim"]
    if not isinstance(fixed_for_claim, bool):
        faults.append(Fault("WRONG_TYPE", "statutory.fixed_for_claim"))
    if not fields["reference_rates"]:
        faults.append(Fault("RATES_MISSING", "statutory.reference_rates"))
    tiers: list[tuple[int | None, int]] = []
    if fields["fixed"] and currency is None:
        faults.append(Fault("MISSING", "statutory.currency"))
    elif fields["fixed"]:
        tiers = _tiers(fields["fixed"], currency, faults)
    return Statutory(
        reference_rates=_rates(fields["reference_rates"], "statutory.reference_rates", faults, negative=True),
        points=_rate(fields["points"], "statutory.points", faults),
        fixed_for_claim=fixed_for_claim is True,
        currency=currency,
        fixed=tiers,
    )


def _tiers(value: object, currency: object, faults: list[Fault]) -> list[tuple[int | None, int]]:
    """Read fixed sums by size of the debt: bounds ascend, and the last tier, and no other, has none."""
    tiers: list[tuple[int | None, int]] = []
    listed = _listed(value, "statutory.fixed", faults)
    for index, tier in listed:
        path = f"statutory.fixed[{index}]"
        if not isinstance(tier, Mapping):
            faults.append(Fault("WRONG_TYPE", path))
            continue
        fields = _with_defaults(tier, {"below": None, "amount": None}, f"{path}.", faults)
        below = None if fields["below"] is None else _amount(fields["below"], currency, f"{path}.below", faults)
        if (fields["below"] is None) != (index == len(listed) - 1):
            faults.append(Fault("TIERS_ORDER", f"{path}.below"))
        tiers.append((below, _amount(fields["amount"], currency, f"{path}.amount", faults)))
    bounds = [below for below, _ in tiers if below is not None]
    if any(one >= other for one, other in pairwise(bounds)):
        faults.append(Fault("TIERS_ORDER", "statutory.fixed"))
    return tiers


def _with_defaults(value: object, defaults: Mapping[str, Any], path: str, faults: list[Fault]) -> dict[str, Any]:
    given = value if isinstance(value, Mapping) else {}
    faults.extend(Fault("FIELD_UNKNOWN", f"{path}{str(name)[:40]}") for name in given if name not in defaults)
    return {name: given.get(name, default) for name, default in defaults.items()}


def _rates(value: object, path: str, faults: list[Fault], *, negative: bool = False) -> list[Step[Decimal]]:
    steps: list[Step[Decimal]] = []
    listed = _listed(value, path, faults)
    for index, entry in listed:
        fields = _with_defaults(entry, {"from": None, "percent": None}, f"{path}[{index}].", faults)
        from_on = _date(fields["from"], f"{path}[{index}].from", faults)
        percent = _rate(fields["percent"], f"{path}[{index}].percent", faults, negative=negative)
        if from_on is not None:
            steps.append(Step(from_on, percent))
    if any(one.from_on >= other.from_on for one, other in pairwise(steps)):
        faults.append(Fault("RATES_ORDER", path))
    if len(listed) > RATES_MAX:
        faults.append(Fault("TOO_MANY", path))
    return steps


def _rate(value: object, path: str, faults: list[Fault], *, negative: bool = False) -> Decimal:
    if not isinstance(value, str) or not _percent(value) or abs(Decimal(value)) > PERCENT_MAX:
        faults.append(Fault("PERCENT_MALFORMED", path))
        return Decimal()
    if value.startswith("-") and not negative:
        faults.append(Fault("PERCENT_NEGATIVE", path))
    return Decimal(value)


def _date(value: object, path: str, faults: list[Fault]) -> date | None:
    try:
        if isinstance(value, str) and _day(value):
            return date.fromisoformat(value)
    except ValueError:  # Written like a day, and none of the calendar.
        pass
    faults.append(Fault("BAD_DATE", path))
    return None


def _days(value: object, path: str, faults: list[Fault]) -> int:
    if type(value) is int and 0 <= value <= DAYS_MAX:
        return value
    faults.append(Fault("DAYS_OUT_OF_RANGE", path))
    return 0


def _by_currency(value: object, path: str, faults: list[Fault]) -> dict[str, int]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        faults.append(Fault("WRONG_TYPE", path))
        return {}
    return {str(currency): _amount(amount, currency, f"{path}.{str(currency)[:40]}", faults) for currency, amount in value.items()}


def _amount(value: object, currency: object, path: str, faults: list[Fault]) -> int:
    """Read a positive amount; where it is none, say so and go on with 1."""
    try:
        minor = parse_minor(value, currency)  # type: ignore[arg-type]  # It refuses what is no text, by name.
    except (AmountRefused, CurrencyUnknown) as error:
        faults.append(Fault(error.code, path))
        return 1
    if minor <= 0:
        faults.append(Fault("AMOUNT_NOT_POSITIVE", path))
    return minor


def _one_of(value: object, choices: Sequence[Any], path: str, faults: list[Fault]) -> Any:
    if value not in choices:
        faults.append(Fault("CHOICE_UNKNOWN", path))
        return choices[0]
    return value


def _listed(value: object, path: str, faults: list[Fault]) -> list[tuple[int, Any]]:
    if isinstance(value, list):
        return list(enumerate(value))
    faults.append(Fault("WRONG_TYPE", path))
    return []
