"""
Aging over the public API of a read model of any size: now, by customer, the most overdue, at a past day, as it was known at a past day.

The read model is loaded, not told: see `bench.readmodel`. Beside every question stands a plain scan of the items table in the same rounds;
beside those about the past, the walk over the ledger that they replace.
"""

import json
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
from money import parse_minor

from bench import readmodel, scratch, web
from bench.case import Case, Round, Target
from bench.contest import Contender, contest
from bench.facts import ENTITY
from bench.histogram import Histogram
from bench.ledger import PAST, TODAY, Ledger, Outcome
from bench.race import Population, Race
from bench.track import APPLICATION

TOTALS: Final = "aging_totals"
BY_CUSTOMER: Final = "aging_by_customer"
TOP_50: Final = "aging_top_50_overdue"
PAGE: Final = "aging_page_of_50"
ONE: Final = "aging_one_customer"
AS_OF: Final = "aging_as_of"
KNOWN_AT: Final = "aging_known_at"
NAMES: Final = (TOTALS, BY_CUSTOMER, TOP_50, PAGE, ONE, AS_OF, KNOWN_AT)

_SCAN: Final = "scan"
_SCAN_CUSTOMERS: Final = "scan_by_customer"
_WALK: Final = "ledger_walk"
_SCANS: Final = {
    _SCAN: "SELECT currency, sum(open_minor)::bigint AS minor FROM item WHERE is_open GROUP BY currency",
    _SCAN_CUSTOMERS: "SELECT max(minor) FROM (SELECT sum(open_minor) AS minor FROM item WHERE is_open GROUP BY account, currency) AS sums",
}
_WALKED: Final = """
    SELECT i.currency, sum(i.total_minor - coalesce(a.minor, 0))::bigint AS minor
    FROM item i LEFT JOIN (
        SELECT item, sum(minor) AS minor FROM bench.application
        WHERE effective_on <= $1 AND booked_on <= coalesce($2::date, 'infinity') GROUP BY item
    ) AS a USING (item)
    WHERE i.issued_on <= $1 AND i.booked_on <= coalesce($2::date, 'infinity')
    GROUP BY i.currency
"""
_KNOWN_AT: Final = (PAST + timedelta(days=1), TODAY - timedelta(days=30))
_ROUND_SECONDS: Final = 0.5  # A question is repeated for about so long in a round, or asked once.
_ASKED_MAX: Final = 50
_JUDGED_FROM: Final = 1_000_000  # Open items: what the targets speak of.
_SAME_AT_10: Final = 1 / 2.5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the API: `paths` in turn; beside which reference it stands, with what targets."""

    paths: tuple[str, ...]
    reference: str
    targets: tuple[Target, ...] = ()
    growth: Target | None = None


def questions(ledger: Ledger) -> dict[str, Question]:
    """Return every question by the name of its case."""
    aging = f"/v1/aging?entity={ENTITY}"
    customer = ledger.bill(ledger.items // 2).account
    few, grown = Target(11, 100, 1_000, _SCAN_CUSTOMERS), Target(11, 1 / 3, 1 / 1.5, "at_1m")
    past = Target(12, 100, 300, _WALK)
    return {
        TOTALS: Question((aging,), _SCAN, (Target(10, 200, 800, _SCAN),), Target(10, _SAME_AT_10, _SAME_AT_10, "at_1m")),
        BY_CUSTOMER: Question((f"{aging}&by=customer",), _SCAN_CUSTOMERS),
        TOP_50: Question((f"{aging}&by=customer&sort=-overdue&limit=50",), _SCAN_CUSTOMERS, (few,), grown),
        PAGE: Question((f"{aging}&by=customer&limit=50",), _SCAN_CUSTOMERS, (few,), grown),
        ONE: Question((f"/v1/customers/{customer}/balance?entity={ENTITY}",), _SCAN_CUSTOMERS, (few,), grown),
        AS_OF: Question((f"{aging}&as_of={PAST}",), _WALK, (past,)),
        KNOWN_AT: Question(tuple(f"{aging}&as_of={PAST}&known_at={day}" for day in _KNOWN_AT), _WALK, (past,)),
    }


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Load each population, ask it everything, and set the largest beside the one of a million."""
    cases: list[Case] = []
    at_1m: dict[str, list[Round]] = {}
    for population in race.sizes.aging:
        found = await _of_population(race, population, wanted)
        cases += found.values()
        if population.open_items == _JUDGED_FROM:
            at_1m = {name: case.subject for name, case in found.items()}
        elif population.open_items > _JUDGED_FROM:
            asked = questions(Ledger(population.open_items, population.customers, population.closed_per_open))
            for name, case in found.items():
                growth = asked[name].growth
                if growth and name in at_1m:
                    case.references[growth.reference] = at_1m[name]
                    case.targets += (growth,)
    return cases


