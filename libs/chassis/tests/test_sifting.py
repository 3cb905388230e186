"""Facts are given to handlers in few calls that keep the order of every key."""

from datetime import date
from typing import Any

from chassis.service import Received, subscribe
from chassis.sifting import runs
from events.envelope import Envelope
from events.fact import Event
from hypothesis import given
from hypothesis import strategies as st


class Issued(Event, frozen=True):
    """A document."""


class Credited(Event, frozen=True):
    """Another kind of document."""


class Paid(Event, frozen=True):
    """Money."""


async def on_documents(*_: Any) -> list[Any]:
    return []


async def on_money(*_: Any) -> list[Any]:
    return []


SUBSCRIPTIONS = subscribe(((Issued, Credited), on_documents), (Paid, on_money), forward=("a", "b"))
FACTS = st.lists(st.tuples(st.sampled_from([Issued, Credited, Paid]), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=40)


def received(kind: type[Event], topic: str, key: str, offset: int) -> Received[Any]:
    return Received(kind(), Envelope("1", "t", "/s"), "US01", key, date(2026, 1, 5), topic, 0, offset)


@given(FACTS)
def test_every_fact_is_in_one_call_of_its_handler_and_the_order_of_its_key_is_kept(facts: list[tuple[type[Event], str, str]]) -> None:
    calls = runs(SUBSCRIPTIONS, [received(*fact, offset) for offset, fact in enumerate(facts)])
    flat = [one for _, members in calls for one in members]
    assert sorted(one.offset for one in flat) == list(range(len(facts)))
    assert all(SUBSCRIPTIONS.handlers[type(one.data)] is handler for handler, members in calls for one in members)
    for stream in {(one.topic, one.key) for one in flat}:
        offsets = [one.offset for one in flat if (one.topic, one.key) == stream]
        assert offsets == sorted(offsets)


@given(FACTS)
def test_there_are_no_more_calls_than_the_key_that_changes_most_needs(facts: list[tuple[type[Event], str, str]]) -> None:
    """Each key alone needs a call more whenever its handler changes; the other handler may have to begin, which costs one."""
    calls = runs(SUBSCRIPTIONS, [received(*fact, offset) for offset, fact in enumerate(facts)])
    changes: dict[tuple[str, str], list[Any]] = {}
    for kind, topic, key in facts:
        seen = changes.setdefault((topic, key), [])
        if not seen or seen[-1] is not SUBSCRIPTIONS.handlers[kind]:
            seen.append(SUBSCRIPTIONS.handlers[kind])
    assert len(calls) <= max(map(len, changes.values()), default=0) + 1
