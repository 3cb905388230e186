"""The rules of settlement over generated histories with all there is; a small model of the ledger books them batch by batch."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from payment.domain import ADJUSTMENT, DISCOUNTS, FX, MEMO, ON_ACCOUNT, PINNED, RECEIPT, RECOVERED, TRANSFERRED, VOID
from payment.domain.allowances import worth_of
from payment.domain.books import Adjustment, Books, Decision, EarlyPayment, Entry, Item, Memo, Money, Source, Standing, Stated, Tier, Worth
from payment.domain.policy import RULES, Policy
from payment.domain.seal import finished
from payment.domain.settle import difference, settle

FIRST = date(2026, 1, 5)


def day(n: int) -> date:
    """The n-th day from the first."""
    return FIRST + timedelta(days=n)


class Void(NamedTuple):
    """A document was voided, effective on a day."""

    document_no: str
    void_on: date


class Return(NamedTuple):
    """The bank took all the money of a receipt back."""

    receipt: str
    returned_on: date


Fact: TypeAlias = Item | Memo | Money | Void | Adjustment | Decision | Return
Past: TypeAlias = list[tuple[date, Entry, int]]


@dataclass
class Model:
    """One account's ledger: what came, with the booked day, and every entry ever booked."""

    policy: Policy
    facts: list[tuple[Any, date]] = field(default_factory=list)
    entries: Past = field(default_factory=list)

    def of(self, kind: type, on: date | None = None) -> list[Any]:
        """What came of a kind, in all or on a day."""
        return [fact for fact, booked_on in self.facts if isinstance(fact, kind) and on in (None, booked_on)]

    def take(self, fact: Fact, today: date) -> None:
        self.facts.append((fact, today))

    def book(self, today: date) -> list[tuple[Entry, int]]:
        booked = {entry: minor for (on, entry), minor in netted(self.entries).items() if on == today}
        changes = difference(settle(self.opening(today), today, self.policy), booked)
        self.entries += [(today, *change) for change in changes]
        return changes

    def opening(self, today: date) -> Books:
        by_item, by_source = defaultdict(list), defaultdict(list)
        for on, entry, minor in self.entries:
            if on < today and entry.rule != FX:
                by_item[entry.item].append((on, entry, minor))
                by_source[entry.source].append((on, entry, minor))
        return Books(
            [self.item(one, by_item[one.id], today) for one in self.of(Item)],
            [self.memo(one, by_source[Source(MEMO, one.id)], today) for one in self.of(Memo)],
            [self.purse(one, by_source[Source(RECEIPT, one.id)], today) for one in self.of(Money)],
            adjustments=self.of(Adjustment, today),
            decisions=self.of(Decision, today),
            currency="USD",
        )

    def item(self, one: Item, past: Past, today: date) -> Item:
        granted = sum(minor for _, entry, minor in past if entry.rule in DISCOUNTS)
        relieved = sum(minor for _, entry, minor in past if entry.source.kind in (MEMO, ADJUSTMENT))
        return replace(
            one,
            open_minor=one.open_minor - sum(minor for _, _, minor in past),
            standing=standing(past),
            void_on=next((void.void_on for void in self.of(Void, today) if void.document_no == one.document_no), None),
            reopened_on=latest(netted(past)),
            early=one.early and replace(one.early, granted_minor=granted, relieved_minor=relieved),
        )

    def memo(self, one: Memo, past: Past, today: date) -> Memo:
        left, barred = one.remaining_minor - moved(past, "applied"), self.barred(Source(MEMO, one.id), today)
        return replace(one, remaining_minor=left, free_on=free_on(one.free_on, past), pinned_minor=moved(past, PINNED), barred=barred)

    def purse(self, one: Money, past: Past, today: date) -> Money:
        numbers, on_account = {item.document_no for item in self.of(Item)}, moved(past, ON_ACCOUNT)
        came = [(fact, max(on, one.came_on)) for fact, on in self.facts if isinstance(fact, Return) and fact.receipt == one.id]
        return replace(
            one,
            unapplied_minor=one.unapplied_minor - sum(minor for _, entry, minor in past if entry.rule != PINNED),
            on_account_minor=on_account,
            names=tuple(name for name in one.names if name in numbers),
            free_on=free_on(one.free_on, past),
            pinned_minor=moved(past, PINNED),
            barred=self.barred(Source(RECEIPT, one.id), today),
            returned_on=next((fact.returned_on for fact, on in came if on == today), None),
            settled_minor=moved(past, "applied") + moved(past, TRANSFERRED),
            is_bound=one.is_bound and all((said.kind, said.source.id) != ("release", one.id) for said in self.of(Decision)),
        )

    def barred(self, source: Source, today: date) -> frozenset[str]:
        barred: set[str] = set()
        for one, on in self.facts:
            if isinstance(one, Decision) and one.source == source and on < today:
                barred = set() if one.kind == "release" else barred - {one.item} if one.kind == "apply" else barred | {one.item}
        return frozenset(barred - {""})