async def _of_population(race: Race, population: Population, wanted: Collection[str]) -> dict[str, Case]:
    ledger = Ledger(population.open_items, population.customers, population.closed_per_open)
    label = f"aging_{population.label}"
    asked = {name: question for name, question in questions(ledger).items() if name in wanted}
    found = {name: Case(f"{name}_{population.label}", "answers") for name in asked}
    with race.bar(f"aging over {population.open_items:,} open items of {population.customers:,} customers", race.sizes.rounds) as bar:
        bar.tell("loading")
        async with (
            scratch.database(race.track, "reporting", label) as dsn,
            _loaded(dsn, ledger) as (db, outcome, seconds),
            scratch.process(race.track, label, ["chassis", "reporting", "api"], dsn) as server,
        ):
            asking = _Asking(db, server.port)
            await _check(asking, asked, found, outcome)
            rounds = await contest(race, await _contenders(asking, asked, found), bar, warm_up=False)
    for name, case in found.items():
        case.subject = rounds.get(name, [])
        case.references = {asked[name].reference: rounds[asked[name].reference]}
        case.targets = asked[name].targets if population.open_items >= _JUDGED_FROM else ()
        case.notes = {"items": ledger.items, "customers": population.customers, "loaded_in_s": round(seconds, 1)}
    return found


@asynccontextmanager
async def _loaded(dsn: str, ledger: Ledger) -> AsyncIterator[tuple[asyncpg.Connection, Outcome, float]]:
    """Load a read model and keep a connection to it while the block runs; say what must stand in it, and how many seconds it took."""
    db = await asyncpg.connect(dsn, server_settings={"application_name": APPLICATION})
    try:
        began_at = time.perf_counter()
        outcome = await readmodel.load(db, ledger)
        yield db, outcome, time.perf_counter() - began_at
    finally:
        await db.close()


class _Asking:
    """Asks the API and the database."""

    def __init__(self, db: asyncpg.Connection, port: int) -> None:
        self._db = db
        self._port = port

    async def ask(self, paths: Sequence[str], times: int, latency: Histogram) -> Round:
        """Ask one after the other, over one connection."""
        seconds = 0.0
        async with web.connected(self._port) as connection:
            for number in range(times):
                answer = await connection.ask(web.get(paths[number % len(paths)]))
                latency.add(answer.seconds)
                seconds += answer.seconds
        return Round(times, seconds)

    async def body(self, path: str) -> Any:
        """Ask once; None for an answer that is not 200."""
        async with web.connected(self._port) as connection:
            answer = await connection.ask(web.get(path))
        return json.loads(answer.body) if answer.status == 200 else None

    async def query(self, name: str) -> Round:
        """Run a reference once."""
        began_at = time.perf_counter()
        await (self.walk(PAST, None) if name == _WALK else self._db.fetch(_SCANS[name], timeout=3600))
        return Round(1, time.perf_counter() - began_at)

    async def scan(self) -> dict[str, int]:
        """Sum the open items by currency."""
        return {row["currency"]: row["minor"] for row in await self._db.fetch(_SCANS[_SCAN], timeout=3600)}

    async def walk(self, as_of: date, known_at: date | None) -> dict[str, int]:
        """Sum what was open at a past day, from the items and what was applied to each."""
        return {row["currency"]: row["minor"] for row in await self._db.fetch(_WALKED, as_of, known_at, timeout=3600)}


async def _contenders(asking: _Asking, asked: dict[str, Question], found: dict[str, Case]) -> dict[str, Contender]:
    """Every question that was answered, as often as fits into a round, then the references."""
    contenders: dict[str, Contender] = {}
    for name, question in asked.items():
        if found[name].books_close:
            once = await asking.ask(question.paths, len(question.paths), Histogram())
            times = max(len(question.paths), min(_ASKED_MAX, int(_ROUND_SECONDS * once.rate)))
            latency = found[name].latency.setdefault("answer", Histogram())
            contenders[name] = _asked(asking, question.paths, times, latency)
    for reference in dict.fromkeys(question.reference for question in asked.values()):
        contenders[reference] = _queried(asking, reference)
    return contenders


def _asked(asking: _Asking, paths: Sequence[str], times: int, latency: Histogram) -> Contender:
    return lambda: asking.ask(paths, times, latency)


def _queried(asking: _Asking, reference: str) -> Contender:
    return lambda: asking.query(reference)


async def _check(asking: _Asking, asked: dict[str, Question], found: dict[str, Case], outcome: Outcome) -> None:
    """
    Compare the totals with what was loaded and with a scan, the past with the walk, and see that all else is answered at all.

    What differs or is not answered is said, and not timed.
    """
    loaded = {currency: minor for currency, minor in outcome.open_minor.items() if minor}
    for name, question in asked.items():
        for path, known_at in zip(question.paths, _KNOWN_AT if name == KNOWN_AT else (None,), strict=True):
            body = await asking.body(path)
            if body is None:
                found[name].differences.append(f"{path}: no answer")
            elif name in (TOTALS, BY_CUSTOMER):
                _compare(found[name], body, loaded)
            elif name in (AS_OF, KNOWN_AT):
                _compare(found[name], body, await asking.walk(PAST, known_at))
    if TOTALS in asked and (scanned := await asking.scan()) != loaded:
        found[TOTALS].differences.append(f"{scanned} open in the items instead of {loaded} (minor units)")


def _compare(case: Case, body: Any, expected: dict[str, int]) -> None:
    sums: dict[str, int] = {}
    for row in body["rows"]:
        sums[row["currency"]] = sums.get(row["currency"], 0) + parse_minor(row["open"], row["currency"])
    if sums != expected:
        case.differences.append(f"{sums} open instead of {expected} (minor units)")
