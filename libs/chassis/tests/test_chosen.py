"""What of a poll one transaction takes."""

from datetime import date

import msgspec
import pytest
from chassis.business_day import OpenDay
from chassis.chosen import Item, choose
from chassis.record import Record, classify
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import kind_of

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
TOPIC = "receivables.invoice"


def a_fact(offset: int) -> Item:
    envelope = Envelope(
        id=f"f{offset}", type="receivables.InvoiceIssued.v1", source="/t", entity="US01", key="US01|C-1", sequence=offset + 1
    )
    return classify(Record(TOPIC, 0, offset, b"US01|C-1", b"{}", to_headers(envelope)))


def a_marker(offset: int, day: date) -> Item:
    envelope = Envelope(id=f"m{offset}", type=kind_of(BusinessDayStarted).type, source="/t")
    return classify(Record(TOPIC, 0, offset, None, msgspec.json.encode(BusinessDayStarted(entity="US01", date=day)), to_headers(envelope)))


@pytest.mark.parametrize(("limit", "applied", "is_cut"), [(2, 2, True), (3, 3, False), (4, 3, False)])
def test_a_batch_says_whether_its_limit_ended_it(limit: int, applied: int, is_cut: bool) -> None:
    polled = {(TOPIC, 0): [a_fact(n) for n in range(3)]}
    chosen = choose(
        polled, {(TOPIC, 0): 0}, {"US01": OpenDay(MONDAY, None)}, {}, (), holding_topics=frozenset([TOPIC]), hold=False, limit=limit
    )
    assert (len(chosen.apply), chosen.is_cut) == (applied, is_cut)


@pytest.mark.parametrize("hold", [False, True])
def test_a_batch_that_a_day_ended_is_not_cut_whether_the_rest_is_held_or_waits(hold: bool) -> None:
    polled = {(TOPIC, 0): [a_fact(0), a_marker(1, TUESDAY), a_fact(2)]}
    chosen = choose(
        polled, {(TOPIC, 0): 0}, {"US01": OpenDay(MONDAY, None)}, {}, (), holding_topics=frozenset([TOPIC]), hold=hold, limit=500
    )
    assert [item.record.offset for item in chosen.apply] == [0]
    assert [record.offset for record, _, _ in chosen.hold] == ([2] if hold else [])
    assert chosen.reached == {(TOPIC, 0): 3 if hold else 2}
    assert not chosen.is_cut
