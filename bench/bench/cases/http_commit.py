"""One invoice a POST, committed with its fact, its audit row and its answer, beside a route of the same server that does nothing."""

import time
from collections.abc import Collection
from typing import Final

import asyncpg
import msgspec

from bench import scratch, web
from bench.case import Case, Round, Target
from bench.contest import contest
from bench.facts import Told
from bench.histogram import Histogram
from bench.invoice_api import NO_OP
from bench.race import Race

NAME: Final = "http_commit"
NAMES: Final = (NAME,)
_NO_OP: Final = "no_op"
_CONNECTIONS: Final = 32
_SHARE: Final = 10  # Of the events that the pipeline gets.


async def run(race: Race, wanted: Collection[str]) -> list[Case]:
    """Post over 32 kept connections, as fast as answers come."""
    case, told = Case(NAME, "invoices", targets=(Target(21, 0.5, 0.8, _NO_OP),)), Told()
    n = race.sizes.n // _SHARE
    headers = {"Authorization": f"Bearer {race.track.stack.token('bench', ['clerk'], now=int(time.time()))}"}
    case.latency = {"invoice": Histogram(), _NO_OP: Histogram()}

    async def post(port: int, path: str, kind: str, status: int) -> Round:
        bodies = [record.value for record in told.issue(n)]
        keys = [msgspec.json.decode(body)["document_no"] for body in bodies]
        requests = [web.post(path, body, {**headers, "Idempotency-Key": key}) for body, key in zip(bodies, keys, strict=True)]
        async with race.track.measured() as usage:
            answers = await web.ask_all(port, requests, _CONNECTIONS)
        for answer in answers:
            case.latency[kind].add(answer.seconds)
        if wrong := [answer for answer in answers if answer.status != status]:
            case.differences.append(f"{path}: {len(wrong)} of {n} were not answered {status}, one of them {wrong[0].status}")
        return usage.round_of(n)

    async with (
        scratch.database(race.track, "invoice", "http") as dsn,
        scratch.process(race.track, "invoice_api", ["bench.invoice_api"], dsn) as server,
    ):
        with race.bar(NAME, race.sizes.rounds) as bar:
            rounds = await contest(
                race,
                {
                    NAME: lambda: post(server.port, "/v1/invoices", "invoice", 201),
                    _NO_OP: lambda: post(server.port, NO_OP, _NO_OP, 200),
                },
                bar,
            )
        db = await asyncpg.connect(dsn)
        documents, facts = await db.fetchrow("SELECT (SELECT count(*) FROM chk.document), (SELECT rows FROM chk.unpublished)")
        await db.close()
    case.subject, case.references = rounds[NAME], {_NO_OP: rounds[_NO_OP]}
    if (documents, facts) != (case.latency["invoice"].n,) * 2:
        case.differences.append(f"{documents} documents and {facts} facts instead of {case.latency['invoice'].n} of both")
    return [case]
