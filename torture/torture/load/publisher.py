"""The rig's end of Kafka: a producer that is exactly known. What it returns stands in the log; what it raises says what may be."""

import asyncio
import contextlib
from typing import Final, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, for_code

from torture.cancellation import was_asked_to_end
from torture.load import raw
from torture.load.wire import Record

Place: TypeAlias = tuple[str, int, int]
"""Topic, partition, offset."""
ACKNOWLEDGED_S_MAX: Final = 12.0
_REQUEST_MS: Final = 5_000
_START_S_MAX: Final = 8.0
_STOP_S_MAX: Final = 3.0
_FAILURES_MAX: Final = 20
_REQUEST_BYTES_MAX: Final = 4_000_000  # The broker has to say what is too large, not the client.


class Unacknowledged(Exception):
    """No acknowledgement came: the record may stand in the log or not, now or later."""


class TurnedAway(Exception):
    """The broker does not take the record: it stands nowhere."""


class Publisher:
    """
    Sends records to a broker that may die at any moment.

    Not idempotent in Kafka's sense on purpose: what is sent here may be repeated anyway, and such a producer cannot get stuck.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._changing = asyncio.Lock()
        self._failures = 0

    async def send(self, record: Record) -> Place:
        """
        Publish a record and return where it stands.

        :raises Unacknowledged: see there; send it again.
        :raises TurnedAway: see there.
        """
        try:
            async with asyncio.timeout(ACKNOWLEDGED_S_MAX):
                place = await (self._send(record) if record.is_plain else self._send_raw(record))
        except MessageSizeTooLargeError as error:
            raise TurnedAway(str(error)) from error
        except (KafkaError, OSError, EOFError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and was_asked_to_end():
                raise  # We are, not the send.
            await self._count_failure()
            raise Unacknowledged(f"{type(error).__name__}: {error}") from error
        self._failures = 0
        return place

    async def close(self) -> None:
        """Let the producer go."""
        async with self._changing:
            producer, self._producer = self._producer, None
            if producer is not None:
                await _stop(producer)

    async def _send(self, record: Record) -> Place:
        producer = await self._get()
        headers = [(name.decode(), value) for name, value in record.headers]
        sent = await producer.send(record.topic, record.value, record.key, partition=record.partition, headers=headers)
        told = await asyncio.shield(sent)  # Cancelling would not take it back.
        return told.topic, told.partition, told.offset

    async def _send_raw(self, record: Record) -> Place:
        try:
            return record.topic, record.partition or 0, await raw.produce(self._bootstrap, record)
        except raw.Refused as error:
            raise for_code(error.code)(str(error)) from error

    async def _get(self) -> AIOKafkaProducer:
        async with self._changing:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap, acks="all", request_timeout_ms=_REQUEST_MS, max_request_size=_REQUEST_BYTES_MAX
                )
                try:
                    await asyncio.wait_for(producer.start(), _START_S_MAX)
                except BaseException:
                    await _stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _count_failure(self) -> None:
        """Build the producer anew when nothing has gone through it for long."""
        self._failures += 1
        if self._failures >= _FAILURES_MAX:
            self._failures = 0
            await self.close()


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop within a bound: a broker that is gone cannot be said goodbye to. What was not acknowledged until then is not sent any more."""
    try:
        await asyncio.wait_for(producer.stop(), _STOP_S_MAX)
    except (KafkaError, OSError):
        with contextlib.suppress(KafkaError, OSError):
            await producer._sender.close()  # There is no public way to end a producer that still waits to flush.
            await producer.client.close()
