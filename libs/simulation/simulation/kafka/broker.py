"""The broker: partitions, the group coordinator's bookkeeping, and whether it can be reached."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.structs import TopicPartition

from simulation.world import World

SESSION_S = 1.5
HEARTBEAT_S = SESSION_S / 3


@dataclass(frozen=True, slots=True)
class Message:
    """A record as it stands in a partition, and as a consumer is given it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: Any
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(eq=False)
class Member:
    """A member of a group as the coordinator knows it: `joined` is answered with what it is assigned."""

    name: str
    topics: Sequence[str]
    expires_at: float
    joined: "asyncio.Future[frozenset[TopicPartition]] | None" = None


@dataclass(eq=False)
class Group:
    """One consumer group: who is in it, which generation it is, how far others were told it is."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    generation: int = 0
    is_rebalancing: bool = False
    offsets: dict[TopicPartition, int] = field(default_factory=dict)


class Broker:
    """
    One broker with one coordinator. `watchers` see every record in the moment it is appended.

    `append_fates` names by client how the next batches end that are to end badly: `applied` (appended, and the answer lost), `lost`
    (neither) or `twice` (appended two times).
    """

    def __init__(self, world: World, topics: Sequence[str], partitions: int) -> None:
        self.world = world
        self.partitions = partitions
        self.logs: dict[TopicPartition, list[Message]] = {TopicPartition(t, p): [] for t in topics for p in range(partitions)}
        self.groups: dict[str, Group] = {}
        self.append_fates: dict[str, list[str]] = {}
        self.commits_refused: dict[str, int] = {}
        self.is_up = True
        self.watchers: list[Callable[[Message], None]] = []
        self._arrivals: list[asyncio.Future[None]] = []

    def append(
        self, place: TopicPartition, records: Sequence[tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]]
    ) -> None:
        """Put records at the end of a partition."""
        log = self.logs[place]
        for key, value, headers in records:
            message = Message(place.topic, place.partition, len(log), key, value, headers)
            log.append(message)
            for watch in self.watchers:
                watch(message)
        arrivals, self._arrivals = self._arrivals, []
        for arrival in arrivals:
            if not arrival.done():
                arrival.set_result(None)

    def next_arrival(self) -> "asyncio.Future[None]":
        """A future that is done when anything is appended anywhere."""
        arrival = self.world.loop.create_future()
        self._arrivals.append(arrival)
        return arrival

    # --- the group coordinator ---

    def group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group(name))

    def join(self, group: Group, name: str, topics: Sequence[str], joined: "asyncio.Future[frozenset[TopicPartition]]") -> None:
        """A member asks to be in the next generation; it is answered when everybody has asked, or those who have not are thrown out."""
        now = self.world.loop.time()
        member = group.members.setdefault(name, Member(name, topics, 0.0))
        member.joined, member.expires_at = joined, now + SESSION_S
        if not group.is_rebalancing:
            self.rebalance(group)
        self._complete(group)

    def rebalance(self, group: Group) -> None:
        """Begin a new generation: members learn of it with their next heartbeat."""
        if not group.is_rebalancing:
            group.is_rebalancing = True
            self.world.count("rebalance")
            self.world.loop.after(SESSION_S, self._give_up_waiting, group, group.generation)

    def _give_up_waiting(self, group: Group, generation: int) -> None:
        if group.is_rebalancing and group.generation == generation:
            for name in [name for name, member in group.members.items() if member.joined is None]:
                self._throw_out(group, name)
            self._complete(group)

    def _complete(self, group: Group) -> None:
        if not group.members or any(member.joined is None for member in group.members.values()):
            return
        group.is_rebalancing = False
        group.generation += 1
        now = self.world.loop.time()
        for name, share in self._shares(group).items():
            member = group.members[name]
            joined, member.joined, member.expires_at = member.joined, None, now + SESSION_S
            assert joined is not None  # All have asked.
            if not joined.done():
                joined.set_result(share)
            self._expire_later(group, member)

    def _shares(self, group: Group) -> Mapping[str, frozenset[TopicPartition]]:
        names = sorted(group.members)
        places = sorted(place for place in self.logs if place.topic in group.members[names[0]].topics)
        self.world.chance.shuffle(places)  # Which partitions of two topics meet in one member is nobody's promise.
        shares: dict[str, set[TopicPartition]] = {name: set() for name in names}
        for n, place in enumerate(places):
            shares[names[n % len(names)]].add(place)
        return {name: frozenset(share) for name, share in shares.items()}

    def _expire_later(self, group: Group, member: Member) -> None:
        self.world.loop.after(
            max(0.001, member.expires_at - self.world.loop.time()), self._look_at_session, group, member, group.generation
        )

    def _look_at_session(self, group: Group, member: Member, generation: int) -> None:
        if group.members.get(member.name) is not member or group.generation != generation:
            return
        if member.joined is not None:
            return  # Its session is counted again from the moment it is answered.
        if member.expires_at <= self.world.loop.time():
            self.world.count("session expired")
            self._throw_out(group, member.name)
        else:
            self._expire_later(group, member)

    def _throw_out(self, group: Group, name: str) -> None:
        group.members.pop(name, None)
        if group.members and not group.is_rebalancing:
            self.rebalance(group)
        self._complete(group)

    def leave(self, group: Group, name: str) -> None:
        if name in group.members:
            self._throw_out(group, name)

    def heartbeat(self, group: Group, name: str, generation: int) -> bool:
        """Say whether a member is still in the present generation, and keep its session alive if so."""
        member = group.members.get(name)
        if member is None or group.generation != generation:
            return False
        member.expires_at = self.world.loop.time() + SESSION_S
        return not group.is_rebalancing
