"""A migration as somebody runs it: a process, the real servers, five services, exit status and words."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from launcher.folders import State, checkout
from launcher.stack import Stack

DATA = checkout().parent / "shared" / "data"
OPEN_ITEMS = DATA / "ledgers" / "highradius_open_items_a.csv"
RETAIL = DATA / "ledgers" / "online_retail_2010-12.csv.gz"
PORT_BASE = 18_101
NO_DATA = "needs ../shared/data/ledgers, which a clone of this repository alone does not have"
HEADER = "number,customer,issued,due,terms,open\n"
ROWS = [
    "M-1,K-1,2025-01-05,2025-02-04,,1200.00",
    "M-2,K-1,2025-01-05,,30T,300.00",
    "M-3,K-2,2025-01-05,,,-200.00",
    "M-4,K-3,2025-01-05,,WEIRD,100.00",
    "M-5,K-3,2025-13-05,2025-02-04,,ten",
]
MAPPING = """
kind = "opening"
name = "test"
currency = "USD"
[terms]
"30T" = "NET30"
[columns]
document_no = "number"
customer = "customer"
issued_on = "issued"
due_on = "due"
terms = "terms"
amount = "open"
"""
pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of its own, with the entities of the checkout, beside whatever else runs on this machine."""
    ours = Stack(state=State().folder / "test" / "migration", entities=checkout() / "entities.toml", port_base=PORT_BASE)
    ours.up(clean=True)
    yield ours
    ours.down()


@pytest.fixture
def books(stack: Stack) -> Stack:
    """The stack with empty books."""
    stack.up(clean=True)
    return stack


def command(name: str, ledger: Path, *options: str, entity: str = "US01") -> list[str]:
    return [sys.executable, "-m", "demo", name, "--ledger", str(ledger), "--entity", entity, *options]


def environment(stack: Stack) -> dict[str, str]:
    return {**os.environ, "RECEIVABLES_STATE": str(stack.state.folder)}


def load(stack: Stack, name: str, ledger: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(name, ledger, *options), env=environment(stack), cwd=checkout(), capture_output=True, text=True, timeout=300, check=False
    )


def an_extract(folder: Path, rows: list[str]) -> tuple[Path, tuple[str, ...]]:
    """Write an extract and its mapping; return the extract and the options that name the mapping and the result."""
    ledger, mapping = folder / "items.csv", folder / "mapping.toml"
    ledger.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    mapping.write_text(MAPPING)
    return ledger, ("--mapping", str(mapping), "--as-of", "2025-02-20", "--json", str(folder / "result.json"))


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def aging(stack: Stack, as_of: str) -> dict[str, Any]:
    with httpx.Client(base_url=stack.urls().services["reporting"], trust_env=False) as reporting:
        (row,) = reporting.get("/v1/aging", params={"entity": "US01", "as_of": as_of}).json()["rows"]
    answer: dict[str, Any] = row
    return answer


def test_what_can_be_loaded_is_what_cannot_is_refused_and_a_corrected_file_completes_it(books: Stack, tmp_path: Path) -> None:
    """XC-10."""
    ledger, options = an_extract(tmp_path, ROWS)
    refused = tmp_path / "items.csv.refused.csv"

    first = load(books, "load-opening", ledger, *options)

    assert first.returncode == 1, first.stdout + first.stderr
    result = read(tmp_path / "result.json")
    assert (result["ties"], result["accepted"], result["refused_rows"]) == (False, 3, 2)
    (control,) = result["control"]
    assert (control["file"], control["refused"], control["books"], control["difference"]) == ("1400.00", "100.00", "1300.00", "0.00")
    assert refused.read_text().splitlines() == [
        "refused_line,refused_because,number,customer,issued,due,terms,open",
        f"5,TERMS_UNKNOWN terms,{ROWS[3]}",
        f"6,BAD_DATE issued_on; AMOUNT_NOT_PLAIN amount,{ROWS[4]}",
    ]
    refused.write_text(refused.read_text().replace("WEIRD", "NET7").replace("2025-13-05", "2025-01-05").replace("ten", "10.00"))

    corrected = load(books, "load-opening", refused, *options)

    assert corrected.returncode == 0, corrected.stdout + corrected.stderr
    assert read(tmp_path / "result.json")["books_hold_nothing_else"] is False
    row = aging(books, "2025-02-20")
    assert (row["open"], row["on_account"]) == ("1610.00", "200.00")


