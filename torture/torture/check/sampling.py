"""
The invariants that hold at any moment, asked of every database that answers, cheaply enough for every few seconds.

Each statement returns the rows that break an invariant, as (where, what); no row is as it should be. The same rules stand as functions in
`invariants`, where they see all databases and the log at rest.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg.exceptions import InterfaceError, InternalClientError, PostgresError

from torture.check.finding import Finding, Harm
from torture.check.topology import HEARS, OWNER_OF, SERVICES
from torture.check.vitals import Vital, Vitals, complaints_in, look_at, tracebacks_in
from torture.rig.cluster import Cluster

DATABASE_S_MAX: Final = 8.0
IDLE_S_MAX: Final = 90
"""A stopped process may leave a transaction standing; the services have Postgres end it after 60 s."""
POOL: Final = 12
"""Connections one process may have: a pool of ten, its relay's own, and one that is just being replaced."""
OURS: Final = "checker"
_GONE: Final = (OSError, TimeoutError, PostgresError, InterfaceError, InternalClientError)

_SETTLEMENT: Final[Mapping[str, str]] = {
    "M1": """
        SELECT coalesce(item.item, applied.item), format('total %s, open %s, settled %s, credited %s, applied %s and %s',
            total_minor, open_minor, settled_minor, credited_minor, applied.settled, applied.credited)
        FROM chk.item FULL JOIN (
            SELECT item, coalesce(sum(amount_minor) FILTER (WHERE source_kind = 'receipt'), 0) AS settled,
                coalesce(sum(amount_minor) FILTER (WHERE source_kind = 'memo'), 0) AS credited
            FROM chk.application GROUP BY item
        ) AS applied ON applied.item = item.item
        WHERE item.item IS NULL
            OR total_minor <> open_minor + settled_minor + credited_minor + adjusted_minor + allowed_minor + voided_minor
            OR settled_minor <> coalesce(applied.settled, 0) OR credited_minor <> coalesce(applied.credited, 0)
        UNION ALL
        SELECT item, format('written off %s, its adjustments %s', adjusted_minor, sums.posted_minor)
        FROM chk.item LEFT JOIN (SELECT item, sum(posted_minor) AS posted_minor FROM chk.adjustment GROUP BY item) AS sums USING (item)
        WHERE adjusted_minor <> coalesce(sums.posted_minor, 0)
        UNION ALL
        SELECT item, format('allowed %s, discounted %s, its allowances %s and %s', allowed_minor, discounted_minor, allowed, discounted)
        FROM chk.item LEFT JOIN (
            SELECT item, sum(amount_minor) AS allowed,
                coalesce(sum(amount_minor) FILTER (WHERE kind IN ('earned', 'unearned')), 0) AS discounted
            FROM chk.allowance GROUP BY item
        ) AS sums USING (item)
        WHERE allowed_minor <> coalesce(allowed, 0) OR discounted_minor <> coalesce(discounted, 0)
    """,
    "M2": "SELECT item, format('open %s of %s', open_minor, total_minor) FROM chk.item WHERE open_minor < 0 OR open_minor > total_minor",
    "M3": """
        SELECT receipt, format('amount %s, unidentified %s, unapplied %s, on account %s of which pinned %s, applied %s, left %s and %s',
            amount_minor, unidentified_minor, unapplied_minor, on_account_minor, pinned_minor, applied_minor, refunded_minor,
            returned_minor)
        FROM chk.receipt
        WHERE amount_minor <> unidentified_minor + unapplied_minor + on_account_minor + applied_minor + refunded_minor + returned_minor
                + transferred_minor
            OR least(unidentified_minor, unapplied_minor, on_account_minor, applied_minor, refunded_minor, returned_minor, pinned_minor,
                transferred_minor) < 0
            OR pinned_minor > on_account_minor
            OR (returned_minor > 0 AND returned_minor + refunded_minor + transferred_minor <> amount_minor)
        UNION ALL
        SELECT receipt.receipt, format('transferred %s, its transfers %s', transferred_minor, coalesce(sums.amount_minor, 0))
        FROM chk.receipt LEFT JOIN (
            SELECT from_receipt, sum(amount_minor) AS amount_minor FROM chk.transfer GROUP BY from_receipt
        ) AS sums ON sums.from_receipt = receipt.receipt
        WHERE transferred_minor <> coalesce(sums.amount_minor, 0)
    """,
    "M4": """
        SELECT memo, format('total %s, remaining %s, applied %s', total_minor, remaining_minor, applied_minor) FROM chk.memo
        WHERE total_minor <> remaining_minor + applied_minor OR least(remaining_minor, applied_minor) < 0
    """,
    "A2": """
        SELECT adjustment, format('%s stands of it, approved were %s', posted_minor, approved_minor) FROM chk.adjustment
        WHERE posted_minor NOT BETWEEN 0 AND approved_minor
        UNION ALL
        SELECT refund, format('%s by %s, who asked for it', status, decided_by) FROM chk.refund
        WHERE status IN ('approved', 'rejected') AND decided_by = requested_by
    """,
    "M8": """
        SELECT entry::text, format('its legs add up to %s', sum(amount_minor)) FROM chk.entry
        GROUP BY entry HAVING sum(amount_minor) <> 0
    """,
}
_FOREIGN_ITEMS: Final = "SELECT item, format('stands under %s', entity) FROM chk.item WHERE NOT starts_with(item, entity || '|')"
_PROJECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "payment": _SETTLEMENT,
    "invoice": {
        "A2": """
            SELECT adjustment, format('%s by %s, who asked for it', status, decided_by) FROM chk.adjustment
            WHERE status NOT IN ('pending', 'withdrawn', 'expired') AND decided_by = requested_by
        """,
        "D1": "SELECT document, format('is there %s times', count(*)) FROM chk.document GROUP BY document HAVING count(*) > 1",
    },
    "credit": {
        "M6": """
            SELECT entity || '|' || account, format('exposure %s of %s', exposure_minor, currency) FROM chk.exposure
            WHERE exposure_minor <> open_minor - on_account_minor - memo_minor
        """,
    },
    "dunning": {
        "S1": _FOREIGN_ITEMS,
        "W1": """
            SELECT notice, format('asks for %s, its items for %s', total_minor, items_minor) FROM chk.notice
            WHERE total_minor <> items_minor
        """,
    },
    "reporting": {
        "S1": _FOREIGN_ITEMS,
        "M5": """
            SELECT entity || '|' || account, format('balance %s of %s', balance_minor, currency) FROM chk.balance
            WHERE balance_minor <> open_minor - unapplied_minor - on_account_minor
        """,
    },
}
_IDLE: Final = """
    SELECT pid::text, format('idle in a transaction for %s s', round(extract(epoch FROM clock_timestamp() - state_change)))
    FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND state LIKE 'idle in transaction%'
        AND clock_timestamp() - state_change > make_interval(secs => $1)
"""
_CONNECTIONS: Final = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND application_name <> $1
"""


@dataclass(slots=True)
class Seen:
    """One look at one database."""

    findings: list[Finding]
    positions: dict[tuple[str, int], int]
    heard: dict[tuple[str, str], int]
    days: dict[str, date]
    connections: int


@dataclass(slots=True, eq=False)
class Sampler:
    """
    Looks at one cluster again and again, and remembers what must not go back.

    `unanswered` counts databases that did not answer in time; `looks` are those at the processes.
    """

    cluster: Cluster
    unanswered: Counter[str] = field(default_factory=Counter)
    looks: list[Vital] = field(default_factory=list)
    connections: dict[str, int] = field(default_factory=dict)
    _open: dict[str, asyncpg.Connection] = field(default_factory=dict)
    _highest: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    async def sample(self) -> list[Finding]:
        """Ask every database once and look at every process; what a database says is of one snapshot."""
        self._look_at_processes()
        seen = await asyncio.gather(*(self._ask(service) for service in SERVICES))
        answered = {service: one for service, one in zip(SERVICES, seen, strict=True) if one is not None}
        heads = await asyncio.gather(*(self._heads(service) for service in SERVICES))  # Later than what was heard of them.
        findings = [finding for one in answered.values() for finding in one.findings]
        findings += self._overheard(answered, dict(zip(SERVICES, heads, strict=True)))
        for service, one in answered.items():
            self.connections[service] = one.connections
            findings += self._went_back("E6", service, one.positions)
            findings += self._went_back("W1", service, one.days)
        return findings

    def vitals(self) -> Vitals:
        """Return all looks so far, and what the logs of the processes complain of."""
        logs = {name: self.cluster.instance(name).log for name in self.cluster.names}
        instances = Counter(name.partition("-")[0] for name in self.cluster.names)
        return Vitals(
            looks=tuple(self.looks),
            connections=dict(self.connections),
            pools={service: POOL * n for service, n in instances.items()},
            complaints={name: tuple(complaints_in(log)) for name, log in logs.items()},
            tracebacks={name: tracebacks_in(log) for name, log in logs.items()},
        )

    async def close(self) -> None:
        """Close the connections."""
        for service in list(self._open):
            self._drop(service)

    def _look_at_processes(self) -> None:
        now = time.monotonic()
        for name in self.cluster.names:
            pid = self.cluster.instance(name).pid
            if pid is not None and (look := look_at(name, pid, now)) is not None:
                self.looks.append(look)

    async def _ask(self, service: str) -> Seen | None:
        try:
            async with asyncio.timeout(DATABASE_S_MAX):
                db = await self._connection(service)
                await db.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                seen = await _look(db, service)
                await db.execute("COMMIT")
                return seen
        except _GONE:  # The connection is dropped: a rollback would wait, without a bound, for a server that has stopped.
            self._drop(service)
            self.unanswered[service] += 1
            return None

    async def _heads(self, service: str) -> dict[tuple[str, str], int] | None:
        try:
            async with asyncio.timeout(DATABASE_S_MAX):
                rows = await (await self._connection(service)).fetch("SELECT topic, key, sequence FROM chk.stream_head")
                return {(row["topic"], row["key"]): row["sequence"] for row in rows}
        except _GONE:
            self._drop(service)
            return None

    async def _connection(self, service: str) -> asyncpg.Connection:
        if service not in self._open:
            self._open[service] = await asyncpg.connect(
                self.cluster.dsn(service),
                timeout=DATABASE_S_MAX,
                server_settings={"application_name": OURS, "max_parallel_workers_per_gather": "0"},  # Looking is in no hurry.
            )
        return self._open[service]

    def _drop(self, service: str) -> None:
        if (db := self._open.pop(service, None)) is not None:
            db.terminate()

    def _overheard(self, answered: Mapping[str, Seen], heads: Mapping[str, Mapping[tuple[str, str], int] | None]) -> list[Finding]:
        """E3: nobody has heard more of a key than was said. Keys never said at all are left to the end: they may be poison."""
        found = []
        for service, one in answered.items():
            for (topic, key), sequence in one.heard.items():
                said = heads[OWNER_OF[topic]]
                if topic in HEARS[service] and said is not None and (topic, key) in said and sequence > said[topic, key]:
                    what = f"heard up to {sequence}, said up to {said[topic, key]}"
                    found.append(Finding("E3", f"{service} {topic} {key}", what, Harm.DOUBLE))
        return found

    def _went_back(self, invariant: str, service: str, now: Mapping[Any, Any]) -> list[Finding]:
        found = []
        for name, value in now.items():
            before = self._highest.get((invariant, service, name))
            if before is not None and value < before:
                found.append(Finding(invariant, f"{service} {name}", f"was at {before}, is at {value}", Harm.LOST))
            self._highest[invariant, service, name] = value
        return found


async def _look(db: asyncpg.Connection, service: str) -> Seen:
    findings = [
        Finding(invariant, f"{service} {where}", what)
        for invariant, statement in _PROJECTIONS[service].items()
        for where, what in await db.fetch(statement)
    ]
    findings += [Finding("O1", f"{service} backend {where}", what) for where, what in await db.fetch(_IDLE, IDLE_S_MAX)]
    positions = await db.fetch("SELECT topic, partition, next_offset FROM chk.position")
    heard = await db.fetch("SELECT topic, key, sequence FROM chk.stream_seen")
    days = await db.fetch("SELECT entity, open_on FROM chk.day")
    return Seen(
        findings,
        {(row["topic"], row["partition"]): row["next_offset"] for row in positions},
        {(row["topic"], row["key"]): row["sequence"] for row in heard},
        {row["entity"]: row["open_on"] for row in days},
        await db.fetchval(_CONNECTIONS, OURS),
    )


_SAMPLERS: "WeakKeyDictionary[Cluster, Sampler]" = WeakKeyDictionary()


def sampler_of(cluster: Cluster) -> Sampler:
    """Return the one sampler of a cluster: what it saw earlier is needed to say what went back or grew."""
    return _SAMPLERS.setdefault(cluster, Sampler(cluster))


async def sample(cluster: Cluster) -> list[Finding]:
    """Ask every database that answers for the invariants that hold at any moment; what does not answer is left out and counted."""
    return await sampler_of(cluster).sample()