def moved(past: Past, rule: str) -> int:
    """What became of a source by a rule; by "applied", what is on items."""
    return sum(minor for _, entry, minor in past if rule == ("applied" if entry.item else entry.rule.partition(":")[0]))


def latest(entries: dict[tuple[date, Entry], int]) -> date | None:
    """The latest effective date of what was taken back off items on a later day than it was put there."""
    given_back = [entry.effective_on for (on, entry), minor in entries.items() if minor < 0 and entry.item and entry.applied_on < on]
    return max(given_back, default=None)


def free_on(since: date, past: Past) -> date:
    """The latest date on which something became free that was not before: off an item, or on-account."""
    booked = netted(past)
    credited = [entry.effective_on for (_, entry), minor in booked.items() if minor > 0 and not entry.item and entry.rule == ON_ACCOUNT]
    return max([since, *filter(None, [latest(booked)]), *credited])


def netted(past: Past) -> dict[tuple[date, Entry], int]:
    """By booked day and entry, without what was booked and taken back again on one day."""
    total: dict[tuple[date, Entry], int] = defaultdict(int)
    for on, entry, minor in past:
        total[on, entry] += minor
    return {key: minor for key, minor in total.items() if minor}


def standing(past: Past) -> tuple[Standing, ...]:
    live: dict[str, list[tuple[Entry, int]]] = defaultdict(list)
    for _, entry, minor in past:
        if entry.source.kind != VOID:
            live[entry.application].append((entry, minor))
    found = []
    for application, parts in live.items():
        first, total, since = parts[0][0], sum(minor for _, minor in parts), min(entry.effective_on for entry, _ in parts)
        later = tuple((entry.effective_on, minor) for entry, minor in parts if entry.effective_on > since)
        rule = next(entry.rule for entry, _ in parts if entry.rule != RECOVERED)
        found.append(Standing(application, first.source, rule, total, since, first.applied_on, later))
    return tuple(found)


# --- what may come ---

policies = st.builds(
    Policy,
    auto_apply=st.sampled_from(["oldest", "oldest", "never", "same_reference"]),
    version=st.just("test"),
    rules=st.permutations(RULES).flatmap(lambda rules: st.integers(0, len(rules)).map(lambda n: tuple(rules[:n]))),
    discounts=st.sampled_from(["earned", "none"]),
    rest=st.sampled_from(["unapplied", "on_account"]),
    tolerance_fixed=st.sampled_from([{}, {"USD": 2}]),
    codes=st.just({"BANK": "bank_charge"}),
)