def test_running_again_changes_nothing_and_a_wrong_cent_in_the_books_is_found(books: Stack, tmp_path: Path) -> None:
    ledger, options = an_extract(tmp_path, ROWS[:2])
    assert load(books, "load-opening", ledger, *options).returncode == 0
    before = asyncio.run(facts_said(books))

    again = load(books, "load-opening", ledger, *options)

    assert again.returncode == 0, again.stdout + again.stderr
    assert "this run has changed nothing" in again.stdout
    assert read(tmp_path / "result.json")["already_there"] == 2
    assert asyncio.run(facts_said(books)) == before
    asyncio.run(falsify(books.urls().databases["reporting"]))
    wrong = load(books, "load-opening", ledger, *options)
    assert wrong.returncode == 1
    assert read(tmp_path / "result.json")["control"][0]["difference"] == "0.01"
    assert "ties to the file: no" in wrong.stdout


async def facts_said(stack: Stack) -> int:
    """How many facts the invoice service has ever queued."""
    connection = await asyncpg.connect(stack.urls().databases["invoice"])
    try:
        return int(await connection.fetchval("SELECT coalesce(sum(sequence), 0) FROM chk.stream_head"))
    finally:
        await connection.close()


async def falsify(reporting_dsn: str) -> None:
    """Add one cent to one figure of the entity in the read model."""
    connection = await asyncpg.connect(reporting_dsn)
    try:
        one = "SELECT ctid FROM cube WHERE measure = 'invoiced' LIMIT 1"
        changed = await connection.execute(f"UPDATE cube SET delta_minor = delta_minor + 1 WHERE ctid = ({one})")
    finally:
        await connection.close()
    assert changed == "UPDATE 1"


@pytest.mark.torture  # Twenty seconds for what the demo's own Ctrl-C proves of the same producer at every run.
def test_ctrl_c_says_what_was_sent_and_running_again_completes_the_load(books: Stack, tmp_path: Path) -> None:
    ledger, options = an_extract(tmp_path, [f"B-{n},K-{n % 300},2025-01-05,2025-02-04,,{n % 900 + 1}.00" for n in range(60_000)])
    running = subprocess.Popen(
        command("load-opening", ledger, *options),
        env=environment(books),
        cwd=checkout(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert running.stdout
    assert any(" answered, of " in line for line in running.stdout), running.communicate()[1]
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.startswith("Interrupted: of 60000 documents to send ") and said.strip().count("\n") == 0

    again = load(books, "load-opening", ledger, *options)

    assert again.returncode == 0, again.stdout + again.stderr
    result = read(tmp_path / "result.json")
    assert result["already_there"] > 0 and result["accepted"] + result["already_there"] == 60_000


def heed_interrupts() -> None:
    """A shell that starts us in the background lets its children ignore Ctrl-C; nobody presses it there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_entity_that_is_not_declared_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    ledger, options = an_extract(tmp_path, ROWS[:1])

    refused = subprocess.run(
        command("load-opening", ledger, *options, entity="XX01"), env=environment(stack), capture_output=True, text=True, check=False
    )

    assert refused.returncode == 1
    assert "No such entity is declared" in refused.stderr and refused.stderr.strip().count("\n") == 0


@pytest.mark.skipif(not OPEN_ITEMS.exists(), reason=NO_DATA)
def test_the_real_open_items_age_in_the_books_as_expected_to_the_cent(books: Stack, tmp_path: Path) -> None:
    """XC-10."""
    (expected,) = read(DATA / "expected" / "ledger_highradius.json")["aging"]
    files = ("--json", str(tmp_path / "result.json"), "--refused", str(tmp_path / "refused.csv"))

    loaded = load(books, "load-opening", OPEN_ITEMS, "--as-of", expected["as_of"], *files)

    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    row = aging(books, expected["as_of"])
    assert row["buckets"] == {name: one["usd"] for name, one in expected["buckets"].items()}
    assert row["open"] == expected["total"]
    assert read(tmp_path / "result.json")["accepted"] == 4841


@pytest.mark.skipif(not RETAIL.exists(), reason=NO_DATA)
def test_the_real_lines_become_documents_that_come_to_the_expected_figures(books: Stack, tmp_path: Path) -> None:
    expected = read(DATA / "expected" / "online_retail_2010-12.json")
    files = ("--json", str(tmp_path / "result.json"), "--refused", str(tmp_path / "refused.csv"))

    loaded = load(books, "load-lines", RETAIL, *files)

    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    taken_in = read(tmp_path / "result.json")["summary"]["books"]["GBP"]
    assert (taken_in["invoices"], taken_in["credit_memos"]) == (expected["invoices"], expected["cancellations_C"])
    assert (taken_in["gross_invoiced"], taken_in["credited"]) == (expected["gross_invoiced"], expected["cancelled"])
    assert (taken_in["zero_value_invoices"], taken_in["customers"]) == (expected["zero_value_invoices"], expected["customers"])
    assert taken_in["top5_net"] == expected["top5_net"]
