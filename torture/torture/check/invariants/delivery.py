"""E1 to E4, E6, E7: what was committed is in Kafka and nothing else, in order, and everybody has heard it once."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

from torture.check.evidence import Evidence
from torture.check.expected import Outcome
from torture.check.finding import Finding, Harm
from torture.check.log import Place, identity_of
from torture.check.rows import Head, Held, Parked, Position, Refused, Seen, Unpublished
from torture.check.topology import HEARS, OWNER_OF, SERVICES, TOPIC_OF

_NO_EVENT = "NOT_A_CLOUDEVENT"
"""The reason against a record that says neither source nor id: it is answered without a name."""


def e1_the_log_is_what_was_committed(evidence: Evidence) -> Iterator[Finding]:
    """E1: per (topic, key) the log holds the sequences 1 to head and no other; repeats of a fact are the same byte for byte."""
    heads = _heads(evidence)
    for stream in sorted(heads.keys() | evidence.log.streams.keys()):
        facts, head = evidence.log.streams.get(stream, ()), heads.get(stream, 0)
        told = {fact.sequence for fact in facts}
        where = " ".join(stream)
        if missing := sorted(set(range(1, head + 1)) - told):
            yield from (Finding("E1", where, f"sequence {n} of {head} is not in the log", Harm.LOST) for n in missing[:20])
        if beyond := sorted(told - set(range(1, head + 1))):
            yield Finding("E1", where, f"sequences {beyond[:20]} were never committed: the head is {head}", Harm.DOUBLE)
        contents: dict[int, bytes] = {}
        for fact in facts:
            if contents.setdefault(fact.sequence, fact.record.content) != fact.record.content:
                yield Finding("E1", where, f"sequence {fact.sequence} was told twice with different content", Harm.DOUBLE)
    for fact in evidence.log.firsts:
        service = OWNER_OF.get(fact.record.topic, "")
        if (fact.id, fact.source) != (f"{service}/{fact.key}/{fact.sequence}", f"/receivables/{service}"):
            yield Finding("E1", f"{fact.record.topic} {fact.key}", f"{fact.id} of {fact.source} is not what a fact of {service} is called")
    for one in evidence.log.unread:
        yield Finding("E1", f"{one.record.place}", f"nobody sent this: {one.why}")
    for where, why in evidence.folded.unread:
        yield Finding("E1", where, f"cannot be folded: {why}")
    for name in evidence.folded.issued_twice:
        yield Finding("E1", name, "two facts tell of its issue", Harm.DOUBLE)


def _heads(evidence: Evidence) -> dict[tuple[str, str], int]:
    return {(head.topic, head.key): head.sequence for service in SERVICES for head in evidence.books.rows(service, Head)}


def e2_first_occurrences_are_in_order(evidence: Evidence) -> Iterator[Finding]:
    """E2: a key stays in one partition, is the key of its records, and its first occurrences carry 1, 2, ..., n by offset."""
    for (topic, key), facts in evidence.log.streams.items():
        where = f"{topic} {key}"
        if len({fact.record.partition for fact in facts}) > 1:
            yield Finding("E2", where, "stands in several partitions", Harm.INVERTED)
        if any(fact.record.key != key.encode() for fact in facts):
            yield Finding("E2", where, "is not the key of its records")
        firsts = list(dict.fromkeys(fact.sequence for fact in facts))
        inversions = sum(later < earlier for earlier, later in pairwise(firsts))
        yield from (Finding("E2", where, f"first occurrences come as {firsts[:50]}", Harm.INVERTED) for _ in range(inversions))


def e3_sequences_are_heard_up_to_their_heads(evidence: Evidence) -> Iterator[Finding]:
    """E3, E4: every service that hears a topic has heard every key up to its head, and nothing that was never said."""
    heads = _heads(evidence)
    for service in SERVICES:
        seen = {(one.topic, one.key): one.sequence for one in evidence.books.rows(service, Seen)}
        for (topic, key), head in sorted(heads.items()):
            if topic in HEARS[service] and (heard := seen.get((topic, key), 0)) != head:
                harm = Harm.LOST if heard < head else Harm.DOUBLE
                yield Finding("E4", f"{service} {topic} {key}", f"heard up to {heard}, said up to {head}", harm)
        for topic, key in sorted(seen.keys() - heads.keys()):
            if key not in evidence.log.strange_keys:
                yield Finding("E3", f"{service} {topic} {key}", "was heard and never said", Harm.DOUBLE)


def e4_nothing_is_set_aside_but_poison(evidence: Evidence) -> Iterator[Finding]:
    """E4: parked and refused is what was sent for it, each in its place, and what stands behind a parked one; nothing of our own."""
    poisons = _Poisons(evidence)
    for service in SERVICES:
        for one in evidence.books.rows(service, Parked):
            place = (one.topic, one.partition, one.offset)
            if one.state == "skipped" or not poisons.excuse(place, one.key):
                yield Finding("E4", f"{service} parked {place}", f"{one.reason}, key {one.key!r}: nobody sent this to be parked", Harm.LOST)
        for refused in evidence.books.rows(service, Refused):
            place = (refused.topic, refused.partition, refused.offset)
            if not poisons.excuse(place, None):
                yield Finding("E4", f"{service} refused {place}", "nobody sent this to be refused", Harm.LOST)
    yield from poisons.without_outcome()


class _Poisons:
    """What was published to be set aside, and whether it was."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        log = evidence.log
        self._aside = {
            content: poison
            for poison in evidence.expected.poisons
            if poison.outcome in (Outcome.PARKED, Outcome.REFUSED) and poison.place in log.at
            for content in [log.at[poison.place].content]
        }
        keys = [log.at[poison.place].key for poison in self._aside.values() if poison.outcome is Outcome.PARKED]
        self._keys = {key.decode(errors="replace") for key in keys if key}

    def excuse(self, place: Place, key: str | None) -> bool:
        """Whether a record set aside was sent for it, or stands behind one that was: parked ones block their key."""
        record = self._evidence.log.at.get(place)
        if record is None:
            return False
        is_unplaced = record.is_labelled and record.content not in self._evidence.log.strange_contents
        return is_unplaced or record.content in self._aside or (key is not None and key in self._keys)

    def without_outcome(self) -> Iterator[Finding]:
        """Name poisons that were not set aside as they should have been, by any service that hears their topic."""
        books, log = self._evidence.books, self._evidence.log
        parked = {(one.topic, one.partition, one.offset) for service in SERVICES for one in books.rows(service, Parked)}
        refused = {(one.topic, one.partition, one.offset) for service in SERVICES for one in books.rows(service, Refused)}
        found = {Outcome.PARKED: self._contents(parked), Outcome.REFUSED: self._contents(refused)}
        named = {Outcome.PARKED: self._identities(parked), Outcome.REFUSED: self._identities(refused)}
        for content, poison in self._aside.items():
            identity = identity_of(log.at[poison.place])
            if content not in found[poison.outcome] and (identity is None or identity not in named[poison.outcome]):
                yield Finding("E4", f"{poison.kind} {poison.place}", f"was not {poison.outcome}", Harm.LOST)

    def _contents(self, places: set[Place]) -> set[bytes]:
        return {self._evidence.log.at[place].content for place in places if place in self._evidence.log.at}

    def _identities(self, places: set[Place]) -> set[tuple[str, str]]:
        at = self._evidence.log.at
        return {identity for place in places if place in at and (identity := identity_of(at[place])) is not None}


