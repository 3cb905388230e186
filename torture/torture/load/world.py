"""The world the load plays: three legal entities, forty customers of which one is hot, three scales of currency."""

import itertools
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

OPENS_ON: Final = date(2025, 1, 2)
CUSTOMERS: Final = 40
_ZIPF: Final = 1.05  # The first of forty gets a quarter.
_PARENTS: Final = {6: 3, 9: 3, 12: 9, 10: 7, 8: 5, 14: 5}
"""Who settles under whose account, by number; both are of one entity, and who is behind the first of its group is a grandchild."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity of the entities file."""

    id: str
    currency: str
    time_zone: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Customer:
    """
    Who is billed, in which currencies (the first most often), and the bank account it pays from, if that is known.

    `parent` is the number of the customer under whose account it settles.
    """

    entity: str
    number: str
    currencies: tuple[str, ...]
    bank_account: str | None
    parent: str | None = None

    @property
    def own_currency(self) -> str:
        """The currency of the entity whose customer it is."""
        return next(one.currency for one in ENTITIES if one.id == self.entity)


ENTITIES: Final = (
    Entity("US01", "USD", "America/New_York", "US"),
    Entity("JP01", "JPY", "Asia/Tokyo", "JP"),
    Entity("KW01", "KWD", "Asia/Kuwait", "KW"),
)
_BILLED_IN: Final = {"US01": (("USD",), ("USD",), ("EUR",)), "JP01": (("JPY",), ("JPY", "USD")), "KW01": (("KWD",), ("KWD", "EUR"))}


class World:
    """
    The same seed is the same world.

    Customer 1 of US01 is the hot one: a quarter of everything, in dollars and euros. Nobody's number is anybody else's, in any entity.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(f"world {seed}")
        self.opens_on = OPENS_ON
        self.entities = ENTITIES
        self.customers = tuple(self._customer(n) for n in range(1, CUSTOMERS + 1))
        self._weights = list(itertools.accumulate(1 / n**_ZIPF for n in range(1, CUSTOMERS + 1)))

    def _customer(self, n: int) -> Customer:
        entity = "US01" if n == 1 else ENTITIES[n % len(ENTITIES)].id
        billed_in = ("USD", "EUR") if n == 1 else self._random.choice(_BILLED_IN[entity])
        has_bank_account = n == 1 or self._random.random() < 0.4
        bank_account = f"XX{n:02d} TORT 0000 {self._random.randrange(10**6):06d}" if has_bank_account else None
        parent = f"C-{_PARENTS[n]:02d}" if n in _PARENTS else None
        return Customer(entity, f"C-{n:02d}", billed_in, bank_account, parent)

    @property
    def hot(self) -> Customer:
        """The customer everybody is after."""
        return self.customers[0]

    def group(self, customer: Customer) -> str:
        """Return the number of the customer under whose account one settles, once its parents are known."""
        parents = {one.number: one.parent for one in self.customers}
        number = customer.number
        while (parent := parents[number]) is not None:
            number = parent
        return number

    def choose(self, random: Random) -> Customer:
        """Draw a customer by Zipf's law."""
        return random.choices(self.customers, cum_weights=self._weights)[0]

    def declare(self, file: Path) -> Path:
        """Write the entities file that the services read; days start when they are told to."""
        lines = ["# Written by the torture rig."]
        for one in self.entities:
            lines += (  # JSON strings are TOML strings.
                f"[entities.{one.id}]",
                f"currency = {json.dumps(one.currency)}",
                f"time_zone = {json.dumps(one.time_zone)}",
                f"calendar = {json.dumps(one.calendar)}",
                f"opens_on = {self.opens_on}",
                "sources = []",
                'day_starts = "told"',
            )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file
