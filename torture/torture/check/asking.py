"""Asking the services over HTTP, at rest: how they age what is open, and what they answer when they are asked the same again."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import TracebackType
from typing import Any, Final, Self

import httpx

from torture.check.answers import CHECKER, Aging, Replay, Rush
from torture.check.books import Books, Document
from torture.check.expected import Command
from torture.check.finding import Finding
from torture.check.rows import Day
from torture.rig.cluster import Cluster

REPLAYS_MAX: Final = 200
RUSH: Final = 20
_FAR: Final = date(2999, 12, 31)
_AT_ONCE: Final = 8
_TIMEOUT_S: Final = 30.0
_AGAIN_S: Final = 0.2
_AGAIN_MAX: Final = 50
_ROLES: Final = ("clerk", "approver", "service", "credit-analyst", "operator", "policy_maker", "policy_checker")


@dataclass(slots=True)
class Asker:
    """One conversation with the services; `findings` are questions that were not answered at all."""

    cluster: Cluster
    findings: list[Finding]
    _http: httpx.AsyncClient

    @classmethod
    def of(cls, cluster: Cluster) -> "Asker":
        """Begin a conversation."""
        return cls(cluster, [], httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def aging(self, books: Books) -> list[Aging]:
        """Ask for every entity's aging by customer: as of the last closed day, past days and the far future; known now and before."""
        asked = []
        for day in books.rows("reporting", Day):
            closed_on = day.open_on - timedelta(days=1)
            for as_of in (closed_on, closed_on - timedelta(days=7), closed_on - timedelta(days=35), _FAR):
                for known_at in (None, closed_on, closed_on - timedelta(days=3)):
                    asked.append((day.entity, as_of, known_at))
        return [answer for one in asked if (answer := await self._aging(*one)) is not None]

    async def _aging(self, entity: str, as_of: date, known_at: date | None) -> Aging | None:
        query = {"entity": entity, "as_of": str(as_of), "by": "customer", **({"known_at": str(known_at)} if known_at else {})}
        answer = await self._send("reporting", "GET", "/v1/aging", query=query)
        try:
            if answer is not None and answer.status_code == httpx.codes.OK:
                return Aging.of(entity, as_of, known_at, answer.json())
            said = f"HTTP {answer.status_code}" if answer is not None else "no answer"
        except (KeyError, ValueError, TypeError) as error:
            said = f"{type(error).__name__}: {error}"
        self.findings.append(Finding("M9", f"aging {entity} as of {as_of} known at {known_at}", f"cannot be read: {said}"))
        return None

    async def replays(self, commands: Sequence[Command], random: Random) -> list[Replay]:
        """Send up to 200 acknowledged commands once more, each at any instance of its service, then each with another body."""
        accepted = [one for one in commands if one.was_accepted]
        chosen = accepted if len(accepted) <= REPLAYS_MAX else random.sample(accepted, REPLAYS_MAX)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def again(command: Command) -> Replay | None:
            async with at_once:
                return await self._replay(command, random)

        return [one for one in await asyncio.gather(*map(again, chosen)) if one is not None]

    async def _replay(self, command: Command, random: Random) -> Replay | None:
        same = await self._command(command, command.body, random)
        altered = await self._command(command, command.body + b" ", random)  # The same to a JSON reader, and not the same request.
        if same is None or altered is None:
            self.findings.append(Finding("D2", f"{command.service} {command.route} {command.key}", "no answer when asked again"))
            return None
        return Replay(command, same.status_code, same.content, altered.status_code)

    async def _command(self, command: Command, body: bytes, random: Random) -> httpx.Response | None:
        headers = {"Idempotency-Key": command.key, **command.headers}
        instances = self._instances(command.service)
        for instance in random.sample(instances, len(instances)):  # Whether every process answers is asked elsewhere.
            answer = await self._send(instance, command.method, command.url_path, body=body, headers=headers, subject=command.principal)
            if answer is not None:
                return answer
        return None

    async def rush(self, books: Books) -> Rush | None:
        """Issue one new invoice with 20 requests at once under one key, over all instances of the service."""
        days = books.rows("invoice", Day)
        if not days:
            return None
        day, place = days[0], len(books.rows("invoice", Document))
        number = f"{CHECKER}-{place}"
        body = {"entity": day.entity, "document_no": number, "customer": CHECKER, "currency": "USD"}
        body |= {"issued_on": str(day.open_on), "terms": "NET30", "total": "1.00"}
        instances = self._instances("invoice")
        sends = [self._until_done(instances[n % len(instances)], json.dumps(body).encode(), number) for n in range(RUSH)]
        answers = [one for one in await asyncio.gather(*sends) if one is not None]
        shown = await self._send(instances[0], "GET", "/v1/invoices", query={"entity": day.entity, "account": CHECKER, "limit": "200"})
        listed = _list_of(shown.json()) if shown is not None and shown.is_success else []
        effects = sum(one.get("document_no") == number for one in listed)
        contents = frozenset(one.content for one in answers if one.is_success)
        return Rush(number, [one.status_code for one in answers], contents, effects)

    async def _until_done(self, instance: str, body: bytes, key: str) -> httpx.Response | None:
        """Send one of the rush; who is told that the first is still at work, or that the day turns, asks again."""
        answer = None
        for _ in range(_AGAIN_MAX):
            answer = await self._send(instance, "POST", "/v1/invoices", body=body, headers={"Idempotency-Key": key}, subject="checker")
            if answer is not None and answer.status_code not in (httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE):
                break
            await asyncio.sleep(_AGAIN_S)
        return answer

    def _instances(self, service: str) -> list[str]:
        return [name for name in self.cluster.names if name.startswith(f"{service}-")]

    async def _send(
        self,
        instance: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        subject: str = "checker",
    ) -> httpx.Response | None:
        """Send a request to an instance, or to the first of a service; None where nobody answers."""
        name = instance if instance in self.cluster.names else self._instances(instance)[0]
        told = {"Authorization": f"Bearer {self.cluster.token(subject, _ROLES)}", "Content-Type": "application/json", **(headers or {})}
        try:
            return await self._http.request(method, f"{self.cluster.url(name)}{path}", params=query, content=body, headers=told)
        except httpx.HTTPError:
            return None


def _list_of(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rows of a page, whatever they are called."""
    return next((rows for rows in page.values() if isinstance(rows, list)), [])
