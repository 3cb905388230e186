"""The audit at the end: take all evidence at rest, then ask every invariant."""

import asyncio
import time
from random import Random

from torture.check.asking import Asker
from torture.check.books import read_books
from torture.check.evidence import Evidence
from torture.check.expected import Expected
from torture.check.invariants import findings
from torture.check.report import Report, report_of
from torture.check.sampling import sampler_of
from torture.check.topology import SERVICES
from torture.check.wire import read_log
from torture.rig.cluster import Cluster


async def audit(cluster: Cluster, expected: Expected, *, seed: int = 0) -> Report:
    """
    Look at everything, at rest: log, books, answers, processes. Changes the books by one invoice of its own account at the very end.

    Commands are sent again before the books are read, so that an effect of that would be found; the log is read before the books, so that
    a group offset beyond a position is no matter of timing.

    :raises LogUnreadable: Kafka does not hand over what it says it has.
    """
    began_at = time.monotonic()
    sampler = sampler_of(cluster)
    last = await sampler.sample()
    async with Asker.of(cluster) as asker:
        replays = await asker.replays(expected.commands, Random(seed))
        log = await read_log(cluster.bootstrap, [poison.place for poison in expected.poisons])
        books = await read_books({service: cluster.dsn(service) for service in SERVICES})
        aging = await asker.aging(books)
        rush = await asker.rush(books)
        vitals = await asyncio.to_thread(sampler.vitals)
        evidence = Evidence(books, log, expected, aging, replays, [rush] if rush else [], vitals)
        found = await asyncio.to_thread(findings, evidence)
        seconds = round(time.monotonic() - began_at, 1)
        return report_of(evidence, [*last, *asker.findings, *found], unanswered=sampler.unanswered, seconds=seconds)
