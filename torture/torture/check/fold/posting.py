"""A fact with what every fold needs of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from torture.check.amounts import minor_of
from torture.check.folded import Folded, FoldedItem, ItemMove
from torture.check.log import Fact
from torture.check.topology import TOPIC_OF

_LEDGER: Final = TOPIC_OF["payment"]


@dataclass(frozen=True, slots=True)
class Posting:
    """A fact, and where what it says is posted."""

    fact: Fact
    entity: str
    currency: str
    booked_on: date
    effective_on: date

    @classmethod
    def of(cls, fact: Fact) -> "Posting":
        """Read what all facts say alike."""
        booked_on = fact.booked_on or date.min
        entity, currency = str(fact.data.get("entity") or ""), str(fact.data.get("currency") or "")
        return cls(fact, entity, currency, booked_on, fact.effective_on or booked_on)

    @property
    def settled_on(self) -> date | None:
        """The day on which the settlement ledger has what the fact does to items; None before any marker."""
        return self.booked_on if self.fact.record.topic == _LEDGER else self.fact.behind

    def minor(self, name: str = "amount") -> int:
        """Read an amount in the currency of the fact."""
        return minor_of(self.fact.data[name], self.currency)

    def post(self, folded: Folded, account: str | None, measure: str, minor: int, due_on: date | None = None) -> None:
        """Add to a measure."""
        folded.cube[self.entity, account, self.currency, measure, due_on, self.effective_on, self.booked_on] += minor

    def item(self, folded: Folded, name: str, due_on: date) -> FoldedItem:
        """Find an item, which may not have been billed yet."""
        return folded.items.setdefault(name, FoldedItem(self.entity, self.fact.data["account"], self.currency, due_on))

    def take_off(self, folded: Folded, name: str, measure: str, minor: int, due_on: date) -> None:
        """Note that so much less is open of an item, or more where `minor` is negative, and post it."""
        folded.moves.append(ItemMove(name, -minor, self.fact.behind, self.settled_on))
        self.post(folded, self.fact.data["account"], measure, -minor, due_on)


Folder: TypeAlias = Callable[[Folded, Posting], None]
