"""What a late item has to bear: policies, grace, bounds, statutory interest, corrections."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.charge_terms import STANDARD_LATE_CHARGES, ChargeTerms, parse_late_charges
from invoice.domain.charges import (
    NUMBER_LENGTH_MAX,
    Charged,
    Excluded,
    LateItem,
    Policies,
    Reduction,
    assess,
    charge,
    charge_no,
    is_due,
)
from invoice.domain.faults import Fault
from policies.versions import PolicyVersion

DUE = date(2026, 2, 4)
MARCH_END = date(2026, 3, 31)
NINE: dict[str, Any] = {"rates": [{"from": "2026-01-01", "percent": "9"}], "cycle": "monthly"}
UK: dict[str, Any] = {
    "cycle": "monthly",
    "statutory": {
        "reference_rates": [{"from": "2025-12-18", "percent": "0.5"}, {"from": "2026-04-15", "percent": "1"}],
        "points": "8",
        "currency": "GBP",
        "fixed": [{"below": "1000.00", "amount": "40.00"}, {"below": "10000.00", "amount": "70.00"}, {"amount": "100.00"}],
    },
}


def policies(*bodies: dict[str, Any], valid_from: date = date(2026, 1, 1)) -> Policies:
    return Policies([PolicyVersion(str(number), valid_from, body) for number, body in enumerate(bodies, start=1)])


def an_item(**changes: Any) -> LateItem:
    smallest = LateItem("US01", "INV-1", 1, "invoice", "C-1", "C-1", "USD", 12_000_00, DUE)
    return replace(smallest, **changes)


PAID_TWICE = an_item(reductions=[Reduction(date(2026, 2, 20), 5_000_00), Reduction(date(2026, 3, 10), 3_000_00)])


def interest(item: LateItem, body: dict[str, Any], through_on: date = MARCH_END) -> int:
    return assess(item, policies(body), through_on).interest_minor


@pytest.mark.parametrize(
    ("through_on", "interest_minor"), [(DUE, 0), (date(2026, 2, 28), 61_15), (MARCH_END, 99_12), (date(2026, 4, 30), 128_71)]
)
def test_an_item_bears_interest_on_what_was_open_day_by_day(through_on: date, interest_minor: int) -> None:
    """INV-09, A1: 99.12 through 03-31."""
    assert interest(PAID_TWICE, NINE, through_on) == interest_minor


def test_what_was_paid_in_time_or_is_disputed_bears_nothing() -> None:
    """INV-09"""
    in_time = an_item(amount_minor=13_000_00, reductions=[Reduction(DUE, 1_000_00), *PAID_TWICE.reductions])
    disputed = an_item(amount_minor=13_000_00, reductions=PAID_TWICE.reductions, excluded=[Excluded(date(2026, 1, 9), None, 1_000_00)])
    assert interest(in_time, NINE) == interest(disputed, NINE) == 99_12


def test_a_dispute_that_ends_bears_interest_again() -> None:
    """INV-09"""
    disputed = an_item(excluded=[Excluded(date(2026, 2, 5), date(2026, 2, 14), 12_000_00)])
    assert assess(disputed, policies(NINE), date(2026, 2, 15)).runs[0].days == 1


@pytest.mark.parametrize(
    ("accrues_from", "paid_on", "through_on", "days"),
    [
        ("due", date(2026, 2, 14), MARCH_END, 0),  # On the last day of grace.
        ("due", date(2026, 2, 15), MARCH_END, 11),
        ("due", None, date(2026, 2, 14), 0),
        ("due", None, date(2026, 2, 15), 11),
        ("grace_end", date(2026, 2, 15), MARCH_END, 1),
    ],
)
def test_within_the_grace_nothing_is_charged_and_after_it_from_the_due_date(
    accrues_from: str, paid_on: date | None, through_on: date, days: int
) -> None:
    """INV-09: ten days of grace; from the day after due, or from its end where the policy says so."""
    item = an_item(reductions=[Reduction(paid_on, 12_000_00)] if paid_on else [])
    runs = assess(item, policies({**NINE, "grace_days": 10, "accrues_from": accrues_from}), through_on).runs
    assert sum(run.days for run in runs) == days


def test_what_was_paid_within_the_grace_is_no_principal_before_its_end() -> None:
    """INV-09"""
    item = an_item(reductions=[Reduction(date(2026, 2, 10), 11_000_00)])
    (run,) = assess(item, policies({**NINE, "grace_days": 10}), MARCH_END).runs
    assert (run.from_on, run.principal_minor) == (date(2026, 2, 5), 1_000_00)


@pytest.mark.parametrize(
    ("bounds", "interest_minor", "limited_by"),
    [
        ({"cap": {"USD": "50.00"}}, 50_00, "cap"),
        ({"cap_percent": "0.5"}, 60_00, "cap"),
        ({"cap": {"EUR": "50.00"}, "cap_percent": "1"}, 99_12, None),
        ({"minimum": {"USD": "150.00"}, "below_minimum": "raise"}, 150_00, "minimum"),
        ({"minimum": {"USD": "150.00"}, "below_minimum": "raise", "cap": {"USD": "20.00"}}, 20_00, "cap"),
        ({"minimum": {"USD": "150.00"}}, 99_12, None),
    ],
)
def test_interest_is_raised_to_the_minimum_and_cut_to_the_cap(bounds: dict[str, Any], interest_minor: int, limited_by: str | None) -> None:
    """INV-09: `accrued` still says what it would have been."""
    assessment = assess(PAID_TWICE, policies({**NINE, **bounds}), MARCH_END)
    assert (assessment.interest_minor, assessment.limited_by, assessment.accrued_minor) == (interest_minor, limited_by, 99_12)


def test_less_than_the_minimum_waits_and_what_is_given_back_does_not() -> None:
    """INV-09"""
    terms = policies({**NINE, "minimum": {"USD": "100.00"}})
    assert charge(PAID_TWICE, terms, MARCH_END, "memo_only") is None
    later = charge(PAID_TWICE, terms, date(2026, 4, 30), "memo_only")
    assert later is not None
    assert later.amount_minor == 128_71
    back = charge(replace(PAID_TWICE, charged=Charged(99_13)), terms, MARCH_END, "memo_only")
    assert back is not None
    assert back.amount_minor == -1


@pytest.mark.parametrize(("debt_minor", "fixed_minor"), [(999_99, 40_00), (1000_00, 70_00), (9999_99, 70_00), (10000_00, 100_00)])
def test_the_fixed_sum_goes_by_the_size_of_the_debt(debt_minor: int, fixed_minor: int) -> None:
    """INV-09, IN-03"""
    assert assess(an_item(currency="GBP", amount_minor=debt_minor), policies(UK), date(2026, 2, 5)).fixed_minor == fixed_minor


def test_a_claim_has_one_fixed_sum_however_often_it_is_charged() -> None:
    """INV-09: and none where it was paid in time after all."""
    item = an_item(currency="GBP", amount_minor=1000_00)
    first = charge(item, policies(UK), date(2026, 2, 28), "memo_only")
    assert first is not None
    assert (first.fixed_minor, first.interest_minor) == (70_00, 5_59)
    charged = replace(item, charged=Charged(first.interest_minor, first.fixed_minor))
    second = charge(charged, policies(UK), MARCH_END, "memo_only")
    assert second is not None
    assert (second.fixed_minor, second.interest_minor) == (0, 7_22)
    paid = charge(replace(charged, reductions=[Reduction(DUE, 1000_00)]), policies(UK), MARCH_END, "memo_only")
    assert paid is not None
    assert (paid.fixed_minor, paid.interest_minor) == (-70_00, -5_59)


@pytest.mark.parametrize(("fixed_for_claim", "percents"), [(False, ["8.5", "9"]), (True, ["8.5"])])
def test_the_reference_rate_is_that_of_the_half_year(fixed_for_claim: bool, percents: list[str]) -> None:
    """INV-09: a change in April counts from July, or for claims that become late from July on (UK)."""
    body = {**UK, "statutory": {**UK["statutory"], "fixed_for_claim": fixed_for_claim}}
    runs = assess(an_item(), policies(body), date(2026, 7, 31)).runs
    assert [str(run.percent) for run in runs] == percents
    assert runs[-1].through_on == date(2026, 7, 31)
    assert fixed_for_claim or runs[-1].from_on == date(2026, 7, 1)


def test_before_the_first_reference_rate_nothing_is_charged() -> None:
    early = {**UK, "statutory": {**UK["statutory"], "reference_rates": [{"from": "2026-06-01", "percent": "0.5"}]}}
    assert assess(an_item(), policies(early), date(2026, 6, 30)).runs == []


def test_each_day_has_the_rate_in_force_on_it() -> None:
    """INV-09, XC-05: a new policy changes the days it is for, names itself, and leaves grace and cap of what was late before alone."""
    twelve = {**NINE, "rates": [{"from": "2026-01-01", "percent": "12"}], "grace_days": 30, "cap": {"USD": "1.00"}}
    terms = Policies([PolicyVersion("1", date(2026, 1, 1), NINE), PolicyVersion("2", date(2026, 3, 1), twelve)])

    assessment = assess(an_item(), terms, MARCH_END)

    assert [(str(run.percent), run.days) for run in assessment.runs] == [("9", 24), ("12", 31)]
    assert (assessment.policy_version, assessment.limited_by) == ("1,2", None)


def test_what_was_late_before_the_first_policy_bears_interest_from_its_first_day() -> None:
    """INV-09: the days before were under the standard, which charges nothing."""
    assessment = assess(an_item(), policies(NINE, valid_from=date(2026, 3, 1)), MARCH_END)
    assert [(run.from_on, run.days) for run in assessment.runs] == [(date(2026, 3, 1), 31)]
    assert assess(an_item(), Policies([]), MARCH_END).interest_minor == 0


def test_a_kind_the_policy_does_not_name_bears_nothing() -> None:
    item = an_item(kind="debit_memo")
    assert interest(item, NINE) == 0
    assert interest(item, {**NINE, "from_kinds": ["invoice", "debit_memo"]}) > 0


@pytest.mark.parametrize(
    ("posting", "charged", "how", "posted_minor"),
    [
        ("debit_memo", Charged(), "debit_memo", 99_12),
        ("memo_only", Charged(), "memo_only", 0),
        ("debit_memo", Charged(100_00, 0, 100_00), "credit_memo", -88),
        ("memo_only", Charged(100_00, 0, 100_00), "credit_memo", -88),
        ("debit_memo", Charged(100_00, 0, 50), "credit_memo", -50),
        ("debit_memo", Charged(100_00), "memo_only", 0),
    ],
)
def test_what_stands_as_a_document_is_given_back_by_a_document(posting: str, charged: Charged, how: str, posted_minor: int) -> None:
    """INV-09: never more of it than stands."""
    one = charge(replace(PAID_TWICE, charged=charged), policies(NINE), MARCH_END, posting)
    assert one is not None
    assert (one.posting, one.posted_minor) == (how, posted_minor)


def test_a_voided_document_gets_everything_back() -> None:
    """INV-07, INV-09"""
    one = charge(replace(PAID_TWICE, voided=True, charged=Charged(99_12, 40_00)), policies(NINE), MARCH_END, "memo_only")
    assert one is not None
    assert (one.interest_minor, one.fixed_minor, one.amount_minor, one.assessment.runs) == (-99_12, -40_00, -139_12, ())


movements = st.lists(st.builds(Reduction, st.dates(date(2026, 1, 5), date(2026, 6, 30)), st.integers(-1_000_00, 6_000_00)), max_size=5)
ends = st.lists(st.dates(date(2026, 2, 5), date(2026, 6, 30)), min_size=1, max_size=6).map(sorted)


@given(movements, ends, st.sampled_from([NINE, {**NINE, "grace_days": 7}, {**NINE, "cap_percent": "1"}, {**UK}]))
def test_however_often_it_is_charged_the_sum_is_the_same(reductions: list[Reduction], through: list[date], body: dict[str, Any]) -> None:
    """INV-09: charges add up to what one charge at the end would have been, even where a payment becomes known late."""
    item, terms = an_item(currency="GBP"), policies(body)
    charged = Charged()
    for place, through_on in enumerate(through):
        known = replace(item, reductions=reductions if place == len(through) - 1 else reductions[: place // 2], charged=charged)
        one = charge(known, terms, through_on, "memo_only")
        if one is not None:
            charged = Charged(charged.interest_minor + one.interest_minor, charged.fixed_minor + one.fixed_minor)
    whole = assess(replace(item, reductions=reductions), terms, through[-1])
    assert sum(charged) == whole.interest_minor + whole.fixed_minor


def test_a_charge_is_numbered_by_item_and_day() -> None:
    assert charge_no("INV-1", 2, date(2026, 3, 1)) == "LC-INV-1-2-20260301"
    longest = charge_no("X" * NUMBER_LENGTH_MAX, 360, date(2026, 3, 1))
    assert len(longest) <= NUMBER_LENGTH_MAX
    assert longest != charge_no("Y" * NUMBER_LENGTH_MAX, 360, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("cycle", "day", "due"),
    [
        ("monthly", date(2026, 3, 1), True),
        ("monthly", date(2026, 3, 2), False),
        ("daily", date(2026, 3, 2), True),
        ("none", date(2026, 3, 1), False),
    ],
)
def test_a_cycle_says_which_days_charge(cycle: str, day: date, due: bool) -> None:
    assert is_due(cycle, day) is due


def test_without_a_policy_nothing_is_charged() -> None:
    """INV-09: the standard has no rate and no cycle."""
    terms = parse_late_charges(STANDARD_LATE_CHARGES)
    assert isinstance(terms, ChargeTerms)
    assert terms == parse_late_charges({})
    assert (terms.cycle, terms.rates, terms.statutory) == ("none", [], None)


def test_a_policy_is_refused_with_every_fault() -> None:
    """INV-09, XC-05"""
    body = {
        "rates": [{"from": "2026-02-30", "percent": "9"}, {"from": "2026-02-01", "percent": "-1"}, {"from": "2026-01-01", "percent": 9}],
        "day_count": "ACT/364",
        "grace_days": True,
        "minimum": {"USD": "1.005", "XXQ": "1"},
        "cap_percent": "much",
        "cycle": "weekly",
        "from_kinds": ["credit_memo"],
        "rate": "9",
    }
    assert parse_late_charges(body) == [
        Fault("FIELD_UNKNOWN", "rate"),
        Fault("BAD_DATE", "rates[0].from"),
        Fault("PERCENT_NEGATIVE", "rates[1].percent"),
        Fault("PERCENT_MALFORMED", "rates[2].percent"),
        Fault("RATES_ORDER", "rates"),
        Fault("CHOICE_UNKNOWN", "day_count"),
        Fault("DAYS_OUT_OF_RANGE", "grace_days"),
        Fault("AMOUNT_TOO_PRECISE", "minimum.USD"),
        Fault("CURRENCY_UNKNOWN", "minimum.XXQ"),
        Fault("PERCENT_MALFORMED", "cap_percent"),
        Fault("CHOICE_UNKNOWN", "cycle"),
        Fault("CHOICE_UNKNOWN", "from_kinds[0]"),
    ]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"statutory": "8"}, [Fault("WRONG_TYPE", "statutory")]),
        ({"statutory": {}}, [Fault("RATES_MISSING", "statutory.reference_rates")]),
        ({"rates": [], "statutory": None}, [Fault("RATES_MISSING", "rates")]),
        ({"rates": [{"from": "2026-01-01", "percent": "9"}]}, [Fault("RATES_AND_STATUTORY", "statutory")]),
        ({"statutory": {**UK["statutory"], "currency": None}}, [Fault("MISSING", "statutory.currency")]),
        (
            {"statutory": {**UK["statutory"], "fixed": [{"amount": "1"}, {"below": "5", "amount": "0"}]}},
            [
                Fault("TIERS_ORDER", "statutory.fixed[0].below"),
                Fault("TIERS_ORDER", "statutory.fixed[1].below"),
                Fault("AMOUNT_NOT_POSITIVE", "statutory.fixed[1].amount"),
            ],
        ),
        (
            {"statutory": {**UK["statutory"], "fixed": [{"below": "5", "amount": "1"}, {"below": "4", "amount": "1"}, {"amount": "1"}]}},
            [Fault("TIERS_ORDER", "statutory.fixed")],
        ),
    ],
)
def test_a_statutory_policy_says_its_rates_and_tiers(changes: dict[str, Any], faults: list[Fault]) -> None:
    """INV-09: interest is contractual or statutory, and the last tier alone has no bound."""
    assert parse_late_charges({**UK, **changes}) == faults


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_whatever_stands_in_a_field_is_read_or_refused(value: Any) -> None:
    bodies = [{**UK, field: value} for field in STANDARD_LATE_CHARGES]
    bodies.append({**UK, "statutory": {"reference_rates": value, "points": value, "fixed": value, "currency": value}})
    for read in map(parse_late_charges, bodies):
        assert isinstance(read, ChargeTerms) or (read and all(isinstance(fault, Fault) for fault in read))


def test_days_of_one_charge_do_not_depend_on_when_it_is_asked() -> None:
    """INV-09: through one day more, at most a day's interest more."""
    for ahead in range(60):
        through_on = DUE + timedelta(days=ahead)
        assert 0 <= interest(PAID_TWICE, NINE, through_on + timedelta(days=1)) - interest(PAID_TWICE, NINE, through_on) <= 2_96
