"""Matches that were suggested to people, and what they made of them (PAY-17)."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.fact import Event
from events.payment import MatchSuggested, SuggestionAccepted, SuggestionRejected
from money import parse_minor

from reporting.queries import matching
from reporting.queries.matching import SuggestionTold

Suggesting: TypeAlias = MatchSuggested | SuggestionAccepted | SuggestionRejected

SUGGESTING: Final[frozenset[type[Event]]] = frozenset({MatchSuggested, SuggestionAccepted, SuggestionRejected})
"""The facts about suggestions."""


async def record_suggestions(db: Connection, facts: Sequence[Received[Suggesting]], batch: Batch) -> list[Fact]:
    """
    Keep when each match was suggested and decided; the decision may come first, for it may have another key.

    :raises money.AmountRefused: an amount is not one of its currency; money.CurrencyUnknown likewise. Both park the fact.
    """
    await matching.add_to_suggestions(db, [told_of(fact) for fact in facts])
    return []


def told_of(fact: Received[Any]) -> SuggestionTold:
    """Write what one fact tells of a suggestion; the rest of the row is for others to tell."""
    data, booked_on = fact.data, fact.booked_on
    match data:
        case MatchSuggested():
            minor = parse_minor(data.amount, data.currency)
            return SuggestionTold(data.suggestion, fact.entity, currency=data.currency, amount_minor=minor, made_on=booked_on)
        case SuggestionAccepted():
            return SuggestionTold(data.suggestion, fact.entity, accepted_on=booked_on)
        case _:
            return SuggestionTold(data.suggestion, fact.entity, rejected_on=booked_on)
