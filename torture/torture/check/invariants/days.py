"""W1: the business day is a watermark: markers keep what they promise, and the day's work is a function of the facts before them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from torture.check.books import DunnedItem, Notice
from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.invariants.notices import Dunning, Sent
from torture.check.log import Marker, Partition, Record
from torture.check.rows import Day, Parked, Refused
from torture.check.topology import PASS_ON_DAYS, SERVICES, TOPIC_OF

_ONE_DAY = timedelta(days=1)
_INTAKE = ("InvoiceIssued", "DebitMemoIssued", "CreditMemoIssued", "InvoiceVoided", "PaymentReceived")
"""Facts that one record of an ingress topic causes, at once and on its own day."""


def w1_all_services_are_on_one_day(evidence: Evidence) -> Iterator[Finding]:
    """W1: at rest the open day of an entity is the same everywhere, no day is turning, and each service has passed it on to its topic."""
    days = {service: {day.entity: day for day in evidence.books.rows(service, Day)} for service in SERVICES}
    for entity in sorted({entity for rows in days.values() for entity in rows}):
        open_on = {service: rows[entity].open_on for service, rows in days.items() if entity in rows}
        if len(set(open_on.values())) > 1 or len(open_on) < len(SERVICES):
            yield Finding("W1", entity, f"the open days are { ({service: str(day) for service, day in open_on.items()}) }")
        for service, rows in days.items():
            if entity in rows and rows[entity].turning_on is not None:
                yield Finding("W1", f"{service} {entity}", f"{rows[entity].turning_on} is still being turned to")
    passed = _days_by_partition(evidence)
    for service in PASS_ON_DAYS:
        for (topic, partition), by_entity in sorted(passed.items()):
            for entity, told in by_entity.items() if topic == TOPIC_OF[service] else ():
                row = days[service].get(entity)
                if row is not None and max(told) != row.open_on:
                    yield Finding("W1", f"{topic}-{partition} {entity}", f"the last marker is of {max(told)}, the open day {row.open_on}")


def w1_markers_come_one_by_one(evidence: Evidence) -> Iterator[Finding]:
    """W1: in every partition the first occurrences of an entity's markers rise day by day, and every partition has the same days."""
    passed = _days_by_partition(evidence)
    partitions: dict[str, set[Partition]] = defaultdict(set)
    for place in evidence.log.ends:
        partitions[place[0]].add(place)
    for topic, places in partitions.items():
        for entity in sorted({entity for place in places for entity in passed[place]}):
            days = {place: passed[place].get(entity, []) for place in places}
            for place, told in days.items():
                if told != [told[0] + _ONE_DAY * n for n in range(len(told))]:
                    yield Finding("W1", f"{place} {entity}", f"its markers come as {[str(day) for day in told][:40]}")
            if len({tuple(told) for told in days.values()}) > 1:
                yield Finding("W1", f"{topic} {entity}", f"partitions have {sorted({len(told) for told in days.values()})} days")


def _days_by_partition(evidence: Evidence) -> Mapping[Partition, Mapping[str, list[date]]]:
    """The days of an entity's markers in order of their first occurrence, by partition and entity."""
    passed: dict[Partition, dict[str, list[date]]] = defaultdict(lambda: defaultdict(list))
    for marker in evidence.log.markers:
        told = passed[marker.record.topic, marker.record.partition][marker.entity]
        if marker.day not in told:
            told.append(marker.day)
    return passed


def w1_markers_keep_what_they_promise(evidence: Evidence) -> Iterator[Finding]:
    """
    W1: behind the marker of day D no fact of that entity comes for the first time that was booked before D.

    Nor one booked two days ahead: the day before has not been passed on then. Work of D + 1 stands before that day's marker.
    """
    known = {(marker.record.topic, marker.entity) for marker in evidence.log.markers}
    for fact in evidence.log.firsts:
        if fact.booked_on is None or (fact.record.topic, fact.entity) not in known:
            continue
        where = f"{fact.record.place} {fact.id}"
        if fact.behind is not None and fact.booked_on < fact.behind:
            yield Finding("W1", where, f"booked on {fact.booked_on}, but stands behind the marker of {fact.behind}")
        if fact.behind is not None and fact.booked_on > fact.behind + _ONE_DAY:
            yield Finding("W1", where, f"booked on {fact.booked_on}, but the last day passed on before it is {fact.behind}")


