"""The demo as somebody runs it: a process, the real servers, five services, exit status and words."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from launcher.folders import State, checkout
from launcher.stack import Stack

DATA = checkout().parent / "shared" / "data"
LEDGER = DATA / "ledgers" / "ibm_ar_60_customers.csv"
PORT_BASE = 18_001
DAYS = "75"
pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A stack of its own, beside whatever else runs on this machine."""
    folder = State().folder / "test" / "demo"
    yield folder
    Stack(state=folder).down()


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "demo", "--port-base", str(PORT_BASE), *options]


def demo(state: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RECEIVABLES_STATE": str(state)}
    return subprocess.run(command(*options), env=environment, cwd=checkout(), capture_output=True, text=True, timeout=300, check=False)


def heed_interrupts() -> None:
    """A shell that starts us in the background lets its children ignore Ctrl-C; nobody presses it there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begin(state: Path, *options: str) -> subprocess.Popen[str]:
    """Start a demo and return when it is in the middle of its days."""
    environment = {**os.environ, "RECEIVABLES_STATE": str(state)}
    running = subprocess.Popen(
        command(*options),
        env=environment,
        cwd=checkout(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert running.stdout
    assert any("days complete" in line for line in running.stdout), running.communicate()[1]
    time.sleep(2)
    return running


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


@pytest.mark.torture  # The shuffle of the worked examples stands for it in every run.
def test_shuffled_and_repeated_facts_end_in_the_same_books_and_a_wrong_cent_is_found(state: Path, tmp_path: Path) -> None:
    plain = demo(state, "--days", DAYS, "--json", str(tmp_path / "plain.json"))
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert "ties to the ledger: yes" in plain.stdout
    disordered = demo(state, "--days", DAYS, "--shuffle", "4", "--duplicate", "--json", str(tmp_path / "disordered.json"))
    assert disordered.returncode == 0, disordered.stdout + disordered.stderr
    before, after = read(tmp_path / "plain.json"), read(tmp_path / "disordered.json")
    assert before["ties"] and after["ties"]
    assert before["digest"] == after["digest"]
    assert before["aging"] == after["aging"]
    assert before["totals"].keys() == {"EUR", "USD"} and before["open_total"] is None

    asyncio.run(falsify(Stack(state=state).urls().databases["reporting"]))

    checked = demo(state, "--days", DAYS, "--check", "--json", str(tmp_path / "falsified.json"))
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "ties to the ledger: no" in checked.stdout
    assert read(tmp_path / "falsified.json")["ties"] is False
    assert read(tmp_path / "falsified.json")["differences"]


async def falsify(reporting_dsn: str) -> None:
    """Add one cent to one figure of one customer in the read model."""
    connection = await asyncpg.connect(reporting_dsn)
    try:
        one = "SELECT ctid FROM account_delta WHERE measure = 'invoiced' LIMIT 1"
        changed = await connection.execute(f"UPDATE account_delta SET delta_minor = delta_minor + 1 WHERE ctid = ({one})")
    finally:
        await connection.close()
    assert changed == "UPDATE 1"


def test_ctrl_c_is_one_sentence_and_status_130_and_the_next_demo_begins_again(state: Path) -> None:
    running = begin(state)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)

    assert running.returncode == 130
    assert said.strip().count("\n") == 0
    assert said.startswith("Interrupted; ")
    assert demo(state, "--days", "10").returncode == 0


@pytest.mark.torture  # Half a minute; what a killed broker does to the services is tried at every run elsewhere.
def test_a_killed_broker_is_one_sentence_and_status_1_and_the_next_demo_begins_again(state: Path) -> None:
    running = begin(state)
    (kafka,) = [part for part in Stack(state=state).status() if part.name == "kafka"]
    if kafka.pid is None:
        pytest.skip("the broker was given to us, so it is not ours to kill")
    os.kill(kafka.pid, signal.SIGKILL)
    _, said = running.communicate(timeout=120)

    assert running.returncode == 1
    assert said.strip().count("\n") == 0
    assert "make demo" in said
    assert demo(state, "--days", "10").returncode == 0


@pytest.mark.skipif(not LEDGER.exists(), reason="needs ../shared/data/ledgers, which a clone of this repository alone does not have")
def test_the_real_ledgers_aging_and_roll_forward_equal_the_expected_figures_to_the_cent(state: Path, tmp_path: Path) -> None:
    played = demo(state, "--ledger", str(LEDGER), "--json", str(tmp_path / "result.json"))
    assert played.returncode == 0, played.stdout + played.stderr
    expected, result = read(DATA / "expected" / "ledger_ibm.json"), read(tmp_path / "result.json")
    assert (result["ties"], result["as_of"], result["open_total"], result["facts"]) == (True, "2014-01-09", "0.00", 2992)

    reporting = httpx.Client(base_url=Stack(state=state).urls().services["reporting"], trust_env=False)
    for aged in expected["aging"]:
        query = {"entity": "US01", "as_of": aged["as_of"]}
        (row,) = reporting.get("/v1/aging", params=query).json()["rows"]
        assert (row["open"], row["buckets"]) == (aged["open_total"], aged["buckets"])
        customers = reporting.get("/v1/aging", params={**query, "by": "customer"}).json()["rows"]
        assert len(customers) == aged["customers_with_balance"]
        top = reporting.get("/v1/aging", params={**query, "by": "customer", "sort": "-open", "limit": 5}).json()["rows"]
        assert [[row["customer"], row["open"]] for row in top] == aged["top5"]
    for month in expected["rollforward"]:
        (row,) = reporting.get("/v1/roll-forward", params={"entity": "US01", "month": month["month"]}).json()["rows"]
        assert {name: row[name] for name in ("opening", "invoiced", "settled", "closing")} == {
            name: month[name] for name in ("opening", "invoiced", "settled", "closing")
        }
        assert row["credited"] == "0.00"
