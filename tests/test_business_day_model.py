"""The rules of the business day keep their promises in every schedule tried, and each of them is needed (`testkit.day_model`)."""

import pytest
from testkit.day_model import RULES, PromiseBroken, play

HISTORIES, SCHEDULES = 12, 14


@pytest.mark.parametrize("history", range(HISTORIES))
def test_every_schedule_of_a_history_ends_in_the_same_books(history: int) -> None:
    ends = [play(history, f"{history}/{schedule}", commands=False) for schedule in range(SCHEDULES)]
    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("history", range(HISTORIES))
def test_commands_at_any_moment_break_no_promise(history: int) -> None:
    ends = [play(history, f"{history}/{schedule}/commands", commands=True) for schedule in range(SCHEDULES // 2)]  # Raises PromiseBroken.
    assert all(ends)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_left_out_is_caught(rule: str) -> None:
    assert any(_is_caught(rule, history) for history in range(HISTORIES)), RULES[rule]


def _is_caught(rule: str, history: int) -> bool:
    try:
        for schedule in range(SCHEDULES // 2):
            play(history, f"{history}/{schedule}/commands", commands=True, left_out=rule)
        ends = [play(history, f"{history}/{schedule}", commands=False, left_out=rule) for schedule in range(SCHEDULES // 2)]
    except PromiseBroken:
        return True
    return any(end != ends[0] for end in ends)
