"""Bending evidence: one thing changed, taken away, added or told again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from torture.check.books import RowT
from torture.check.evidence import Evidence
from torture.check.log import Record
from torture.check.topology import OWNER_OF, TOPIC_OF

Bend: TypeAlias = Callable[[Evidence], Evidence]
INVOICE: Final = TOPIC_OF["invoice"]
PAYMENT: Final = TOPIC_OF["payment"]
COLLECTIONS: Final = TOPIC_OF["dunning"]


@dataclass(frozen=True, slots=True)
class Corruption:
    """One thing bent; `noticed_by` are the invariants that must all give the alarm."""

    name: str
    noticed_by: tuple[str, ...]
    bend: Bend


def row_of(service: str, kind: type[RowT], at: int = 0, **changes: Any) -> Bend:
    """Change columns of one row; an int written as (+n,) is added."""

    def bend(evidence: Evidence) -> Evidence:
        rows = list(evidence.books.rows(service, kind))
        now = {name: getattr(rows[at], name) + value[0] if isinstance(value, tuple) else value for name, value in changes.items()}
        rows[at] = replace(rows[at], **now)
        return replace(evidence, books=evidence.books.replaced(service, kind, rows))

    return bend


def without(service: str, kind: type[RowT], at: int = 0) -> Bend:
    """Take a row away."""

    def bend(evidence: Evidence) -> Evidence:
        rows = list(evidence.books.rows(service, kind))
        del rows[at]
        return replace(evidence, books=evidence.books.replaced(service, kind, rows))

    return bend


def with_row(service: str, *more: Any) -> Bend:
    """Add rows of one kind."""

    def bend(evidence: Evidence) -> Evidence:
        kind = type(more[0])
        return replace(evidence, books=evidence.books.replaced(service, kind, [*evidence.books.rows(service, kind), *more]))

    return bend


def doubled(service: str, kind: type[RowT], at: int = 0) -> Bend:
    """Have a row twice."""
    return lambda evidence: with_row(service, evidence.books.rows(service, kind)[at])(evidence)


def of_log(change: Callable[[list[Record]], None]) -> Bend:
    """Change the records; those of a partition are counted anew, as if they had always stood so."""

    def bend(evidence: Evidence) -> Evidence:
        records = list(evidence.log.records)
        change(records)
        return replace(evidence, log=replace(evidence.log, records=list(_counted(records))))

    return bend


def _counted(records: list[Record]) -> Iterator[Record]:
    next_offset: dict[tuple[str, int], int] = {}
    for record in records:
        place = record.topic, record.partition
        yield replace(record, offset=next_offset.get(place, 0))
        next_offset[place] = next_offset.get(place, 0) + 1


def find(records: list[Record], topic: str, type_: str, nth: int = 0) -> int:
    """Find the nth record of a type in a topic."""
    wanted = (b"ce_type", f"receivables.{type_}.v1".encode())
    return [at for at, record in enumerate(records) if record.topic == topic and wanted in record.headers][nth]


def drop(topic: str, type_: str, nth: int = 0) -> Bend:
    """Lose the nth record of a type."""

    def change(records: list[Record]) -> None:
        del records[find(records, topic, type_, nth)]

    return of_log(change)


def change_fact(topic: str, type_: str, nth: int = 0, *, header: tuple[str, str] | None = None, **data: Any) -> Bend:
    """Let the nth fact of a type say something else, or in a header."""

    def change(records: list[Record]) -> None:
        at = find(records, topic, type_, nth)
        records[at] = changed(records[at], header, data)

    return of_log(change)


def changed(record: Record, header: tuple[str, str] | None, data: dict[str, Any]) -> Record:
    """Return a record with one header and some data changed."""
    headers = tuple((n, header[1].encode() if header and n == header[0].encode() else v) for n, v in record.headers)
    value = json.dumps({**json.loads(record.value or b"{}"), **data}).encode() if data else record.value
    return replace(record, headers=headers, value=value)


def told_twice(topic: str, type_: str) -> Bend:
    """Let a fact be told once more, as another one of its stream."""

    def change(records: list[Record]) -> None:
        at = find(records, topic, type_)
        key = (records[at].key or b"").decode()
        again = changed(records[at], ("ce_id", f"{OWNER_OF[topic]}/{key}/99"), {})
        records.append(changed(again, ("ce_sequence", "99"), {}))

    return of_log(change)


def expecting(**changes: Any) -> Bend:
    """Let the oracle say something else."""
    return lambda evidence: replace(evidence, expected=replace(evidence.expected, **changes))
