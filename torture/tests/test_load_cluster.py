"""The load and all poison against a real cluster that nobody hurts: it ends as the oracle says, each poison as it promises."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from torture.check import audit, sampler_of
from torture.check.books import Books, ReturnFee, read_books
from torture.check.expected import Outcome
from torture.check.ledger_rows import Exchanged, LedgerItem, Receipt
from torture.check.topology import HEARS, SERVICES
from torture.load import History, Load, Oracle, World
from torture.load.poison import CATALOGUE, Poisoned, publish
from torture.load.poison.envelope import NO_CLOUDEVENT
from torture.load.publisher import Place
from torture.quiesce import quiesce
from torture.rig.cluster import Cluster
from torture.standing import Standing

LOAD_S = 18
RATE_PER_S = 20


@dataclass(frozen=True)
class Aside:
    """What each service has set aside: the codes of refusals and the reasons of what is parked, by place."""

    refused: Mapping[str, Mapping[Place, set[str]]]
    parked: Mapping[str, Mapping[Place, str]]


async def played(cluster: Cluster, world: World, history: History) -> list[Poisoned]:
    """Play some seconds over three business days and all of the catalogue, and come to rest."""
    load, stop = Load(cluster, world, history, seed=1), asyncio.Event()
    running = asyncio.create_task(load.run(stop, RATE_PER_S))
    await load.start_day()
    poisoned = await publish(cluster.bootstrap, CATALOGUE)
    await asyncio.sleep(LOAD_S / 2)
    await load.start_day()
    await asyncio.sleep(LOAD_S / 2)
    stop.set()
    await running
    await load.settle()
    await load.start_day()
    await load.close()
    assert history.totals()["info"] == 0
    assert history.totals()["ok"] > LOAD_S * RATE_PER_S / 2
    assert load.counts["request cut by its client"] and load.counts["held to the end"]
    standing = Standing(cluster)
    await quiesce(standing)
    await standing.close()
    return poisoned


async def rows(cluster: Cluster, service: str, query: str) -> list[asyncpg.Record]:
    db = await asyncpg.connect(cluster.admin_dsn(service))
    try:
        found: list[asyncpg.Record] = await db.fetch(query)
        return found
    finally:
        await db.close()


async def set_aside(cluster: Cluster) -> Aside:
    refused: dict[str, dict[Place, set[str]]] = {}
    parked: dict[str, dict[Place, str]] = {}
    for service in HEARS:
        found = await rows(cluster, service, 'SELECT topic, partition, "offset", reasons FROM chk.refused')
        refused[service] = {(r["topic"], r["partition"], r["offset"]): {one["code"] for one in json.loads(r["reasons"])} for r in found}
        found = await rows(cluster, service, """SELECT topic, partition, "offset", reason FROM chk.parked WHERE state = 'parked'""")
        parked[service] = {(r["topic"], r["partition"], r["offset"]): r["reason"] for r in found}
    return Aside(refused, parked)


def wrong_outcomes(poisoned: list[Poisoned], aside: Aside) -> list[str]:
    """Say which poisons came to something else than they promise."""
    wrong = []
    for one in poisoned:
        name, dose = one.poison.name, one.dose
        if dose.outcome is None:
            wrong += [f"{name}: the broker took it"] if one.places else []
            continue
        (place,) = one.places
        refused = {service: codes[place] for service, codes in aside.refused.items() if place in codes}
        parked = {service: reasons[place] for service, reasons in aside.parked.items() if place in reasons}
        hearing = {service for service, topics in HEARS.items() if place[0] in topics}
        if dose.outcome is Outcome.REFUSED:
            is_right = bool(refused) and not parked and all(dose.reason in codes for codes in refused.values())
            is_right &= dose.reason != NO_CLOUDEVENT or refused.keys() == hearing
        elif dose.outcome is Outcome.PARKED:
            is_right = bool(parked) and not refused and set(parked.values()) == {dose.reason}
            is_right &= dose.reason not in ("unreadable", "gap", "behind") or parked.keys() == hearing
        else:
            is_right = not refused and not parked
        wrong += [] if is_right else [f"{name} should be {dose.outcome} ({dose.reason}): refused {refused}, parked {parked}"]
    return wrong


def unexpected(oracle: Oracle, aside: Aside) -> list[str]:
    """Say what was set aside though nobody sent it for that, and which refusals did not come, or came twice."""
    expected = {one.place for one in oracle.poisons}
    found = [
        f"{service} {place} {why}"
        for by_place in (aside.refused, aside.parked)
        for service, places in by_place.items()
        for place, why in places.items()
        if place not in expected
    ]
    told = defaultdict(list)
    for one in oracle.poisons:
        if " op-" in one.kind:
            told[one.kind].append(one.place)
    for kind, places in told.items():
        codes = [reasons[place] for reasons in aside.refused.values() for place in places if place in reasons]
        found += [] if len(codes) == 1 and kind.split()[0] in codes[0] else [f"{kind} at {places}: {codes}"]
    return found


def seen_to_happen(oracle: Oracle, books: Books) -> Mapping[str, int]:
    """Count what has to have happened for a run to say anything about cash application."""
    receipts = books.rows("payment", Receipt)
    return {
        "nobody's money": sum(one.account is None for one in receipts),
        "discounts": sum(one.discounted_minor > 0 for one in books.rows("payment", LedgerItem)),
        "returns": sum(one.returned_minor > 0 for one in receipts),
        "fees": len(books.rows("invoice", ReturnFee)),
        "refunds": sum(one.status == "approved" for one in oracle.refunds.values()),
        "what people took off": sum(one.pinned_minor > 0 for one in receipts),
        "exchange": len(books.rows("payment", Exchanged)),
        "voids": len(oracle.voided),
        "write-offs": sum(one.status == "approved" for one in oracle.adjustments.values()),
    }


@pytest.mark.torture
@pytest.mark.db
@pytest.mark.kafka
async def test_everything_ends_as_the_oracle_says(tmp_path: Path) -> None:
    """D1 and M5 with nobody hurting anything: what is found here is a mistake of the load or of the oracle, not of the spine."""
    world, history = World(1), History(tmp_path / "history.jsonl")
    async with Cluster(tmp_path / "cluster", entities=world.declare(tmp_path / "entities.toml")) as cluster:
        oracle = Oracle.of(history, poisoned := await played(cluster, world, history))
        history.close()
        assert not oracle.surprises
        assert not oracle.undecided
        aside = await set_aside(cluster)
        assert not wrong_outcomes(poisoned, aside)
        assert not unexpected(oracle, aside)
        report = await audit(cluster, oracle)
        await sampler_of(cluster).close()
        assert [str(finding) for finding in report.findings] == []
        books = await read_books({service: cluster.dsn(service) for service in SERVICES})
        assert [what for what, times in seen_to_happen(oracle, books).items() if not times] == []
