"""Running a coroutine from plain code, also where an event loop is already running (a test that asks for a fresh database)."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a loop of its own and return its result."""
    with ThreadPoolExecutor(1, "launcher") as thread:
        return thread.submit(asyncio.run, work).result()
