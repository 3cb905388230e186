"""What happened to a document, in which order, and what was open before and after: pure."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.history import Event, moved, place
from invoice.domain.split import Parts, RuleSet
from invoice.domain.status import Movement, Told

DAY = date(2026, 1, 5)
TOTAL = Parts(100_000, 20_000)
ISSUED = Event("issued", DAY, DAY, TOTAL.total_minor, TOTAL.total_minor)


def a_movement(n: int, minor: int, booked_on: date) -> Movement:
    return Movement(
        subject="US01|I|1",
        kind="applied",
        amount_minor=minor,
        tax_minor=None,
        act=f"A{n}",
        counterpart="US01|R",
        rule="reference",
        reason=None,
        effective_on=booked_on,
        booked_on=booked_on,
        recorded_at=datetime(2026, 1, 5, tzinfo=UTC),
        told=Told(f"payment/US01|C-1/{n}", "receivables.PaymentApplied.v1"),
    )


days = st.integers(0, 5).map(lambda n: DAY + timedelta(days=n))


@given(st.lists(st.tuples(st.integers(-50_000, 50_000).filter(bool), days), max_size=12), st.randoms(use_true_random=False))
def test_a_history_adds_up_event_by_event_whatever_order_its_events_come_in(moves: list[tuple[int, date]], random: Random) -> None:
    """INV-05, INV-11: each event begins where the one before it ended, and the splits are of what moved."""
    booked = sorted((day, n) for n, (_, day) in enumerate(moves))
    movements = [moved(a_movement(n, moves[n][0], day)) for day, n in booked]
    fell_due = [Event("fell_due", day, day, 1) for day in {day for _, day in moves}]
    others = [ISSUED, *fell_due]
    random.shuffle(others)

    placed = place([*movements, *others], TOTAL, RuleSet.PRORATE_ALL)

    assert placed == place([*sorted(others, key=lambda event: event.booked_on), *movements], TOTAL, RuleSet.PRORATE_ALL)
    assert (placed[0].event, placed[0].before_minor) == (ISSUED, 0)
    assert all(one.after_minor == two.before_minor for one, two in pairwise(placed))
    assert placed[-1].after_minor == TOTAL.total_minor - sum(minor for minor, _ in moves)
    assert [one.split.total_minor for one in placed if one.split] == [moves[n][0] for _, n in booked]


def test_what_the_start_of_a_day_brings_comes_before_the_money_of_that_day() -> None:
    """INV-03: and the document before everything, though its money may be booked before it."""
    early = moved(a_movement(1, 500, DAY - timedelta(days=1)))
    same_day = moved(a_movement(2, 500, DAY))
    voided = Event("voided", DAY, DAY, TOTAL.total_minor, -TOTAL.total_minor)
    fell_due = Event("fell_due", DAY, DAY, TOTAL.total_minor)

    placed = place([early, same_day, voided, fell_due, ISSUED], TOTAL, RuleSet.PRORATE_ALL)

    assert [one.event.happening for one in placed] == ["issued", "applied", "fell_due", "voided", "applied"]
    assert [one.after_minor for one in placed] == [120_000, 119_500, 119_500, -500, -1_000]


def test_a_movement_below_zero_is_told_as_what_was_taken_back() -> None:
    event = moved(a_movement(1, -500, DAY))
    assert (event.happening, event.amount_minor, event.change_minor) == ("application_reversed", 500, 500)
