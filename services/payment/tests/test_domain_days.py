"""The rules of settlement over generated days: a small model of the ledger books them batch by batch, as the handlers do."""

import sys
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from payment.domain import (
    MEMO,
    OLDEST_FIRST,
    RECEIPT,
    STANDARD,
    Books,
    Entry,
    Item,
    Memo,
    Money,
    Source,
    Standing,
    difference,
    finished,
    settle,
)

FIRST = date(2026, 1, 5)


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


def an_item(number: str, open_minor: int, *, n: int = 1, due: int = 30, issued: int = 0) -> Item:
    return Item(f"US01|{number}|{n}", number, n, day(due), day(issued), open_minor)


def a_receipt(ref: str, minor: int, *, names: tuple[str, ...] = (), value: int = 0, came: int = 0, on_account: int = 0) -> Money:
    return Money(f"US01|{ref}", ref, day(value), minor, on_account, names, day(came), day(value))


def a_memo(number: str, minor: int, *, names: str | None = None, issued: int = 0, came: int = 0) -> Memo:
    return Memo(f"US01|{number}", number, day(issued), minor, names, day(came), day(issued))


@dataclass
class Model:
    """One account's ledger: what came, and every entry ever booked."""

    items: dict[str, tuple[Item, int]] = field(default_factory=dict)
    memos: dict[str, Memo] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)
    entries: list[tuple[date, Entry, int]] = field(default_factory=list)

    def take(self, fact: Item | Memo | Money) -> None:
        if isinstance(fact, Item):
            self.items[fact.id] = (fact, fact.open_minor)
        elif isinstance(fact, Memo):
            self.memos[fact.id] = fact
        else:
            self.money[fact.id] = fact

    def book(self, today: date) -> list[tuple[Entry, int]]:
        booked: dict[Entry, int] = defaultdict(int)
        for on, entry, minor in self.entries:
            if on == today:
                booked[entry] += minor
        changes = difference(settle(self.opening(today), today, STANDARD), {entry: minor for entry, minor in booked.items() if minor})
        self.entries += [(today, *change) for change in changes]
        return changes

    def opening(self, today: date) -> Books:
        past = [(entry, minor) for on, entry, minor in self.entries if on < today]
        spent = {source: sum(m for e, m in past if e.item and e.source == source) for source in self.sources()}
        numbers = {item.document_no for item, _ in self.items.values()}
        return Books(
            [
                replace(item, open_minor=total - sum(m for e, m in past if e.item == item.id), standing=self.standing(item, past))
                for item, total in self.items.values()
            ],
            [
                replace(one, remaining_minor=one.remaining_minor - spent[Source(MEMO, one.id)], free_on=self.free_on(one, today))
                for one in self.memos.values()
            ],
            [self.purse(one, past, spent[Source(RECEIPT, one.id)], numbers, today) for one in self.money.values()],
        )

    def purse(self, one: Money, past: list[tuple[Entry, int]], spent: int, numbers: set[str], today: date) -> Money:
        kept = sum(m for e, m in past if not e.item and e.source.id == one.id)
        names = tuple(name for name in one.names if name in numbers)
        unapplied = one.unapplied_minor - spent - kept
        return replace(one, unapplied_minor=unapplied, on_account_minor=kept, names=names, free_on=self.free_on(one, today))

    def free_on(self, one: Memo | Money, today: date) -> date:
        given: dict[tuple[date, Entry], int] = defaultdict(int)
        for on, entry, minor in self.entries:
            if entry.item and entry.source.id == one.id and entry.applied_on < on < today:
                given[on, entry] += minor
        return max([one.free_on, *(entry.effective_on for (_, entry), minor in given.items() if minor < 0)])

    def standing(self, item: Item, past: list[tuple[Entry, int]]) -> tuple[Standing, ...]:
        live: dict[str, list[Any]] = defaultdict(list)
        for entry, minor in past:
            if entry.item == item.id and (entry.source.kind == RECEIPT or entry.rule == OLDEST_FIRST):
                live[entry.application].append((entry, minor))
        found = []
        for application, parts in live.items():
            first, total = parts[0][0], sum(minor for _, minor in parts)
            if total:
                since = min(entry.effective_on for entry, _ in parts)
                found.append(Standing(application, first.source, first.rule, total, since, first.applied_on))
        return tuple(found)

    def sources(self) -> list[Source]:
        return [Source(MEMO, one) for one in self.memos] + [Source(RECEIPT, one) for one in self.money]

    def net(self) -> dict[tuple[date, Entry], int]:
        total: dict[tuple[date, Entry], int] = defaultdict(int)
        for on, entry, minor in self.entries:
            total[on, entry] += minor
        return {key: minor for key, minor in total.items() if minor}


