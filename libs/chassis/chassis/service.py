"""
The vocabulary between a service and the chassis: what is received, what is published, what a service is made of.

A handler is `async (db, facts, batch) -> list[Fact]`: it loads what the facts touch, decides in memory, saves one statement per table and
returns what is to be published. It never commits, never reads the clock, never asks for another connection.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec
from events.envelope import Envelope
from events.fact import Event
from events.invoice import Reason

from chassis.database import Connection
from chassis.entities import Entities

EventT = TypeVar("EventT", bound=Event, covariant=True)
NOBODY: Final = "?"
"""The entity of a fact that is no declared entity's: an answer to what nobody can place. No day is open for it, so it waits for none."""


class Received(msgspec.Struct, Generic[EventT], frozen=True, gc=False):
    """
    One fact as a handler sees it.

    `booked_on` is the business day it is booked on here: the open day, or the later day it carries. For a read model that holds nothing
    this is the later of the carried day and the day being completed.
    """

    data: EventT
    envelope: Envelope
    entity: str
    key: str
    booked_on: date
    topic: str
    partition: int
    offset: int

    @property
    def effective_on(self) -> date:
        """The value date: what the fact carries, else the day it is booked on."""
        return self.envelope.effective_on or self.booked_on


class Fact(msgspec.Struct, frozen=True, gc=False):
    """
    A fact to publish on the service's own topic under `key` (`entity|account`): a key has one entity, whose days its facts wait for.

    The chassis adds id, sequence, booked day (the entity's open day), time and trace. `cause` is the fact it follows from.
    """

    data: Event
    entity: str
    key: str
    effective_on: date
    cause: Envelope | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ingress record that is refused: why (every reason), and as much of its identity as could be read."""

    envelope: Envelope | None
    content: Mapping[str, Any]
    reasons: Sequence[Reason]
    topic: str
    partition: int


@dataclass(slots=True)
class Batch:
    """
    What a handler may know of the transaction it runs in.

    `open_on` is the open business day by entity; `now` the instant for `recorded` columns, never for a decision. `refused` and `waiting`
    are filled by the two methods and dealt with by the chassis in the same transaction.
    """

    service: str
    now: datetime
    entities: Entities
    open_on: Mapping[str, date]
    refused: list[tuple[Received[Event], Sequence[Reason]]] = field(default_factory=list)
    waiting: list[tuple[Received[Event], str]] = field(default_factory=list)
    came: set[str] = field(default_factory=set)

    def refuse(self, received: Received[Any], reasons: Sequence[Reason]) -> None:
        """Refuse an ingress fact for all of `reasons`: it is answered by the service's rejection, kept for redrive, and blocks nothing."""
        self.refused.append((received, reasons))

    def wait(self, received: Received[Any], awaited: str) -> None:
        """Park a domain fact until `awaited` (an item, a receipt) has come; later facts of its key wait behind it."""
        self.waiting.append((received, awaited))

    def arrived(self, awaited: str) -> None:
        """Say that something others may wait for is here now; what waits for it is handled in this very transaction."""
        self.came.add(awaited)


Handler: TypeAlias = Callable[[Connection, Sequence[Received[Any]], Batch], Awaitable[list[Fact]]]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """
    What a service listens to.

    `handlers`: event class to handler. `forward`: topics whose day markers it waits for; their records are held behind a marker of a day
    not yet open. `feedback`: topics heard at once, never held. `reject` turns a refused ingress record into the fact that answers it.
    """

    handlers: Mapping[type[Event], Handler]
    forward: Sequence[str]
    feedback: Sequence[str] = ()
    feedback_awaited: Sequence[str] = ()  # Of these, the ones that cause facts here: opening D waits for their marker of D-1.
    at_once: Sequence[str] = ()  # Heard without holding and without waiting: reference data of a read model.
    reject: Callable[[Refusal], Fact] | None = None

    @property
    def topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.forward, *self.feedback, *self.at_once]))


def subscribe(
    *pairs: tuple[type[Event] | tuple[type[Event], ...], Handler],
    forward: Sequence[str],
    feedback: Sequence[str] = (),
    feedback_awaited: Sequence[str] = (),
    at_once: Sequence[str] = (),
    reject: Callable[[Refusal], Fact] | None = None,
) -> Subscriptions:
    """Build the table of a service; a handler given several classes gets them mixed, in order."""
    handlers: dict[type[Event], Handler] = {}
    for events, handler in pairs:
        for event in events if isinstance(events, tuple) else (events,):
            if event in handlers:
                raise ValueError(f"{event.__name__} is subscribed twice")
            handlers[event] = handler
    return Subscriptions(handlers, forward, feedback, feedback_awaited, at_once, reject)


@dataclass(frozen=True, slots=True)
class DayWork:
    """
    What a service does when a day turns, in chunks of accounts.

    `accounts(db, entity, day, after, limit)` lists the next accounts (sorted, greater than `after`) that need work when `day` starts;
    `work(db, entity, day, accounts, batch)` judges them over the books as they stand, which are exactly the facts booked before `day`.
    """

    accounts: Callable[[Connection, str, date, str, int], Awaitable[list[str]]]
    work: Callable[[Connection, str, date, Sequence[str], Batch], Awaitable[list[Fact]]]


@dataclass(frozen=True, slots=True)
class Remake:
    """
    How a read model is made anew from all its facts, which is far cheaper than adding them to a living one batch by batch.

    `prepare(db)` makes what `gather` keeps facts in, `gather(db, facts, batch)` keeps some, in any order, and `add_up(db, now)` fills the
    empty tables, which have neither indexes nor constraints. All three see those first on their search path, then the live schema.
    """

    prepare: Callable[[Connection], Awaitable[None]]
    gather: Callable[[Connection, Sequence[Received[Any]], Batch], Awaitable[None]]
    add_up: Callable[[Connection, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """
    The composition of one service: its name, its topic, what it hears, what it does when a day turns, its routes.

    `router` is `module:attribute`, imported only where HTTP is served. `holds` is False for a read model, which folds every fact at once.
    `passes_on` says whether its own topic carries day markers. `read_model` names the tables that can be rebuilt from the facts alone,
    `volatile` their columns that only tell when a row was written, `remake` how it is done.
    """

    name: str
    topic: str
    subscriptions: Subscriptions
    router: str
    day_work: DayWork | None = None
    holds: bool = True
    passes_on: bool = True
    read_model: Sequence[str] = ()
    volatile: Collection[str] = ()
    remake: Remake | None = None
