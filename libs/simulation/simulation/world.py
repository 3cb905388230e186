"""What everything simulated shares: the loop, the one source of chance, what has happened, and the promises seen broken."""

import hashlib
import random
from collections import Counter

from simulation.loop import Actor, VirtualLoop

_PACES = (  # Seconds an answer takes, as lots to draw from: zeros make races within one moment, long ones let others overtake.
    [0.0] * 10 + [0.001] * 6 + [0.002] * 4 + [0.01] * 2,
    [0.0] * 8 + [0.001] * 4 + [0.005] * 4 + [0.05] * 2,
    [0.0] * 8 + [0.001] * 8 + [0.02] * 4 + [0.2],
)


class World:
    """
    One simulated run: `chance` decides everything that nobody promised.

    `broken` are the promises seen broken, as sentences; `counts` is what happened how often, so that a run can say what it has tried.
    """

    def __init__(self, seed: int | str, jitter_seed: int = 0) -> None:
        self.loop = VirtualLoop()  # type: ignore[abstract] # What needs sockets, threads or signals is left out: nobody asks.
        self.chance = random.Random(seed)
        self.jitter = random.Random(jitter_seed)  # Of retries; not the one of `random`, which other threads of this process draw from.
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self.events: list[tuple[float, str, str]] = []
        self.slow_until: dict[str, float] = {}
        self._pace = self.chance.choice(_PACES)

    def delay(self, actor: Actor | None = None) -> float:
        """How long a request or an answer takes on its way, in seconds."""
        chance = self.chance.random()
        delay = self._pace[int(chance * len(self._pace))]
        if actor is not None and self.slow_until and self.slow_until.get(actor.name, 0.0) > self.loop.time():
            delay += chance * 1.5
        return delay

    def note(self, who: str, what: str) -> None:
        """Write down what somebody did, for the trace."""
        self.events.append((self.loop.time(), who, what))

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def breaks(self, promise: str) -> None:
        """Write down a promise seen broken; the run ends soon after."""
        self.broken.append(promise)
        self.note("check", promise)

    def trace_hash(self) -> str:
        """A hash of everything that was noted, in order: the same seed gives the same."""
        return hashlib.sha256("\n".join(f"{at:.6f} {who} {what}" for at, who, what in self.events).encode()).hexdigest()
