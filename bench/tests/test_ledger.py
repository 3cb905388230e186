"""A ledger from arithmetic, and the facts it is told in."""

from collections import defaultdict
from datetime import timedelta

import msgspec
import pytest
from bench.history import History, entry_of
from bench.ledger import TODAY, Ledger, Outcome
from events import bank, envelope, invoice, payment
from money import parse_minor

LEDGER = Ledger(open_items=400, accounts=50, closed_per_open=1)


def test_two_ledgers_are_told_in_the_same_bytes_and_another_seed_in_others() -> None:
    facts = History(LEDGER.spread_out()).take(10_000)
    assert History(LEDGER.spread_out()).take(10_000) == facts
    assert History(Ledger(400, 50, 1, seed=2).spread_out()).take(10_000) != facts


@pytest.mark.parametrize("closed", [0, 1, 3])
def test_so_many_items_are_open_as_was_asked_for(closed: int) -> None:
    ledger = Ledger(open_items=400, accounts=50, closed_per_open=closed)
    billed = list(ledger.in_order())
    assert len(billed) == ledger.items == 400 * (closed + 1)
    assert sum(one.open_minor > 0 for one in billed) == 400
    assert sum(one.paid is not None and one.open_minor > 0 for one in billed) == 100
    assert {one.account for one in billed} == {f"L{number:06}" for number in range(50)}


def test_spread_out_it_holds_the_same_items_and_neighbours_are_of_different_accounts() -> None:
    spread = list(LEDGER.spread_out())
    assert sorted(spread, key=lambda one: one.number) == list(LEDGER.in_order())
    assert sum(one.account == other.account for one, other in zip(spread, spread[1:], strict=False)) < len(spread) / 10


def test_nothing_is_effective_or_booked_after_today_and_money_comes_after_its_invoice() -> None:
    for one in LEDGER.in_order():
        assert one.issued_on <= one.booked_on <= TODAY
        if one.paid:
            assert one.issued_on < one.paid.value_on <= one.paid.booked_on <= TODAY
            assert 0 < one.paid.minor <= one.minor
            assert one.due_on - one.issued_on >= timedelta(days=14)


def test_a_key_has_every_sequence_from_one_in_each_topic() -> None:
    heard: dict[tuple[str, str], list[int]] = defaultdict(list)
    for fact in History(LEDGER.spread_out()).take(10_000):
        context, _ = envelope.read(fact.headers, fact.value)
        assert context.id == f"{fact.topic.removeprefix('receivables.')}/{fact.key}/{context.sequence}"
        heard[fact.topic, fact.key].append(context.sequence or 0)
    assert {topic for topic, _ in heard} == {"receivables.invoice", "receivables.payment"}
    assert all(sequences == list(range(1, len(sequences) + 1)) for sequences in heard.values())


def test_the_outcome_is_what_the_facts_say() -> None:
    history = History(LEDGER.spread_out())
    facts, open_minor = history.take(10_000), defaultdict(int)
    for fact in facts:
        context, data = envelope.read(fact.headers, fact.value)
        if context.type == "receivables.InvoiceIssued.v1":
            issued = msgspec.json.decode(data, type=invoice.InvoiceIssued)
            open_minor[issued.currency] += parse_minor(issued.total, issued.currency)
        elif context.type == "receivables.PaymentApplied.v1":
            applied = msgspec.json.decode(data, type=payment.PaymentApplied)
            open_minor[applied.currency] -= parse_minor(applied.amount, applied.currency)
    assert (history.outcome.items, history.outcome.facts) == (LEDGER.items, len(facts))
    assert dict(history.outcome.open_minor) == open_minor


def test_facts_are_told_in_whole_items_and_none_twice() -> None:
    history, whole = History(LEDGER.in_order()), History(LEDGER.in_order()).take(10_000)
    parts = []
    while part := history.take(100):
        parts.append(part)
        assert len(part) <= 102
    assert [fact for part in parts for fact in part] == whole


@pytest.mark.parametrize("n", [1_000, 30_000])
def test_a_ledger_of_so_many_facts_is_told_in_about_so_many(n: int) -> None:
    outcome = Outcome()
    for billed in Ledger.of_facts(n).in_order():
        outcome.add(billed)
    assert outcome.facts == pytest.approx(n, rel=0.01)


def test_a_bank_entry_pays_an_item_in_full_by_its_number() -> None:
    billed = LEDGER.bill(7)
    entry = msgspec.json.decode(entry_of(billed).value, type=bank.EntryBooked)
    assert (entry.remittance, parse_minor(entry.amount, entry.currency)) == (billed.document_no, billed.minor)