def e4_refusals_are_answered_once(evidence: Evidence) -> Iterator[Finding]:
    """E4: for every refused record stands one rejection in the log, naming its source and id, and no more."""
    for service in ("invoice", "payment"):
        refused: Counter[tuple[str, str, str]] = Counter()
        for one in evidence.books.rows(service, Refused):
            record = evidence.log.at.get((one.topic, one.partition, one.offset))
            is_event = record is not None and _NO_EVENT not in one.reasons
            source, id_ = (identity_of(record) if record and is_event else None) or ("", "")
            refused[TOPIC_OF[service], source, id_] += 1
        answered = {key: times for key, times in evidence.folded.rejections.items() if key[0] == TOPIC_OF[service]}
        for key in sorted(refused.keys() | answered.keys()):
            if refused[key] != answered.get(key, 0):
                harm = Harm.LOST if refused[key] > answered.get(key, 0) else Harm.DOUBLE
                yield Finding("E4", " ".join(key), f"refused {refused[key]} times, answered {answered.get(key, 0)} times", harm)


def e6_positions_are_at_the_ends(evidence: Evidence) -> Iterator[Finding]:
    """E6: every service has handled every partition it hears up to its end, and its group never claims more than it has handled."""
    for service in SERVICES:
        positions = {(one.topic, one.partition): one.next_offset for one in evidence.books.rows(service, Position)}
        for place, end in sorted(evidence.log.ends.items()):
            if place[0] in HEARS[service] and positions.get(place, 0) != end:
                harm = Harm.LOST if positions.get(place, 0) < end else Harm.NONE
                yield Finding("E6", f"{service} {place}", f"handled up to {positions.get(place, 0)}, ends at {end}", harm)
        for (owner, topic, partition), offset in evidence.log.group_offsets.items():
            if owner == service and topic in HEARS[service] and offset > (handled := positions.get((topic, partition), 0)):
                yield Finding("E6", f"{service} {topic}-{partition}", f"the group is at {offset}, handled is {handled}")


def e7_nothing_waits(evidence: Evidence) -> Iterator[Finding]:
    """E7: at rest no fact waits to be published and no record is held."""
    for service in SERVICES:
        for one in evidence.books.rows(service, Unpublished):
            if one.rows:
                yield Finding("E7", service, f"{one.rows} facts are not published, the oldest of {_told(one.oldest_at)}", Harm.LOST)
        for held in evidence.books.rows(service, Held):
            yield Finding("E7", f"{service} {held.topic}-{held.partition}", f"{held.rows} records of {held.entity} are held", Harm.LOST)


def _told(instant: datetime | None) -> str:
    return instant.isoformat() if instant else "?"
