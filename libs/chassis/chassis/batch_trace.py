"""The trace of one micro-batch that spans several topics."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import msgspec
from events.envelope import Envelope

from chassis.record import Broken, Fresh
from chassis.tracing import batch_span


@dataclass(frozen=True, slots=True)
class BatchTrace:
    """Which `traceparent` the effects of each record carry."""

    onward: dict[tuple[str, int, int], str | None]

    def envelope_of(self, fact: Fresh) -> Envelope:
        """The fact's context, with the span that handles it here as the parent of what follows."""
        traceparent = self.onward.get(fact.record.place)
        if traceparent == fact.envelope.traceparent:
            return fact.envelope
        return msgspec.structs.replace(fact.envelope, traceparent=traceparent)


@contextmanager
def trace_batch(service: str, items: Sequence[Fresh | Broken]) -> Iterator[BatchTrace]:
    """Run the block in one span per topic of the batch."""
    by_topic: dict[str, list[Fresh]] = defaultdict(list)
    for item in items:
        if isinstance(item, Fresh):
            by_topic[item.record.topic].append(item)
    onward: dict[tuple[str, int, int], str | None] = {}
    with ExitStack() as spans:
        for topic, facts in by_topic.items():
            given = spans.enter_context(batch_span(service, topic, [fact.envelope.traceparent for fact in facts]))
            onward.update((fact.record.place, one) for fact, one in zip(facts, given, strict=True))
        yield BatchTrace(onward)
