"""What is refused before anything is started: words and exit status of the command itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from demo.services import ServiceRefused, Services

HEADER = "kind,number,customer,issued_on,due_on,value_on,currency,amount,reference,bank_account,name\n"


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "demo", *options], capture_output=True, text=True, timeout=60, check=False)


def a_ledger(folder: Path, *rows: str) -> str:
    path = folder / "ledger.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return str(path)


def test_a_ledger_with_unreadable_rows_is_status_2_with_every_fault_on_a_line_of_its_own(tmp_path: Path) -> None:
    refused = demo("--ledger", a_ledger(tmp_path, "invoice,I-1,C-1,2025-01-32,2025-02-01,,USD,1.00,,,", "gift,,,,,,,,,,"))

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[1:] == [
        "  line 2, issued_on: '2025-01-32' is not a day written as year-month-day",
        "  line 3, kind: 'gift' is none of invoice, debit_memo, credit_memo, void, receipt, return, rate, customer, write_off, schedule, "
        "late_charges, take_off, refund, bill_anew",
    ]


def test_a_ledger_of_the_future_is_status_2(tmp_path: Path) -> None:
    refused = demo("--ledger", a_ledger(tmp_path, "invoice,I-1,C-1,2999-01-01,2999-02-01,,USD,1.00,,,"))

    assert refused.returncode == 2
    assert refused.stderr.startswith("The ledger reaches 2999-01-01, which is after today")


def test_a_folder_that_is_not_there_is_found_before_the_ledger_is_played(tmp_path: Path) -> None:
    refused = demo("--json", str(tmp_path / "nowhere" / "result.json"))

    assert refused.returncode == 2
    assert "There is no folder" in refused.stderr


async def test_a_service_that_is_gone_is_one_sentence_that_says_what_to_do(unused_tcp_port: int) -> None:
    services = Services({"reporting": f"http://127.0.0.1:{unused_tcp_port}"}, "token", "US01")
    with pytest.raises(ServiceRefused, match=r"The reporting service did not answer /v1/kpis: .* is not reachable .*make logs S=reporting"):
        await services.get("reporting", "/v1/kpis")
    await services.close()
