"""What the `chk` views of every service say of its protocol."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a view; its fields are the columns."""

    VIEW: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Position(Row):
    VIEW: ClassVar[str] = "position"
    topic: str
    partition: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Day(Row):
    VIEW: ClassVar[str] = "day"
    entity: str
    open_on: date
    turning_on: date | None
    late: int


@dataclass(frozen=True, slots=True)
class Head(Row):
    VIEW: ClassVar[str] = "stream_head"
    topic: str
    key: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Seen(Row):
    VIEW: ClassVar[str] = "stream_seen"
    topic: str
    key: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Unpublished(Row):
    VIEW: ClassVar[str] = "unpublished"
    rows: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held(Row):
    VIEW: ClassVar[str] = "held"
    topic: str
    partition: int
    entity: str
    rows: int


@dataclass(frozen=True, slots=True)
class Parked(Row):
    VIEW: ClassVar[str] = "parked"
    id: int
    topic: str
    key: str
    partition: int
    offset: int
    reason: str
    waits_for: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Refused(Row):
    VIEW: ClassVar[str] = "refused"
    id: int
    topic: str
    partition: int
    offset: int
    reasons: str
    redriven: bool


@dataclass(frozen=True, slots=True)
class Idem(Row):
    VIEW: ClassVar[str] = "idem"
    entity: str
    principal: str
    route: str
    key: str
    status: int | None
