"""Locks on rows and on names, shared or exclusive, with fair queues and deadlock detection."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Protocol

import asyncpg


class Holder(Protocol):
    """Whoever holds locks; `granted` is called when one it had to wait for is there."""

    def granted(self) -> None: ...


@dataclass(eq=False, slots=True)
class Waiter:
    """A place in the queue for a lock."""

    holder: Holder
    is_exclusive: bool


class Locks:
    """The locks of one database."""

    def __init__(self) -> None:
        self._held: dict[Hashable, dict[Holder, bool]] = {}  # True: exclusive.
        self._queues: dict[Hashable, list[Waiter]] = {}

    def holds(self, holder: Holder, resource: Hashable, *, exclusive: bool) -> bool:
        """Whether it holds this lock, at least as strongly."""
        mode = self._held.get(resource, {}).get(holder)
        return mode is not None and (mode or not exclusive)

    def try_take(self, holder: Holder, resource: Hashable, *, exclusive: bool) -> bool:
        """Take a lock that is free and that nobody waits for in vain."""
        holders = self._held.get(resource)
        if holders is None:
            self._held[resource] = {holder: exclusive}
            return True
        others = [mode for one, mode in holders.items() if one is not holder]
        if (others and (exclusive or any(others))) or (resource in self._queues and holder not in holders):
            return False
        holders[holder] = exclusive or holders.get(holder, False)
        return True

    def take(self, holder: Holder, resource: Hashable, *, exclusive: bool) -> bool:
        """
        Take a lock, or queue for it and return False: the holder is told when it is granted.

        :raises DeadlockDetectedError: waiting for it would never end.
        """
        if self.try_take(holder, resource, exclusive=exclusive):
            return True
        waiter = Waiter(holder, exclusive)
        self._queues.setdefault(resource, []).append(waiter)
        if self._waits_for_itself(holder):
            self.leave(holder)
            raise asyncpg.exceptions.DeadlockDetectedError("deadlock detected")
        return False

    def release(self, holder: Holder, resource: Hashable) -> None:
        """Give a lock back; whoever is first in the queue and can have it gets it."""
        holders = self._held.get(resource)
        if holders is None or holders.pop(holder, None) is None:
            return
        if not holders:
            del self._held[resource]
        self._grant(resource)

    def leave(self, holder: Holder) -> None:
        """Stop waiting for whatever this holder waits for."""
        for resource, queue in list(self._queues.items()):
            if any(waiter.holder is holder for waiter in queue):
                self._queues[resource] = [waiter for waiter in queue if waiter.holder is not holder]
                self._grant(resource)

    def _grant(self, resource: Hashable) -> None:
        queue = self._queues.get(resource)
        while queue:
            holders = self._held.setdefault(resource, {})
            first = queue[0]
            others = [mode for one, mode in holders.items() if one is not first.holder]
            if others and (first.is_exclusive or any(others)):
                return
            queue.pop(0)
            holders[first.holder] = first.is_exclusive or holders.get(first.holder, False)
            first.holder.granted()
        self._queues.pop(resource, None)
        if not self._held.get(resource, True):
            del self._held[resource]

    def _waits_for_itself(self, holder: Holder) -> bool:
        seen: set[int] = set()
        todo = list(self._in_the_way_of(holder))
        while todo:
            one = todo.pop()
            if one is holder:
                return True
            if id(one) not in seen:
                seen.add(id(one))
                todo.extend(self._in_the_way_of(one))
        return False

    def _in_the_way_of(self, holder: Holder) -> Iterator[Holder]:
        for resource, queue in self._queues.items():
            for place, waiter in enumerate(queue):
                if waiter.holder is holder:
                    for one, mode in self._held.get(resource, {}).items():
                        if one is not holder and (waiter.is_exclusive or mode):
                            yield one
                    for earlier in queue[:place]:
                        if earlier.holder is not holder and (waiter.is_exclusive or earlier.is_exclusive):
                            yield earlier.holder
