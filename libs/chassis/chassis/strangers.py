"""
Cancellation that is not ours, and errors of tasks that are not ours.

aiokafka cancels tasks of its own and awaits them, so a CancelledError of one of those can come out of any of its calls, `stop` first of
all. Taken for ours it would end a worker as if somebody had asked for it: quietly, with status 0. And it asks its own tasks for their
errors only while they run: one whose connection broke in the moment its client is stopped is asked by nobody.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import aiokafka
import structlog
from aiokafka.errors import KafkaError
from asyncpg.exceptions import InterfaceError, PostgresConnectionError

log = structlog.get_logger()

_AIOKAFKA: Final = f"{Path(aiokafka.__file__).parent}/"


def cancelled_by_a_stranger() -> bool:
    """Say of the CancelledError in hand whether nobody has asked the running task to end."""
    task = asyncio.current_task()
    return task is not None and not task.cancelling()


async def outcome_of(asking: Coroutine[Any, Any, None], seconds: float, *, cancel: bool = True) -> str | None:
    """
    Run what asks something of a Kafka client in a task of its own, for at most so long; return what went wrong, None when nothing did.

    One that does not end is cancelled and left: waiting for that could take for ever, too. `cancel` False leaves it as it is: aiokafka
    shields what a commit does, and complains of the error of a task that nobody waits for any more.
    """
    task = asyncio.ensure_future(asking)
    task.add_done_callback(_look_at)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        if cancel:
            task.cancel()
        return f"did not end within {seconds:.0f} s"
    if task.cancelled():
        return "ended by the cancellation of a task of its own"
    error = task.exception()
    return None if error is None else f"{type(error).__name__}: {error}"


def _look_at(task: "asyncio.Task[None]") -> None:
    """Take note of how something ended that nobody may be waiting for any more, or asyncio complains."""
    if not task.cancelled():
        task.exception()


def note_a_strangers_error(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """
    Take what asyncio complains of: a client's own error is told as what it is, everything else as asyncio would.

    Its own are those of its kind, all of its own tasks, and what its own code has put into a future: whatever its connection was just
    closed by. While the client is in use, the same error comes out of its calls; that is where it counts. So does what a connection to the
    database is lost by: whoever was cancelled in that moment has no need of it.
    """
    error = context.get("exception")
    if error is not None and (isinstance(error, KafkaError) or _is_aiokafkas(context.get("future")) or _has_come_up_in_aiokafka(error)):
        log.warning("kafka.task_ended", error=f"{type(error).__name__}: {error}")
    elif error is not None and _was_left_by_a_lost_connection(error, context.get("future")):
        log.warning("database.connection_ended", error=f"{type(error).__name__}: {error}")
    else:
        loop.default_exception_handler(dict(context))


def _is_aiokafkas(future: object) -> bool:
    """Whether that is a task that aiokafka has made of a coroutine of its own."""
    code = getattr(future.get_coro(), "cr_code", None) if isinstance(future, asyncio.Task) else None
    return code is not None and code.co_filename.startswith(_AIOKAFKA)


def _has_come_up_in_aiokafka(error: BaseException) -> bool:
    """Whether the outermost code that has seen the error is aiokafka's: what it raises while we call it has come up further, to ours."""
    return error.__traceback__ is not None and error.__traceback__.tb_frame.f_code.co_filename.startswith(_AIOKAFKA)


def _was_left_by_a_lost_connection(error: BaseException, future: object) -> bool:
    """Whether a connection of asyncpg has left that for somebody who waited for an answer; nobody has ever raised it."""
    is_plain = isinstance(future, asyncio.Future) and not isinstance(future, asyncio.Task)
    return is_plain and error.__traceback__ is None and isinstance(error, PostgresConnectionError | InterfaceError)
