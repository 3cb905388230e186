"""
What rates gained and lost, computed from the ledger alone (PAY-13): the money's worth less that of what it settled.

A document and money in another currency than that of the books are worth what the latest rate on or before their own date says, of those
told on an earlier day than they were booked on. Of what is settled in parts each part is worth the difference of the whole before and
after, half up, so that the last part takes the rounding.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from demo.account import Move
from demo.early import half_up
from demo.ledger import Rate
from demo.postings import Owner

Gained = dict[tuple[Owner, date], int]
"""Minor units in the currency of the books, by owner and effective date."""
_Named = tuple[Owner, str]


@dataclass(slots=True)
class Worth:
    """What something is worth as a whole in the currency of the books, and how much of it was taken."""

    minor: int
    base_minor: int
    taken_minor: int = 0

    def take(self, minor: int) -> int:
        """Take a part, or give it back where it is below zero; return what it is worth."""
        before = self._up_to(self.taken_minor)
        self.taken_minor += minor
        return self._up_to(self.taken_minor) - before

    def _up_to(self, minor: int) -> int:
        return half_up(Fraction(self.base_minor * minor, self.minor))


@dataclass(slots=True)
class Exchange:
    """The rates that were told, what documents and money are worth by them, and what was gained by owner and day."""

    own_currency: str
    gained: Gained = field(default_factory=lambda: defaultdict(int))
    _rates: list[Rate] = field(default_factory=list)
    _documents: dict[_Named, Worth] = field(default_factory=dict)
    _money: dict[_Named, Worth] = field(default_factory=dict)

    def tell(self, rates: Iterable[Rate]) -> None:
        """Take in the rates of a day, at its end: they count from the next."""
        self._rates += rates

    def value_document(self, owner: Owner, document_no: str, minor: int, on: date) -> None:
        """Note what a document is worth, if that is known."""
        if (worth := self._worth(owner[1], minor, on)) is not None:
            self._documents[owner, document_no] = worth

    def value_money(self, owner: Owner, bank_ref: str, minor: int, on: date) -> None:
        """Note what money is worth, whoever's it turns out to be."""
        if (worth := self._worth(owner[1], minor, on)) is not None:
            self._money[("", owner[1]), bank_ref] = worth

    def transfer(self, currency: str, bank_ref: str, arrived: str, minor: int) -> None:
        """Let so much of a receipt's money take its part of the worth along, to the receipt that it arrives as."""
        if (worth := self._money.get((("", currency), bank_ref))) is not None:
            self._money[("", currency), arrived] = Worth(minor, worth.take(minor))

    def settle(self, owner: Owner, moves: Iterable[Move]) -> None:
        """Count what the moves of one account and day have gained: what is taken back first, then by what they are and name."""
        if owner[1] == self.own_currency:
            return
        for move in sorted(moves, key=lambda move: (move.minor > 0, move.kind, move.of, move.document_no, move.effective_on)):
            worth = self._documents.get((owner, move.document_no))
            if worth is None or not move.minor:
                continue
            carrying_minor = worth.take(move.minor)
            money = self._money.get((("", owner[1]), move.of)) if move.kind == "receipt" else None
            if money is not None:
                self.gained[owner, move.effective_on] += money.take(move.minor) - carrying_minor

    def _worth(self, currency: str, minor: int, on: date) -> Worth | None:
        known = [one for one in self._rates if one.currency == currency and one.told_on <= on]
        if currency == self.own_currency or not known or not minor:
            return None
        rate = max(known, key=lambda one: one.told_on).rate
        return Worth(minor, half_up(minor * Fraction(rate)))
