"""Disorder: records come out of a window of fifty in any order."""

from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")
WINDOW: Final = 50


class Mixer(Generic[T]):
    """Holds back up to `WINDOW` things; for each that comes in beyond it a random one goes out."""

    def __init__(self, random: Random, window: int = WINDOW) -> None:
        self._random = random
        self._window = window
        self._held: list[T] = []

    def put(self, thing: T) -> list[T]:
        """Take a thing in and return what goes out: nothing until the window is full."""
        self._held.append(thing)
        return [self._draw()] if len(self._held) > self._window else []

    def rest(self) -> list[T]:
        """Return everything still held, in any order."""
        return [self._draw() for _ in range(len(self._held))]

    def _draw(self) -> T:
        place = self._random.randrange(len(self._held))
        self._held[place], self._held[-1] = self._held[-1], self._held[place]
        return self._held.pop()
