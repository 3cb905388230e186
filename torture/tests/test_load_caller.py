"""Clients of the rig, against a server that answers as told: what is definite, what is not, and who is asked next."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from torture.load import caller
from torture.load.caller import Caller
from torture.load.history import Entry, History
from torture.load.operation import Call, HangUp

CREATED = 'HTTP/1.1 201 Created\r\nContent-Length: 8\r\nIdempotent-Replayed: true\r\n\r\n{"n": 1}'
BUSY = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 2\r\n\r\n"
CONFLICT = "HTTP/1.1 409 Conflict\r\nContent-Length: 8\r\n\r\nCONFLICT"
AT_WORK = "HTTP/1.1 409 Conflict\r\nRetry-After: 1\r\nContent-Length: 22\r\n\r\nIDEMPOTENCY_KEY_IN_USE"
NOTHING = ""
NEVER = "never"


class Place:
    """One instance that answers each request as told; the other does not listen."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.heard: list[bytes] = []
        self.port = 0

    def url(self, instance: str) -> str:
        return f"http://127.0.0.1:{self.port if instance == 'invoice-2' else 1}"

    def token(self, subject: str, roles: Sequence[str]) -> str:
        return f"{subject}:{','.join(roles)}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear one request as far as it comes and answer it."""
        self.heard.append(b"")
        while b"\r\n\r\n" not in self.heard[-1] or not self.heard[-1].endswith(b"}"):
            if not (more := await reader.read(10_000)):
                break
            self.heard[-1] += more
        answer = self.answers.pop(0) if self.answers else NOTHING
        if answer == NEVER:
            await asyncio.sleep(1)
        writer.write(answer.encode())
        writer.close()


def a_call(hang_up: HangUp = HangUp.NO) -> Call:
    body = {"entity": "US01", "document_no": "INV-1"}
    return Call(
        id="op-1",
        kind="invoice",
        body=body,
        service="invoice",
        method="POST",
        path="/v1/invoices",
        key="key-1",
        subject="clerk-1",
        hang_up=hang_up,
    )


@asynccontextmanager
async def calling(folder: Path, *answers: str) -> AsyncIterator[tuple[Caller, Place, History, Counter[str]]]:
    place, counts = Place(*answers), Counter[str]()
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0)
    place.port = server.sockets[0].getsockname()[1]
    history = History(folder / "history.jsonl")
    client = Caller(place, history, Random(1), counts)
    try:
        yield client, place, history, counts
    finally:
        await client.close()
        history.close()
        server.close()


def outcomes(history: History) -> list[tuple[str, int | None]]:
    entries: list[Entry] = list(history.entries())
    return [(entry.what, entry.status) for entry in entries if entry.what != "invoke"]


async def test_an_instance_that_does_not_listen_is_passed_over(tmp_path: Path) -> None:
    async with calling(tmp_path, *[CREATED] * 8) as (client, _, history, counts):
        tried = [await client.attempt(a_call(), n) for n in range(1, 9)]
        assert all(one.is_definite for one in tried)
        assert counts["connection refused"] > 0
        assert outcomes(history) == [("ok", 201)] * 8
        assert counts["answered from the store"] == 8


async def test_key_token_and_body_are_the_same_in_every_attempt(tmp_path: Path) -> None:
    async with calling(tmp_path, BUSY, CREATED) as (client, place, _, _):
        await client.attempt(a_call(), 1)
        await client.attempt(a_call(), 2)
        for request in place.heard:
            assert b"idempotency-key: key-1" in request.lower()
            assert b"authorization: bearer clerk-1:clerk" in request.lower()
            assert request.endswith(b'{"entity":"US01","document_no":"INV-1"}')


async def test_a_service_unavailable_may_have_happened_and_says_when_to_come_back(tmp_path: Path) -> None:
    async with calling(tmp_path, BUSY) as (client, _, history, _):
        tried = await client.attempt(a_call(), 1)
        assert (tried.is_definite, tried.pause_s) == (False, 2.0)
        assert outcomes(history) == [("info", 503)]


async def test_a_conflict_is_definite_but_a_key_still_at_work_is_not(tmp_path: Path) -> None:
    async with calling(tmp_path, CONFLICT, AT_WORK) as (client, _, history, _):
        assert (await client.attempt(a_call(), 1)).is_definite
        assert not (await client.attempt(a_call(), 2)).is_definite
        assert outcomes(history) == [("fail", 409), ("info", 409)]


async def test_a_connection_cut_and_an_answer_that_never_comes_may_have_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "ANSWER_S_MAX", 0.2)
    async with calling(tmp_path, NOTHING, NEVER) as (client, _, history, counts):
        assert not (await client.attempt(a_call(), 1)).is_definite
        assert not (await client.attempt(a_call(), 2)).is_definite
        assert outcomes(history) == [("info", None)] * 2
        assert counts["answer never came"] == 2


async def test_where_nobody_listens_nothing_has_happened_and_it_is_tried_again(tmp_path: Path) -> None:
    async with calling(tmp_path) as (client, place, history, _):
        place.port = 1
        tried = await client.attempt(a_call(), 1)
        assert not tried.is_definite
        assert outcomes(history) == [("fail", None)]
        assert history.totals()["info"] == 1


@pytest.mark.parametrize(("hang_up", "is_whole"), [(HangUp.UNANSWERED, True), (HangUp.HALF_WAY, False)])
async def test_a_client_that_hangs_up_leaves_a_request_whole_or_half(tmp_path: Path, hang_up: HangUp, is_whole: bool) -> None:
    async with calling(tmp_path, CREATED) as (client, place, history, counts):
        while not place.heard:  # One of the two instances does not listen. Always attempt 1: only that one hangs up.
            await client.attempt(a_call(hang_up), 1)
            await asyncio.sleep(0.05)
        assert place.heard[-1].endswith(b"}") == is_whole
        assert counts["request cut by its client"] == 1
        assert outcomes(history)[-1] == ("info", None)


async def test_a_client_hangs_up_only_once(tmp_path: Path) -> None:
    async with calling(tmp_path, CREATED) as (client, _, history, _):
        assert (await client.attempt(a_call(HangUp.UNANSWERED), 2)).is_definite
        assert outcomes(history) == [("ok", 201)]
