"""The rules of settlement over generated days: a small model of the ledger books them batch by batch, as the handlers do."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from payment.domain import (
    ADJUSTMENT,
    MEMO,
    RECEIPT,
    RECOVERED,
    STANDARD,
    VOID,
    Adjustment,
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


@dataclass(frozen=True)
class Void:
    """A document was voided, effective on a day."""

    document_no: str
    void_on: date


Fact: TypeAlias = Item | Memo | Money | Void | Adjustment


@dataclass
class Model:
    """One account's ledger: what came, and every entry ever booked. Voids and adjustments have the booked day with them."""

    items: dict[str, tuple[Item, int]] = field(default_factory=dict)
    memos: dict[str, Memo] = field(default_factory=dict)
    money: dict[str, Money] = field(default_factory=dict)
    voids: dict[str, tuple[Void, date]] = field(default_factory=dict)
    adjustments: dict[str, tuple[Adjustment, date]] = field(default_factory=dict)
    entries: list[tuple[date, Entry, int]] = field(default_factory=list)

    def take(self, fact: Fact, today: date = FIRST) -> None:
        if isinstance(fact, Item):
            self.items[fact.id] = (fact, fact.open_minor)
        elif isinstance(fact, Memo):
            self.memos[fact.id] = fact
        elif isinstance(fact, Money):
            self.money[fact.id] = fact
        elif isinstance(fact, Void):
            self.voids[fact.document_no] = (fact, today)
        else:
            self.adjustments[fact.id] = (fact, today)

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
                replace(
                    item,
                    open_minor=total - sum(m for e, m in past if e.item == item.id),
                    standing=self.standing(item, past),
                    void_on=self.void_on(item, today),
                )
                for item, total in self.items.values()
            ],
            [
                replace(one, remaining_minor=one.remaining_minor - spent[Source(MEMO, one.id)], free_on=self.free_on(one, today))
                for one in self.memos.values()
            ],
            [self.purse(one, past, spent[Source(RECEIPT, one.id)], numbers, today) for one in self.money.values()],
            adjustments=[one for one, on in self.adjustments.values() if on == today],
        )

    def void_on(self, item: Item, today: date) -> date | None:
        void, on = self.voids.get(item.document_no, (None, today))
        return void.void_on if void and on == today else None

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
            if entry.item == item.id and entry.source.kind != VOID:
                live[entry.application].append((entry, minor))
        found = []
        for application, parts in live.items():
            first, total, since = parts[0][0], sum(minor for _, minor in parts), min(entry.effective_on for entry, _ in parts)
            later = tuple((entry.effective_on, minor) for entry, minor in parts if entry.effective_on > since)
            rule = next(entry.rule for entry, _ in parts if entry.rule != RECOVERED)
            found.append(Standing(application, first.source, rule, total, since, first.applied_on, later))
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
def facts_of(draw: st.DrawFn, n: int) -> list[Fact]:
    """A day's facts of one account; numbers are drawn from few, so that names meet items of this day, an earlier, a later or no day."""
    facts: list[Fact] = []
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
    facts += [Void(number, day(n + draw(small_days))) for number in draw(st.lists(named, unique=True, max_size=1))]
    for place in range(draw(st.integers(0, 2))):
        item, kind = f"US01|{draw(named)}|{draw(st.integers(1, 2))}", draw(st.sampled_from(["bad_debt", "bad_debt", "small_balance"]))
        facts.append(Adjustment(f"W{n}{place}", item, kind, draw(amounts), day(n + draw(small_days))))
    return facts


def sensible(history: list[list[Fact]]) -> list[list[Fact]]:
    """Without adjustments and voids of what is not there yet, nor second voids: they come behind their documents, once."""
    known: set[str] = set()
    voided: set[str] = set()
    days = []
    for facts in history:
        for fact in facts:
            if isinstance(fact, Item):
                known |= {fact.id, fact.document_no}
        kept: list[Fact] = []
        for fact in facts:
            if isinstance(fact, Void):
                if fact.document_no not in known or fact.document_no in voided:
                    continue
                voided.add(fact.document_no)
            if not isinstance(fact, Adjustment) or fact.item in known:
                kept.append(fact)
        days.append(kept)
    return days


