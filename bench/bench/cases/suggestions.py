"""What money may be for that names nothing: asked for receipt by receipt, at ten thousand open items of the account it came from."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from payment.app import SERVICE as PAYMENT
from policies import queries as policies

from bench import scratch, web
from bench.case import Case, Round
from bench.contest import contest
from bench.facts import ENTITY, OPENS_ON
from bench.histogram import Histogram
from bench.payments import Mix, Payment, Teller
from bench.race import Race
from bench.station import Station, station

NAME: Final = "suggestions"
NAMES: Final = (NAME,)
_OPEN_PER_EVENT: Final = 2  # Ten thousand open items where a quick run has five thousand events, and never more.
_OPEN_MAX: Final = 10_000
_RECEIPTS: Final = 50
_ASKED: Final = 200
_SECONDS_MAX: Final = 0.05
_ACCOUNT: Final = "M000000"
_POLICY: Final[dict[str, Any]] = {"rules": [], "auto_apply": "never"}
"""Money that names nothing waits for a person."""


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Ask over one connection; the 99th percentile may be 50 ms (row 15 of the targets)."""
    case, items = Case(NAME, "answers"), min(_OPEN_MAX, _OPEN_PER_EVENT * race.sizes.n)
    payments = _Money(items)
    async with station(race.track, PAYMENT, "suggest") as one:
        with race.bar(NAME, race.sizes.rounds) as bar:
            bar.tell("issuing invoices")
            await payments.tell(one)
            await one.database.pool.execute("ANALYZE")
            case.latency = {"answer": Histogram()}
            async with scratch.process(race.track, "suggest_api", ["chassis", "payment", "api"], one.database.url) as server:
                case.differences += await payments.check(server.port)
                rounds = await contest(race, {NAME: lambda: payments.ask(server.port, case.latency["answer"])}, bar)
    case.subject = rounds[NAME]
    p99 = case.latency["answer"].percentile(0.99)
    case.notes = {"open_items": items, "p99_ms": round(1000 * p99, 1), "p99_ms_max": 1000 * _SECONDS_MAX}
    case.passed = p99 <= _SECONDS_MAX
    return [case]


class _Money:
    """Open invoices of one account, and money of it that has the amount of one each, a little less, or that of two."""

    def __init__(self, items: int) -> None:
        self._owed = [replace(one, customer=0) for one in Mix(items).owe(items)]
        self._payments = [self._payment(number, items) for number in range(_RECEIPTS)]

    def _payment(self, number: int, items: int) -> Payment:
        owed = self._owed[number * items // _RECEIPTS]
        minor = (owed.minor, owed.minor - 3, owed.minor + self._owed[-1 - number].minor)[number % 3]
        return Payment(number, _ACCOUNT, minor, (), ())

    async def tell(self, one: Station) -> None:
        """Have the service hear of it, under a policy by which nothing is applied."""
        async with one.database.transaction() as db:
            on, now = OPENS_ON - timedelta(days=7), datetime.fromtimestamp(0, UTC)
            policy = await policies.insert_policy(
                db, ENTITY, "cash_application", on, _POLICY, proposed_by="bench-maker", proposed_on=on, now=now
            )
            await policies.approve_policy(db, policy, decided_by="bench-checker", decided_on=on, now=now)
        teller = Teller()
        await one.take(one.receive(teller.bill(self._owed)))
        await one.take(one.receive(teller.book(self._payments)))

    async def ask(self, port: int, latency: Histogram) -> Round:
        """Ask for the suggestions of one receipt after the other."""
        seconds = 0.0
        async with web.connected(port) as connection:
            for number in range(_ASKED):
                answer = await connection.ask(web.get(self._path(number)))
                latency.add(answer.seconds)
                seconds += answer.seconds
        return Round(_ASKED, seconds)

    async def check(self, port: int) -> Sequence[str]:
        """Say where the item is not suggested that is open for just as much."""
        wrong = []
        async with web.connected(port) as connection:
            for number in range(0, _RECEIPTS, 3):
                answer = await connection.ask(web.get(self._path(number)))
                body = json.loads(answer.body) if answer.status == 200 else {"suggestions": []}
                suggested = {one["item"] for suggestion in body["suggestions"] for one in suggestion["candidates"]}
                owed = self._owed[number * len(self._owed) // _RECEIPTS]
                wrong += [] if owed.item in suggested else [f"{owed.item} is not suggested ({answer.status})"]
        return [f"{len(wrong)} receipts: {wrong[0]}"] if wrong else []

    def _path(self, number: int) -> str:
        return f"/v1/suggestions?entity={ENTITY}&receipt={self._payments[number % _RECEIPTS].bank_ref}"
