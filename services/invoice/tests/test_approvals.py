"""Who may approve how much, and what needs nobody: the one judgement, and the policies it follows."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.approvals import (
    ACTIVITIES,
    STANDARD_APPROVAL_LIMITS,
    STANDARD_TOLERANCES,
    Request,
    Rules,
    Tolerances,
    is_limited,
    judge,
    judge_alone,
    parse_approval_limits,
    parse_tolerances,
)
from policies.approvals import ApprovalLimits, Decision, Principal
from policies.versions import STANDARD

CLERK = Principal("clerk-1", frozenset({"clerk"}))
MANAGER = Principal("manager-1", frozenset({"approver"}))


def rules(limits: list[dict[str, Any]] | None = None, tolerances: dict[str, Any] | None = None) -> Rules:
    """The rules of these policies, or the standard ones."""
    read = parse_approval_limits(STANDARD_APPROVAL_LIMITS if limits is None else {"limits": limits, "expires_days": 30})
    tolerated = parse_tolerances(STANDARD_TOLERANCES if tolerances is None else tolerances)
    assert isinstance(read, ApprovalLimits)
    assert isinstance(tolerated, Tolerances)
    return Rules(read, "7", tolerated, "8")


def a_limit(most: str, **of: str | None) -> dict[str, Any]:
    return {**of, "max": most}


def a_request(amount_minor: int, **changes: Any) -> Request:
    return Request(
        **{"activity": "bad_debt", "currency": "USD", "maker": "clerk-9", "open_minor": 10**9, **changes, "amount_minor": amount_minor}
    )


def test_a_residual_of_3_20_needs_nobody_and_one_of_5_01_does() -> None:
    """INV-08, A7"""
    small, larger = (a_request(minor, activity="small_balance", open_minor=minor) for minor in (320, 501))

    assert judge(small, rules(), None) == Decision("approved", "8", 500)
    assert judge(larger, rules(), None) == Decision("pending", "8")


def test_a_little_off_a_large_debt_is_no_small_balance() -> None:
    assert judge(a_request(320, activity="small_balance", open_minor=320_00), rules(), None).verdict == "pending"


def test_a_tolerance_is_meant_once_for_an_item() -> None:
    """INV-08: many small ones are one large one."""
    again = a_request(200, activity="small_balance", open_minor=200, tolerated_minor=301)

    assert judge(again, rules(), None).verdict == "pending"


def test_what_no_tolerance_names_waits_for_a_person() -> None:
    assert judge(a_request(1), rules(), None).verdict == "pending"


@pytest.mark.parametrize(("activity", "limited"), [("credit_memo", True), ("*", True), ("bad_debt", False)])
def test_memos_are_limited_where_a_policy_speaks_of_them(activity: str, limited: bool) -> None:
    """INV-06: a limit in another currency, or of another person, is one all the same; the standard is none."""
    policy = rules([a_limit("100.00", principal="somebody", currency="EUR", activity=activity)])

    assert is_limited(policy, "credit_memo") is limited
    assert not is_limited(dataclasses.replace(policy, limits_version=STANDARD), "credit_memo")


def test_alone_the_maker_may_do_what_his_own_limit_covers() -> None:
    """INV-06"""
    policy = rules([a_limit("100.00", role="clerk", activity="credit_memo")])
    covered, larger = (a_request(minor, activity="credit_memo", maker=CLERK.sub) for minor in (100_00, 100_01))

    assert judge_alone(covered, policy, CLERK) == Decision("approved", "7", 100_00)
    assert judge_alone(larger, policy, CLERK) == Decision("LIMIT_EXCEEDED", "7", 100_00)
    assert judge_alone(covered, policy, MANAGER) == Decision("LIMIT_MISSING", "7")


def test_a_credit_memo_is_not_tolerated_by_policy() -> None:
    assert parse_tolerances({"credit_memo": {"*": "5.00"}}) == [("ACTIVITY_UNKNOWN", "credit_memo")]


def test_the_maker_is_never_the_checker_whatever_the_limit() -> None:
    """INV-08, XC-05: four eyes."""
    own = a_request(1, maker=MANAGER.sub)

    assert judge(own, rules(), MANAGER) == Decision("MAKER_IS_CHECKER", "7")


def test_without_a_policy_approvers_decide_up_to_5000_and_nobody_else_does() -> None:
    """INV-08, A7: the manager's limit of 5,000.00 is the standard."""
    assert judge(a_request(500_000), rules(), MANAGER) == Decision("approved", "7", 500_000)
    assert judge(a_request(500_001), rules(), MANAGER) == Decision("LIMIT_EXCEEDED", "7", 500_000)
    assert judge(a_request(1), rules(), CLERK) == Decision("LIMIT_MISSING", "7")


