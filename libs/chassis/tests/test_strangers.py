"""A CancelledError out of a Kafka client ends nothing of ours."""

import asyncio
import gc
import logging

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaError
from asyncpg.exceptions import ConnectionDoesNotExistError
from chassis.strangers import cancelled_by_a_stranger, note_a_strangers_error, outcome_of
from structlog.testing import capture_logs


async def stops_by_cancelling_a_task_of_its_own() -> None:
    """What aiokafka's fetcher does with a request that sleeps before its next attempt."""
    fetching = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    fetching.cancel()
    await fetching


async def test_what_stops_with_a_cancelled_task_of_its_own_cancels_nobody_else() -> None:
    assert await outcome_of(stops_by_cancelling_a_task_of_its_own(), 1) == "ended by the cancellation of a task of its own"


async def test_what_never_stops_is_left() -> None:
    over = asyncio.Event()

    async def stuck() -> None:
        while not over.is_set():
            try:
                await over.wait()
            except asyncio.CancelledError:
                continue

    async with asyncio.timeout(2):
        assert await outcome_of(stuck(), 0.1) == "did not end within 0 s"
    over.set()


async def test_how_stopping_failed_is_told() -> None:
    async def fails() -> None:
        raise OSError("no route")

    assert await outcome_of(fails(), 1) == "OSError: no route"
    assert await outcome_of(asyncio.sleep(0), 1) is None


async def test_our_own_cancellation_is_told_from_a_strangers() -> None:
    async def told(awaited: asyncio.Future[None]) -> bool:
        try:
            await awaited
        except asyncio.CancelledError:
            return cancelled_by_a_stranger()
        pytest.fail("nothing was cancelled")

    theirs: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(told(theirs))
    await asyncio.sleep(0)
    theirs.cancel()
    assert await waiting

    ours = asyncio.create_task(told(asyncio.get_running_loop().create_future()))
    await asyncio.sleep(0)
    ours.cancel()
    assert not await ours


@pytest.mark.parametrize(("error", "told", "complaints"), [(KafkaError("no coordinator"), 1, 0), (ValueError("a bug of ours"), 0, 1)])
async def test_only_a_kafka_clients_own_error_may_be_asked_for_by_nobody(
    error: Exception, told: int, complaints: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Its coordination may end in an error while its client is stopped, and nobody is left to ask; of ours each one is a bug."""

    async def fails() -> None:
        raise error

    asyncio.get_running_loop().set_exception_handler(note_a_strangers_error)
    with capture_logs() as logs, caplog.at_level(logging.ERROR, "asyncio"):
        left = asyncio.create_task(fails())
        await asyncio.sleep(0)
        del left
        gc.collect()
    assert [one["event"] for one in logs] == ["kafka.task_ended"] * told
    assert len(caplog.records) == complaints


async def test_whatever_ends_a_kafka_clients_own_task_is_told_as_the_clients(caplog: pytest.LogCaptureFixture) -> None:
    """Torture, seed 44: the event loop's own error about a closed connection, in the task that keeps the metadata fresh."""
    asyncio.get_running_loop().set_exception_handler(note_a_strangers_error)
    with capture_logs() as logs, caplog.at_level(logging.ERROR, "asyncio"):
        left = asyncio.create_task(AIOKafkaClient._md_synchronizer(object()))
        await asyncio.sleep(0)
        del left
        gc.collect()
    assert [(one["event"], one["error"].partition(":")[0]) for one in logs] == [("kafka.task_ended", "AttributeError")]
    assert not caplog.records


async def test_what_a_kafka_client_has_put_into_a_future_is_told_as_the_clients(caplog: pytest.LogCaptureFixture) -> None:
    """Torture, seed 52: what broke its connection, handed on to whoever waited for an answer, when nobody did any more."""

    async def breaks() -> None:
        raise ConnectionResetError("by peer")

    reading = asyncio.create_task(breaks())
    await asyncio.wait({reading})
    ours = reading.exception()
    assert ours is not None
    assert _told_of_a_future_with(ours, caplog) == ([], 1)
    AIOKafkaConnection._on_read_task_error(lambda: None, reading)
    assert _told_of_a_future_with(ours, caplog) == (["ConnectionResetError: by peer"], 0)


async def test_what_a_lost_connection_leaves_for_nobody_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    """Torture, seed 54: a command was given up in the moment in which its connection to the database ended."""
    lost = ConnectionDoesNotExistError("connection was closed in the middle of operation")
    assert _told_of_a_future_with(lost, caplog) == ([f"ConnectionDoesNotExistError: {lost}"], 0)
    with pytest.raises(ConnectionDoesNotExistError):
        raise lost
    assert _told_of_a_future_with(lost, caplog) == ([], 1), "somebody has had it in hand and let it fall"


def _told_of_a_future_with(error: BaseException, caplog: pytest.LogCaptureFixture) -> tuple[list[str], int]:
    """What is told of a future with that error that nobody asks for, as the client's own and as a bug."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(note_a_strangers_error)
    caplog.clear()
    with capture_logs() as logs, caplog.at_level(logging.ERROR, "asyncio"):
        left = loop.create_future()
        left.set_exception(error)
        del left
        gc.collect()
    return [one["error"] for one in logs], len(caplog.records)
