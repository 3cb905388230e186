"""Topics: which there are, how they are kept, and clean ones for clean books."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError
from events.topics import DOMAIN, TOPICS

from launcher.blocking import wait_for
from launcher.trouble import Trouble

PARTITIONS = 12

_INGRESS_DAYS = 30  # Ingress carries personal data, so its retention is bounded; domain facts carry none and are kept for ever.
_SETTLED_SECONDS_MAX = 30.0
_POLL_SECONDS = 0.05
_REQUEST_MS = 20_000

Settled = Callable[[Mapping[str, list[int]]], bool]


class PartitionsDiffer(Trouble):
    """A topic exists with another number of partitions than the settings say."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(f"Topic {topic} has {found} partitions, the settings say {wanted}: run `make reset` for clean books.")


def ensure(bootstrap: str, names: Sequence[str] = TOPICS, *, partitions: int = PARTITIONS) -> None:
    """
    Create the topics that are missing, all in one request, and wait until every partition has a leader.

    :raises PartitionsDiffer: one exists in another shape.
    """
    wait_for(_ensure(bootstrap, names, partitions))


def recreate(bootstrap: str, names: Sequence[str] = TOPICS, *, partitions: int = PARTITIONS) -> None:
    """Delete the topics with all they hold and create them anew."""
    wait_for(_recreate(bootstrap, names, partitions))


def sizes(bootstrap: str) -> dict[str, int]:
    """Return the number of partitions of every topic that is not the broker's own."""
    return wait_for(read_sizes(bootstrap))


def coordinator_found(bootstrap: str) -> bool:
    """Say whether the broker answers for metadata and has a group coordinator."""
    return wait_for(look_for_coordinator(bootstrap))


def wait_until_answering(bootstrap: str) -> None:
    """
    Wait for a broker that somebody else started.

    :raises Trouble: it has no group coordinator within half a minute.
    """
    deadline = time.monotonic() + _SETTLED_SECONDS_MAX
    while not coordinator_found(bootstrap):
        if time.monotonic() > deadline:
            raise Trouble(f"The broker at {bootstrap} does not answer as Kafka does: look at its log.")
        time.sleep(_POLL_SECONDS)


async def look_for_coordinator(bootstrap: str) -> bool:
    """Do what `coordinator_found` does, from within a loop."""
    with _hushed():
        try:
            async with _admin(bootstrap) as admin:
                await admin.list_topics()
                await admin.find_coordinator("launcher")
        except (KafkaError, OSError):
            return False
    return True


async def read_sizes(bootstrap: str) -> dict[str, int]:
    """Do what `sizes` does, from within a loop."""
    async with _admin(bootstrap) as admin:
        return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics() if not topic["is_internal"]}


async def _ensure(bootstrap: str, names: Sequence[str], partitions: int) -> None:
    async with _admin(bootstrap) as admin:
        await _create(admin, names, partitions)


async def _recreate(bootstrap: str, names: Sequence[str], partitions: int) -> None:
    async with _admin(bootstrap) as admin:
        present = sorted(set(names) & set(await admin.list_topics()))
        if present:
            await admin.delete_topics(present)
            await _settle(admin, names, lambda topics: not topics)  # To create one again too soon would be refused.
        await _create(admin, names, partitions)


async def _create(admin: AIOKafkaAdminClient, names: Sequence[str], partitions: int) -> None:
    wanted = [NewTopic(name, partitions, 1, topic_configs={"retention.ms": _retention_ms(name)}) for name in names]
    answer: Any = await admin.create_topics(wanted)
    for name, code, reason in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise Trouble(f"Kafka refused to create topic {name} (error {code}: {reason}): read the broker's log.")
    await _settle(admin, names, lambda topics: set(topics) == set(names) and all(-1 not in leaders for leaders in topics.values()))
    for topic in await admin.describe_topics(list(names)):
        if len(topic["partitions"]) != partitions:
            raise PartitionsDiffer(topic["topic"], len(topic["partitions"]), partitions)


async def _settle(admin: AIOKafkaAdminClient, names: Sequence[str], settled: Settled) -> None:
    """Wait until the broker's own view of the topics, with the leaders of their partitions, is as wanted."""
    deadline = time.monotonic() + _SETTLED_SECONDS_MAX
    while True:
        described = [topic for topic in await admin.describe_topics() if topic["topic"] in names]
        if settled({topic["topic"]: [one["leader"] for one in topic["partitions"]] for topic in described}):
            return
        if time.monotonic() > deadline:
            raise Trouble(f"Kafka did not create or delete the topics within {_SETTLED_SECONDS_MAX:.0f} s: `make down`, then try again.")
        await asyncio.sleep(_POLL_SECONDS)


def _retention_ms(name: str) -> str:
    return "-1" if name in DOMAIN else str(_INGRESS_DAYS * 24 * 3600 * 1000)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep the client's complaints about a broker that is still starting off the terminal."""
    logger = logging.getLogger("aiokafka")
    before, logger.disabled = logger.disabled, True
    children = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("aiokafka.")]
    quiet = [child for child in children if not child.disabled]
    for child in quiet:
        child.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
        for child in quiet:
            child.disabled = False