def test_the_most_specific_limit_counts_also_where_it_is_lower() -> None:
    """INV-08: a limit per user, currency and activity."""
    given = rules(
        [
            a_limit("100.00", role="clerk"),
            a_limit("300.00", role="clerk", currency="USD"),
            a_limit("50.00", role="clerk", currency="USD", activity="bad_debt"),
            a_limit("20.00", principal="clerk-1", activity="rounding"),
        ]
    )

    def most(activity: str, currency: str, who: Principal = CLERK) -> int | None:
        return judge(a_request(10**9, activity=activity, currency=currency), given, who).limit_minor

    assert most("settlement", "EUR") == 100_00
    assert most("settlement", "USD") == 300_00
    assert most("bad_debt", "USD") == 50_00
    assert most("rounding", "USD") == 20_00
    assert most("rounding", "USD", Principal("clerk-2", frozenset({"clerk"}))) == 300_00


def test_a_limit_may_begin_above_zero() -> None:
    """INV-08: limits have a minimum and a maximum."""
    given = rules([{"role": "approver", "min": "100.00", "max": "500.00"}])

    assert judge(a_request(99_99), given, MANAGER) == Decision("AMOUNT_BELOW_LIMIT", "7", 100_00)
    assert judge(a_request(100_00), given, MANAGER) == Decision("approved", "7", 500_00)


def test_of_two_roles_either_may_allow() -> None:
    given = rules([a_limit("10.00", role="clerk"), {"role": "approver", "min": "100.00", "max": "500.00"}])
    both = Principal("both", frozenset({"clerk", "approver"}))

    assert [judge(a_request(minor), given, both).verdict for minor in (10_00, 50_00, 200_00, 500_01)] == [
        "approved",
        "AMOUNT_BELOW_LIMIT",
        "approved",
        "LIMIT_EXCEEDED",
    ]


def test_a_limit_in_units_is_narrowed_to_what_a_currency_has() -> None:
    """XC-01: 0.50 of a yen is no yen, and never rounded up to one."""
    given = rules([{"role": "approver", "min": "0.50", "max": "100.99"}])

    assert judge(a_request(100, currency="JPY"), given, MANAGER).limit_minor == 100
    assert judge(a_request(101, currency="JPY"), given, MANAGER).limit_minor == 100
    assert judge(a_request(101, currency="KWD"), given, MANAGER) == Decision("AMOUNT_BELOW_LIMIT", "7", 500)


amounts = st.integers(1, 10**7)
limits = st.lists(
    st.builds(
        lambda subject, currency, activity, most: {**subject, "currency": currency, "activity": activity, "max": f"{most}.00"},
        st.sampled_from([{"role": "clerk"}, {"role": "approver"}, {"principal": "both"}]),
        st.sampled_from(["*", "USD", "EUR"]),
        st.sampled_from(["*", "bad_debt", "rounding"]),
        st.integers(0, 10**5),
    ),
    max_size=6,
    unique_by=lambda limit: (limit.get("role"), limit["currency"], limit["activity"]),
)


@given(limits, amounts, amounts, st.sampled_from(ACTIVITIES))
def test_who_may_approve_an_amount_may_approve_a_smaller_one(given: list[dict[str, Any]], one: int, other: int, activity: Any) -> None:
    """INV-08: where no limit has a minimum."""
    who, policy = Principal("both", frozenset({"clerk", "approver"})), rules(given)
    smaller, larger = (judge(a_request(minor, activity=activity), policy, who) for minor in sorted((one, other)))

    assert smaller.verdict == "approved" or larger.verdict != "approved"


@given(amounts, amounts, amounts, st.sampled_from(ACTIVITIES))
def test_what_needs_nobody_needs_nobody_when_it_is_smaller(one: int, other: int, open_minor: int, activity: Any) -> None:
    policy = rules(tolerances={"small_balance": {"*": "100.00"}, "rounding": {"USD": "1.00"}})
    smaller, larger = (judge(a_request(m, activity=activity, open_minor=open_minor), policy, None) for m in sorted((one, other)))

    assert smaller.verdict == "approved" or larger.verdict == "pending"


