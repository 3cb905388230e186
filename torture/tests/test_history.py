"""The history: on disk before anything happens because of it, and readable after any crash."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from torture.load.history import History, read_entries
from torture.load.operation import Call, Meant, Publication
from torture.load.wire import Record


def a_call(id_: str = "op-1") -> Call:
    return Call(
        id=id_,
        kind="limit",
        body={"entity": "US01", "limit": "5"},
        meant=Meant.EITHER,
        service="credit",
        method="PUT",
        path="/v1/accounts/C-1/limit",
        key=f"key-{id_}",
        subject="analyst-1",
        if_match='"3"',
    )


def a_publication(id_: str = "op-2") -> Publication:
    return Publication(id=id_, kind="invoice", body={"document_no": "INV-1"}, copies=(Record("erp.documents", b"US01|INV-1", b"{}"),))


async def test_an_invoke_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl", clock=lambda: 1000.0)
    await history.invoke(a_call(), 1, "credit-1")
    (entry,) = read_entries(history.file)
    assert (entry.at, entry.what, entry.id, entry.attempt, entry.instance) == (1000.0, "invoke", "op-1", 1, "credit-1")
    assert (entry.kind, entry.route, entry.key, entry.subject) == ("limit", "PUT /v1/accounts/C-1/limit", "key-op-1", "analyst-1")
    assert (entry.if_match, entry.body, entry.meant) == ('"3"', {"entity": "US01", "limit": "5"}, "either")
    history.close()


async def test_what_waits_together_goes_to_disk_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(tmp_path / "history.jsonl")
    groups: list[int] = []
    append = history._append

    def counted(lines: Sequence[bytes]) -> None:
        groups.append(len(lines))
        append(list(lines))

    monkeypatch.setattr(history, "_append", counted)
    await asyncio.gather(*(history.invoke(a_call(f"op-{n}"), 1) for n in range(100)))
    assert sum(groups) == 100
    assert len(groups) <= 3
    assert [entry.id for entry in history.entries()] == [f"op-{n}" for n in range(100)]
    history.close()


async def test_one_who_is_cancelled_takes_the_line_from_nobody(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    leaving = asyncio.create_task(history.invoke(a_call("op-1"), 1))
    staying = asyncio.create_task(history.invoke(a_call("op-2"), 1))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert {entry.id for entry in history.entries()} == {"op-1", "op-2"}
    history.close()


async def test_a_line_torn_by_a_crash_is_left_out_and_any_other_is_an_error(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    await history.invoke(a_call(), 1)
    history.close()
    whole = history.file.read_bytes()
    history.file.write_bytes(whole + whole[:40])
    assert len(list(read_entries(history.file))) == 1
    history.file.write_bytes(whole[:40] + b"\n" + whole)
    with pytest.raises(ValueError):
        list(read_entries(history.file))


async def test_totals_count_operations_not_attempts(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    await history.invoke(a_call("op-1"), 1)
    await history.info("op-1", 1, error="ReadTimeout: ")
    await history.invoke(a_call("op-1"), 2)
    await history.ok("op-1", 2, status=200, answer="{}")
    await history.invoke(a_publication("op-2"), 1)
    await history.invoke(a_publication("op-2"), 2)
    await history.ok("op-2", 2, place=("erp.documents", 0, 7))
    await history.invoke(a_publication("op-2"), 3)
    await history.info("op-2", 3, error="KafkaTimeoutError: ")  # Another copy stands in the log already.
    await history.invoke(a_call("op-3"), 1)
    await history.fail("op-3", 1, status=412, answer="")
    await history.invoke(a_call("op-4"), 1)
    await history.fail("op-4", 1, error="nobody listens")
    assert history.totals() == {"ok": 2, "fail": 1, "info": 1, "resolved": 1}
    assert [entry.place for entry in history.entries() if entry.place] == [("erp.documents", 0, 7)]
    history.close()


async def test_only_the_first_attempt_repeats_the_body(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    await history.invoke(a_call(), 1)
    await history.invoke(a_call(), 2)
    assert [entry.body is None for entry in history.entries()] == [False, True]
    history.close()
