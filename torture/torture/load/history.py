"""
The client history: what was tried and what was answered, one JSON line each, on disk before anything happens because of it.

In Jepsen's words: `invoke` before an attempt leaves, then `ok` (it has happened), `fail` (it has not, and never will by this attempt) or
`info` (nobody knows). An operation is definite when one of its attempts was ok, or was refused by an answer.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from torture.load.operation import Call, Operation, Publication

What: TypeAlias = Literal["invoke", "ok", "fail", "info"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One line. `at` is seconds since 1970; `attempt` counts the sends of one operation from 1.

    An invoke says what is sent; of the attempts of an operation only the first repeats the `body`. The others say what came back: of
    HTTP `status` and `answer`, of Kafka the `place` (topic, partition, offset), else the `error`.
    """

    at: float
    what: What
    id: str
    attempt: int
    kind: str = ""
    route: str = ""
    key: str = ""
    subject: str = ""
    if_match: str | None = None
    body: Mapping[str, Any] | None = None
    meant: str = ""
    code: str = ""
    instance: str = ""
    status: int | None = None
    answer: str | None = None
    place: tuple[str, int, int] | None = None
    error: str = ""


class History:
    """
    Writes to `file`; lines that wait together go to disk together.

    :param clock: seconds since 1970.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file = file
        self._clock = clock
        self._out = file.open("ab")
        self._lines: list[bytes] = []
        self._written: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = None
        self._counts: Counter[str] = Counter()
        self._open: set[str] = set()
        self._definite: set[str] = set()
        self._unsure: set[str] = set()

    async def invoke(self, operation: Operation, attempt: int, instance: str = "") -> None:
        """Note that an operation is about to be sent; when this returns the line is on disk."""
        call = operation if isinstance(operation, Call) else None
        assert isinstance(operation, Call | Publication)
        entry = Entry(
            at=self._clock(),
            what="invoke",
            id=operation.id,
            attempt=attempt,
            kind=operation.kind,
            route=operation.route,
            key=operation.key,
            subject=call.subject if call else "",
            if_match=call.if_match if call else None,
            body=operation.body if attempt == 1 else None,
            meant=operation.meant.value,
            code=operation.code,
            instance=instance,
        )
        if operation.id not in self._definite:
            self._open.add(operation.id)
        await self._add(entry)

    async def ok(self, id_: str, attempt: int, *, status: int | None = None, answer: str | None = None, place: Any = None) -> None:
        """Note that an attempt has had its effect."""
        self._settle(id_, "ok")
        await self._add(Entry(at=self._clock(), what="ok", id=id_, attempt=attempt, status=status, answer=answer, place=place))

    async def fail(self, id_: str, attempt: int, *, status: int | None = None, answer: str | None = None, error: str = "") -> None:
        """Note that an attempt had no effect: refused with a status, or nobody was there to hear it."""
        if status is not None:
            self._settle(id_, "fail")
        await self._add(Entry(at=self._clock(), what="fail", id=id_, attempt=attempt, status=status, answer=answer, error=error))

    async def info(self, id_: str, attempt: int, *, status: int | None = None, answer: str | None = None, error: str = "") -> None:
        """Note that nobody knows what has become of an attempt."""
        if id_ in self._open:
            self._unsure.add(id_)
        await self._add(Entry(at=self._clock(), what="info", id=id_, attempt=attempt, status=status, answer=answer, error=error))

    def totals(self) -> dict[str, int]:
        """Count operations: ok, fail (refused), info (still nobody knows), and resolved (once info, definite in the end)."""
        return {"ok": self._counts["ok"], "fail": self._counts["fail"], "info": len(self._open), "resolved": self._counts["resolved"]}

    def entries(self) -> Iterator[Entry]:
        """Read everything back, what this process has not written included."""
        return read_entries(self.file)

    def close(self) -> None:
        """Write what waits and close the file."""
        lines, self._lines = self._lines, []
        if not self._out.closed:
            self._append(lines)
            self._out.close()

    def _settle(self, id_: str, how: str) -> None:
        if id_ in self._open:
            self._open.remove(id_)
            self._definite.add(id_)
            self._counts[how] += 1
            self._counts["resolved"] += id_ in self._unsure

    async def _add(self, entry: Entry) -> None:
        self._lines.append(msgspec.json.encode(entry) + b"\n")
        if self._written is None:
            self._written = asyncio.get_running_loop().create_future()
        written = self._written
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(written)  # Others wait for the same group: one that is cancelled must not take it from them.

    async def _write(self) -> None:
        """Write group after group until nothing waits; a failure is everybody's who waited."""
        while self._lines and self._written is not None:
            lines, written = self._lines, self._written
            self._lines, self._written = [], None
            try:
                await asyncio.to_thread(self._append, lines)
            except OSError as error:
                written.set_exception(error)
            else:
                written.set_result(None)

    def _append(self, lines: list[bytes]) -> None:
        self._out.write(b"".join(lines))
        self._out.flush()
        os.fsync(self._out.fileno())


def read_entries(file: Path) -> Iterator[Entry]:
    """
    Read a history; a last line that was torn by a crash is left out.

    :raises ValueError: another line cannot be read.
    """
    decoder = msgspec.json.Decoder(Entry)
    with file.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            yield decoder.decode(line)
