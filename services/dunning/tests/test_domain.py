"""Who is due for a notice: pure decisions over items, a procedure and a day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from dunning.domain import STANDARD, Item, Procedure, due_on_last, judge, next_notice_on
from hypothesis import given
from hypothesis import strategies as st

DUE_ON = date(2026, 3, 1)


def an_item(
    open_minor: int = 600_00,
    *,
    item: str = "US01|INV-6|1",
    account: str = "C-1",
    currency: str = "USD",
    due_on: date = DUE_ON,
    level: int = 0,
) -> Item:
    return Item(item, "US01", account, currency, due_on, open_minor, level, None)


def noticed(item: Item, level: int, on: date) -> Item:
    return replace(item, level=level, last_noticed_on=on)


def days_of_notice(item: Item, days: int, procedure: Procedure = STANDARD) -> list[tuple[int, date]]:
    """The levels an unpaid item reaches over so many days after it was due, and when."""
    reached = []
    for n in range(days):
        day = item.due_on + timedelta(days=n)
        for notice in judge([item], procedure, day):
            item = noticed(item, notice.level, day)
            reached.append((notice.level, day))
    return reached


def test_the_levels_of_an_unpaid_item() -> None:
    """COL-01, COL-02, A6: due 03-01, L1 on 03-06, L2 on 03-21, L3 on 04-10, and nothing after the last level."""
    assert days_of_notice(an_item(), 200) == [(1, date(2026, 3, 6)), (2, date(2026, 3, 21)), (3, date(2026, 4, 10))]


def test_an_item_found_late_rises_one_level_at_a_time_an_interval_apart() -> None:
    """COL-01, COL-02: 100 days overdue when first judged."""
    late = an_item()
    first_on = DUE_ON + timedelta(days=100)
    (first,) = judge([late], STANDARD, first_on)
    late = noticed(late, first.level, first_on)
    assert first.level == 1

    assert judge([late], STANDARD, first_on + timedelta(days=9)) == []
    (second,) = judge([late], STANDARD, first_on + timedelta(days=10))
    assert second.level == 2


def test_a_letter_takes_the_highest_level_of_its_items_and_each_item_keeps_its_own() -> None:
    """COL-02."""
    old = noticed(an_item(item="US01|INV-1|1", due_on=date(2026, 2, 1)), 1, date(2026, 2, 6))
    new = an_item(item="US01|INV-2|1", due_on=date(2026, 2, 24))

    (notice,) = judge([new, old], STANDARD, date(2026, 3, 1))

    assert (notice.level, notice.total_minor, notice.notice) == (2, 1200_00, "US01|C-1|USD|2026-03-01")
    assert [(one.item, one.level) for one in notice.items] == [("US01|INV-1|1", 2), ("US01|INV-2|1", 1)]


def test_there_is_one_letter_per_account_and_currency() -> None:
    """COL-01: totals per currency."""
    items = [
        an_item(item="US01|INV-1|1"),
        an_item(item="US01|INV-2|1"),
        an_item(item="US01|INV-3|1", currency="EUR"),
        an_item(item="US01|INV-4|1", account="C-2"),
    ]

    letters = [(notice.account, notice.currency, len(notice.items)) for notice in judge(items, STANDARD, DUE_ON + timedelta(days=5))]

    assert letters == [("C-1", "EUR", 1), ("C-1", "USD", 2), ("C-2", "USD", 1)]


@pytest.mark.parametrize(("currency", "enough_minor"), [("USD", 2500), ("JPY", 25), ("KWD", 25000)])
def test_a_letter_under_the_minimum_is_not_sent(currency: str, enough_minor: int) -> None:
    """COL-01: 25 units of whatever currency, whatever its decimals."""
    day = DUE_ON + timedelta(days=5)
    assert judge([an_item(enough_minor - 1, currency=currency)], STANDARD, day) == []
    assert len(judge([an_item(enough_minor, currency=currency)], STANDARD, day)) == 1


def test_small_items_reach_the_minimum_together() -> None:
    """COL-01."""
    day = DUE_ON + timedelta(days=5)
    (notice,) = judge([an_item(1200, item="US01|INV-1|1"), an_item(1300, item="US01|INV-2|1")], STANDARD, day)
    assert notice.total_minor == 2500


@pytest.mark.parametrize("open_minor", [0, -600_00])
def test_what_is_paid_is_on_no_notice(open_minor: int) -> None:
    """COL-03: also when its payment came before the item."""
    assert judge([an_item(open_minor)], STANDARD, DUE_ON + timedelta(days=50)) == []


def test_a_due_date_at_the_end_of_the_calendar_is_never_overdue() -> None:
    last = an_item(due_on=date.max)
    assert judge([last], STANDARD, date(2026, 3, 1)) == []
    assert next_notice_on(0, date.max, None, STANDARD) is None


items_of_a_day = st.lists(
    st.builds(
        lambda n, account, currency, overdue_days, open_minor, last: Item(
            f"US01|INV-{n}|1",
            "US01",
            account,
            currency,
            DUE_ON - timedelta(days=overdue_days),
            open_minor,
            0 if last is None else 1 + n % 3,
            None if last is None else DUE_ON - timedelta(days=last),
        ),
        st.integers(1, 10**6),
        st.sampled_from(["C-1", "C-2"]),
        st.sampled_from(["USD", "JPY"]),
        st.integers(-5, 60),
        st.integers(-100, 5000),
        st.none() | st.integers(0, 30),
    ),
    unique_by=lambda item: item.item,
    max_size=12,
)


@given(items_of_a_day.flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_any_order_of_the_items_gives_the_same_notices(orders: tuple[list[Item], list[Item]]) -> None:
    """COL-02, A14."""
    told, shuffled = orders
    assert judge(shuffled, STANDARD, DUE_ON) == judge(told, STANDARD, DUE_ON)


@given(items_of_a_day)
def test_every_noticed_item_is_open_overdue_rested_and_one_level_up(items: list[Item]) -> None:
    """COL-01, COL-02, COL-03, said again in days rather than dates."""
    by_id = {item.item: item for item in items}
    notices = judge(items, STANDARD, DUE_ON)
    on_notice = [(notice, one) for notice in notices for one in notice.items]
    for notice, one in on_notice:
        item = by_id[one.item]
        assert (item.account, item.currency) == (notice.account, notice.currency)
        assert 0 < one.open_minor == item.open_minor
        assert one.level == item.level + 1 <= 3
        assert (DUE_ON - item.due_on).days >= (5, 20, 40)[item.level]
        assert item.last_noticed_on is None or (DUE_ON - item.last_noticed_on).days >= 10
    assert len({one.item for _, one in on_notice}) == len(on_notice)


@given(items_of_a_day)
def test_the_dates_that_pick_items_from_the_database_pick_all_that_the_judgement_notices(items: list[Item]) -> None:
    """COL-02: the statement narrows, the judgement decides."""
    last = due_on_last(STANDARD, DUE_ON)
    rested_on = DUE_ON - timedelta(days=STANDARD.interval_days)
    picked = [
        item
        for item in items
        if item.level < len(last)
        and item.due_on <= last[item.level]
        and (item.last_noticed_on is None or item.last_noticed_on <= rested_on)
    ]
    assert judge(picked, STANDARD, DUE_ON) == judge(items, STANDARD, DUE_ON)
