"""
Payments come, and everything follows: whose they are, what they pay, the ledger, the facts in the outbox.

The real handlers on records of a poll, in books with five open invoices for every payment, beside a service that does the same for one
payment at a time with an ORM. Both end as a third does that knows neither: to the cent.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from launcher.topics import PARTITIONS
from payment.app import SERVICE as PAYMENT
from policies import queries as policies

from bench.case import Case, Round, Target
from bench.contest import contest
from bench.facts import ENTITY, OPENS_ON
from bench.naive.cash import Cashier
from bench.naive.hop import fewer
from bench.payments import INVOICES_PER_PAYMENT, Mix, Outcome, Teller
from bench.race import Race
from bench.station import Station, as_a_service, station

NAME: Final = "cash_application"
NAMES: Final = (NAME,)
_PER_PAYMENT: Final = "per_payment_orm"
_POLICY: Final[dict[str, Any]] = {"rules": ["exact_item"], "auto_apply": "never", "rest": "on_account"}
"""What names nothing pays the item that needs just so much, or nothing."""


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Apply payments, round after round, each on a business day of its own."""
    n = race.sizes.n
    async with station(race.track, PAYMENT, "cash") as one, Cashier.opened(one.database.url) as cashier:
        ours, naive = _Ours(one, n), _Naive(cashier, fewer(n), INVOICES_PER_PAYMENT * n)
        with race.bar(NAME, race.sizes.rounds) as bar:
            bar.tell("issuing invoices")
            await ours.open()
            await naive.open()
            rounds = await contest(race, {NAME: ours.apply, _PER_PAYMENT: naive.apply}, bar)
        case = Case(NAME, "payments", rounds[NAME], {_PER_PAYMENT: rounds[_PER_PAYMENT]}, (Target(14, 20, 60, _PER_PAYMENT),))
        case.differences += await ours.differences() + await naive.differences()
        case.notes["open_invoices"] = INVOICES_PER_PAYMENT * n
    return [case]


class _Ours:
    """The payment service, with the policy that the mix asks for."""

    def __init__(self, one: Station, n: int) -> None:
        self._station = one
        self._n = n
        self._mix, self._teller, self._outcome = Mix(INVOICES_PER_PAYMENT * n), Teller(), Outcome()

    async def open(self) -> None:
        """Put the policy in force, and issue all invoices that are open at once."""
        async with self._station.database.transaction() as db:
            on, now = OPENS_ON - timedelta(days=7), datetime.fromtimestamp(0, UTC)
            policy = await policies.insert_policy(
                db, ENTITY, "cash_application", on, _POLICY, proposed_by="bench-maker", proposed_on=on, now=now
            )
            await policies.approve_policy(db, policy, decided_by="bench-checker", decided_on=on, now=now)
        await self._owe(INVOICES_PER_PAYMENT * self._n)

    async def apply(self) -> Round:
        """Take the next payments in; only that is timed. As many invoices as they may pay were issued before, on the day before."""
        await self._owe(2 * self._n)
        await turn(self._station)
        payments = self._mix.pay(self._n)
        records = self._station.receive(self._teller.book(payments))
        await self._station.database.pool.execute("TRUNCATE chassis.outbox")
        await self._station.database.pool.execute("ANALYZE")
        with as_a_service():
            seconds = await self._station.take(records)
        self._outcome.pay(payments)
        return Round(self._n, seconds)

    async def differences(self) -> list[str]:
        """Say where the books are not what one payment after the other would have made of them."""
        pool = self._station.database.pool
        items = await pool.fetch("SELECT item, open_minor FROM chk.item")
        receipts = await pool.fetch("SELECT receipt, applied_minor, unapplied_minor + on_account_minor FROM chk.receipt")
        aside = await pool.fetchval("SELECT (SELECT count(*) FROM chk.parked) + (SELECT count(*) FROM chk.refused)")
        found = self._outcome.differs_from(dict(map(tuple, items)), {row[0]: (row[1], row[2]) for row in receipts})
        return found + ([f"{aside} records were set aside"] if aside else [])

    async def _owe(self, n: int) -> None:
        owed = self._mix.owe(n)
        await self._station.take(self._station.receive(self._teller.bill(owed)))
        self._outcome.owe(owed)


class _Naive:
    """The service beside it, with invoices and payments of its own."""

    def __init__(self, cashier: Cashier, n: int, invoices: int) -> None:
        self._cashier = cashier
        self._n = n
        self._invoices = invoices
        self._mix, self._teller, self._outcome = Mix(invoices), Teller(), Outcome()

    async def open(self) -> None:
        """Issue as many invoices as ours has."""
        await self._owe(self._invoices)

    async def apply(self) -> Round:
        """Take the next payments in."""
        await self._owe(2 * self._n)
        payments = self._mix.pay(self._n)
        done = await self._cashier.take(self._teller.book(payments))
        self._outcome.pay(payments)
        return done

    async def differences(self) -> list[str]:
        """Say the same of its books."""
        return [f"naive: {one}" for one in self._outcome.differs_from(*await self._cashier.books())]

    async def _owe(self, n: int) -> None:
        owed = self._mix.owe(n)
        await self._cashier.owe(owed)
        self._outcome.owe(owed)


async def turn(one: Station) -> None:
    """Meet the markers of the next day in every partition, and turn it."""
    async with one.database.transaction() as db:
        day = await db.fetchval("SELECT open_on FROM chassis.day WHERE entity = $1", ENTITY) + timedelta(days=1)
        await db.execute(
            """
            INSERT INTO chassis.met (topic, partition, entity, day)
            SELECT topic, partition, $2, $3 FROM unnest($1::text[]) AS topic, generate_series(0, $4::int - 1) AS partition
            ON CONFLICT (topic, partition, entity) DO UPDATE SET day = excluded.day
            """,
            list(one.service.subscriptions.topics),
            ENTITY,
            day,
            PARTITIONS,
        )
    await one.worker.turner.turn_all_due()
