"""What settling items in another currency than the entity's gains or loses (PAY-13)."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from money import round_half_up

from payment.domain.books import FX, RECEIPT, TRANSFERRED, Books, Entry, Source, Worth


def realised(books: Books, entries: Mapping[Entry, int]) -> dict[Entry, int]:
    """
    Return the gain (negative: loss) in the entity's currency of each application among the entries of a day, by entries of its own.

    The worth of the part of the receipt less that of the part of the item, each the difference of its whole before and after: so the last
    part takes the rounding, and over the life of an item gain less loss is exactly what the money on it was worth less what the item was.
    Canonical order makes it a function of the set of entries; in it money is transferred first, because what that is worth goes with it and
    cannot change (`worth_of_part`). What is taken back by memo, void, adjustment or discount gains nothing.
    """
    worths = {item.id: item.worth for item in books.items if item.worth is not None}
    if not worths:
        return {}
    taken = {item.id: item.worth.minor - item.open_minor for item in books.items if item.worth is not None}
    moneys = {Source(RECEIPT, money.id): money for money in books.money}
    spent = {source: money.settled_minor for source, money in moneys.items()}
    gains: dict[Entry, int] = defaultdict(int)
    for entry in sorted(entries, key=lambda entry: (not _is_transfer(entry), entries[entry] > 0, entry)):
        minor, worth, money = entries[entry], worths.get(entry.item), moneys.get(entry.source)
        gain = 0
        if worth is not None:
            gain -= worth_of_part(worth, taken[entry.item], minor)
            taken[entry.item] += minor
        if money is not None and money.worth is not None and (entry.item or _is_transfer(entry)):
            gain += worth_of_part(money.worth, spent[entry.source], minor)
            spent[entry.source] += minor
            if worth is not None:
                gains[entry._replace(rule=FX)] += gain
    return {entry: gain for entry, gain in gains.items() if gain}


def _is_transfer(entry: Entry) -> bool:
    return entry.rule.startswith(f"{TRANSFERRED}:")


def worth_of_part(worth: Worth, before_minor: int, minor: int) -> int:
    """Return what so much is worth of which `before_minor` was taken before: all parts add up to the whole, the last takes the rounding."""
    return worth_up_to(worth, before_minor + minor) - worth_up_to(worth, before_minor)


def worth_up_to(worth: Worth, minor: int) -> int:
    """Return what the first so much of an item or a receipt is worth in the entity's currency, half up."""
    return round_half_up(Fraction(worth.base_minor * minor, worth.minor))
