"""aiokafka's producer as far as the relay uses it: batches, acknowledgements, and numbers that a failure burns."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, OutOfOrderSequenceNumber, ProducerClosed
from aiokafka.structs import TopicPartition

from simulation.kafka.broker import Broker
from simulation.loop import Actor
from simulation.store.session import settle

REQUEST_TIMEOUT_S = 10.0
RECORDS_IN_BATCH_MAX = 4  # Small, so that a few facts need several batches.
_LOOK_AGAIN_S = 0.1


class Batch:
    """Records on their way to one partition."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]] = []

    def append(
        self, *, key: bytes | None, value: bytes | None, timestamp: int | None, headers: Sequence[tuple[str, bytes | None]] = ()
    ) -> object | None:
        if len(self.records) >= RECORDS_IN_BATCH_MAX:
            return None
        self.records.append((key, value, headers))
        return self.records


class Producer:
    """
    An idempotent producer: batches of a partition arrive in order, or not at all once one of them was given up.

    After a failure its numbers have a hole: the broker refuses every later batch, as aiokafka issue 1017 has it.
    """

    def __init__(self, broker: Broker, actor: Actor) -> None:
        broker.world.count("producer built")
        self._broker = broker
        self._actor = actor
        self._is_burnt = False
        self._is_closed = False
        self._last: dict[TopicPartition, asyncio.Future[Any]] = {}
        self._unsettled = 0
        # What `chassis.relay` reaches for when a close was cut short.
        self.client = SimpleNamespace(close=self._close_client)
        self._message_accumulator = SimpleNamespace(_batches={}, _pending_batches=set())
        self._sender = SimpleNamespace(sender_task=None)

    async def start(self) -> None:
        await self._pass_time()
        while not self._broker.is_up:
            await asyncio.sleep(_LOOK_AGAIN_S)
            await self._pass_time()

    async def stop(self) -> None:
        """Wait until what was sent is settled, then close."""
        await self._pass_time()
        while self._unsettled:
            await asyncio.sleep(_LOOK_AGAIN_S)
            await self._pass_time()
        self._is_closed = True

    async def _close_client(self) -> None:
        self._is_closed = True

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[Any]":
        """Queue a batch behind those of its partition; return the future of its acknowledgement."""
        await self._pass_time()
        if self._is_closed:
            raise ProducerClosed
        loop, place = self._broker.world.loop, TopicPartition(topic, partition)
        sent: asyncio.Future[Any] = loop.create_future()
        before, self._last[place] = self._last.get(place), sent
        self._unsettled += 1
        sent.add_done_callback(self._settled)
        if before is None or before.done():
            self._transmit(place, batch, sent)
        else:
            before.add_done_callback(lambda _: loop.after(0, self._transmit, place, batch, sent))
        return sent

    def _settled(self, sent: "asyncio.Future[Any]") -> None:
        self._unsettled -= 1

    def _transmit(self, place: TopicPartition, batch: Batch, sent: "asyncio.Future[Any]") -> None:
        world = self._broker.world
        world.loop.after(world.delay(self._actor), self._arrive, place, batch, sent, world.loop.time() + REQUEST_TIMEOUT_S)

    def _arrive(self, place: TopicPartition, batch: Batch, sent: "asyncio.Future[Any]", deadline: float) -> None:
        world = self._broker.world
        if self._is_burnt:
            settle(sent, None, OutOfOrderSequenceNumber())
            return
        if self._is_closed or not self._actor.is_alive:
            settle(sent, None, ProducerClosed())
            return
        if not self._broker.is_up:
            if world.loop.time() < deadline:
                world.loop.after(_LOOK_AGAIN_S, self._arrive, place, batch, sent, deadline)
            else:
                self._burn(sent, KafkaTimeoutError())
            return
        fates = self._broker.append_fates.get(self._actor.name)
        fate = fates.pop(0) if fates else ""
        if fate:
            world.count(f"produce {fate}")
        for _ in range({"lost": 0, "twice": 2}.get(fate, 1)):
            self._broker.append(place, batch.records)
        if fate in ("lost", "applied"):
            self._burn(sent, KafkaConnectionError("the answer was lost"))
            return
        world.loop.after(world.delay(self._actor), settle, sent, None, None)

    def _burn(self, sent: "asyncio.Future[Any]", error: Exception) -> None:
        self._is_burnt = True
        settle(sent, None, error)

    async def _pass_time(self) -> None:
        if not self._actor.is_alive:
            raise asyncio.CancelledError
        await asyncio.sleep(self._broker.world.delay(self._actor))
