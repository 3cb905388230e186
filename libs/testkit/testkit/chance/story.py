"""What a story by chance is: facts of which the order is free, and between them what people do, day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeAlias

import msgspec
from events import invoice
from events.fact import Event

FIRST_DAY: Final = date(2026, 1, 5)
ENTITY: Final = "ENTITY"
"""Stands for the entity that a story is told of, wherever its facts name it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person does; what exactly it is done to, `seed` chooses from what is there then."""

    kind: str
    seed: int


Facts: TypeAlias = tuple[Event, ...]
"""Facts that may come in any order and in any batches, as far as `must_precede` lets them."""
Deeds: TypeAlias = tuple[Deed, ...]


@dataclass(frozen=True, slots=True)
class Spell:
    """A part of a day: facts, and what people do when all of these are there."""

    facts: Facts
    deeds: Deeds


@dataclass(frozen=True, slots=True)
class Story:
    """
    The days of an entity, from `FIRST_DAY` on, each in spells; `seed` invents it again.

    Where `is_of_order` says so the books may hang on the order of a day: see `invention`.
    """

    seed: int
    days: tuple[tuple[Spell, ...], ...]
    is_of_order: bool = False

    def __len__(self) -> int:
        return sum(len(spell.facts) + len(spell.deeds) for spells in self.days for spell in spells)

    def without(self, left_out: range) -> "Story":
        """Leave out some of the facts and deeds, counted through; a document takes what follows it under its key with it."""
        kept = iter(n not in left_out for n in range(len(self)))
        days = tuple(tuple(_kept(spell, kept) for spell in spells) for spells in self.days)
        there = {fact.invoice for fact in _facts(days) if isinstance(fact, invoice.Billed)}
        return replace(self, days=tuple(tuple(_upheld(spell, there) for spell in spells) for spells in days))

    def __str__(self) -> str:
        lines = [f"seed {self.seed}:"]
        for n, spells in enumerate(self.days):
            lines.append(f"-- {day_of(n)}")
            for spell in spells:
                lines += [f"   {type(fact).__name__} {msgspec.json.encode(fact).decode()}" for fact in spell.facts]
                lines += [f"   {deed}" for deed in spell.deeds]
        return "\n".join(lines)


def day_of(n: int) -> date:
    """Return the date of a story's day, counted from 0."""
    return FIRST_DAY + timedelta(days=n)


def told_of(fact: Event, entity: str) -> Event:
    """Tell a fact of a story about an entity."""
    said = msgspec.json.encode(fact).replace(ENTITY.encode(), entity.encode())
    return msgspec.json.decode(said, type=type(fact))


def must_precede(earlier: Event, later: Event) -> bool:
    """
    Whether one fact always comes before another, because both have one key and one follows from the other.

    A document comes before what is decided about it, a bill after its invoices, and nothing of a document is written off that is void.
    """
    if isinstance(earlier, invoice.Billed):
        return earlier.invoice in _about(later)
    return isinstance(earlier, invoice.WriteOffApproved) and isinstance(later, invoice.InvoiceVoided) and earlier.invoice == later.invoice


def _about(fact: Event) -> set[str]:
    """The documents that a fact cannot be told without."""
    if isinstance(fact, invoice.ConsolidatedBillIssued):
        return set(fact.invoices)
    return {fact.invoice} if isinstance(fact, invoice.InvoiceVoided | invoice.WriteOffApproved) else set()


def _kept(spell: Spell, kept: Iterator[bool]) -> Spell:
    facts = tuple(fact for fact in spell.facts if next(kept))
    return Spell(facts, tuple(deed for deed in spell.deeds if next(kept)))


def _upheld(spell: Spell, there: set[str]) -> Spell:
    return replace(spell, facts=tuple(fact for fact in spell.facts if _about(fact) <= there))


def _facts(days: Sequence[Sequence[Spell]]) -> Iterator[Event]:
    return (fact for spells in days for spell in spells for fact in spell.facts)
