"""What may be said about a document: pure, from its movements (INV-05)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.status import Movement, Settled, Told, overdue_days, settlement_status, sum_by_subject

DAY = date(2026, 1, 5)

movements = st.builds(
    Movement,
    subject=st.sampled_from(["US01|I|1", "US01|I|2", "US01|M"]),
    kind=st.sampled_from(["applied", "credited", "discounted", "adjusted"]),
    amount_minor=st.integers(-(10**9), 10**9),
    tax_minor=st.none(),
    act=st.just("A"),
    counterpart=st.none(),
    rule=st.none(),
    reason=st.none(),
    effective_on=st.just(DAY),
    booked_on=st.just(DAY),
    recorded_at=st.just(datetime(2026, 1, 5, tzinfo=UTC)),
    told=st.just(Told("payment/US01|C-1/1", "receivables.PaymentApplied.v1")),
)


@given(st.lists(movements), st.randoms())
def test_any_order_of_movements_makes_the_same_figures(facts: list[Movement], random: object) -> None:
    """INV-05, EVT-03: the projection is a sum."""
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert sum_by_subject(shuffled) == sum_by_subject(facts)
    assert sum(one.total_minor for one in sum_by_subject(facts).values()) == sum(fact.amount_minor for fact in facts)


@given(st.integers(1, 10**15), st.data())
def test_a_document_is_settled_exactly_when_nothing_is_open(total_minor: int, data: st.DataObject) -> None:
    """INV-05"""
    open_minor = data.draw(st.integers(0, total_minor))
    expected = "settled" if open_minor == 0 else "open" if open_minor == total_minor else "partially_settled"
    assert settlement_status(total_minor, Settled(applied_minor=total_minor - open_minor)) == expected


@pytest.mark.parametrize(
    ("billed", "settled", "expected"),
    [
        (48_000, Settled(adjusted_minor=48_000), "written_off"),
        (48_000, Settled(applied_minor=24_000, adjusted_minor=24_000), "written_off"),
        (48_000, Settled(adjusted_minor=24_000), "partially_settled"),
        (48_000, Settled(applied_minor=48_000), "settled"),
        (48_000, Settled(credited_minor=8_000, applied_minor=40_000), "settled"),
        (48_000, Settled(applied_minor=47_040, discounted_minor=960), "settled"),
        (48_000, Settled(discounted_minor=960), "partially_settled"),
        (48_000, Settled(), "open"),
        (0, Settled(), "settled"),
    ],
)
def test_a_rest_that_an_adjustment_closed_is_written_off(billed: int, settled: Settled, expected: str) -> None:
    """INV-05, INV-08: until it is recovered in full; what is worth nothing, a total of zero or a void, is settled from the start."""
    assert settlement_status(billed, settled) == expected


def test_overdue_counts_from_the_oldest_part_that_is_open() -> None:
    """INV-05: due dates of settled parts do not count, and the due date itself is in time."""
    owed = [(DAY, 0), (DAY + timedelta(days=10), 500), (DAY + timedelta(days=20), 500)]

    assert [overdue_days(owed, DAY + timedelta(days=days)) for days in (0, 10, 11, 25)] == [0, 0, 1, 15]
    assert overdue_days([], DAY) == 0
