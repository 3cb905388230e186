"""Whose cancellation one is: a Kafka client cancels tasks of its own and awaits them, so one of those can come out of any of its calls."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class EndedByItself(Exception):
    """What was waited for was cancelled, and nobody had asked the running task to end."""


@contextmanager
def only_our_own() -> Iterator[None]:
    """
    Let a CancelledError of the block through only where somebody has asked the running task to end.

    Taken for ours, that of a client whose broker dies in the wrong moment would end the whole rig as if by Ctrl-C.

    :raises EndedByItself: see there.
    """
    try:
        yield
    except asyncio.CancelledError:
        if was_asked_to_end():
            raise
        raise EndedByItself("cancelled by one of its own tasks") from None


def was_asked_to_end() -> bool:
    """Say whether somebody has cancelled the running task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
