"""Who may decide about how much, where there is one activity or several (XC-05)."""

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies.approvals import (
    ApprovalLimits,
    Decision,
    LimitForbids,
    MakerIsChecker,
    Principal,
    judge_by_limits,
    parse_limits,
    require_approved,
)
from policies.refusals import decision_refused

CLERK = Principal("clerk-1", frozenset({"clerk"}))


def limits(*listed: dict[str, Any], activities: Collection[str] = ()) -> ApprovalLimits:
    read = parse_limits({"limits": list(listed), "expires_days": 30}, activities)
    assert isinstance(read, ApprovalLimits)
    return read


def test_a_person_comes_before_a_role_and_a_currency_before_all_of_them() -> None:
    given = limits(
        {"role": "clerk", "max": "100.00"}, {"role": "clerk", "currency": "USD", "max": "30.00"}, {"principal": "clerk-1", "max": "7.00"}
    )
    others = Principal("clerk-2", CLERK.roles)

    assert judge_by_limits(given, "1", 700, "USD", CLERK) == Decision("approved", "1", 700)
    assert judge_by_limits(given, "1", 701, "USD", CLERK) == Decision("LIMIT_EXCEEDED", "1", 700)
    assert judge_by_limits(given, "1", 701, "USD", others) == Decision("approved", "1", 3000)
    assert judge_by_limits(given, "1", 3001, "EUR", others) == Decision("approved", "1", 10000)
    assert judge_by_limits(given, "1", 1, "EUR", Principal("x", frozenset())) == Decision("LIMIT_MISSING", "1")


def test_who_asked_does_not_decide_whatever_the_limits_say() -> None:
    given = limits({"role": "clerk", "max": "100.00"})

    assert judge_by_limits(given, "1", 1, "USD", CLERK, maker="clerk-1") == Decision("MAKER_IS_CHECKER", "1")
    assert judge_by_limits(given, "1", 1, "USD", CLERK, maker="clerk-2").verdict == "approved"


def test_activities_are_told_apart_only_where_there_are_several() -> None:
    entry = {"role": "clerk", "activity": "fee", "max": "1.00"}
    given = limits(entry, activities=("fee", "waiver"))

    assert judge_by_limits(given, "1", 1, "USD", CLERK, activity="fee").verdict == "approved"
    assert judge_by_limits(given, "1", 1, "USD", CLERK, activity="waiver").verdict == "LIMIT_MISSING"
    assert parse_limits({"limits": [entry], "expires_days": 1}) == [("FIELD_UNKNOWN", "limits[0].activity")]
    assert parse_limits({"limits": [entry], "expires_days": 1}, ("waiver",)) == [("ACTIVITY_UNKNOWN", "limits[0].activity")]


def test_a_judgement_that_does_not_approve_is_refused_and_answered() -> None:
    require_approved(Decision("approved", "1", 700), "USD")
    with pytest.raises(MakerIsChecker) as own:
        require_approved(Decision("MAKER_IS_CHECKER", "1"), "USD")
    with pytest.raises(LimitForbids) as above:
        require_approved(Decision("LIMIT_EXCEEDED", "4", 700), "USD")

    assert (decision_refused(own.value).status, decision_refused(own.value).code) == (403, "MAKER_IS_CHECKER")
    assert decision_refused(above.value).code == "LIMIT_EXCEEDED"
    assert decision_refused(above.value).detail == "Your approval limit is 7.00 USD (policy version 4)."


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["*", "USD", "1.00", "clerk", "fee"])
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["*", "USD", "x"]), inner))
entries = st.dictionaries(st.sampled_from(["principal", "role", "currency", "activity", "min", "max", "x"]), anything)


@given(st.fixed_dictionaries({"limits": anything | st.lists(entries), "expires_days": anything}), st.sampled_from([(), ("fee",)]))
def test_a_body_of_any_shape_is_read_or_refused(body: dict[str, Any], activities: tuple[str, ...]) -> None:
    assert isinstance(parse_limits(body, activities), ApprovalLimits | list)