def test_every_fault_of_approval_limits_is_told_at_once() -> None:
    """XC-07: a policy is refused with every reason."""
    body = {
        "limits": [
            {"principal": "clerk-1", "role": "clerk", "max": "1.00"},
            {"currency": "XXX", "activity": "theft", "max": "-1"},
            {"role": "clerk", "currency": "USD", "min": "2.00", "max": "1.00", "note": "x"},
            {"role": "clerk", "currency": "JPY", "max": "1.5"},
            {"role": "", "max": 5},
            "everything",
            {"role": "approver", "max": "1"},
            {"role": "approver", "currency": "*", "max": "2"},
        ],
        "expires_days": 0,
        "more": 1,
    }

    assert parse_approval_limits(body) == [
        ("FIELD_UNKNOWN", "more"),
        ("DAYS_OUT_OF_RANGE", "expires_days"),
        ("PRINCIPAL_OR_ROLE", "limits[0]"),
        ("PRINCIPAL_OR_ROLE", "limits[1]"),
        ("ACTIVITY_UNKNOWN", "limits[1].activity"),
        ("CURRENCY_UNKNOWN", "limits[1].currency"),
        ("AMOUNT_NEGATIVE", "limits[1].max"),
        ("FIELD_UNKNOWN", "limits[2].note"),
        ("MIN_ABOVE_MAX", "limits[2].min"),
        ("AMOUNT_TOO_PRECISE", "limits[3].max"),
        ("NAME_INVALID", "limits[4].role"),
        ("WRONG_TYPE", "limits[4].max"),
        ("WRONG_TYPE", "limits[5]"),
        ("LIMIT_REPEATED", "limits[7]"),
    ]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("MISSING", "expires_days"), ("MISSING", "limits")]),
        ({"limits": {}, "expires_days": True}, [("WRONG_TYPE", "expires_days"), ("WRONG_TYPE", "limits")]),
        ({"limits": [{"role": "clerk"}], "expires_days": 1}, [("MISSING", "limits[0].max")]),
        ({"limits": [{"role": "clerk", "activity": [], "currency": {}, "max": "1"}], "expires_days": 1}, None),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(body: dict[str, Any], faults: list[tuple[str, str]] | None) -> None:
    found = parse_approval_limits(body)

    assert isinstance(found, list)
    assert faults is None or found == faults


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["*", "USD", "1.00", "clerk", "bad_debt"])
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["*", "USD", "rounding", "max", "x"]), inner)
)
fields = st.sampled_from(["principal", "role", "currency", "activity", "min", "max", "x"])
bodies = st.fixed_dictionaries({"limits": anything | st.lists(st.dictionaries(fields, anything)), "expires_days": anything})


@given(bodies, st.dictionaries(st.sampled_from([*ACTIVITIES, "x"]), anything))
def test_a_body_of_any_shape_is_read_or_refused(body: dict[str, Any], tolerances: dict[str, Any]) -> None:
    assert isinstance(parse_approval_limits(body), ApprovalLimits | list)
    assert isinstance(parse_tolerances(tolerances), Tolerances | list)


def test_every_fault_of_tolerances_is_told_at_once() -> None:
    body = {"theft": {"*": "1"}, "rounding": "5.00", "small_balance": {"XXX": "1", "JPY": "0.5", "USD": "5.00", "EUR": None}}

    assert parse_tolerances(body) == [
        ("ACTIVITY_UNKNOWN", "theft"),
        ("WRONG_TYPE", "rounding"),
        ("CURRENCY_UNKNOWN", "small_balance.XXX"),
        ("AMOUNT_TOO_PRECISE", "small_balance.JPY"),
        ("MISSING", "small_balance.EUR"),
    ]


def test_a_tolerance_of_a_currency_counts_before_that_of_any() -> None:
    read = parse_tolerances({"small_balance": {"*": "5.00", "JPY": "300"}})

    assert isinstance(read, Tolerances)
    assert read.most == {"small_balance": {"*": Decimal("5.00"), "JPY": Decimal(300)}}
    assert [read.most_minor("small_balance", currency) for currency in ("JPY", "USD", "KWD")] == [300, 500, 5000]
    assert read.most_minor("bad_debt", "USD") is None
