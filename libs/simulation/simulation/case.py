"""What is to happen in one run: what is told when, what goes wrong when; drawn from a seed, or composed by who wants to shrink it."""

import random
from dataclasses import dataclass

FACTS_S_MAX = 2.0
FAULTS_S_MAX = 3.0
ENTITIES = ("US01", "JP01")
ACCOUNTS = ("A", "B", "C")
PROCESSES = ("intake", "ledger-1", "ledger-2")
KINDS = ("document", "entry", "command")
NATURES = ("", "waits", "refused", "poison here", "poison there", "malformed")
FAULTS = (
    "kill",
    "pause",
    "pause all",
    "cut",
    "slow",
    "commit applied",
    "commit lost",
    "append applied",
    "append lost",
    "append twice",
    "broker down",
    "rebalance",
    "offsets refused",
    "account in trouble",
    "redrive",
)


@dataclass(frozen=True, slots=True)
class Said:
    """
    Something told from outside: by whom it is taken (`kind`), of which entity and account, after how many seconds.

    `nature` says what will become of it: it waits for an entry, is refused, cannot be handled by the first service or by the second, is no
    CloudEvent. `repeats` are the seconds after which the very same is told again.
    """

    at: float
    kind: str
    entity: str
    account: str
    nature: str = ""
    repeats: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, after how many seconds, for whom, for how long (or how often)."""

    at: float
    kind: str
    process: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """
    One run: the seed of every choice the world makes, how many entities, when days start, what is said, what goes wrong.

    `awaits_feedback` says whether a day waits for the feedback of the day before.
    """

    seed: int
    entities: int
    awaits_feedback: bool
    days_at: tuple[float, ...]
    said: tuple[Said, ...]
    faults: tuple[Fault, ...]


def case_of(seed: int) -> Case:
    """Draw a case: small, because what can go wrong goes wrong with few facts, and one in six without any fault."""
    chance = random.Random(f"case {seed}")
    entities, days = chance.choice((1, 1, 1, 2)), chance.choice((1, 2, 2, 3))
    said = tuple(_said(chance, entities) for _ in range(chance.randint(4, 14)))
    faults = () if chance.random() < 0.16 else tuple(_fault(chance) for _ in range(chance.randint(1, 6)))
    days_at = tuple(sorted(round(chance.uniform(0.05, FACTS_S_MAX), 3) for _ in range(days)))
    return Case(seed, entities, chance.random() < 0.75, days_at, said, faults)


def _said(chance: random.Random, entities: int) -> Said:
    kind = chance.choice(("document", "document", "document", "entry", "entry", "command"))
    nature = ""
    if kind == "document" and chance.random() < 0.4:
        nature = chance.choice(NATURES[1:] if chance.random() < 0.7 else ("waits",))
    elif kind == "entry" and chance.random() < 0.1:
        nature = chance.choice(("poison here", "malformed"))
    repeats = tuple(_moment(chance, FACTS_S_MAX) for _ in range(chance.choice((0, 0, 0, 1, 2)))) if kind != "command" else ()
    entity, account = chance.choice(ENTITIES[:entities]), chance.choice(ACCOUNTS)
    return Said(_moment(chance, FACTS_S_MAX), kind, entity, account, nature, repeats)


def _fault(chance: random.Random) -> Fault:
    kind = chance.choice((*FAULTS, "rebalance", "redrive", "pause all"))
    return Fault(_moment(chance, FAULTS_S_MAX), kind, chance.choice(PROCESSES), chance.choice((0.01, 0.2, 0.6, 1.6, 2.5)))


def _moment(chance: random.Random, up_to: float) -> float:
    """A moment, often the very same as another."""
    return chance.choice((round(chance.uniform(0, up_to), 3), round(chance.uniform(0, up_to), 1)))
