"""Waiting for what has no event to wait on: rows in a database, the state of a group."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_LOOK_S = 0.02


async def until(true: Callable[[], bool | Awaitable[bool]], *, seconds: float = 20) -> None:
    """
    Look again and again until it is true.

    :raises TimeoutError: it was not within that time.
    """
    async with asyncio.timeout(seconds):
        while True:
            told = true()
            if await told if inspect.isawaitable(told) else told:
                return
            await asyncio.sleep(_LOOK_S)
