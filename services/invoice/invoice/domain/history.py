"""What happened to a document, event by event, and what was open of it before and after each. Pure: values in, values out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

from invoice.domain.split import Parts, RuleSet, split_movements
from invoice.domain.status import Movement

Happening: TypeAlias = Literal[
    "issued",
    "fell_due",
    "charged",
    "voided",
    "applied",
    "credited",
    "discounted",
    "adjusted",
    "application_reversed",
    "discount_revoked",
    "adjustment_reversed",
]
_ORDER: Final[tuple[Happening, ...]] = ("issued", "fell_due", "charged", "voided")
"""Of what one day books: what the day's start brings, then acts; movements keep the order in which the ledger told them, and are last."""


@dataclass(frozen=True, slots=True)
class Event:
    """
    One thing that happened: `amount_minor` is what it is about, `change_minor` what it did to the open amount of the document.

    `item` is the instalment it is about, None where that is the whole document. `document_no` is another document that has to do with it.
    """

    happening: Happening
    effective_on: date
    booked_on: date
    amount_minor: int
    change_minor: int = 0
    item: str | None = None
    recorded_at: datetime | None = None
    document_no: str | None = None
    reason: str | None = None
    movement: Movement | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An event in its place: what was open before and after it, and what of goods, tax, freight and charges a movement has settled."""

    event: Event
    before_minor: int
    after_minor: int
    split: Parts | None


def happening_of(movement: Movement) -> Happening:
    """Return what a movement is called in a history."""
    if movement.amount_minor >= 0:
        return movement.kind
    match movement.kind:
        case "adjusted":
            return "adjustment_reversed"
        case "discounted":
            return "discount_revoked"
        case _:
            return "application_reversed"


def moved(movement: Movement) -> Event:
    """Return the event that a movement is."""
    return Event(
        happening=happening_of(movement),
        effective_on=movement.effective_on,
        booked_on=movement.booked_on,
        amount_minor=abs(movement.amount_minor),
        change_minor=-movement.amount_minor,
        item=movement.subject,
        recorded_at=movement.recorded_at,
        reason=movement.reason,
        movement=movement,
    )


def place(events: Iterable[Event], document: Parts, rule_set: RuleSet) -> list[Placed]:
    """
    Put the events of a document in the order they were booked, and say what each did to its open amount.

    `events` come in any order, but movements of one day in that of the ledger. The document comes first, whatever its money did before it.
    """
    ordered = sorted(events, key=lambda event: (event.happening != "issued", event.booked_on, _rank(event)))
    splits = iter(split_movements((-event.change_minor for event in ordered if event.movement), document, rule_set))
    placed, open_minor = [], 0
    for event in ordered:
        after_minor = open_minor + event.change_minor
        placed.append(Placed(event, open_minor, after_minor, next(splits) if event.movement else None))
        open_minor = after_minor
    return placed


def _rank(event: Event) -> int:
    return len(_ORDER) if event.movement else _ORDER.index(event.happening)
