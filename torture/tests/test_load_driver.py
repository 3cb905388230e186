"""The load without a cluster: what it leaves out because it could never begin."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from torture.load import History, Load, World
from torture.load.operation import Call


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
