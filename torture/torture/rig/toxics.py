"""What a link does to the bytes that pass: the faults that are on at the moment, and the figures of what they did."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from torture.rig.wires import Request, RequestKind

Way = Literal["up", "down"]  # Up is from the service to the server.

_TURNS_PER_S = 20  # A narrow link passes its bytes on in so many portions a second.


@dataclass(slots=True)
class Cut:
    """A request to be cut: the `left`-th next of its kind."""

    request: RequestKind
    left: int
    when: Literal["before", "after"]


class Toxics:
    """Asked by connections whenever bytes arrive."""

    def __init__(self, seed: int) -> None:
        self.passed: Counter[Way] = Counter()  # Bytes.
        self.cut: Counter[str] = Counter()
        self.cuts: list[Cut] = []
        self._random = random.Random(seed)
        self.clear()

    def clear(self) -> None:
        """No fault is on."""
        self.latency_s = self.jitter_s = 0.0
        self.slice_bytes: int | None = None
        self.slice_pause_s = 0.0
        self.bytes_per_s: int | None = None
        self.swallowed: set[Way] = set()
        self.budget: int | None = None  # Bytes a new connection may carry before it is reset.
        self.cuts.clear()

    @property
    def delays(self) -> bool:
        """Whether bytes have to wait in a queue."""
        return bool(self.latency_s or self.jitter_s or self.slice_bytes or self.bytes_per_s)

    def delay_s(self) -> float:
        """How late the chunk at hand is to be."""
        return max(0.0, self.latency_s + self._random.uniform(-self.jitter_s, self.jitter_s))

    def portion(self, waiting: int) -> tuple[int, float]:
        """How many of the waiting bytes go now, and the pause after them in seconds."""
        size, pause_s = min(waiting, self.slice_bytes or waiting), self.slice_pause_s
        if self.bytes_per_s:
            size = max(1, min(size, self.bytes_per_s // _TURNS_PER_S))
            pause_s += size / self.bytes_per_s
        return size, pause_s

    def due(self, request: Request) -> Cut | None:
        """Count a request; return the cut whose turn has come with it."""
        waiting = [cut for cut in self.cuts if cut.request == request.kind]
        for cut in waiting:
            cut.left -= 1
        due = next((cut for cut in waiting if cut.left <= 0), None)
        if due is not None:
            self.cuts.remove(due)
        return due

    def put_off(self, cut: Cut) -> None:
        """The server did not do what was asked: the next request is cut instead."""
        cut.left = 1
        self.cuts.append(cut)

    def count_cut(self, cut: Cut) -> None:
        """One more of its kind has happened."""
        self.cut[f"{cut.request}.{cut.when}"] += 1
