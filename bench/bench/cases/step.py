"""
One service step without Kafka: known or new, write the document, queue the fact, all in one transaction a batch.

And the same records once more: every redelivery must be cheaper than the first delivery, and leave nothing behind.
"""

from collections.abc import Collection, Sequence
from typing import Final

from chassis.record import Record
from invoice.app import SERVICE as INVOICE
from reporting.app import SERVICE as REPORTING

from bench import floor
from bench.case import FLOOR, Case, Round, Target
from bench.contest import ATTEMPTS_MAX, contest
from bench.facts import Record as ToldRecord
from bench.facts import Told
from bench.history import History, Published
from bench.ledger import Ledger
from bench.naive.hop import Hop, fewer
from bench.race import Race
from bench.station import Station, as_a_service, station

STEP: Final = "service_step"
REDELIVERY: Final = "redelivery"
REDELIVERY_OF_FACTS: Final = "redelivery_facts"
NAMES: Final = (STEP, REDELIVERY, REDELIVERY_OF_FACTS)
_NAIVE: Final = "naive"
_FIRST: Final = "first_delivery"
_REDELIVERED: Final = Target(18, 1.5, 2, _FIRST)


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Take invoices in as the invoice service does, and facts as the reporting service does; then both again."""
    cases: list[Case] = []
    if {STEP, REDELIVERY} & set(wanted):
        cases += await _invoices(race)
    if REDELIVERY_OF_FACTS in wanted:
        cases.append(await _facts(race))
    return [case for case in cases if case.name in wanted]


class _Step:
    """A station that is given what is new, and then the same again."""

    def __init__(self, one: Station) -> None:
        self._station = one
        self._last: list[Record] = []

    async def first(self, told: Sequence[ToldRecord | Published]) -> Round:
        self._last = self._station.receive(told)
        with as_a_service():
            return Round(len(told), await self._station.take(self._last))

    async def again(self) -> Round:
        repeats = self._station.again(self._last)
        with as_a_service():
            return Round(len(repeats), await self._station.take(repeats))

    async def floor(self) -> Round:
        return Round(len(self._last), await floor.copy(self._station.database.url, self._last))


async def _invoices(race: Race) -> list[Case]:
    n, told = race.sizes.n, Told()
    async with station(race.track, INVOICE, "step") as one, Hop.opened(one.database.url) as hop:
        step = _Step(one)

        with race.bar(STEP, race.sizes.rounds) as bar:
            rounds = await contest(
                race,
                {
                    STEP: lambda: step.first(told.issue(n)),
                    REDELIVERY: step.again,
                    FLOOR: step.floor,
                    _NAIVE: lambda: hop.take(fewer(n)),
                },
                bar,
            )
        found = await one.database.pool.fetchrow(
            "SELECT (SELECT count(*) FROM chk.document) AS documents, (SELECT rows FROM chk.unpublished) AS facts"
        )
    first = Case(STEP, "invoices", rounds[STEP], {FLOOR: rounds[FLOOR], _NAIVE: rounds[_NAIVE]}, (Target(4, 0.12, 0.20),))
    if tuple(found) != (told.invoices, told.invoices):
        first.differences.append(f"{found['documents']} documents and {found['facts']} facts instead of {told.invoices} of both")
    again = Case(REDELIVERY, "invoices", rounds[REDELIVERY], {_FIRST: rounds[STEP]}, (_REDELIVERED,), differences=first.differences)
    return [first, again]


async def _facts(race: Race) -> Case:
    n = race.sizes.n
    history = History(Ledger.of_facts(2 * n * (race.sizes.rounds + 1) * ATTEMPTS_MAX).spread_out())
    async with station(race.track, REPORTING, "step_facts") as one:
        step = _Step(one)
        with race.bar(REDELIVERY_OF_FACTS, race.sizes.rounds) as bar:
            rounds = await contest(race, {_FIRST: lambda: step.first(history.take(n)), "again": step.again, FLOOR: step.floor}, bar)
        rows = await one.database.pool.fetch("SELECT currency, sum(open_minor)::bigint AS minor FROM chk.item GROUP BY currency")
    case = Case(REDELIVERY_OF_FACTS, "facts", rounds["again"], {_FIRST: rounds[_FIRST], FLOOR: rounds[FLOOR]}, (_REDELIVERED,))
    if dict(map(tuple, rows)) != dict(history.outcome.open_minor):
        case.differences.append(f"reporting: {dict(map(tuple, rows))} open instead of {dict(history.outcome.open_minor)} (minor units)")
    return case
