"""What a poison is: records that no sender should send, and what must come of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torture.check.expected import ExpectedDocument, ExpectedReceipt, Outcome
from torture.load.publisher import Place
from torture.load.wire import Record

Effect: TypeAlias = ExpectedDocument | ExpectedReceipt


@dataclass(frozen=True, slots=True)
class Dose:
    """
    One record of a poison and its outcome, None where the broker does not even take it.

    How the outcome shows: `REFUSED` is a row of `chk.refused` at the place of the record, in every service that subscribes to the type,
    or, where the record is no CloudEvent at all, in every service that hears the topic; `reason` is then one of the codes in its reasons.
    `PARKED` is a row of `chk.parked` in the same services with that `reason`; so is what is parked `behind` it or as a `gap`, in all that
    hear the topic. `IGNORED` shows nowhere. `ACCEPTED` makes `effect` in the books, once.

    Twins (the same record published again) of a refused CloudEvent, and of a parked fact that had a sequence of its own turn, are dropped
    as repeats: the row is that of the first. What is no CloudEvent is refused or parked each time.
    """

    record: Record
    outcome: Outcome | None
    reason: str = ""
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Poison:
    """A named poison: its doses are published in order, each acknowledged before the next."""

    name: str
    doses: Sequence[Dose]

    @property
    def topic(self) -> str:
        """The topic it is published on."""
        return self.doses[0].record.topic


@dataclass(frozen=True, slots=True)
class Poisoned:
    """
    A dose that was published. `places` are those that Kafka acknowledged, none where the broker did not take it.

    One that `may_stand_elsewhere` was sent once or more without an acknowledgement.
    """

    poison: Poison
    dose: Dose
    places: Sequence[Place]
    may_stand_elsewhere: bool = False
