"""What the chassis sees of the simulated Postgres: asyncpg's pool, connection and transaction, as far as it uses them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from types import TracebackType
from typing import Any

import asyncpg

from simulation.loop import Actor
from simulation.store.session import Row, Session, Store
from simulation.store.statements import statement_of


class Transaction:
    """A transaction, or a savepoint within one."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._savepoint = ""

    async def start(self) -> None:
        connection = self._connection
        if connection.depth:
            self._savepoint = f"savepoint_{connection.depth}"
        connection.depth += 1
        await connection.control("SAVEPOINT" if self._savepoint else "BEGIN", self._begin)

    def _begin(self, session: Session) -> None:
        if self._savepoint:
            session.savepoint(self._savepoint)
        else:
            session.begin()

    async def commit(self) -> None:
        self._connection.depth -= 1
        if self._savepoint:
            await self._connection.control("RELEASE", lambda session: session.release_savepoint(self._savepoint))
        else:
            await self._connection.commit()

    async def rollback(self) -> None:
        self._connection.depth -= 1
        if self._savepoint:
            await self._connection.control("ROLLBACK TO", lambda session: session.rollback_to(self._savepoint))
        else:
            await self._connection.control("ROLLBACK", Session.rollback)

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        await (self.commit() if kind is None else self.rollback())


class Connection:
    """One connection of a process. A request takes a while to arrive, and what the server is doing goes on without the process."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self.session = Session(store, actor)
        self.depth = 0
        self._store = store
        self._actor = actor
        self._is_closed = False

    @property
    def is_usable(self) -> bool:
        return self.session.is_open and not self._is_closed

    def transaction(self) -> Transaction:
        return Transaction(self)

    async def fetch(self, text: str, *args: Any) -> list[Row]:
        rows: list[Row] | None = await self._ask(text, args)
        return rows or []

    async def fetchrow(self, text: str, *args: Any) -> Row | None:
        rows = await self.fetch(text, *args)
        return rows[0] if rows else None

    async def fetchval(self, text: str, *args: Any) -> Any:
        row = await self.fetchrow(text, *args)
        return next(iter(row.values())) if row else None

    async def execute(self, text: str, *args: Any) -> str:
        await self._ask(text, args)
        return "OK"

    async def executemany(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """Once for every row; as one transaction, which the caller has open."""
        for args in rows:
            await self._ask(text, tuple(args))

    async def add_listener(self, channel: str, callback: Callable[..., object]) -> None:
        loop, context = self._store.world.loop, copy_context()

        def told() -> None:
            loop.call_soon(callback, self, 0, channel, "", context=context)

        def listen(session: Session) -> None:
            session.listens[channel] = told

        await self.control("LISTEN", listen)

    async def control(self, name: str, run: Callable[[Session], Any]) -> None:
        """A request about transactions."""
        await self._send(run, control=True)

    async def commit(self) -> None:
        """COMMIT, whose answer may be lost: then nobody knows whether it was carried out."""
        fates = self._store.commit_fates.get(self._actor.name)
        if fates:
            is_applied = fates.pop(0)
            self._store.world.count(f"commit unanswered, {'applied' if is_applied else 'not applied'}")

            def lose(session: Session) -> None:
                if is_applied:
                    session.commit()
                session.close()

            await self._send(lose, control=True)
            raise AssertionError("an answer that was to be lost has come")
        await self.control("COMMIT", Session.commit)

    async def close(self) -> None:
        """End the session politely."""
        if self.is_usable:
            self._is_closed = True
            await self._arrive(lambda session: session.store.world.loop.after(0, session.close), control=True)

    async def _ask(self, text: str, args: tuple[Any, ...]) -> Any:
        statement = statement_of(text)
        return await self._send(lambda session: statement(session, *args), control=False)

    async def _send(self, run: Callable[[Session], Any], *, control: bool) -> Any:
        if self._actor.is_alive and not self.is_usable:
            raise asyncpg.exceptions.InterfaceError("connection is closed")
        return await self._arrive(run, control=control)

    async def _arrive(self, run: Callable[[Session], Any], *, control: bool) -> Any:
        if not self._actor.is_alive:
            raise asyncio.CancelledError
        world = self._store.world
        answer = world.loop.create_future()
        serve, delay = self.session.serve, world.delay(self._actor)
        if delay:
            world.loop.after(delay, lambda: serve(run, answer, control=control))
        else:
            serve(run, answer, control=control)
        return await answer


class Pool:
    """The connections of one process."""

    def __init__(self, store: Store, actor: Actor) -> None:
        self._store = store
        self._actor = actor
        self._idle: list[Connection] = []

    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        return self._lend()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Connection]:
        connection = None
        while self._idle and connection is None:
            connection = self._idle.pop()
            if not connection.is_usable:
                connection = None
        connection = connection or Connection(self._store, self._actor)
        try:
            yield connection
        finally:
            if connection.is_usable and connection.depth == 0:
                self._idle.append(connection)
            elif self._actor.is_alive:
                connection.session.close()


def connector(store: Store, actor: Actor) -> Callable[..., Any]:
    """What stands in for `asyncpg.connect`."""

    async def connect(url: str, **settings: object) -> Connection:
        if not actor.is_alive:
            raise asyncio.CancelledError
        await asyncio.sleep(store.world.delay(actor))
        return Connection(store, actor)

    return connect