@dataclass
class Chance:
    """Draws the facts of an account day by day; names and decisions meet what is there, what is to come, or nothing."""

    draw: st.DrawFn
    rates: st.SearchStrategy[int] | None
    items: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    over: set[str] = field(default_factory=lambda: {""})

    def some(self, minor_max: int = 30) -> int:
        return self.draw(st.sampled_from([10, 20]) | st.integers(1, minor_max))

    def on(self, n: int = 0) -> date:
        return day(n + self.draw(st.integers(-3, 6)))

    def worth(self, minor: int) -> Worth | None:
        return None if self.rates is None else Worth(minor, minor * self.draw(self.rates) // 7)

    def issue(self, n: int, letter: str) -> Iterator[Item]:
        number, issued_on = f"{letter}{n}", self.on(n)
        for instalment in range(1, self.draw(st.integers(1, 2)) + 1):
            total, terms = self.some(), self.draw(st.sampled_from(["NET10", "NET30"]))
            one = Item(f"US01|{number}|{instalment}", number, instalment, self.on(), issued_on, total, terms=terms)
            yield replace(one, early=self.early(n, total), worth=self.worth(total))

    def early(self, n: int, billed: int) -> EarlyPayment | None:
        if billed < 2 or self.draw(st.booleans()):
            return None
        full, until_on = self.draw(st.integers(1, max(1, billed // 4))), self.on(n)
        tiers = Tier(until_on, full, 0), Tier(until_on + timedelta(days=2), max(1, full // 2), 0)
        return EarlyPayment(tiers[: self.draw(st.integers(1, 2))], billed, self.draw(st.booleans()), self.draw(st.booleans()))

    def receive(self, n: int, place: int) -> Money:
        total, on = self.some(40), self.on(n)
        names = tuple(self.draw(st.lists(st.sampled_from([*self.documents, f"A{n + 1}"]), unique=True, max_size=2)))
        stated = [name for name in names if self.draw(st.booleans())]
        lines = [Stated(name, None, self.draw(st.none() | st.integers(1, 30)), (("BANK", self.some(3)),)) for name in stated]
        one = Money(f"US01|R{n}{place}", f"R{n}{place}", on, total, 0, names, day(n), on)
        return replace(one, stated=tuple(lines), worth=self.worth(total), is_bound=self.draw(st.integers(0, 3)) == 0)

    def decide(self, n: int, place: int) -> Decision:
        source = self.draw(st.sampled_from(self.sources))
        kind = self.draw(st.sampled_from(["apply", "unapply", "unapply", "release", *["refund", "transfer"] * (source.kind == RECEIPT)]))
        item = self.draw(st.sampled_from(self.items)) if kind in ("apply", "unapply") else ""
        on = day(n + 6) if kind == "transfer" else self.on(n)  # Whoever transfers knows since when the money is free: by then it is.
        return Decision(f"D{n}{place}", kind, source, item, 0 if kind == "release" else self.some(), on)

    def once(self, names: Iterable[str]) -> set[str]:
        """None or one that was not drawn before: what is voided or returned is so once."""
        drawn = {self.draw(st.sampled_from(["", *names]))} - self.over
        self.over |= drawn
        return drawn

    def facts_of(self, n: int, letters: str) -> list[Fact]:
        """The facts of a day; documents of `letters` are issued."""
        facts: list[Fact] = [item for letter in letters for item in self.issue(n, letter)]
        self.documents += [f"{letter}{n}" for letter in letters]
        self.items += [one.id for one in facts if isinstance(one, Item)]
        for place in range(self.draw(st.integers(0, 1))):
            on, names = self.on(n), self.draw(st.sampled_from([*self.documents, f"A{n + 1}", None]))
            facts.append(Memo(f"US01|M{n}{place}", f"M{n}{place}", on, self.some(), names, day(n), on))
        facts += [self.receive(n, place) for place in range(self.draw(st.integers(0, 3)))]
        self.sources += [Source(RECEIPT if isinstance(one, Money) else MEMO, one.id) for one in facts if isinstance(one, Money | Memo)]
        facts += [Void(number, self.on(n)) for number in self.once(self.documents) if n % 2]
        facts += [Return(receipt, self.on(n)) for receipt in self.once(one.id for one in self.sources if one.kind == RECEIPT)]
        if self.items and self.draw(st.booleans()):
            kind = self.draw(st.sampled_from(["bad_debt", "small_balance"]))
            facts.append(Adjustment(f"W{n}", self.draw(st.sampled_from(self.items)), kind, self.some(), self.on(n)))
        if self.items and self.sources:
            facts += [self.decide(n, place) for place in range(self.draw(st.integers(0, 2)))]
        return facts


@st.composite
def histories(draw: st.DrawFn) -> tuple[Policy, list[list[Fact]]]:
    chance = Chance(draw, draw(st.sampled_from([None, st.integers(5, 12)])))
    return draw(policies), [chance.facts_of(n, draw(st.sampled_from(["", "A", "AB", "A"]))) for n in range(4)]


def about(fact: Fact) -> set[str]:
    """What has to be there before a fact can come. Money may come behind its return."""
    if isinstance(fact, Decision):
        return {fact.source.id, fact.item}
    return {fact.document_no} if isinstance(fact, Void) else {fact.item} if isinstance(fact, Adjustment) else set()


def shuffled(facts: list[Fact], random: Any) -> list[Fact]:
    """Facts in any order in which voids, adjustments and decisions stand behind what they are about, decisions in their own order."""
    order: list[Fact] = [one for one in facts if not about(one)]
    random.shuffle(order)
    decided = 0
    for one in [one for one in facts if about(one)]:
        known = [at for at, other in enumerate(order, 1) if {getattr(other, "id", ""), getattr(other, "document_no", "")} & about(one)]
        at = random.randint(max([0, *known, decided if isinstance(one, Decision) else 0]), len(order))
        order.insert(at, one)
        decided = at + 1 if isinstance(one, Decision) else decided + (at < decided)
    return order


History: TypeAlias = tuple[Policy, list[list[Fact]]]


def play(policy: Policy, days: Iterable[Iterable[Iterable[Fact]]]) -> Model:
    """Book days, each given as its batches."""
    model = Model(policy)
    for n, batches in enumerate(days):
        for batch in batches:
            for fact in batch:
                model.take(fact, day(n))
            model.book(day(n))
    return model


def in_one_batch(history: History) -> Model:
    """Book every day in one batch, as its facts come in order."""
    policy, days = history
    return play(policy, [[facts] for facts in days])


def cut(facts: list[Fact], random: Any) -> list[list[Fact]]:
    """The facts of a day in another order, in batches."""
    order = shuffled(facts, random)
    cuts = sorted(random.randint(0, len(order)) for _ in range(4))
    return [order[first:last] for first, last in pairwise([0, *cuts, len(order)])]


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_a_day_ends_the_same_however_its_facts_were_shuffled_and_cut_into_batches(history: History, random: Any) -> None:
    """PAY-07 to PAY-10, PAY-13, PAY-16: the same entries by id, amount and date, on every day."""
    policy, days = history
    assert netted(play(policy, [cut(facts, random) for facts in days]).entries) == netted(in_one_batch(history).entries)


@dataclass
class Narrow(Model):
    """A ledger that leaves out what is finished, and takes it up again when something new names it."""

    done: set[Entry] = field(default_factory=set)

    def take(self, fact: Fact, today: date) -> None:
        super().take(fact, today)
        sources, items = {entry.source.id for entry in self.done}, {entry.item for entry in self.done}
        if isinstance(fact, Item):
            is_named = any(fact.document_no in one.names for one in self.of(Money) if one.id in sources)
            is_named |= any(fact.document_no == one.names for one in self.of(Memo) if one.id in sources)
        else:
            is_named = not isinstance(fact, Money) or any(one.document_no in fact.names for one in self.of(Item) if one.id in items)
        if is_named:
            self.done.clear()

    def opening(self, today: date) -> Books:
        sources, items = {entry.source.id for entry in self.done}, {entry.item for entry in self.done}
        whole = super().opening(today)
        return replace(
            whole,
            items=[one for one in whole.items if one.id not in items],
            memos=[one for one in whole.memos if one.id not in sources],
            money=[one for one in whole.money if one.id not in sources],
        )

    def book(self, today: date) -> list[tuple[Entry, int]]:
        self.done = {entry for entry in self.done if entry.applied_on == today}
        booked = {entry: minor for (on, entry), minor in netted(self.entries).items() if on == today and entry not in self.done}
        books = self.opening(today)
        target = settle(books, today, self.policy)
        self.done |= finished(books, target, booked)
        changes = difference(target, booked)
        self.entries += [(today, *change) for change in changes]
        return changes


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_leaving_out_what_is_finished_changes_nothing(history: History, random: Any) -> None:
    """PAY-07: one fact at a time, in any order, the ledger that looks at less ends as the one that looks at all."""
    policy, days = history
    narrow = Narrow(policy)
    for n, facts in enumerate(days):
        narrow.book(day(n))
        for fact in shuffled(facts, random):
            narrow.take(fact, day(n))
            narrow.book(day(n))
    assert netted(narrow.entries) == netted(in_one_batch(history).entries)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_at_no_date_is_an_item_a_memo_an_adjustment_or_a_disposition_overdrawn(history: History) -> None:
    """PAY-02, INV-08 and M1 to M4: no item bears more than it was billed at, and every cent of a receipt and a memo is in one place."""
    model = in_one_batch(history)
    for n in range(-4, 24):
        on_item: dict[str, dict[Source, int]] = defaultdict(lambda: defaultdict(int))
        placed: dict[Source, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for _, entry, minor in model.entries:
            if entry.effective_on <= day(n) and entry.rule not in (FX, PINNED):
                on_item[entry.item][entry.source] += minor
                placed[entry.source]["applied" if entry.item else entry.rule] += minor
        assert all(minor >= 0 for by_source in on_item.values() for minor in by_source.values())
        assert all(minor >= 0 for where in placed.values() for minor in where.values())
        for one in model.of(Item):
            assert sum(on_item[one.id].values()) <= (one.open_minor if one.document_on <= day(n) else 0)
        for one in model.of(Memo):
            assert placed[Source(MEMO, one.id)]["applied"] <= (one.remaining_minor if one.document_on <= day(n) else 0)
        assert all(placed[Source(ADJUSTMENT, one.id)]["applied"] <= one.amount_minor for one in model.of(Adjustment))
        for one in model.of(Money):
            assert sum(placed[Source(RECEIPT, one.id)].values()) <= (one.unapplied_minor if one.value_on <= day(n) else 0)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_no_item_is_discounted_beyond_its_terms_nor_without_money(history: History) -> None:
    """INV-04: never more than the best tier; while nothing is taken back, also than that has for what there is to pay."""
    model = in_one_batch(history)
    for item in model.of(Item):
        on_item: dict[str, int] = defaultdict(int)
        for _, entry, minor in model.entries:
            if entry.item == item.id and entry.rule != FX:
                on_item["discount" if entry.rule in DISCOUNTS else entry.source.kind] += minor
        if on_item["discount"]:
            assert on_item[RECEIPT] and not on_item[VOID]
            best = max(tier.amount_minor for tier in item.early.tiers)
            relieved = 0 if model.of(Return) or model.of(Decision) else on_item[MEMO] + on_item[ADJUSTMENT]
            assert 0 < on_item["discount"] <= worth_of(best, item.open_minor, relieved)
