"""Payment terms: what codes mean, what policies may say, how a total is spread over due dates. Scenario ids are those of peers' tests."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain import Document, Draft, Fault, examine
from invoice.domain.calendars import public_calendar
from invoice.domain.documents import InForce
from invoice.domain.due_rules import DueRule, due_on
from invoice.domain.schedules import instalments_by_terms
from invoice.domain.terms import Part, TermsDefinition, TermsVersion, find_terms, parse_terms_policy, terms_of_code

DAY = date(2026, 1, 5)
US = public_calendar("US")


def the_definition(code: str) -> TermsDefinition:
    definition = terms_of_code(code)
    assert definition is not None, code
    return definition


def due_by_code(code: str, issued_on: date) -> date:
    return due_on(the_definition(code).parts[0].due, issued_on)


def a_policy(**content: Any) -> dict[str, Any]:
    return {"codes": {"OURS": {"due": {"net_days": 30}} | content}}


def the_terms(body: Mapping[str, Any], code: str = "OURS") -> TermsDefinition:
    definitions = parse_terms_policy(body)
    assert isinstance(definitions, dict), definitions
    return definitions[code]


@pytest.mark.parametrize(
    ("code", "due"),
    [
        ("IMMEDIATE", [date(2019, 1, 1), date(2019, 1, 15), date(2019, 1, 31)]),
        ("EOM+45", [date(2019, 3, 17)] * 3),
        ("EOM", [date(2019, 1, 31)] * 3),
    ],
)
def test_te_01_due_dates_of_end_of_month_terms(code: str, due: list[date]) -> None:
    """INV-03"""
    assert [due_by_code(code, date(2019, 1, day)) for day in (1, 15, 31)] == due


def test_te_03_leap_year_and_net_30() -> None:
    """INV-03: the end of the next month, and thirty days. Where the peer has no terms it takes the day of issue; we refuse by default."""
    issued = [date(2016, 1, 22), date(2017, 1, 22)]
    assert [due_by_code("EONM", day) for day in issued] == [date(2016, 2, 29), date(2017, 2, 28)]
    assert [due_by_code("NET30", day) for day in issued] == [date(2016, 2, 21), date(2017, 2, 21)]
    without = Draft("invoice", "US01", "I", "C", "USD", issued[0], "1.00", "380")
    assert examine(without) == [Fault("TERMS_MISSING", "terms")]
    by_policy = examine(without, InForce(default_terms=[(date(2016, 1, 1), "IMMEDIATE")]))
    assert isinstance(by_policy, Document)
    assert by_policy.instalments[0].due_on == issued[0]


@pytest.mark.parametrize(
    ("code", "tiers"),
    [
        ("NET30", []),
        ("2/10 NET30", [("2", 10)]),
        ("3/7 2/10 NET30", [("3", 7), ("2", 10)]),
        ("0.5/0 EOM+15", [("0.5", 0)]),
    ],
)
def test_a_code_may_have_discount_tiers_before_its_due_date(code: str, tiers: list[tuple[str, int]]) -> None:
    """INV-04"""
    assert [(str(tier.percent), tier.days) for tier in the_definition(code).tiers] == tiers


@pytest.mark.parametrize(
    "code",
    [
        "",
        "NET",
        "net30",
        "NET366",
        "NET030",
        "NET 30",
        "NET30 ",
        " NET30",
        "EOM+0",
        "EOM+366",
        "2/10",
        "0/10 NET30",
        "2/10  NET30",
        "2/10 3/20 NET30",
    ],
)
def test_what_is_no_code_of_the_grammar_is_unknown(code: str) -> None:
    """INV-03"""
    assert terms_of_code(code) is None


@pytest.mark.parametrize(
    ("issued_on", "due"),
    [
        (date(2026, 1, 25), date(2026, 2, 15)),  # The cut-off day itself is in time.
        (date(2026, 1, 26), date(2026, 3, 15)),
        (date(2026, 12, 26), date(2027, 2, 15)),
    ],
)
def test_a_day_of_the_next_month_has_a_cut_off(issued_on: date, due: date) -> None:
    """INV-03"""
    rule = the_terms(a_policy(due={"day": 15, "months": 1, "cut_off_day": 25})).parts[0].due
    assert due_on(rule, issued_on) == due


def test_day_31_is_the_last_day_and_no_due_date_lies_before_the_issue() -> None:
    """INV-03"""
    assert due_on(DueRule("day_of_month", day=31), date(2026, 2, 10)) == date(2026, 2, 28)
    assert due_on(DueRule("day_of_month", day=5), date(2026, 2, 10)) == date(2026, 3, 5)


def test_instalments_by_percent_come_to_the_total_and_the_last_takes_the_rounding() -> None:
    """INV-03: thirds of 100.00."""
    third = {"percent": "33.3333", "due": {"net_days": 30}}
    rest = {"percent": "33.3334", "due": {"end_of_month": 1, "plus_days": 10}}
    body = {"codes": {"OURS": {"instalments": [third, third, rest]}}}

    parts = instalments_by_terms(10_000, DAY, the_terms(body), US.roll)

    assert [part.amount_minor for part in parts] == [3_333, 3_333, 3_334]
    assert parts[2].due_on == date(2026, 3, 10)


percents = st.lists(st.integers(1, 999_999), min_size=0, max_size=8).map(
    lambda cuts: [Decimal(b - a).scaleb(-4) for a, b in zip([0, *sorted(set(cuts))], [*sorted(set(cuts)), 1_000_000], strict=True)]
)


@given(st.integers(0, 10**12), percents)
def test_every_minor_unit_is_in_one_instalment_and_none_is_negative(total_minor: int, shares: list[Decimal]) -> None:
    """INV-03, XC-01"""
    terms = TermsDefinition(tuple(Part(percent, DueRule("net", days=n)) for n, percent in enumerate(shares)))

    parts = instalments_by_terms(total_minor, DAY, terms, US.roll)

    assert sum(part.amount_minor for part in parts) == total_minor
    assert min(part.amount_minor for part in parts) >= 0
    assert [part.n for part in parts] == list(range(1, len(shares) + 1))


@pytest.mark.parametrize(
    ("roll", "due"),
    [
        ("none", date(2026, 5, 31)),  # A Sunday.
        ("following", date(2026, 6, 1)),
        ("preceding", date(2026, 5, 29)),
        ("modified_following", date(2026, 5, 29)),  # Monday is in another month.
    ],
)
def test_a_due_date_that_nobody_works_moves_by_the_calendar(roll: str, due: date) -> None:
    """INV-03, XC-06"""
    terms = the_terms(a_policy(due={"end_of_month": 0}, roll=roll))
    assert instalments_by_terms(1, date(2026, 5, 4), terms, US.roll)[0].due_on == due


def test_no_roll_goes_back_before_the_day_of_issue() -> None:
    """INV-03: issued on a Sunday and due at once."""
    terms = the_terms(a_policy(due={"net_days": 0}, roll="preceding"))
    assert instalments_by_terms(1, date(2026, 5, 31), terms, US.roll)[0].due_on == date(2026, 6, 1)


def test_the_policy_in_force_on_the_day_of_issue_says_what_a_code_means() -> None:
    """XC-07: the last version that begins by then, and the grammar for every code it leaves alone."""
    versions = [
        TermsVersion("1", date(2026, 1, 1), parsed(a_policy(due={"net_days": 10}))),
        TermsVersion("2", date(2026, 2, 1), parsed(a_policy(due={"net_days": 20}))),
    ]

    def found(code: str, day: date) -> tuple[int, str] | None:
        terms = find_terms(code, day, versions)
        return None if terms is None else (terms[0].parts[0].due.days, terms[1])

    assert found("OURS", date(2025, 12, 31)) is None
    assert found("OURS", date(2026, 1, 31)) == (10, "1")
    assert found("OURS", date(2026, 2, 1)) == (20, "2")
    assert found("NET30", date(2026, 2, 1)) == (30, "standard-1")


def parsed(body: Mapping[str, Any]) -> Mapping[str, TermsDefinition]:
    definitions = parse_terms_policy(body)
    assert isinstance(definitions, dict)
    return definitions


def test_a_policy_says_everything_about_its_codes() -> None:
    """INV-03, INV-04"""
    terms = the_terms(
        a_policy(
            discounts=[{"percent": "3", "days": 7}, {"percent": "2", "days": 10}],
            grace_days=2,
            discount_tax="excluded",
            discount_base="goods",
            partial="full_payment_only",
            roll="following",
        )
    )

    assert [(str(tier.percent), tier.days) for tier in terms.tiers] == [("3", 7), ("2", 10)]
    rules = terms.discount
    assert (rules.grace_days, rules.tax_choice, rules.base, rules.partial, terms.roll) == (
        *(2, "excluded", "goods", "full_payment_only"),
        "following",
    )


def test_every_fault_of_a_policy_is_told_at_once() -> None:
    """XC-07"""
    body = {
        "codes": {
            "A": {"due": {"net_days": 366}, "discounts": [{"percent": "0", "days": "10"}], "rol": "following"},
            "B": {"instalments": [{"percent": "30", "due": {"net_days": 1}}, {"percent": "60", "due": {"day": 0}}], "roll": "up"},
            "C": {"due": {"net_days": 1}, "instalments": []},
            "D": {"due": {"soon": True}, "grace_days": True},
            "E": [],
        },
        "more": 1,
    }

    assert parse_terms_policy(body) == [
        Fault("FIELD_UNKNOWN", "more"),
        Fault("FIELD_UNKNOWN", "codes.A.rol"),
        Fault("OUT_OF_RANGE", "codes.A.due.net_days"),
        Fault("PERCENT_OUT_OF_RANGE", "codes.A.discounts[0].percent"),
        Fault("WRONG_TYPE", "codes.A.discounts[0].days"),
        Fault("OUT_OF_RANGE", "codes.B.instalments[1].due.day"),
        Fault("PERCENT_SUM", "codes.B.instalments"),
        Fault("CHOICE_UNKNOWN", "codes.B.roll"),
        Fault("DUE_OR_INSTALMENTS", "codes.C"),
        Fault("RULE_UNKNOWN", "codes.D.due"),
        Fault("WRONG_TYPE", "codes.D.grace_days"),
        Fault("WRONG_TYPE", "codes.E"),
    ]


@pytest.mark.parametrize("body", [{}, {"codes": None}, {"codes": []}, {"codes": {"": {"due": {"net_days": 1}}}}, {"codes": {"X": {}}}])
def test_what_is_no_policy_is_refused(body: dict[str, Any]) -> None:
    """XC-07"""
    assert isinstance(parse_terms_policy(body), list)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["due", "instalments", "percent", "net_days", "day", "discounts", "roll", "days"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_body_makes_the_reading_fail(content: object) -> None:
    """XC-07"""
    assert parse_terms_policy({"codes": {"X": content}}) is not None


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)), st.integers(1, 31), st.integers(0, 12), st.none() | st.integers(1, 31))
def test_a_due_day_is_never_before_the_issue_and_at_most_two_months_late(day: date, wanted: int, months: int, cut_off: int | None) -> None:
    """INV-03"""
    due = due_on(DueRule("day_of_month", months=months, day=wanted, cut_off_day=cut_off), day)
    assert day <= due <= day + timedelta(days=31 * (months + 2))