def shuffled(facts: list[Fact], random: Any) -> list[Fact]:
    """Facts in any order in which voids and adjustments stand behind the items they are about."""
    order: list[Fact] = random.sample([one for one in facts if not isinstance(one, Void | Adjustment)], len(facts) - len(bound(facts)))
    for one in bound(facts):
        about = [at for at, item in enumerate(order) if isinstance(item, Item) and is_about(one, item)]
        order.insert(random.randint(max(about, default=-1) + 1, len(order)), one)
    return order


def bound(facts: list[Fact]) -> list[Void | Adjustment]:
    return [one for one in facts if isinstance(one, Void | Adjustment)]


def is_about(one: Void | Adjustment, item: Item) -> bool:
    return one.item == item.id if isinstance(one, Adjustment) else one.document_no == item.document_no


def play(days: list[list[list[Fact]]]) -> Model:
    """Book days, each given as its batches."""
    model = Model()
    for n, batches in enumerate(days):
        for batch in batches:
            for fact in batch:
                model.take(fact, day(n))
            model.book(day(n))
    return model


histories = st.tuples(facts_of(0), facts_of(1), facts_of(2)).map(list).map(sensible)


@settings(max_examples=300, deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_a_day_ends_the_same_however_its_facts_were_shuffled_and_cut_into_batches(history: list[Any], random: Any) -> None:
    """PAY-07: the same applications by id, amount and date, the same dispositions, on every day."""
    pieces = []
    for facts in history:
        batches: list[list[Any]] = [[]]
        for fact in shuffled(facts, random):
            if random.random() < 0.5:
                batches.append([])
            batches[-1].append(fact)
        pieces.append(batches)
    assert play(pieces).net() == play([[facts] for facts in history]).net()


@dataclass
class Narrow(Model):
    """A ledger that leaves out what is finished, and takes it up again when something new names it."""

    done: set[Entry] = field(default_factory=set)

    def take(self, fact: Fact, today: date = FIRST) -> None:
        super().take(fact, today)
        sources, items = {entry.source.id for entry in self.done}, {entry.item for entry in self.done}
        if isinstance(fact, Memo | Void | Adjustment):
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
            adjustments=[one for one in whole.adjustments if one.item not in items],
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
        for fact in shuffled(facts, random):
            narrow.take(fact, day(n))
            narrow.book(day(n))
            last.take(fact, day(n))
        last.book(day(n))
    assert narrow.net() == last.net()


def assert_nothing_is_overdrawn(model: Model) -> None:
    """As of every date: every cent of a receipt is unapplied, on-account or applied, and no item bears more than it was billed at."""
    for n in range(-4, 24):
        known = [(entry, minor) for _, entry, minor in model.entries if entry.effective_on <= day(n)]
        for item, total in model.items.values():
            on_item: dict[Source, int] = defaultdict(int)
            for entry, minor in known:
                if entry.item == item.id:
                    on_item[entry.source] += minor
            assert all(minor >= 0 for minor in on_item.values())
            assert sum(on_item.values()) <= (total if item.document_on <= day(n) else 0)
            if (voided := model.voids.get(item.document_no)) and max(voided[0].void_on, item.document_on) <= day(n):
                assert {source.kind: minor for source, minor in on_item.items() if minor} == {VOID: total}
        for memo in model.memos.values():
            spent = sum(m for e, m in known if e.item and e.source == Source(MEMO, memo.id))
            assert 0 <= spent <= (memo.remaining_minor if memo.document_on <= day(n) else 0)
        for adjustment, _ in model.adjustments.values():
            assert 0 <= sum(m for e, m in known if e.source == Source(ADJUSTMENT, adjustment.id)) <= adjustment.amount_minor
        for money in model.money.values():
            applied_then = sum(m for e, m in known if e.item and e.source == Source(RECEIPT, money.id))
            kept = sum(m for e, m in known if not e.item and e.source == Source(RECEIPT, money.id))
            assert applied_then >= 0 and kept >= 0
            assert applied_then + kept <= (money.unapplied_minor if money.value_on <= day(n) else 0)


@settings(max_examples=400, deadline=None)
@given(histories)
def test_at_no_date_is_an_item_a_memo_an_adjustment_or_a_disposition_overdrawn(history: list[Any]) -> None:
    """PAY-02, INV-08 and M1 to M4."""
    assert_nothing_is_overdrawn(play([[facts] for facts in history]))


def test_a_void_dated_before_a_memo_dates_back_what_the_memo_had_pushed_out() -> None:
    """PAY-07 as of every date: the memo of day 9 gave money back as of day 9; the void of day 4 takes it all back as of day 4."""
    an_invoice, money = an_item("A0", 100), a_receipt("R", 100, names=("A0",))
    model = play([[[an_invoice, money]], [[a_memo("M", 30, names="A0", issued=9, came=1)]], [[Void("A0", day(4))]]])
    assert_nothing_is_overdrawn(model)
    assert {entry.rule: minor for (_, entry), minor in model.net().items() if entry.source.kind == VOID} == {VOID: 100}


def test_a_memo_dated_before_a_recovery_leaves_no_more_on_the_item_than_it_is_worth() -> None:
    """
    INV-08 as of every date: 480 written off as of day 2, 240 recovered as of day 6, then a memo of 300 as of day 1.

    The item is worth 180. The money it gives back still names it, so it pays that and recovers the rest of the write-off.
    """
    written_off = Adjustment("W", "US01|A0|1", "bad_debt", 480, day(2))
    recovery = a_receipt("R", 240, names=("A0",), value=6, came=1)
    model = play([[[an_item("A0", 480), written_off]], [[recovery]], [[a_memo("M", 300, names="A0", issued=1, came=2)]]])
    assert_nothing_is_overdrawn(model)
    standing: dict[str, int] = defaultdict(int)
    for _, entry, minor in model.entries:
        standing[entry.source.kind] += minor if entry.item else 0
    assert standing == {ADJUSTMENT: 0, RECEIPT: 180, MEMO: 300}


@settings(max_examples=200, deadline=None)
@given(histories)
def test_money_is_left_only_where_nothing_it_names_can_take_it(history: list[Any]) -> None:
    """PAY-04, INV-08: with money left, no invoice it names is open or has a bad debt that could be recovered."""
    model = play([[facts] for facts in history])
    on_item: dict[tuple[str, str], int] = defaultdict(int)
    for _, entry, minor in model.entries:
        on_item[entry.item, entry.source.id] += minor
    for money in model.money.values():
        spent = sum(minor for (item, source), minor in on_item.items() if item and source == money.id)
        if spent == money.unapplied_minor:
            continue
        for item, total in model.items.values():
            if item.document_no in money.names:
                assert sum(minor for (one, _), minor in on_item.items() if one == item.id) == total
        for adjustment, _ in model.adjustments.values():
            if adjustment.kind == "bad_debt" and model.items[adjustment.item][0].document_no in money.names:
                assert on_item[adjustment.item, adjustment.id] == 0


@settings(max_examples=100, deadline=None)
@given(histories)
def test_a_day_that_comes_in_one_batch_takes_nothing_of_itself_back_and_settling_again_books_nothing(history: list[Any]) -> None:
    model = Model()
    for n, facts in enumerate(history):
        for fact in facts:
            model.take(fact, day(n))
        booked = model.book(day(n))
        assert all(minor > 0 or not entry.item or entry.applied_on < day(n) or entry.rule == RECOVERED for entry, minor in booked)
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