amounts = st.sampled_from([10, 20]) | st.integers(1, 30)
small_days = st.integers(-3, 6)
numbers = st.sampled_from(["A", "B", "C", "D"])


@st.composite
def facts_of(draw: st.DrawFn, n: int) -> list[Item | Memo | Money]:
    """A day's facts of one account; numbers are drawn from few, so that names meet items of this day, an earlier, a later or no day."""
    facts: list[Item | Memo | Money] = []
    for number in draw(st.lists(numbers, unique=True, max_size=2)):
        for instalment in range(1, draw(st.integers(1, 2)) + 1):
            due, issued = draw(small_days), draw(small_days)
            facts.append(an_item(f"{number}{n}", draw(amounts), n=instalment, due=due, issued=n + issued if instalment == 1 else n))
    named = st.builds("{}{}".format, numbers, st.integers(0, 2))
    for place in range(draw(st.integers(0, 2))):
        names = draw(st.none() | named)
        facts.append(a_memo(f"M{n}{place}", draw(amounts), names=names, issued=n + draw(small_days), came=n))
    for place in range(draw(st.integers(0, 3))):
        names_all = tuple(draw(st.lists(named, unique=True, max_size=2)))
        facts.append(a_receipt(f"R{n}{place}", draw(amounts), names=names_all, value=n + draw(small_days), came=n))
    return facts


def play(days: list[list[list[Item | Memo | Money]]]) -> Model:
    """Book days, each given as its batches."""
    model = Model()
    for n, batches in enumerate(days):
        for batch in batches:
            for fact in batch:
                model.take(fact)
            model.book(day(n))
    return model


histories = st.tuples(facts_of(0), facts_of(1), facts_of(2)).map(list)


