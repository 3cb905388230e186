"""Which notices the facts call for: the procedure `standard-1`, written down once more."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from torture.check.amounts import decimals_of
from torture.check.folded import Folded, ItemMove

LEVEL_DAYS: Final = (5, 20, 40)
INTERVAL: Final = timedelta(days=10)
UNITS_MIN: Final = 25
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice; `items` are (item, level reached, what was open when the day closed)."""

    entity: str
    account: str
    currency: str
    noticed_on: date
    level: int
    total_minor: int
    items: frozenset[tuple[str, int, int]]

    @property
    def name(self) -> str:
        """Its id."""
        return f"{self.entity}|{self.account}|{self.currency}|{self.noticed_on}"


@dataclass(slots=True)
class Dunning:
    """
    The items of one entity, walked day by day.

    Dunning hears a fact before it closes the day whose marker is the last before the fact; `first_on` is the day of what stands before any.
    `levels` are (level, day of the last notice) by item.
    """

    entity: str
    folded: Folded
    first_on: date | None
    moves: dict[date, list[ItemMove]] = field(default_factory=lambda: defaultdict(list))
    open_minor: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    levels: dict[str, tuple[int, date]] = field(default_factory=dict)

    @classmethod
    def of(cls, entity: str, folded: Folded, first_on: date | None) -> "Dunning":
        """Sort the moves of an entity by the day at whose end they are known."""
        dunning = cls(entity, folded, first_on)
        for move in folded.moves:
            known_on = move.behind or first_on
            if known_on is not None and folded.items[move.item].entity == entity:
                dunning.moves[known_on].append(move)
        return dunning

    def until(self, last_on: date) -> Iterator[Sent]:
        """Decide the notices of every day up to and including the last closed one."""
        day = self.first_on
        while day is not None and day <= last_on:
            for move in self.moves.get(day, ()):
                self.open_minor[move.item] += move.minor
                if not self.open_minor[move.item]:
                    del self.open_minor[move.item]
            yield from self._notices_of(day)
            day += _ONE_DAY

    def _notices_of(self, day: date) -> Sequence[Sent]:
        letters: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
        for name, open_minor in self.open_minor.items():
            level, noticed_on = self.levels.get(name, (0, None))
            if open_minor <= 0 or level == len(LEVEL_DAYS) or (noticed_on is not None and day < noticed_on + INTERVAL):
                continue
            item = self.folded.items[name]
            if (day - item.due_on).days >= LEVEL_DAYS[level]:
                letters[item.account, item.currency].append((name, level + 1, open_minor))
        sent = []
        for (account, currency), items in letters.items():
            total_minor = sum(open_minor for *_, open_minor in items)
            if total_minor < UNITS_MIN * 10 ** decimals_of(currency):
                continue
            sent.append(Sent(self.entity, account, currency, day, max(level for _, level, _ in items), total_minor, frozenset(items)))
            self.levels |= {name: (level, day) for name, level, _ in items}
        return sent
