"""One run: cluster up, load on, strokes one after the other under watch, then heal, settle, come to rest and audit."""

import asyncio
import contextlib
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from torture.check import audit, sampler_of
from torture.figures import MUST_HAPPEN, Figures, availability, recoveries_by_kind
from torture.load import History, Load, NotSettled, Oracle, World
from torture.load.poison import CATALOGUE
from torture.nemesis.kind import Ground
from torture.nemesis.plan import Stroke, plan
from torture.nemesis.strike import Struck, heal_all, strike
from torture.quiesce import NotAtRest, Rest, quiesce
from torture.rig.cluster import Cluster
from torture.rig.disk import SmallDisk
from torture.standing import Standing
from torture.watch import Watch

RATE_PER_S: Final = 30.0
DAY_EVERY_S: Final = 8.0
WARM_UP_S: Final = 3.0
KAFKA_DISK_MIB, POSTGRES_DISK_MIB = 1500, 1500


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of run: the seed decides everything that is random."""

    seed: int
    faults: int
    is_long: bool = False
    disks: bool = False
    only: Sequence[str] = ()
    rate_per_s: float = RATE_PER_S
    code: Path | None = None
    needs_counts: bool = True


@dataclass(slots=True)
class Course:
    """What happened so far in a run."""

    strokes: list[Struck] = field(default_factory=list)
    rest: Rest | None = None
    broken: list[str] = field(default_factory=list)


Tell = Callable[[str, int, int], None]
"""(a line, faults done, faults planned)"""


async def run(wish: Wish, folder: Path, tell: Tell) -> Figures:
    """
    Run once in a folder of its own, which holds logs and the history afterwards.

    :raises Trouble: the servers could not be brought up.
    """
    began_at = time.monotonic()
    strokes = plan(wish.seed, wish.faults, is_long=wish.is_long, disks=wish.disks, only=wish.only)
    world = World(wish.seed)
    disks = _small_disks(folder) if wish.disks else {}
    history = History(folder / "history.jsonl")
    cluster = Cluster(
        folder / "cluster",
        entities=world.declare(folder / "entities.toml"),
        code=wish.code,
        kafka_on=disks.get("kafka"),
        postgres_on=disks.get("postgres"),
    )
    try:
        tell("starting Kafka, PostgreSQL and seven service processes", 0, wish.faults)
        await cluster.start()
        ground = Ground(cluster, Random(f"ground {wish.seed}"), disks, poisons_left=list(CATALOGUE))
        load, watch, course = Load(cluster, world, history, wish.seed), Watch(cluster), Course()
        await _torture(wish, strokes, ground, load, watch, course, tell)
        tell("auditing the books", wish.faults, wish.faults)
        oracle = Oracle.of(history, ground.poisoned)
        report = await audit(cluster, oracle)
        course.broken += [str(one) for one in (*watch.findings, *report.findings)] + list(oracle.surprises)
        course.broken += [f"never definite: {one}" for one in oracle.undecided]
        course.broken += ground.troubles
        counts = _counts(ground, load, watch, report.duplicates_in_kafka, report.redriven) + Counter(report.seen)
        invalid = [f"never seen: {name}" for name in MUST_HAPPEN if not counts[name]] if wish.needs_counts else []
        return Figures(
            wish.seed,
            _commit(),
            dict(ground.struck),
            round(time.monotonic() - began_at, 1),
            history.totals(),
            dict(counts),
            report.to_json(),
            recoveries_by_kind(course.strokes),
            round(course.rest.seconds, 1) if course.rest else None,
            availability(watch.probes, course.strokes),
            watch.samples,
            course.broken,
            invalid,
        )
    finally:
        await sampler_of(cluster).close()
        await cluster.stop()
        history.close()


async def _torture(wish: Wish, strokes: Sequence[Stroke], ground: Ground, load: Load, watch: Watch, course: Course, tell: Tell) -> None:
    standing = Standing(ground.cluster)
    try:
        async with _under(load, watch, wish.rate_per_s):
            await asyncio.sleep(WARM_UP_S)
            done = 0
            for stroke in strokes:
                course.strokes.append(await strike(ground, stroke, standing.since_now, lambda line: tell(line, done, wish.faults)))  # noqa: B023
                done += len(stroke.wounds)
            tell("healing everything", done, wish.faults)
            await heal_all(ground)
        await load.settle()
        await load.start_day()
        tell("waiting for everything to come to rest", done, wish.faults)
        course.rest = await quiesce(standing)
    except NotAtRest as error:
        course.broken.append(str(error))
    except NotSettled as error:
        course.broken.append(str(error))
    finally:
        await standing.close()
        await load.close()


@asynccontextmanager
async def _under(load: Load, watch: Watch, rate_per_s: float) -> AsyncIterator[None]:
    """Keep load, business days and watch going for as long as the block takes."""
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(load.run(stop, rate_per_s), name="load"),
        asyncio.create_task(_start_days(load, stop), name="days"),
        asyncio.create_task(watch.run(stop), name="watch"),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def _start_days(load: Load, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), DAY_EVERY_S)
        if not stop.is_set():
            await load.start_day()


def _counts(ground: Ground, load: Load, watch: Watch, duplicates_in_kafka: int, redriven: int) -> Counter[str]:
    """Everything seen to happen, under the names of MUST_HAPPEN and others."""
    cut: Counter[str] = Counter()
    for name in ground.cluster.names:
        cut += ground.cluster.link(name, "kafka").cut + ground.cluster.link(name, "postgres").cut
    built = watch.figure("receivables_producers_built_total")
    return Counter(ground.counts) + Counter(
        {
            "duplicate delivered": watch.figure("receivables_records_total", outcome="duplicate"),
            "rebalance with a batch in flight": watch.figure("receivables_rebalances_total", batch="in flight"),
            "ambiguous COMMIT that had applied": cut["commit.after"],
            "ambiguous COMMIT that had not applied": cut["commit.before"],
            "ambiguous produce that had appended": cut["produce.after"],
            "ambiguous produce that had not appended": cut["produce.before"],
            "fact twice in Kafka": duplicates_in_kafka,
            "producer rebuilt": max(0, built - len(ground.cluster.names)),
            "batch bisected": watch.figure("receivables_batches_bisected_total"),
            "key parked and redriven": redriven,
            "answered from the idempotency store": watch.figure("receivables_commands_replayed_total"),
            "request cut by its client": load.counts["request cut by its client"],
            "command begun again": watch.figure("receivables_command_retries_total"),
            "record held behind a marker": watch.figure("receivables_records_total", outcome="held"),
            "record refused": watch.figure("receivables_records_total", outcome="refused"),
            "record parked": watch.figure("receivables_records_total", outcome="parked"),
        }
    )


def _small_disks(folder: Path) -> dict[str, SmallDisk]:
    return {
        "kafka": SmallDisk(folder / "disk-kafka", KAFKA_DISK_MIB),
        "postgres": SmallDisk(folder / "disk-postgres", POSTGRES_DISK_MIB),
    }


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return told.stdout.strip() or "unknown"