@settings(max_examples=300, deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_a_day_ends_the_same_however_its_facts_were_shuffled_and_cut_into_batches(history: list[Any], random: Any) -> None:
    """PAY-07: the same applications by id, amount and date, the same dispositions, on every day."""
    shuffled = []
    for facts in history:
        facts = random.sample(facts, len(facts))
        batches: list[list[Any]] = [[]]
        for fact in facts:
            if random.random() < 0.5:
                batches.append([])
            batches[-1].append(fact)
        shuffled.append(batches)
    assert play(shuffled).net() == play([[facts] for facts in history]).net()


@dataclass
class Narrow(Model):
    """A ledger that leaves out what is finished, and takes it up again when something new names it."""

    done: set[Entry] = field(default_factory=set)

    def take(self, fact: Item | Memo | Money) -> None:
        super().take(fact)
        sources, items = {entry.source.id for entry in self.done}, {entry.item for entry in self.done}
        if isinstance(fact, Memo):
            named = True
        elif isinstance(fact, Item):
            named = any(fact.document_no in self.money[one].names for one in sources & self.money.keys())
            named |= any(fact.document_no == self.memos[one].names for one in sources & self.memos.keys())  # Instalments come singly here.
        else:
            named = any(self.items[one][0].document_no in fact.names for one in items)
        if named:
            self.done.clear()

    def book(self, today: date) -> list[tuple[Entry, int]]:
        self.done = {entry for entry in self.done if entry.applied_on == today}
        sources, items = {entry.source.id for entry in self.done}, {entry.item for entry in self.done}
        whole = self.opening(today)
        books = Books(
            [one for one in whole.items if one.id not in items],
            [one for one in whole.memos if one.id not in sources],
            [one for one in whole.money if one.id not in sources],
        )
        booked = {entry: minor for (on, entry), minor in self.net().items() if on == today and entry not in self.done}
        target = settle(books, today, STANDARD)
        self.done |= finished(books, target, booked)
        changes = difference(target, booked)
        self.entries += [(today, *change) for change in changes]
        return changes


@settings(max_examples=400, deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_leaving_out_what_is_finished_changes_nothing(history: list[Any], random: Any) -> None:
    """PAY-07: one fact at a time, in any order, the ledger that looks at less ends as the one that looks at all."""
    narrow, last = Narrow(), Model()
    for n, facts in enumerate(history):
        for fact in random.sample(facts, len(facts)):
            narrow.take(fact)
            narrow.book(day(n))
            last.take(fact)
        last.book(day(n))
    assert narrow.net() == last.net()


def test_a_receipt_that_pays_its_invoice_in_full_is_finished_and_one_that_leaves_something_is_not() -> None:
    for minor, expected in ((100, 1), (90, 0), (110, 0)):
        books = Books([an_item("A", 100)], [], [a_receipt("R", minor, names=("A",))])
        target = settle(books, FIRST, STANDARD)
        assert len(finished(books, target, {})) == expected
    assert finished(books, target, target) == set()


@settings(max_examples=300, deadline=None)
@given(histories)
def test_at_no_date_is_an_item_a_memo_or_a_disposition_overdrawn(history: list[Any]) -> None:
    """PAY-02 and M1 to M4, as of every date: every cent of a receipt is unapplied, on-account or applied."""
    model = play([[facts] for facts in history])
    for n in range(-4, 12):
        known = [(entry, minor) for _, entry, minor in model.entries if entry.effective_on <= day(n)]
        for item, total in model.items.values():
            assert 0 <= sum(m for e, m in known if e.item == item.id) <= (total if item.document_on <= day(n) else 0)
        for memo in model.memos.values():
            spent = sum(m for e, m in known if e.item and e.source == Source(MEMO, memo.id))
            assert 0 <= spent <= (memo.remaining_minor if memo.document_on <= day(n) else 0)
        for money in model.money.values():
            applied_then = sum(m for e, m in known if e.item and e.source == Source(RECEIPT, money.id))
            kept = sum(m for e, m in known if not e.item and e.source == Source(RECEIPT, money.id))
            assert applied_then >= 0 and kept >= 0
            assert applied_then + kept <= (money.unapplied_minor if money.value_on <= day(n) else 0)


@settings(max_examples=100, deadline=None)
@given(histories)
def test_a_day_that_comes_in_one_batch_takes_nothing_of_itself_back_and_settling_again_books_nothing(history: list[Any]) -> None:
    model = Model()
    for n, facts in enumerate(history):
        for fact in facts:
            model.take(fact)
        assert all(minor > 0 or not entry.item or entry.applied_on < day(n) for entry, minor in model.book(day(n)))
        assert model.book(day(n)) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(amounts, small_days), max_size=6), st.lists(st.tuples(amounts, small_days), max_size=6))
def test_items_then_money_in_canonical_order_one_by_one_cause_no_reversal(items: list[Any], money: list[Any]) -> None:
    model = Model()
    arrivals: list[Any] = [an_item(f"I{n}", minor, due=due) for n, (minor, due) in enumerate(items)]
    arrivals.sort(key=lambda item: (item.due_on, item.document_no))
    receipts = [a_receipt(f"R{n}", minor, value=value) for n, (minor, value) in enumerate(money)]
    for fact in [*arrivals, *sorted(receipts, key=lambda one: (one.value_on, one.bank_ref))]:
        model.take(fact)
        assert all(minor > 0 for _, minor in model.book(FIRST))


def test_twice_the_items_and_money_take_about_twice_the_steps() -> None:
    """An account with thousands of open items stays fast: counted in calls, so that no clock decides."""

    def calls(n: int) -> int:
        counted = 0

        def count(*_: Any) -> None:
            nonlocal counted
            counted += 1

        books = Books([an_item(f"I{i:05}", 10, due=i % 90) for i in range(n)], [], [a_receipt(f"R{i:05}", 10) for i in range(n)])
        sys.setprofile(count)
        try:
            settle(books, FIRST, STANDARD)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(2_000) < 2.2 * calls(1_000)
