"""Faults of what comes over the wire: poison, our own facts again, a group that forgets or is never still, an operator's redrive."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from torture.cancellation import EndedByItself, only_our_own
from torture.check.topology import HEARS
from torture.load.poison import Poison, before_its_predecessor, publish
from torture.nemesis.kind import Ground, Heal, nothing_to_heal
from torture.nemesis.processes import bring_back

REPEATED = 60
AT_ONCE = 40
STORM_EVERY_S = 2.0
LEAVE_S_MAX = 10.0
HEARD_S = 1.5


async def poison(ground: Ground, target: str) -> Heal:
    """Publish records that nobody can use, forty kinds at once."""
    chosen: Sequence[Poison] = ground.random.sample(ground.poisons_left, min(len(ground.poisons_left), AT_ONCE))
    for one in chosen:
        ground.poisons_left.remove(one)
    ground.poisoned += await publish(ground.cluster.bootstrap, chosen)
    ground.counts["poison published"] += len(chosen)
    return nothing_to_heal


async def publish_again(ground: Ground, target: str) -> Heal:
    """Publish a stretch of a domain topic once more, byte for byte, as a relay that lost its acknowledgement would."""
    consumer = AIOKafkaConsumer(bootstrap_servers=ground.cluster.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    producer = AIOKafkaProducer(bootstrap_servers=ground.cluster.bootstrap, acks="all")
    await asyncio.gather(consumer.start(), producer.start())
    try:
        partitions = [TopicPartition(target, p) for p in range(ground.cluster.partitions)]
        ends = await consumer.end_offsets(partitions)
        chosen = max(partitions, key=lambda partition: ends[partition])
        if ends[chosen]:
            consumer.assign([chosen])
            consumer.seek(chosen, ground.random.randrange(max(1, ends[chosen] - REPEATED)))
            await consumer.getmany(chosen, timeout_ms=200, max_records=1)  # The first fetch brings little.
            records = await consumer.getmany(chosen, timeout_ms=2000, max_records=REPEATED)
            for one in itertools.chain.from_iterable(records.values()):
                await producer.send_and_wait(target, value=one.value, key=one.key, partition=one.partition, headers=list(one.headers))
                ground.counts["fact published again"] += 1
    finally:
        await asyncio.gather(consumer.stop(), producer.stop())
    return nothing_to_heal


async def forget_offsets(ground: Ground, target: str) -> Heal:
    """With all of a service's processes gone, set its group back to the start: the truth is the position table, not the group."""
    instances = [name for name in ground.cluster.names if name.startswith(f"{target}-")]
    for name in instances:
        ground.cluster.instance(name).kill()
    await asyncio.sleep(2.0)  # The group has to lose them first: it takes no offsets from outside before.
    with contextlib.suppress(KafkaError, EndedByItself), only_our_own():
        async with _member(ground, target, subscribe=False) as client:
            partitions = [TopicPartition(topic, p) for topic in HEARS[target] for p in range(ground.cluster.partitions)]
            await client.commit(dict.fromkeys(partitions, 0))
            ground.counts["group set back to the start"] += 1

    async def start() -> None:
        for name in instances:
            await bring_back(ground, name)

    return start


async def storm(ground: Ground, target: str) -> Heal:
    """A stranger joins and leaves the group of a service every two seconds: one rebalance after the other."""
    stopping = asyncio.Event()

    async def blow() -> None:
        while not stopping.is_set():
            with contextlib.suppress(KafkaError, TimeoutError, OSError, EndedByItself), only_our_own():
                async with asyncio.timeout(15), _member(ground, target, subscribe=True):
                    ground.counts["stranger in the group"] += 1
                    await asyncio.sleep(STORM_EVERY_S / 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), STORM_EVERY_S / 2)

    blowing = asyncio.create_task(blow())

    async def calm() -> None:
        stopping.set()
        await blowing

    return calm


async def redrive(ground: Ground, target: str) -> Heal:
    """Have an operator redrive all that is set aside, while everything else goes on; there is something that can go now."""
    ground.poisoned += await publish(ground.cluster.bootstrap, [before_its_predecessor(f"redriven-{len(ground.poisoned)}")])
    await asyncio.sleep(HEARD_S)
    token = ground.cluster.token("operator-1", ["operator"])
    url = ground.cluster.url(f"{target}-1")
    with contextlib.suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=20, trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
            for what in ("parked", "refused"):
                answer = await http.get(f"{url}/v1/{what}")
                for one in answer.json()[:20] if answer.status_code == 200 else ():
                    done = await http.post(f"{url}/v1/{what}/{one['id']}/redrive")
                    ground.counts["redriven by an operator"] += done.status_code == 200
    return nothing_to_heal


@asynccontextmanager
async def _member(ground: Ground, service: str, *, subscribe: bool) -> AsyncIterator[AIOKafkaConsumer]:
    client = AIOKafkaConsumer(
        *(HEARS[service] if subscribe else ()),
        bootstrap_servers=ground.cluster.bootstrap,
        group_id=f"receivables-{service}",
        enable_auto_commit=False,
        session_timeout_ms=1500,
        heartbeat_interval_ms=500,
    )
    try:  # Cut short it may have joined all the same: left alone, it would keep its partitions for as long as the rig runs.
        await client.start()
        yield client
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(client.stop(), LEAVE_S_MAX)
