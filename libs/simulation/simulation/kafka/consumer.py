"""
aiokafka's consumer as far as the chassis uses it: a member of a group that fetches, seeks, pauses and commits.

As in aiokafka a background task keeps the membership: it awaits the listener when partitions go and when they come, while `getmany` goes
on being called; a partition is read from the group's offset until somebody seeks; what was fetched before a seek is dropped.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaConnectionError, NoOffsetForPartitionError
from aiokafka.structs import TopicPartition

from simulation.kafka.broker import HEARTBEAT_S, Broker, Group, Message
from simulation.loop import Actor

_LOOK_AGAIN_S = 0.1
_FETCHED_MAX = 6


class KafkaConsumer:
    """One consumer of a process; `group_id` names its group."""

    def __init__(self, broker: Broker, actor: Actor, group_id: str, name: str) -> None:
        self._broker = broker
        self._actor = actor
        self._group: Group = broker.group(group_id)
        self._name = name
        self._topics: Sequence[str] = ()
        self._listener: ConsumerRebalanceListener | None = None
        self._assignment: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int | None] = {}
        self._paused: set[TopicPartition] = set()
        self._generation = -1
        self._assigned = asyncio.Event()
        self._is_closed = False
        self._membership: asyncio.Task[None] | None = None
        self._value_deserializer: Callable[[Any], Any] | None = None

    def subscribe(self, *, topics: Sequence[str], listener: ConsumerRebalanceListener) -> None:
        self._topics, self._listener = topics, listener

    async def start(self) -> None:
        await self._reach()
        self._membership = asyncio.ensure_future(self._keep_membership())

    async def stop(self) -> None:
        self._is_closed = True
        if self._membership is not None:
            self._membership.cancel()
            with suppress(asyncio.CancelledError):
                await self._membership
        await self._pass_time()
        if self._broker.is_up:
            self._broker.leave(self._group, self._name)

    # --- membership ---

    async def _keep_membership(self) -> None:
        while True:
            await self._rejoin()
            while True:
                await asyncio.sleep(HEARTBEAT_S)
                await self._pass_time()
                if self._broker.is_up and not self._broker.heartbeat(self._group, self._name, self._generation):
                    break

    async def _rejoin(self) -> None:
        self._assigned.clear()
        assert self._listener is not None  # Set by `subscribe`.
        with contextlib.suppress(Exception):  # aiokafka swallows and logs what a listener raises.
            await self._listener.on_partitions_revoked(self._assignment)
        await self._until_reached()
        joined: asyncio.Future[frozenset[TopicPartition]] = self._broker.world.loop.create_future()
        self._broker.join(self._group, self._name, self._topics, joined)
        self._assignment = await joined
        self._generation = self._group.generation
        await self._pass_time()
        self._positions = dict.fromkeys(self._assignment)
        self._paused.clear()
        self._assigned.set()
        self._broker.world.note(self._actor.name, f"assigned {sorted((p.topic, p.partition) for p in self._assignment)}")
        reading = asyncio.ensure_future(self._start_at_group_offsets(self._generation))
        with contextlib.suppress(Exception):
            await self._listener.on_partitions_assigned(self._assignment)
        await reading

    async def _start_at_group_offsets(self, generation: int) -> None:
        await self._until_reached()
        for place in sorted(self._assignment):
            if self._generation == generation and self._positions.get(place, 0) is None:
                self._positions[place] = self._group.offsets.get(place)

    # --- fetching ---

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Mapping[TopicPartition, Sequence[Message]]:
        """
        Records of the partitions assigned, in order; waits while partitions are reassigned, and up to the timeout for something to come.

        :raises ConsumerStoppedError: it was closed.
        :raises NoOffsetForPartitionError: the group has no offset and nobody has sought one.
        """
        loop = self._broker.world.loop
        deadline = loop.time() + timeout_ms / 1000
        await self._pass_time()
        while True:
            if self._is_closed:
                raise ConsumerStoppedError
            if not self._assigned.is_set():
                await self._assigned.wait()
            found = self._drain(max_records)
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._broker.next_arrival()
                await self._pass_time()

    def _drain(self, max_records: int) -> dict[TopicPartition, list[Message]]:
        if not self._broker.is_up:
            return {}
        chance = self._broker.world.chance
        found: dict[TopicPartition, list[Message]] = {}
        places = sorted(self._assignment)
        chance.shuffle(places)
        unset = [place for place in places if self._positions[place] is None and place not in self._group.offsets]
        if unset and chance.random() < 0.1:
            raise NoOffsetForPartitionError(unset[0])
        for place in places:
            at = self._positions[place]
            if at is None or place in self._paused or max_records <= 0:
                continue
            log = self._broker.logs[place]
            if at < len(log):
                fetched = log[at : at + min(max_records, chance.randint(1, _FETCHED_MAX))]
                self._positions[place] = at + len(fetched)
                max_records -= len(fetched)
                found[place] = self._deserialized(fetched)
        return found

    def _deserialized(self, messages: list[Message]) -> list[Message]:
        if self._value_deserializer is not None:
            for message in messages:
                self._value_deserializer(message.value)  # Raises after the position has moved, as in aiokafka.
        return messages

    # --- what is known and asked without waiting ---

    def assignment(self) -> frozenset[TopicPartition]:
        return self._assignment if self._assigned.is_set() else frozenset()

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {place.partition for place in self._broker.logs if place.topic == topic} or None

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._check_assigned(place)
        self._positions[place] = offset

    def pause(self, *places: TopicPartition) -> None:
        for place in places:
            self._check_assigned(place)
        self._paused.update(places)

    def resume(self, *places: TopicPartition) -> None:
        for place in places:
            self._check_assigned(place)
        self._paused.difference_update(places)

    def highwater(self, place: TopicPartition) -> int | None:
        self._check_assigned(place)
        return len(self._broker.logs[place])

    def _check_assigned(self, place: TopicPartition) -> None:
        if not self._assigned.is_set() or place not in self._assignment:
            raise IllegalStateError(f"No current assignment for partition {place}")

    # --- what is asked of the broker ---

    async def position(self, place: TopicPartition) -> int:
        while True:
            self._check_assigned(place)
            at = self._positions[place]
            if at is not None:
                return at
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def committed(self, place: TopicPartition) -> int | None:
        await self._reach()
        return self._group.offsets.get(place)

    async def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self._reach()
        return {place: len(self._broker.logs[place]) for place in places}

    async def commit(self, offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """Tell the group how far we are: what is given, or else all that was fetched."""
        if offsets is None:
            offsets = {place: at for place, at in self._positions.items() if at is not None}
        else:
            for place in offsets:
                self._check_assigned(place)
        generation = self._generation
        await self._reach()
        refused = self._broker.commits_refused
        if refused.get(self._actor.name):
            refused[self._actor.name] -= 1
            self._broker.world.count("offset commit refused")
            raise CommitFailedError
        if self._name not in self._group.members or self._group.generation != generation:
            self._broker.world.count("offset commit of a former member")
            raise CommitFailedError
        self._group.offsets.update(offsets)
        await self._pass_time()

    async def _until_reached(self) -> None:
        await self._pass_time()
        while not self._broker.is_up:
            await asyncio.sleep(_LOOK_AGAIN_S)
            await self._pass_time()

    async def _reach(self) -> None:
        """
        Ask the broker.

        :raises KafkaConnectionError: it does not answer.
        """
        await self._pass_time()
        if not self._broker.is_up:
            await asyncio.sleep(1.0)
            raise KafkaConnectionError("no broker")

    async def _pass_time(self) -> None:
        if not self._actor.is_alive:
            raise asyncio.CancelledError
        await asyncio.sleep(self._broker.world.delay(self._actor))
