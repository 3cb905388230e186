"""The load without a cluster: what it leaves out because it could never begin."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from torture.load import History, Load, World
from torture.load.driver import _Begun
from torture.load.operation import Call, Learnt


class Nowhere:
    """A cluster that nobody may ask anything."""

    bootstrap = "127.0.0.1:1"

    def url(self, instance: str) -> str:
        raise AssertionError(f"{instance} was asked")

    def token(self, subject: str, roles: Sequence[str]) -> str:
        raise AssertionError(f"a token of {subject} was asked for")


def a_call(id_: str, after: str) -> Call:
    where = {"service": "invoice", "method": "POST", "path": "/v1/adjustments"}
    return Call(id=id_, kind="adjustment", body={}, after=(after,), key=f"key-{id_}", subject="clerk-1", **where)  # type: ignore[arg-type]


async def test_what_comes_after_something_put_off_beyond_the_end_is_left_out_and_so_is_what_comes_after_that(tmp_path: Path) -> None:
    """A decision about a request about an invoice that was never told: none of them is waited for."""
    history = History(tmp_path / "history.jsonl")
    load = Load(Nowhere(), World(1), history, seed=1)
    load._begin(a_call("op-2", after="op-1"))
    load._begin(a_call("op-3", after="op-2"))
    await asyncio.wait_for(load.settle(), 10)
    await load.close()
    history.close()
    assert list(history.entries()) == []
    assert history.totals()["info"] == 0


def a_look_up(id_: str, of: str) -> Call:
    where = {"service": "payment", "method": "POST", "path": "/v1/applications/{application}/unapply"}
    learnt = tuple(Learnt(name, of, f"applications.0.{name}") for name in ("application", "effective_on"))
    return Call(id=id_, kind="placing", body={}, after=(of,), key=f"key-{id_}", subject="clerk-1", learnt=learnt, **where)  # type: ignore[arg-type]


async def test_a_call_is_completed_by_an_earlier_answer_and_stays_as_it_was_sent_first(tmp_path: Path) -> None:
    load = Load(Nowhere(), World(1), History(tmp_path / "history.jsonl"), seed=1)
    load._answers["op-1"] = '{"applications": [{"application": "receipt|US01|B-1", "effective_on": "2025-01-02"}]}'
    begun = _Begun(a_look_up("op-2", of="op-1"))
    assert (call := load._completed(begun)) is not None
    assert (call.path, call.body) == ("/v1/applications/receipt%7CUS01%7CB-1/unapply", {"effective_on": "2025-01-02"})
    begun.sent = 1
    assert load._completed(begun) is call
    await load.close()


async def test_what_is_learnt_from_a_refusal_or_from_an_answer_that_says_nothing_is_never_sent(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    load = Load(Nowhere(), World(1), history, seed=1)
    for id_, of, answer in (("op-2", "op-1", '{"applications": []}'), ("op-4", "op-3", "")):
        load._answers |= {of: answer} if answer else {}
        load._definite[of].set()
        load._begin(a_look_up(id_, of=of))
    load._begin(a_call("op-5", after="op-4"))
    await asyncio.wait_for(load.settle(), 10)
    await load.close()
    history.close()
    assert list(history.entries()) == []
