"""Rules that look at a part of an account's items decide as they would with all of them."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain import NAMED_ITEMS, RULES, Books, Item, ItemsMissing, Memo, Money, Policy, Reach, finished, settle
from payment.domain.books import ALL_ITEMS
from payment.queries import intake, locks
from payment.queries.books import ReceiptMove, load_items_within, load_receipts
from testkit.service import ServiceUnderTest

TODAY = date(2026, 1, 25)
_MINOR = st.integers(1, 12)


def an_item(number: int, open_minor: int, due: int, terms: str = "NET30") -> Item:
    return Item(f"US01|I{number}|1", f"I{number}", 1, TODAY + timedelta(days=due), TODAY - timedelta(days=30), open_minor, terms=terms)


def within(items: Collection[Item], here: Collection[Item], reach: Reach) -> list[Item]:
    """Say what of `items` is within a reach, as the database is asked for it, together with what is `here`."""
    if reach.is_all:
        return list(items)
    so_far, limit = 0, reach.oldest_minor + sum(one.open_minor for one in here) if reach.oldest_minor else 0
    found = {one.id: one for one in here} | {one.id: one for one in items if one.open_minor in reach.amounts}
    for one in sorted(items, key=lambda one: (one.due_on, one.document_no, one.n)):
        if so_far < limit:
            found[one.id] = one
        so_far += one.open_minor
    return list(found.values())


@st.composite
def accounts(draw: Any) -> tuple[list[Item], list[Memo], list[Money]]:
    """Some open items, and money and memos that name a few of them, or none, or are kept off some."""
    lines = draw(st.lists(st.tuples(_MINOR, st.integers(-20, 20), st.sampled_from(["NET10", "NET30"])), min_size=1, max_size=12))
    items = [an_item(n, minor, due, terms) for n, (minor, due, terms) in enumerate(lines)]
    numbers, ids = st.sampled_from([one.document_no for one in items]), st.sampled_from([one.id for one in items])
    money = [
        Money(f"US01|R{n}", f"R{n}", TODAY, unapplied, on_account, tuple(names), came, came, barred=barred)
        for n, (unapplied, on_account, names, came, barred) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        st.integers(0, 30),
                        st.integers(0, 6),
                        st.lists(numbers, max_size=2, unique=True),
                        st.sampled_from([TODAY, TODAY - timedelta(days=3)]),
                        st.frozensets(ids, max_size=1),
                    ),
                    max_size=4,
                )
            )
        )
    ]
    memos = [
        Memo(f"US01|M{n}", f"M{n}", TODAY, minor, names, TODAY, TODAY)
        for n, (minor, names) in enumerate(draw(st.lists(st.tuples(_MINOR, st.none() | numbers), max_size=2)))
    ]
    return items, memos, money


POLICIES = st.builds(
    Policy,
    st.sampled_from(["oldest", "never", "same_reference"]),
    st.just("test"),
    rules=st.lists(st.sampled_from(RULES), max_size=4, unique=True).map(tuple),
    partials=st.booleans(),
    rest=st.sampled_from(["unapplied", "on_account"]),
)


@given(accounts(), POLICIES)
def test_what_is_within_reach_is_enough(account: tuple[list[Item], list[Memo], list[Money]], policy: Policy) -> None:
    """PAY-05, PAY-08: an item out of reach changes nothing."""
    items, memos, money = account
    named = {number for one in money for number in one.names} | {one.names for one in memos}
    here = [one for one in items if one.document_no in named]
    books = Books(here, memos, money, NAMED_ITEMS)
    for _ in range(3):  # What something names; how far the money gets; everything.
        try:
            entries = settle(books, TODAY, policy)
            break
        except ItemsMissing as missing:
            assert not books.reach.covers(missing.wanted)
            books = Books(within(items, books.items, missing.wanted), memos, money, missing.wanted)
    else:
        pytest.fail("there was something to look for after everything")

    assert entries == settle(Books(items, memos, money, ALL_ITEMS), TODAY, policy)


@given(accounts(), POLICIES.filter(lambda policy: not policy.spends_on_account))
def test_money_on_account_that_names_nothing_rests_where_no_rule_uses_it(
    account: tuple[list[Item], list[Memo], list[Money]], policy: Policy
) -> None:
    """PAY-08: a day without it is the day with it, so that it need not be looked at."""
    items, memos, money = account
    awake = [one for one in money if one.unapplied_minor or one.names]
    with_it, without = Books(items, memos, money, ALL_ITEMS), Books(items, memos, awake, ALL_ITEMS)
    entries = settle(without, TODAY, policy)
    assert entries == settle(with_it, TODAY, policy)
    assert finished(without, entries, {}) == finished(with_it, entries, {})


def test_money_that_gets_far_looks_no_further_than_it_gets() -> None:
    """Ten thousand open items are no reason to look at more than the oldest few."""
    with pytest.raises(ItemsMissing) as missing:
        settle(Books([], [], [a_receipt(250)], NAMED_ITEMS), TODAY, Policy("oldest", "test"))
    assert missing.value.wanted == Reach(oldest_minor=250)
    with pytest.raises(ItemsMissing) as missing:
        settle(Books([], [], [a_receipt(250)], NAMED_ITEMS), TODAY, Policy("never", "test", rules=RULES))
    assert missing.value.wanted == Reach(frozenset([250]))


def a_receipt(minor: int) -> Money:
    return Money("US01|R", "R", TODAY, minor, 0, (), TODAY, TODAY)


@pytest.mark.db
async def test_the_database_gives_what_is_within_reach(payment: ServiceUnderTest) -> None:
    numbers = ["I1", "I2", "i10", "I3"]
    async with payment.db.transaction() as db:
        account = await db.fetchval("INSERT INTO account (entity, account) VALUES ('US01', 'C-1') RETURNING id")
        for n, number in enumerate(numbers):
            document = await db.fetchval(
                "INSERT INTO document (entity, document_no, kind, account, customer, currency, issued_on, booked_on, digest)"
                " VALUES ('US01', $1, 'invoice', 'C-1', 'C-1', 'USD', $2, $2, '') RETURNING id",
                *(number, TODAY),
            )
            await db.execute(
                "INSERT INTO item (document_id, account_id, n, due_on, total_minor, settled_minor, credited_minor, is_open, adjusted_minor,"
                " voided_minor, allowed_minor, discounted_minor) VALUES ($1, $2, 1, $3, $4, 1, 0, true, 0, 0, 0, 0)",
                *(document, account, TODAY + timedelta(days=n // 2), 10 * (n + 1) + 1),
            )

        async def within_reach(reach: Reach, currency: str = "USD", besides: int = 0) -> set[str]:
            rows = await load_items_within(db, {(account, currency): reach}, {(account, currency): besides})
            return {row["document_no"] for row in rows}

        assert await within_reach(ALL_ITEMS) == set(numbers)
        assert await within_reach(Reach(oldest_minor=100), "EUR") == set()
        assert await within_reach(Reach(frozenset([20, 30]))) == {"I2", "i10"}
        assert await within_reach(Reach(oldest_minor=10)) == {"I1"}
        assert await within_reach(Reach(oldest_minor=11)) == {"I1", "I2"}
        assert await within_reach(Reach(oldest_minor=31)) == {"I1", "I2", "I3"}, "I3 before i10: by code points"
        assert await within_reach(Reach(frozenset([30]), oldest_minor=1), besides=10) == {"I1", "I2", "i10"}
        assert await within_reach(NAMED_ITEMS) == set()


@pytest.mark.db
async def test_the_database_gives_of_resting_accounts_what_is_unapplied_or_may_name_something(payment: ServiceUnderTest) -> None:
    async with payment.db.transaction() as db:
        account = (await locks.lock_accounts(db, [("US01", "C-1")]))["US01", "C-1"].id
        ids = await intake.number_receipts(db, 4)
        clues: list[dict[int, bytes]] = [{}, {1: b"number"}, {0: b"bank account"}, {}]
        rows = [
            intake.NewReceipt(id_, "US01", f"BR-{n}", account, "C-1", "USD", 100, TODAY, TODAY, "customer", "check", b"", clues[n])
            for n, id_ in enumerate(ids)
        ]
        resting, names, of_a_bank_account, unapplied = ids
        await intake.insert_receipts(db, rows, {one: ReceiptMove(one, on_account_minor=100) for one in (resting, names, of_a_bank_account)})
        tomorrow = [(account, TODAY + timedelta(days=1))]
        assert {row["id"] for row in await load_receipts(db, tomorrow, [])} == set(ids)
        assert {row["id"] for row in await load_receipts(db, tomorrow, [], [account])} == {names, unapplied}
        assert {row["id"] for row in await load_receipts(db, tomorrow, [resting], [account])} == {names, unapplied, resting}
