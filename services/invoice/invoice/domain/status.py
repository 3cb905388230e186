"""
What may be said about a document: three fields, none of which follows from another (INV-05). Pure: values in, values out.

What a document is, how much of it is settled, and how late it is are read off the same facts for any pair of days (`as_of`, `known_at`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

MovementKind: TypeAlias = Literal["applied", "credited", "discounted", "adjusted"]
DocumentStatus: TypeAlias = Literal["issued", "voided"]
SettlementStatus: TypeAlias = Literal["open", "partially_settled", "settled", "written_off"]


@dataclass(frozen=True, slots=True)
class Told:
    """The settlement fact that told of a movement, the id of what caused it, and its W3C trace context, where there is one."""

    id: str
    type: str
    causation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """
    What one settlement fact did to one item or memo (`subject`): `amount_minor` is what it took off the open amount, negative where it gave
    something back.

    `kind` says with what: money, the credit of a memo, a discount, an adjustment. `act` is the application, discount or adjustment,
    `counterpart` the receipt or memo an item took from, or the item a memo went to. `rule` is why an application was made, or the kind of a
    discount or an adjustment; `reason` why it was taken back. `tax_minor` is the tax stated of a discount or an adjustment.
    """

    subject: str
    kind: MovementKind
    amount_minor: int
    tax_minor: int | None
    act: str
    counterpart: str | None
    rule: str | None
    reason: str | None
    effective_on: date
    booked_on: date
    recorded_at: datetime
    told: Told


@dataclass(frozen=True, slots=True)
class Settled:
    """What was taken off an item or used of a memo, in minor units, by kind of movement."""

    applied_minor: int = 0
    credited_minor: int = 0
    adjusted_minor: int = 0
    discounted_minor: int = 0

    def __add__(self, other: "Settled") -> "Settled":
        return Settled(
            self.applied_minor + other.applied_minor,
            self.credited_minor + other.credited_minor,
            self.adjusted_minor + other.adjusted_minor,
            self.discounted_minor + other.discounted_minor,
        )

    @property
    def total_minor(self) -> int:
        return self.applied_minor + self.credited_minor + self.adjusted_minor + self.discounted_minor

    @classmethod
    def by(cls, movement: Movement) -> "Settled":
        """What one movement settles."""
        minor = movement.amount_minor
        match movement.kind:
            case "applied":
                return cls(applied_minor=minor)
            case "credited":
                return cls(credited_minor=minor)
            case "adjusted":
                return cls(adjusted_minor=minor)
            case "discounted":
                return cls(discounted_minor=minor)


def sum_by_subject(movements: Iterable[Movement]) -> dict[str, Settled]:
    """Sum movements by item and memo; their order means nothing."""
    sums: dict[str, Settled] = {}
    for movement in movements:
        sums[movement.subject] = sums.get(movement.subject, Settled()) + Settled.by(movement)
    return sums


def settlement_status(billed_minor: int, settled: Settled) -> SettlementStatus:
    """
    Say how much of a document is settled; `billed_minor` is its total, or 0 once it is voided.

    Nothing open is settled, a discount included, and so is what never was worth anything; it is written off where an adjustment has closed
    a part of it and was not taken back.
    """
    if settled.total_minor >= billed_minor:
        return "written_off" if settled.adjusted_minor > 0 else "settled"
    return "partially_settled" if settled.total_minor > 0 else "open"


def overdue_days(owed: Iterable[tuple[date, int]], as_of: date) -> int:
    """Count the days the oldest open part is past its due date on `as_of`; 0 when none is. `owed` is (due date, open minor units)."""
    return max((0, *((as_of - due_on).days for due_on, open_minor in owed if open_minor > 0)))


def last_closed(open_on: date) -> date:
    """Return the day before the open one: what was booked through it is complete."""
    return open_on - timedelta(days=1)
