"""A database and its sessions: what one transaction sees, writes, locks, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable
from itertools import count
from types import GeneratorType
from typing import Any, TypeAlias

import asyncpg

from simulation.loop import Actor
from simulation.store.locks import Locks
from simulation.world import World

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = Hashable
Waiting: TypeAlias = Generator[None, None, Any]
"""A statement that may have to wait: it yields where a lock is not free, and goes on when it is granted."""

LOCK_TIMEOUT_S = 20.0  # As chassis.database sets it.
_ABSENT: Any = object()


class Store:
    """One service's database. `watchers` look at every transaction in the moment it commits."""

    def __init__(self, world: World, name: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self.world = world
        self.name = name
        self.lock_timeout_s = lock_timeout_s
        self.tables: dict[str, dict[Key, Row]] = {}
        self.locks = Locks()
        self.sessions: list[Session] = []
        self.commit_fates: dict[str, list[bool]] = {}  # By process: whether the next COMMITs, unanswered, are carried out.
        self.watchers: list[Callable[[Session], None]] = []
        self._ids: Counter[str] = Counter()

    def next_id(self, table: str) -> int:
        """The next value of an identity column: given at once, and lost with a rollback."""
        self._ids[table] += 1
        return self._ids[table]

    def rows(self, table: str) -> list[Row]:
        """What is committed."""
        return list(self.tables.get(table, {}).values())


class Session:
    """
    One connection as the server sees it, and its transaction; statements are given one.

    Without BEGIN every statement is a transaction of its own. After an error inside a transaction nothing but a rollback is answered.
    """

    _numbers = count(1)

    def __init__(self, store: Store, actor: Actor) -> None:
        self.store = store
        self.actor = actor
        self.is_open = True
        self.writes: dict[str, dict[Key, Row | None]] = {}
        self.listens: dict[str, Callable[[], None]] = {}
        self._is_begun = self._is_failed = False
        self._undo: list[tuple[str, Key, Any]] = []
        self._locked: list[Hashable] = []
        self._kept: list[Hashable] = []  # Advisory locks of the session itself.
        self._savepoints: list[tuple[str, int, int]] = []
        self._notifies: list[str] = []
        self._answer: asyncio.Future[Any] | None = None
        self._running: Waiting | None = None
        self._waits = 0
        store.sessions.append(self)

    # --- what a statement may do ---

    def get(self, table: str, key: Key) -> Row | None:
        """One row as this transaction sees it now."""
        mine = self.writes.get(table)
        if mine is not None and key in mine:
            return mine[key]
        return self.store.tables.get(table, {}).get(key)

    def rows(self, table: str) -> Iterable[Row]:
        """All rows as this transaction sees them now."""
        committed, mine = self.store.tables.get(table, {}), self.writes.get(table)
        if not mine:
            return list(committed.values())
        return [row for row in ({**committed, **mine}).values() if row is not None]

    def lock(self, table: str, key: Key) -> Generator[None, None, Row | None]:
        """Lock a row, or the place of one that is not there; return its newest version."""
        yield from self.take((table, key))
        return self.get(table, key)

    def claim(self, table: str, key: Key) -> Generator[None, None, bool]:
        """
        Lock the place of a row that is not there; False where there is one, and then nothing is locked.

        Waits, as ON CONFLICT DO NOTHING does, for whoever is inserting, changing or deleting such a row, but not for who only locks it.
        """
        changing = any(one is not self and key in one.writes.get(table, ()) for one in self.store.sessions)
        if not changing and self.get(table, key) is not None:
            return False
        was_mine = self.store.locks.holds(self, (table, key), exclusive=True)
        if (yield from self.lock(table, key)) is None:
            return True
        if not was_mine:
            self._locked.remove((table, key))
            self.store.locks.release(self, (table, key))
        return False

    def take(self, resource: Hashable, *, exclusive: bool = True) -> Generator[None, None, None]:
        """Take a lock until the transaction ends."""
        locks = self.store.locks
        if locks.holds(self, resource, exclusive=exclusive):
            return
        if not locks.take(self, resource, exclusive=exclusive):
            self.store.world.count("lock waited for")
            yield
        self._locked.append(resource)

    def take_for_session(self, resource: Hashable) -> bool:
        """Take an exclusive lock until the session ends, if it is free."""
        taken = self.store.locks.try_take(self, resource, exclusive=True)
        if taken:
            self._kept.append(resource)
        return taken

    def put(self, table: str, key: Key, row: Row | None) -> None:
        """Write a new version of a row this transaction has locked, or of one nobody else can know; None deletes it."""
        mine = self.writes.setdefault(table, {})
        self._undo.append((table, key, mine.get(key, _ABSENT)))
        mine[key] = row

    def notify(self, channel: str) -> None:
        self._notifies.append(channel)

    # --- transactions ---

    def begin(self) -> None:
        self._is_begun, self._is_failed = True, False

    def commit(self) -> None:
        """End the transaction; one that has failed is rolled back instead."""
        if self._is_failed:
            self.rollback()
            return
        if self.writes:
            for watch in self.store.watchers:
                watch(self)
        for table, mine in self.writes.items():
            committed = self.store.tables.setdefault(table, {})
            for key, row in mine.items():
                if row is None:
                    committed.pop(key, None)
                else:
                    committed[key] = row
        notifies, self._notifies = self._notifies, []
        self._end()
        for channel in notifies:
            for session in self.store.sessions:
                if channel in session.listens:
                    session.listens[channel]()

    def rollback(self) -> None:
        self._notifies.clear()
        self._end()

    def _end(self) -> None:
        self._is_begun = self._is_failed = False
        self.writes = {}
        self._undo.clear()
        self._savepoints.clear()
        locked, self._locked = self._locked, []
        for resource in locked:
            self.store.locks.release(self, resource)

    def savepoint(self, name: str) -> None:
        self._savepoints.append((name, len(self._undo), len(self._locked)))

    def release_savepoint(self, name: str) -> None:
        """Forget a savepoint; in a failed transaction it answers as any other statement does."""
        if self._is_failed:
            raise asyncpg.exceptions.InFailedSQLTransactionError("current transaction is aborted")
        while self._savepoints.pop()[0] != name:
            pass

    def rollback_to(self, name: str) -> None:
        """Undo what was written since, and give back the locks taken since."""
        self._is_failed = False
        while self._savepoints[-1][0] != name:
            self._savepoints.pop()
        _, undone, locked = self._savepoints[-1]
        self._undo_to(undone, locked)

    def _undo_to(self, undone: int, locked: int) -> None:
        while len(self._undo) > undone:
            table, key, before = self._undo.pop()
            if before is _ABSENT:
                del self.writes[table][key]
            else:
                self.writes[table][key] = before
        while len(self._locked) > locked:
            self.store.locks.release(self, self._locked.pop())

    # --- requests and answers ---

    def serve(self, run: Callable[["Session"], Any], answer: "asyncio.Future[Any]", *, control: bool = False) -> None:
        """Carry out one request; `control` requests are those about transactions, which a failed one still answers."""
        self._answer = answer
        if not self.is_open:
            self._reply(None, asyncpg.exceptions.ConnectionDoesNotExistError("connection was closed in the middle of operation"))
            return
        if self._is_failed and not control:
            self._reply(None, asyncpg.exceptions.InFailedSQLTransactionError("current transaction is aborted"))
            return
        try:
            outcome = run(self)
        except asyncpg.exceptions.PostgresError as error:
            self._fail(error)
            return
        if isinstance(outcome, GeneratorType):
            self._running = outcome
            self._go_on()
        elif self.is_open:
            self._finish(outcome, control=control)

    def granted(self) -> None:
        """Go on with the statement that has waited, once whoever gave the lock back is done."""
        self._waits += 1
        self.store.world.loop.after(0, self._go_on)

    def _go_on(self) -> None:
        if self._running is None:
            return
        try:
            next(self._running)
        except StopIteration as end:
            self._finish(end.value)
        except asyncpg.exceptions.PostgresError as error:
            self._fail(error)
        else:
            self._waits += 1
            self.store.world.loop.after(self.store.lock_timeout_s, self._waited_too_long, self._waits)

    def _waited_too_long(self, since: int) -> None:
        if self._running is not None and self._waits == since:
            self.store.locks.leave(self)
            self._fail(asyncpg.exceptions.LockNotAvailableError("canceling statement due to lock timeout"))

    def _finish(self, outcome: Any, *, control: bool = False) -> None:
        self._running = None
        if not self._is_begun and not control:
            self.commit()
        self._reply(outcome, None)

    def _fail(self, error: Exception) -> None:
        self._running = None
        if self._is_begun:  # An error gives back at once what a rollback to the innermost savepoint would.
            self._is_failed = True
            _, undone, locked = self._savepoints[-1] if self._savepoints else ("", 0, 0)
            self._undo_to(undone, locked)
        else:
            self.rollback()
        self.store.world.count(type(error).__name__)
        self._reply(None, error)

    def _reply(self, outcome: Any, error: Exception | None) -> None:
        answer, self._answer = self._answer, None
        assert answer is not None  # One request at a time.
        delay = self.store.world.delay(self.actor)
        if delay:
            self.store.world.loop.after(delay, settle, answer, outcome, error)
        else:
            settle(answer, outcome, error)

    def close(self) -> None:
        """Lose the connection: the transaction is rolled back, every lock is given back, a request in hand gets no answer but an error."""
        if not self.is_open:
            return
        self.is_open = False
        self.store.sessions.remove(self)
        self.store.locks.leave(self)
        self._running = None
        self.rollback()
        for resource in self._kept:
            self.store.locks.release(self, resource)
        if self._answer is not None:
            self._reply(None, asyncpg.exceptions.ConnectionDoesNotExistError("connection was closed in the middle of operation"))


def settle(answer: "asyncio.Future[Any]", outcome: Any, error: Exception | None) -> None:
    """Give an answer to whoever still waits for it."""
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(outcome)
