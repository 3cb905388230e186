"""The days of a billing schedule, and what is wrong with one: pure, and the same wherever the span is cut."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.billing import (
    Content,
    Every,
    Milestone,
    Occurrence,
    Plan,
    Recurrence,
    Schedule,
    document_no,
    draft_of,
    due,
    faults_of,
    faults_of_change,
    is_long_ago,
    next_on,
    occurrences,
    upcoming,
)
from invoice.domain.components import Line
from invoice.domain.tags import Project

LONG_BEFORE, LONG_AFTER = date(1990, 1, 1), date(2060, 1, 1)
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2050, 12, 31))


@st.composite
def recurrences(draw: st.DrawFn) -> Recurrence:
    every: Every = draw(st.sampled_from(("weekly", "monthly", "quarterly")))
    return Recurrence(
        starts_on=draw(days),
        every=every,
        interval=draw(st.integers(1, 5)),
        day=draw(st.integers(1, 7 if every == "weekly" else 31)),
        ends_on=draw(st.none() | days),
        occurrences=draw(st.none() | st.integers(1, 60)),
    )


def recurring(
    starts_on: str, every: Every, day: int, *, interval: int = 1, ends_on: str | None = None, times: int | None = None
) -> Recurrence:
    return Recurrence(date.fromisoformat(starts_on), every, interval, day, None if ends_on is None else date.fromisoformat(ends_on), times)


def a_schedule(recurrence: Recurrence | None = None, milestones: tuple[Milestone, ...] = ()) -> Schedule:
    content = None if recurrence is None else Content("100.00")
    plan = Plan("R-", "count", "NET30", recurrence, content, milestones, project="P-1" if milestones else None)
    return Schedule("US01", "S-1", "C-1", "USD", 1, plan)


def days_of(recurrence: Recurrence, through: str) -> list[str]:
    return [on.isoformat() for _, on in occurrences(recurrence, LONG_BEFORE, date.fromisoformat(through))]


@pytest.mark.parametrize(
    ("recurrence", "first"),
    [
        (recurring("2026-01-31", "monthly", 31), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (recurring("2024-01-30", "monthly", 30), ["2024-01-30", "2024-02-29", "2024-03-30", "2024-04-30"]),
        (recurring("2026-01-20", "monthly", 15), ["2026-02-15", "2026-03-15", "2026-04-15", "2026-05-15"]),
        (recurring("2026-01-15", "quarterly", 31), ["2026-01-31", "2026-04-30", "2026-07-31", "2026-10-31"]),
        (recurring("2025-12-31", "monthly", 31, interval=2), ["2025-12-31", "2026-02-28", "2026-04-30", "2026-06-30"]),
        (recurring("2026-01-06", "weekly", 1), ["2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"]),
        (recurring("2026-01-05", "weekly", 1, interval=2), ["2026-01-05", "2026-01-19", "2026-02-02", "2026-02-16"]),
    ],
)
def test_a_schedule_falls_on_its_day_and_on_the_last_of_a_shorter_month(recurrence: Recurrence, first: list[str]) -> None:
    assert days_of(recurrence, "2027-12-31")[:4] == first


def test_a_schedule_ends_on_its_last_day_or_after_its_last_occurrence() -> None:
    assert days_of(recurring("2026-01-31", "monthly", 31, ends_on="2026-03-31"), "2027-01-01") == ["2026-01-31", "2026-02-28", "2026-03-31"]
    assert days_of(recurring("2026-01-31", "monthly", 31, ends_on="2026-03-30"), "2027-01-01") == ["2026-01-31", "2026-02-28"]
    assert days_of(recurring("2026-01-31", "monthly", 31, times=2), "2027-01-01") == ["2026-01-31", "2026-02-28"]


def test_the_calendar_ends_every_schedule() -> None:
    last = recurring("9999-11-30", "monthly", 31)
    assert occurrences(last, LONG_BEFORE, date.max) == [Occurrence(1, date(9999, 11, 30)), Occurrence(2, date(9999, 12, 31))]
    assert upcoming(a_schedule(recurring("9999-12-30", "weekly", 1)), 3) == []


@given(recurrence=recurrences(), through=days)
def test_no_occurrence_is_left_out_or_doubled(recurrence: Recurrence, through: date) -> None:
    found = occurrences(recurrence, LONG_BEFORE, through)

    assert [n for n, _ in found] == list(range(1, len(found) + 1))
    assert all(recurrence.starts_on <= on <= through for _, on in found)
    for (_, on), (_, following) in zip(found, found[1:], strict=False):
        if recurrence.every == "weekly":
            assert (following - on).days == 7 * recurrence.interval
        else:
            months = (following.year - on.year) * 12 + following.month - on.month
            assert months == recurrence.interval * (1 if recurrence.every == "monthly" else 3)
            assert following.day == recurrence.day or (following + timedelta(days=1)).day == 1


@given(recurrence=recurrences(), first=days, second=days, third=days)
def test_cutting_the_span_anywhere_gives_the_same_days(recurrence: Recurrence, first: date, second: date, third: date) -> None:
    after, cut, through = sorted((first, second, third))
    assert occurrences(recurrence, after, cut) + occurrences(recurrence, cut, through) == occurrences(recurrence, after, through)


@given(recurrence=recurrences(), turns=st.lists(days, max_size=8), last=days)
def test_whatever_days_are_turned_every_occurrence_is_due_once(recurrence: Recurrence, turns: list[date], last: date) -> None:
    schedule, billed = a_schedule(recurrence), []
    for day in sorted([*turns, last]):
        expected = next_on(schedule)
        found = due(schedule, day)
        assert (expected is not None and expected <= day) == bool(found)
        billed += found
        schedule = replace(schedule, judged_through=day)
    assert billed == occurrences(recurrence, LONG_BEFORE, max([*turns, last]))


def test_what_was_refused_is_due_again_before_what_is_new() -> None:
    recurrence = recurring("2026-01-31", "monthly", 31)
    schedule = Schedule(
        "US01", "S-1", "C-1", "USD", 1, a_schedule(recurrence).plan, judged_through=date(2026, 2, 28), refused=frozenset({1})
    )

    assert next_on(schedule) == date(2026, 1, 31)
    assert due(schedule, date(2026, 3, 31)) == [Occurrence(1, date(2026, 1, 31)), Occurrence(3, date(2026, 3, 31))]


def test_milestones_are_due_on_their_day_unless_they_were_billed_before() -> None:
    """INV-14: a milestone without a day waits for its release."""
    milestones = (
        Milestone("design", Content("10.00"), date(2026, 1, 10)),
        Milestone("build", Content("20.00")),
        Milestone("done", Content("30.00"), date(2026, 1, 9)),
    )
    schedule = a_schedule(milestones=milestones)

    assert due(schedule, date(2026, 1, 10)) == [Occurrence(1, date(2026, 1, 10)), Occurrence(3, date(2026, 1, 9))]
    assert next_on(schedule) == date(2026, 1, 9)
    billed = Schedule("US01", "S-1", "C-1", "USD", 1, schedule.plan, billed=frozenset({1, 3}))
    assert (due(billed, LONG_AFTER), next_on(billed), upcoming(billed, 5)) == ([], None, [])


def test_a_stopped_schedule_has_nothing_to_bill() -> None:
    schedule = Schedule(
        "US01", "S-1", "C-1", "USD", 1, a_schedule(recurring("2026-01-31", "monthly", 31)).plan, stopped_on=date(2026, 1, 1)
    )
    assert (due(schedule, LONG_AFTER), next_on(schedule), upcoming(schedule, 3)) == ([], None, [])


def test_an_invoice_of_a_schedule_says_which_occurrence_made_it() -> None:
    """INV-14"""
    milestones = (Milestone("design", Content("10.00")), Milestone("build", Content("20.00", (Line("15.00", "freight"),), "5.00")))
    draft = draft_of(a_schedule(milestones=milestones), Occurrence(2, date(2026, 1, 10)))

    assert (draft.kind, draft.type, draft.document_no, draft.issued_on) == ("invoice", "380", "R-2", date(2026, 1, 10))
    assert (draft.total, draft.lines, draft.tax, draft.terms) == ("20.00", (Line("15.00", "freight"),), "5.00", "NET30")
    assert draft.project == Project("P-1", "build")
    assert (draft.origin, draft.origin_id) == ("schedule", "US01|schedule|S-1|2")


def test_numbers_come_from_the_day_or_from_the_count() -> None:
    by_count = a_schedule(recurring("2026-01-31", "monthly", 31)).plan
    by_date = Plan("R-", "date", "NET30", by_count.recurrence, by_count.content)
    occurrence = Occurrence(7, date(2026, 7, 31))
    assert (document_no(by_count, occurrence), document_no(by_date, occurrence)) == ("R-7", "R-20260731")


@pytest.mark.parametrize(
    ("plan", "codes"),
    [
        (Plan("R-", "date", None), [("EVERY_OR_MILESTONES", "every")]),
        (
            Plan("R-", "date", None, recurring("2026-01-01", "weekly", 8, interval=0, times=0), None),
            [
                ("TOTAL_OR_MILESTONES", "total"),
                ("OUT_OF_RANGE", "interval"),
                ("OUT_OF_RANGE", "day"),
                ("OUT_OF_RANGE", "count"),
            ],
        ),
        (
            Plan("R-", "date", None, recurring("2026-01-01", "monthly", 31, ends_on="2026-01-30"), Content("1")),
            [("NO_OCCURRENCE", "ends_on")],
        ),
        (Plan("R-", "date", None, recurring("1969-12-31", "monthly", 31), Content("1")), [("DATE_OUT_OF_RANGE", "starts_on")]),
        (
            Plan(
                "R-",
                "date",
                None,
                milestones=(Milestone("a b", Content("1")), Milestone("x", Content("1"), date(1969, 1, 1)), Milestone("x", Content("1"))),
            ),
            [
                ("PROJECT_MISSING", "project"),
                ("NUMBERING_NOT_UNIQUE", "numbering"),
                ("BAD_IDENTIFIER", "milestones[0].milestone"),
                ("DATE_OUT_OF_RANGE", "milestones[1].bill_on"),
                ("MILESTONE_TWICE", "milestones[2].milestone"),
            ],
        ),
        (
            Plan("R-", "date", None, recurring("2026-01-01", "monthly", 1), Content("1"), retention_percent="5"),
            [("PROJECT_MISSING", "project")],
        ),
    ],
)
def test_everything_wrong_with_a_plan_is_said_at_once(plan: Plan, codes: list[tuple[str, str]]) -> None:
    assert [tuple(fault) for fault in faults_of(plan)] == codes


def test_a_plan_that_begins_by_mistake_in_another_century_is_noticed() -> None:
    plan = Plan("R-", "date", "NET30", recurring("1990-01-01", "weekly", 1), Content("1"))
    assert is_long_ago(plan, date(2026, 1, 5))
    assert not is_long_ago(plan, date(1995, 1, 1))


def test_a_change_leaves_what_was_billed_and_what_was_stopped() -> None:
    one, two = Milestone("one", Content("10.00")), Milestone("two", Content("20.00", (Line("20.00"),)))
    schedule = Schedule(
        "US01", "S-1", "C-1", "USD", 1, a_schedule(milestones=(one, two)).plan, billed=frozenset({1}), stopped_on=date(2026, 1, 5)
    )
    changed = a_schedule(milestones=(two,)).plan

    assert [tuple(fault) for fault in faults_of_change(schedule, changed)] == [
        ("SCHEDULE_STOPPED", "schedule_no"),
        ("MILESTONE_BILLED", "milestones[0]"),
    ]
    assert [tuple(fault) for fault in faults_of_change(schedule, a_schedule(recurring("2026-01-01", "weekly", 1)).plan)] == [
        ("EVERY_OR_MILESTONES", "every")
    ]