def w1_records_are_booked_on_their_own_day(evidence: Evidence) -> Iterator[Finding]:
    """W1: what a record causes is booked on the day whose marker is the last before it, unless it came late or was redriven."""
    late = {(service, day.entity) for service in SERVICES for day in evidence.books.rows(service, Day) if day.late}
    firsts = _first_days(evidence)
    redriven = {(one.topic, one.partition, one.offset) for service in SERVICES for one in evidence.books.rows(service, Refused)}
    redriven |= {(one.topic, one.partition, one.offset) for service in SERVICES for one in evidence.books.rows(service, Parked)}
    services = {topic: service for service, topic in TOPIC_OF.items()}
    for fact in evidence.log.firsts:
        causes = evidence.log.sent.get(fact.causation_id or "", ())
        if fact.name not in _INTAKE or len({(record.topic, record.partition) for record, _ in causes}) != 1:
            continue  # Of several under one id in a partition the first is the one that was not a repeat.
        record, behind = causes[0]
        own_day = behind or firsts.get((record.topic, fact.entity or ""))
        if fact.booked_on is None or own_day is None or fact.booked_on == own_day:
            continue
        may_be_later = (services[fact.record.topic], fact.entity) in late or any(one.place in redriven for one, _ in causes)
        if fact.booked_on < own_day or not may_be_later:
            yield Finding("W1", fact.id, f"booked on {fact.booked_on}, its cause at {_told(record)} stands on {own_day}")


def _first_days(evidence: Evidence) -> Mapping[tuple[str, str], date]:
    """The day that what stands before the first marker is booked on, by topic and entity."""
    first: dict[tuple[str, str], date] = {}
    for marker in evidence.log.markers:
        key = marker.record.topic, marker.entity
        first[key] = min(marker.day - _ONE_DAY, first.get(key, date.max))
    return first


def _told(record: Record) -> str:
    return f"{record.topic}-{record.partition}@{record.offset}"


def w1_notices_are_a_function_of_the_facts(evidence: Evidence) -> Iterator[Finding]:
    """
    W1: the notices of every closed day are those the checker decides itself over the facts before that day's end.

    So nothing paid is on a notice, none asks for more than was open, none is missing, and each item has the level of its last notice.
    """
    days = {day.entity: day for day in evidence.books.rows("dunning", Day)}
    sent = {
        name: Sent(one.entity, one.account, one.currency, one.noticed_on, one.level, one.total_minor, frozenset(one.items))
        for name, one in evidence.folded.notices.items()
    }
    for entity, day in days.items():
        if day.late:
            continue  # What came late was not before the end of its day.
        dunning = Dunning.of(entity, evidence.folded, first_day_of(evidence.log.markers, entity))
        own = {one.name: one for one in dunning.until(day.open_on - _ONE_DAY)}
        said = {name: one for name, one in sent.items() if one.entity == entity}
        for name in sorted(own.keys() | said.keys()):
            if own.get(name) != said.get(name):
                yield Finding("W1", f"notice {name}", f"sent {said.get(name)}, by the facts {own.get(name)}")
        for item in evidence.books.rows("dunning", DunnedItem):
            level = dunning.levels.get(item.item, (0, None))
            if item.entity == entity and (item.level, item.last_noticed_on) != level:
                yield Finding(
                    "W1", f"dunning {item.item}", f"level and last notice are {item.level}, {item.last_noticed_on}, by the facts {level}"
                )
    for row in evidence.books.rows("dunning", Notice):
        one = sent.get(row.notice)
        items = (row.total_minor, row.total_minor, {name for name, *_ in one.items}) if one else None
        if one and (row.items_minor, one.total_minor, {*row.items}) != items:
            yield Finding("W1", f"notice {row.notice}", f"asks for {row.total_minor}, its items are {row.items_minor}; sent was {one}")


def first_day_of(markers: Iterable[Marker], entity: str) -> date | None:
    """Return the day before the first marker of an entity, on which everything is booked that stands before it; None without markers."""
    days = [marker.day for marker in markers if marker.entity == entity]
    return min(days) - _ONE_DAY if days else None
