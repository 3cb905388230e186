"""What is looked at while it hurts: the invariants that hold at any time, the services' own figures, and whether they answer."""

import asyncio
import contextlib
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

import httpx

from torture.check import Finding, sample
from torture.check.topology import SERVICES
from torture.rig.cluster import Cluster
from torture.standing import NOT_ANSWERING

SAMPLE_EVERY_S: Final = 1.0
SAMPLE_PAUSE: Final = 4.0
"""After a look at least so many times what it took: books that grow would have the databases answer nobody else in the end."""
PROBE_EVERY_S: Final = 0.5
ANSWER_S_MAX: Final = 2.0
_FIGURE: Final = re.compile(r"^(receivables_[a-z_]+_total)(\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one service at a moment (monotonic seconds): whether any of its instances answered in time."""

    at: float
    service: str
    answered: bool


@dataclass(slots=True)
class Watch:
    """Runs beside load and nemesis; `findings`, `figures` (sums over all lives of all processes) and `probes` are what it saw."""

    cluster: Cluster
    findings: list[Finding] = field(default_factory=list)
    samples: int = 0
    figures: Counter[str] = field(default_factory=Counter)
    probes: list[Probe] = field(default_factory=list)
    outbox_age_s: float = 0.0
    _last: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _reported: set[tuple[str, str]] = field(default_factory=set)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sample(stop))
            group.create_task(self._ask(stop))

    async def look(self) -> None:
        """Take one sample of the invariants."""
        with contextlib.suppress(*NOT_ANSWERING):
            found = await sample(self.cluster)
            self.samples += 1
            for one in found:
                if (one.invariant, one.where) not in self._reported:
                    self._reported.add((one.invariant, one.where))
                    self.findings.append(one)

    async def _sample(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began_at = time.monotonic()
            await self.look()
            took_s = time.monotonic() - began_at
            await _until(stop, max(SAMPLE_EVERY_S - took_s, SAMPLE_PAUSE * took_s))

    async def _ask(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX, trust_env=False) as http:
            while not stop.is_set():
                began_at = time.monotonic()
                answers = await asyncio.gather(*(self._probe(http, name) for name in self.cluster.names))
                for service in SERVICES:
                    answered = any(ok for name, ok in zip(self.cluster.names, answers, strict=True) if name.startswith(f"{service}-"))
                    self.probes.append(Probe(began_at, service, answered))
                await _until(stop, PROBE_EVERY_S - (time.monotonic() - began_at))

    async def _probe(self, http: httpx.AsyncClient, name: str) -> bool:
        """Read something from the database over HTTP; take the figures along."""
        try:
            answer = await http.get(f"{self.cluster.url(name)}/v1/business-days", params={"entity": "US01"})
            self.take(name, (await http.get(f"{self.cluster.url(name)}/metrics")).text)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def take(self, name: str, exposition: str) -> None:
        """Add what the counters of a process have grown by; one that is lower than before belongs to a new life."""
        for metric, labels, value in _FIGURE.findall(exposition):
            key, now = f"{metric}{labels}", float(value)
            before = self._last[name].get(key, 0.0)
            grown = now - before if now >= before else now
            self._last[name][key] = now
            if grown:
                self.figures[key] += int(grown)

    def figure(self, metric: str, **labels: str) -> int:
        """Sum a counter over all processes and over the labels not named."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        return sum(n for key, n in self.figures.items() if key.partition("{")[0] == metric and all(one in key for one in wanted))


async def _until(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(0.01, seconds))
