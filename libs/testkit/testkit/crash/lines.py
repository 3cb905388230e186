"""
Work that is killed at every line it executes, one line after the other, and each time gone on with by a process that knows nothing of it.

What the outside has seen of a process changes only when its loop comes round. So a line that is executed several times within one turn of
the loop is killed at once there, the first time: all lines of all turns, and no two kills that nobody could tell apart.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import traceback
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Final, Protocol, TypeAlias

import asyncpg
import msgspec
import structlog
from chassis.database import Connection

from testkit.process import Child

_TURN: Final = BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # What a loop does each time it comes round has no public name.
_LIFE_S_MAX: Final = 60
_SWEEP_S_MAX: Final = 3600
_FAULTS_MAX: Final = 10


Books: TypeAlias = Mapping[str, Any]
"""What has come of the work, by name: values that can be compared."""


class Subject(Protocol):
    """Work on books of its own. Goes to other processes, so it is made of plain values."""

    @property
    def packages(self) -> Sequence[str]:
        """Whose lines are counted."""

    @property
    def url(self) -> str:
        """The database with the books."""

    async def reset(self, db: Connection) -> None:
        """Lay all of the work before empty books."""

    async def go_on(self) -> None:
        """Do what is left of the work, as a process does from its start on."""

    async def books(self, db: Connection) -> Books:
        """Tell what has come of the work, as it has to be the same however often the work was begun."""

    def assert_right(self, books: Books) -> None:
        """:raises AssertionError: these are not the books that the work has to end in."""


class Lines:
    """While entered, counts the lines that this thread executes in some packages, and kills the process at one of them."""

    def __init__(self, packages: Collection[str], kill_at: int | None = None) -> None:
        """:param kill_at: from 0; None lets the process live and keeps every line in `executed`, with the turn of the loop it was in."""
        self._folders = tuple(str(Path(import_module(package).__file__ or "").parent) + os.sep for package in packages)
        self._kill_at = kill_at
        self._ours: dict[CodeType, bool] = {}
        self._count = self._turn = 0
        self.executed: list[tuple[int, str]] = []

    def __enter__(self) -> "Lines":
        sys.settrace(self._call)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.settrace(None)

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        self._turn += code is _TURN
        if code not in self._ours:
            self._ours[code] = code.co_filename.startswith(self._folders)
        return self._line if self._ours[code] else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            if self._kill_at is None:
                self.executed.append((self._turn, f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"))
            elif self._count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self._count += 1
        return self._line


@dataclass
class Swept:
    """What came of a sweep: the places died at as `file:line`, and a sentence for each that did not end as it should."""

    places: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


TURNS_APART: Final = 3
"""Where not all turns of the loop are tried: neighbours mostly wait for two answers within one transaction."""


def sweep(subjects: Sequence[Subject], folder: Path, *, is_short: bool = False) -> Swept:
    """
    Kill the work at every line, or, in short, once in every third turn of the loop, and check the books after it has been gone on with.

    The subjects are the same work on different books; they share the lines, each in a process of its own.

    :param folder: takes what the processes print and what they have found.
    :raises AssertionError: a process could not do its part; the message is what it printed.
    """
    results = [folder / f"swept-{n}.json" for n in range(len(subjects))]
    logs = [folder / f"sweep-{n}.log" for n in range(len(subjects))]
    children = [
        Child(_sweep, subject, n, len(subjects), is_short, str(result), log=log)
        for n, (subject, result, log) in enumerate(zip(subjects, results, logs, strict=True))
    ]
    try:
        for child, log in zip(children, logs, strict=True):
            assert child.wait(_SWEEP_S_MAX) == 0, log.read_text(errors="replace")[-10_000:]
    finally:
        for child in children:
            if child.is_alive:
                child.kill()
    whole = Swept()
    for result in results:
        part = msgspec.json.decode(result.read_bytes(), type=Swept)
        whole = Swept(whole.places + part.places, whole.faults + part.faults)
    return whole


def _sweep(subject: Subject, share: int, shares: int, is_short: bool, result: str) -> None:
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])  # No tracebacks with locals: they take longer than all else.
    swept = Swept()
    with Sweeper(subject, Path(result)) as sweeper:
        executed = sweeper.executed()
        first = {turn if is_short else (turn, place): line for line, (turn, place) in reversed(list(enumerate(executed)))}
        tried = sorted(first.values())[:: TURNS_APART if is_short else 1]
        for line in tried[share::shares]:
            turn, place = executed[line]
            swept.places.append(place)
            fault = sweeper.die_at(line)
            if fault is not None:
                swept.faults.append(f"killed at line {line}, {place} in turn {turn} of the loop: {fault}")
            if len(swept.faults) >= _FAULTS_MAX or not _is_awaited():
                break
    Path(result).write_bytes(msgspec.json.encode(swept))


def _is_awaited() -> bool:
    """Whether whoever started this process still lives."""
    parent = multiprocessing.parent_process()
    return parent is None or parent.is_alive()


class Sweeper:
    """One subject, which works in forks of this process; the connection to its books stays here."""

    def __init__(self, subject: Subject, counted: Path) -> None:
        self._subject = subject
        self._counted = counted
        self._runner = asyncio.Runner()
        self._undisturbed: Books = {}

    def __enter__(self) -> "Sweeper":
        self._db = self._runner.run(asyncpg.connect(self._subject.url))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._runner.run(self._db.close())
        self._runner.close()

    def executed(self) -> list[tuple[int, str]]:
        """Do the work twice, undisturbed: its lines are the same, and so are its books, which are right."""
        runs, books = [], []
        for _ in range(2):
            self._runner.run(self._subject.reset(self._db))
            assert _forked(lambda: _count(self._subject, self._counted)) == 0, "the work cannot be done"
            runs.append(msgspec.json.decode(self._counted.read_bytes(), type=list[tuple[int, str]]))
            books.append(self._runner.run(self._subject.books(self._db)))
        self._subject.assert_right(books[0])
        assert books[0] == books[1], "the work does not always end in the same books"
        differing = [one for (_, one), (_, other) in zip(*runs, strict=False) if one != other]
        assert not differing, f"the work does not always take the same way, from {differing[0]} on"
        assert len(runs[0]) == len(runs[1]), "the work does not always take as long"
        self._undisturbed = books[0]
        return runs[0]

    def die_at(self, line: int) -> str | None:
        """Do the work, die at a line and go on; say what is wrong then, None where all is well."""
        self._runner.run(self._subject.reset(self._db))
        if _forked(lambda: _die(self._subject, line)) != -signal.SIGKILL:
            return "the work was over before"
        status = _forked(lambda: asyncio.run(self._subject.go_on()))
        if status:
            return f"the next process ended with {status}"
        books = self._runner.run(self._subject.books(self._db))
        differing = [
            f"{name}: {found} instead of {self._undisturbed[name]}" for name, found in books.items() if found != self._undisturbed[name]
        ]
        return "; ".join(differing) or None


def _count(subject: Subject, counted: Path) -> None:
    with Lines(subject.packages) as lines:
        asyncio.run(subject.go_on())
    counted.write_bytes(msgspec.json.encode(lines.executed))


def _die(subject: Subject, line: int) -> None:
    with Lines(subject.packages, line):
        asyncio.run(subject.go_on())


def _forked(run: Callable[[], None]) -> int:
    """Run something in a child; return its exit status, negative the signal that killed it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        signal.alarm(_LIFE_S_MAX)
        run()
        status = 0
    except BaseException:  # Nothing of a child may come back into its parent's code.
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
