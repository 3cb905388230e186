"""The rules of settlement for deposits: nothing but what they name, and people, use them (PAY-16)."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from payment.domain.books import MEMO, ON_ACCOUNT, RECEIPT, REFERENCE, Books, Decision, Entry, Item, Memo, Money, Source
from payment.domain.policy import RULES, Policy
from payment.domain.settle import settle

TODAY = date(2026, 1, 5)


def on(n: int) -> date:
    return TODAY + timedelta(days=n)


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    days = draw(st.lists(st.integers(-20, 20), min_size=1, max_size=5))
    return [Item(f"US01|I{n}|1", f"I{n}", 1, on(due), TODAY, draw(st.integers(1, 30))) for n, due in enumerate(days)]


@st.composite
def books(draw: st.DrawFn) -> Books:
    """Open items, credit that names nothing, and money of today and of before; some of it is bound, some names items."""
    found = draw(items())
    numbers = [one.document_no for one in found]
    money = [
        Money(
            id=f"US01|R{n}",
            bank_ref=f"R{n}",
            value_on=on(came),
            unapplied_minor=unapplied,
            on_account_minor=draw(st.integers(0, 20)) if came < 0 else 0,
            names=tuple(draw(st.lists(st.sampled_from(numbers), unique=True, max_size=2))),
            came_on=on(came),
            free_on=on(came),
            is_bound=draw(st.booleans()),
        )
        for n, (came, unapplied) in enumerate(draw(st.lists(st.tuples(st.sampled_from([-3, 0]), st.integers(1, 40)), max_size=4)))
    ]
    memos = [Memo("US01|M", "M", TODAY, draw(st.integers(1, 20)), None, TODAY, TODAY)] if draw(st.booleans()) else []
    return Books(found, memos, money, currency="USD")


policies = st.builds(
    Policy,
    auto_apply=st.sampled_from(["oldest", "never", "same_reference"]),
    version=st.just("test"),
    rules=st.permutations(RULES).flatmap(lambda rules: st.integers(0, len(rules)).map(lambda n: tuple(rules[:n]))),
    partials=st.booleans(),
    rest=st.sampled_from(["unapplied", "on_account"]),
)


def of(entries: dict[Entry, int], money: Money) -> dict[Entry, int]:
    return {entry: minor for entry, minor in entries.items() if entry.source == Source(RECEIPT, money.id)}


@settings(max_examples=200, deadline=None)
@given(books(), policies)
def test_a_deposit_pays_what_it_names_and_is_on_account_else(opening: Books, policy: Policy) -> None:
    """PAY-05, PAY-08, PAY-16: under every policy; none of it is left unapplied."""
    entries = settle(opening, TODAY, policy)
    for money in opening.money:
        if money.is_bound:
            mine = of(entries, money)
            assert {(entry.rule, entry.item.split("|")[1]) for entry in mine if entry.item} <= {(REFERENCE, name) for name in money.names}
            paid = sum(minor for entry, minor in mine.items() if entry.item)
            assert money.unapplied_minor - paid == sum(minor for entry, minor in mine.items() if entry.rule == ON_ACCOUNT)


@settings(max_examples=200, deadline=None)
@given(books(), policies)
def test_a_deposit_that_names_nothing_changes_nothing_for_other_money(opening: Books, policy: Policy) -> None:
    """PAY-16: its order has billed nothing yet."""
    waiting = [replace(one, names=()) for one in opening.money if one.is_bound]
    others = [one for one in opening.money if not one.is_bound]
    with_it = settle(replace(opening, money=[*waiting, *others]), TODAY, policy)
    without = settle(replace(opening, money=others), TODAY, policy)
    mine = {entry for money in waiting for entry in of(with_it, money)}
    assert {entry: minor for entry, minor in with_it.items() if entry not in mine} == without


def test_a_person_uses_a_deposit_for_anything_and_what_is_left_stays_bound() -> None:
    """PAY-07, PAY-16"""
    item = Item("US01|I1|1", "I1", 1, on(9), TODAY, 60)
    deposit = Money("US01|R1", "R1", TODAY, 100, 0, (), TODAY, TODAY, is_bound=True)
    decision = Decision("D1", "apply", Source(RECEIPT, deposit.id), item.id, 20, TODAY)
    entries = settle(Books([item], [], [deposit], decisions=[decision]), TODAY, Policy("oldest", "test"))
    assert {(entry.rule, entry.item): minor for entry, minor in entries.items()} == {("person", item.id): 20, (ON_ACCOUNT, ""): 80}


def test_credit_of_memos_is_used_as_ever() -> None:
    """PAY-16: only the deposit is bound."""
    item = Item("US01|I1|1", "I1", 1, on(9), TODAY, 60)
    deposit = Money("US01|R1", "R1", TODAY, 100, 0, (), TODAY, TODAY, is_bound=True)
    memo = Memo("US01|M1", "M1", TODAY, 25, None, TODAY, TODAY)
    entries = settle(Books([item], [memo], [deposit]), TODAY, Policy("oldest", "test"))
    assert sum(minor for entry, minor in entries.items() if entry.item and entry.source.kind == MEMO) == 25
