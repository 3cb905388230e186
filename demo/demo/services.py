"""What the player asks the services over HTTP, and how it says that one does not answer as it should."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import httpx
from launcher.trouble import Trouble

_TIMEOUT_SECONDS: Final = 30
_BUSY_TRIES_MAX: Final = 20
_BUSY_SECONDS: Final = 0.5
_PAGE: Final = 1000
BEGIN_AGAIN: Final = "`make demo` begins again with clean books"


class ServiceRefused(Trouble):
    """A service is gone, or answered with something that the demo cannot go on with; `advice` says how to go on."""

    def __init__(self, service: str, what: str, reason: str, advice: str = BEGIN_AGAIN) -> None:
        super().__init__(f"The {service} service {what}: {reason.rstrip('.')}. `make logs S={service}` tells more; {advice}.")


class Services:
    """The services' HTTP sides, for one entity."""

    def __init__(self, urls: Mapping[str, str], token: str, entity: str, advice: str = BEGIN_AGAIN) -> None:
        self.urls = urls
        self.entity = entity
        self._advice = advice
        self._token = token
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def start_day(self, day: date) -> None:
        """
        Have the calendar start a business day and all before it that were not started; safe to repeat.

        :raises ServiceRefused: it would not.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        body = {"entity": self.entity, "date": str(day)}
        await self._ask("invoice", "POST", "/v1/business-days", f"did not start {day}", json=body, headers=headers)

    async def days_of(self, service: str) -> dict[str, Any]:
        """Return how far a service is: `open_on`, `complete_up_to` and the counts beside them."""
        return await self.get(service, "/v1/business-days")

    async def get(self, service: str, path: str, **query: str | int) -> dict[str, Any]:
        """
        Read something of our entity.

        :raises ServiceRefused: it was not answered.
        """
        return await self._ask(service, "GET", path, f"did not answer {path}", params={"entity": self.entity, **query})

    async def post(self, service: str, path: str, body: dict[str, Any], *, token: str, key: str) -> dict[str, Any]:
        """
        Send a command as whoever has the token, under an Idempotency-Key.

        :raises ServiceRefused: it was refused.
        """
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return await self._ask(service, "POST", path, f"did not do it ({key})", json=body, headers=headers)

    async def all_of(self, service: str, path: str, name: str, page_rows: int = _PAGE, **query: str) -> list[dict[str, Any]]:
        """Read every page of a list."""
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str | int] = {}
        while True:
            page = await self.get(service, path, limit=page_rows, **query, **cursor)
            rows += page[name]
            if page["next_cursor"] is None:
                return rows
            cursor = {"cursor": page["next_cursor"]}

    async def _ask(self, service: str, method: str, path: str, failed: str, **request: Any) -> dict[str, Any]:
        """Ask once more where a service says that it is busy (503: its day is turning)."""
        for _ in range(_BUSY_TRIES_MAX):
            try:
                answer = await self._http.request(method, self.urls[service] + path, **request)
            except httpx.TransportError as error:
                raise ServiceRefused(
                    service, failed, f"{self.urls[service]} is not reachable ({type(error).__name__})", self._advice
                ) from None
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            await asyncio.sleep(_BUSY_SECONDS)
        if answer.is_error:
            raise ServiceRefused(service, failed, f"HTTP {answer.status_code} {_detail(answer)}".strip(), self._advice)
        body: dict[str, Any] = answer.json()
        return body


def _detail(answer: httpx.Response) -> str:
    """Return the sentence of a problem (RFC 9457) answer, if there is one."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("detail") or body.get("title") or "") if isinstance(body, dict) else ""
