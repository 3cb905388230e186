"""Requests seen while bytes pass: in streams cut anywhere, and in those that real servers and clients exchange."""

import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from launcher import topics
from launcher.databases import Cluster
from launcher.folders import State
from launcher.kafka import Kafka
from launcher.ports import keep_or_choose
from testkit.patience import until
from torture.rig.proxy import Link
from torture.rig.wires import Answer, KafkaWire, PostgresWire, Request

ENCRYPTED = struct.pack(">ii", 8, 80877103)
STARTUP = struct.pack(">ii", 13, 196608) + b"user\0"
PRODUCE, FETCH = 0, 1


def frame(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def query(text: str) -> bytes:
    return frame(b"Q", text.encode() + b"\0")


def kafka_request(api_key: int, number: int, body: bytes) -> bytes:
    return struct.pack(">ihhi", len(body) + 8, api_key, 9, number) + body


def in_chunks(stream: bytes, sizes: list[int]) -> list[bytes]:
    """Cut a stream into chunks of the given sizes, again and again."""
    chunks, turn = [], 0
    while stream:
        size = sizes[turn % len(sizes)]
        chunks.append(stream[:size])
        stream, turn = stream[size:], turn + 1
    return chunks


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@given(sizes, st.lists(st.tuples(st.sampled_from([PRODUCE, FETCH, 3]), st.binary(max_size=60)), max_size=12))
def test_every_produce_request_is_seen_once_wherever_the_stream_is_cut(sizes: list[int], requests: list[tuple[int, bytes]]) -> None:
    wire, seen, before = KafkaWire(), [], 0
    stream = b"".join(kafka_request(key, number, body) for number, (key, body) in enumerate(requests))
    starts = [sum(12 + len(body) for _, body in requests[:number]) for number in range(len(requests))]
    for chunk in in_chunks(stream, sizes):
        for request in wire.sent(chunk):
            assert before + request.at == max(before, starts[request.number]), "the place where it begins, or the chunk's"
            seen.append(request.number)
        before += len(chunk)
    assert seen == [number for number, (key, _) in enumerate(requests) if key == PRODUCE]


@given(sizes, st.lists(st.binary(max_size=60), max_size=12))
def test_every_answer_of_a_broker_carries_its_number(sizes: list[int], bodies: list[bytes]) -> None:
    wire = KafkaWire()
    stream = b"".join(struct.pack(">ii", len(body) + 4, number) + body for number, body in enumerate(bodies))
    answers = [answer for chunk in in_chunks(stream, sizes) for answer in wire.answered(chunk)]
    assert [answer.number for answer in answers] == list(range(len(bodies)))


def one_transaction(*, begin: str, tags: list[bytes], end: bytes) -> list[tuple[str, bytes]]:
    """What asyncpg and the server say to each other, in turns: "up" from the client, "down" from the server."""
    said = [("up", query(begin)), ("down", frame(b"C", b"BEGIN\0") + frame(b"Z", b"T"))]
    for tag in tags:
        said.append(("up", frame(b"B", b"\0" * 200) + frame(b"E", b"\0" * 5) + frame(b"S", b"")))
        said.append(("down", frame(b"2", b"") + frame(b"D", b"C" * 90) * 3 + frame(b"C", tag + b"\0") + frame(b"Z", b"T")))
    return [*said, ("up", query("COMMIT;")), ("down", frame(b"C", end + b"\0") + frame(b"Z", b"I"))]


OPENING = [
    ("up", ENCRYPTED),
    ("down", b"N"),
    ("up", STARTUP),
    ("down", frame(b"R", b"\0" * 8) + frame(b"S", b"TimeZone\0UTC\0") + frame(b"Z", b"I")),
]


@pytest.mark.parametrize(
    ("begin", "tags", "end", "commits", "done"),
    [
        ("BEGIN;", [b"SELECT 3", b"INSERT 0 1"], b"COMMIT", 1, True),
        ("BEGIN;", [b"UPDATE 2", b"SELECT 1"], b"ROLLBACK", 1, False),
        ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", [b"SELECT 3"], b"COMMIT", 0, True),
        ("BEGIN;", [b"UPDATE 0", b"DELETE 0", b"INSERT 0 0"], b"COMMIT", 0, True),
    ],
)
@given(sizes=sizes)
def test_a_commit_is_seen_after_something_was_written_and_its_answer_says_whether_it_was_done(
    sizes: list[int], begin: str, tags: list[bytes], end: bytes, commits: int, done: bool
) -> None:
    wire, seen = PostgresWire(), list[Request]()
    answers = list[Answer]()
    earlier = one_transaction(begin="BEGIN;", tags=[b"DELETE 4"], end=b"COMMIT")
    for way, stream in [*OPENING, *earlier, *one_transaction(begin=begin, tags=tags, end=end)]:
        for chunk in in_chunks(stream, sizes):
            if way == "up":
                seen += wire.sent(chunk)
                continue
            answers += wire.answered(chunk)
    assert [request.kind for request in seen] == ["commit"] * (1 + commits)
    assert answers[-1].done is done


# --- with a real Postgres ---


@pytest.fixture
async def table(postgres_server: Cluster, database_url: Callable[[str], str]) -> AsyncIterator[asyncpg.Connection]:
    """A connection past the proxy, with a table to write to; its database is named by its settings."""
    connection = await asyncpg.connect(database_url("credit"))
    await connection.execute("CREATE TABLE public.written (n int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
    yield connection
    await connection.close()


@pytest.fixture
async def through(table: asyncpg.Connection, postgres_server: Cluster) -> AsyncIterator[tuple[Link, str]]:
    """A link to the server, and the address of the table's database through it."""
    parts = urlsplit(postgres_server.admin_dsn)
    link = Link(0, parts.port or 5432, "postgres")
    link.open()
    name = await table.fetchval("SELECT current_database()")
    credentials = parts.netloc.rpartition("@")[0]
    yield link, urlunsplit(parts._replace(netloc=f"{credentials}@{link.host}:{link.port}", path=f"/{name}"))
    await link.close()


async def write(connection: asyncpg.Connection, *numbers: int) -> None:
    async with connection.transaction():
        for number in numbers:
            await connection.execute("INSERT INTO public.written VALUES ($1)", number)


async def written(table: asyncpg.Connection) -> list[int]:
    return [row["n"] for row in await table.fetch("SELECT n FROM public.written ORDER BY n")]


async def at_rest(table: asyncpg.Connection) -> bool:
    """Whether no other session of this database is at work any more."""
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    return not await table.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {others} AND state <> 'idle'")


@pytest.mark.db
@pytest.mark.parametrize(("when", "applied"), [("before", [1]), ("after", [1, 2])])
async def test_the_nth_commit_is_cut_before_or_after_it_happened(
    table: asyncpg.Connection, through: tuple[Link, str], when: Literal["before", "after"], applied: list[int]
) -> None:
    link, dsn = through
    link.cut_reply("commit", 2, when=when)
    client = await asyncpg.connect(dsn)
    await write(client, 1)
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await write(client, 2)
    await until(lambda: at_rest(table))
    assert await written(table) == applied
    assert link.cut == {f"commit.{when}": 1}
    again = await asyncpg.connect(dsn)
    await write(again, 3)
    assert await written(table) == [*applied, 3], "only the nth was cut"
    await again.close()


@pytest.mark.db
async def test_reading_counts_for_nothing(table: asyncpg.Connection, through: tuple[Link, str]) -> None:
    link, dsn = through
    link.cut_reply("commit", 1, when="before")
    client = await asyncpg.connect(dsn)
    async with client.transaction(isolation="repeatable_read", readonly=True):
        assert await client.fetchval("SELECT count(*) FROM public.written") == 0
    async with client.transaction():
        assert await client.fetchval("SELECT count(*) FROM public.written") == 0
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await write(client, 1)
    assert link.cut == {"commit.before": 1}


@pytest.mark.db
async def test_a_commit_that_the_server_refuses_is_answered_and_the_next_one_is_cut(
    table: asyncpg.Connection, through: tuple[Link, str]
) -> None:
    link, dsn = through
    link.cut_reply("commit", 1, when="after")
    client = await asyncpg.connect(dsn)
    with pytest.raises(asyncpg.UniqueViolationError):
        await write(client, 1, 1)
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await write(client, 2)
    assert await written(table) == [2]
    assert link.cut == {"commit.after": 1}


@pytest.mark.db
async def test_a_large_answer_passes_unharmed_and_commits_are_still_seen_behind_it(
    table: asyncpg.Connection, through: tuple[Link, str]
) -> None:
    link, dsn = through
    link.slice(1000, 0)
    client = await asyncpg.connect(dsn)
    rows = await client.fetch("SELECT n, repeat('C', n % 300) AS filler FROM generate_series(1, 20000) AS n")
    assert sum(len(row["filler"]) for row in rows) == sum(n % 300 for n in range(1, 20001))
    link.cut_reply("commit", 1, when="after")
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await write(client, 1)
    assert await written(table) == [1]


# --- with a real Kafka ---

TOPIC = "erp.orders"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kafka, int]]:
    """A broker with a listener that sends its clients to another port, and that port."""
    state = State(tmp_path_factory.mktemp("wires"))
    state.prepare()
    port = keep_or_choose(state, "link")
    kafka = Kafka(state, print, advertised={"probe": port})
    kafka.begin()
    topics.ensure(kafka.wait(), [TOPIC], partitions=1)
    yield kafka, port
    kafka.stop()


async def records(bootstrap: str) -> list[bytes]:
    place = TopicPartition(TOPIC, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    found: list[Any] = []
    while len(found) < end:
        found += (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
    await consumer.stop()
    return [record.value for record in found]


@pytest.mark.kafka
@pytest.mark.parametrize(("when", "copies"), [("before", 1), ("after", 2)])
async def test_the_nth_produce_request_is_cut_before_or_after_it_was_appended(
    kafka: tuple[Kafka, int], when: Literal["before", "after"], copies: int
) -> None:
    """The producer, which is not idempotent, tries again: what had been appended is there twice."""
    broker, port = kafka
    link = Link(port, broker.port_behind("probe"), "kafka")
    link.open()
    already = await records(broker.bootstrap)
    producer = AIOKafkaProducer(bootstrap_servers=f"{link.host}:{link.port}", acks="all")
    await producer.start()
    try:
        link.cut_reply("produce", 2, when=when)
        for value in (b"first", b"second", b"third"):
            await producer.send_and_wait(TOPIC, value)
        assert (await records(broker.bootstrap))[len(already) :] == [b"first", *[b"second"] * copies, b"third"]
        assert link.cut == {f"produce.{when}": 1}
    finally:
        await producer.stop()
        await link.close()
