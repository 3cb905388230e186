"""Documents as they are read: filters, days asked about, history, and where an open amount comes from."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from itertools import product
from typing import Any

import httpx
import msgspec
import pytest
from events import erp
from events.payment import AdjustmentPosted, AdjustmentReversed, ApplicationReversed, CreditApplied, PaymentApplied
from invoice.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
async def invoice(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("invoice")) as sut:
        yield sut


def an_invoice(document_no: str = "INV-1", **changes: Any) -> erp.InvoiceIssued:
    smallest = erp.InvoiceIssued(
        entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="1200.00", terms="NET30"
    )
    return msgspec.structs.replace(smallest, **changes)


def a_memo(document_no: str = "CM-1", **changes: Any) -> erp.CreditMemoIssued:
    smallest = erp.CreditMemoIssued(entity="US01", document_no=document_no, customer="C-1", currency="USD", issued_on=DAY, total="300.00")
    return msgspec.structs.replace(smallest, **changes)


def _on(document_no: str, amount: str) -> dict[str, Any]:
    item = f"US01|{document_no}|1"
    common = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": "USD", "due_on": date(2026, 2, 4)}
    return {**common, "item": item, "invoice": f"US01|{document_no}", "amount": amount}


def paid(document_no: str, amount: str) -> PaymentApplied:
    return PaymentApplied(application=f"pay|{document_no}", receipt="US01|R-1", rule="reference", **_on(document_no, amount))


def credited(document_no: str, amount: str) -> CreditApplied:
    return CreditApplied(application=f"memo|{document_no}", memo="US01|CM-1", rule="oldest_first", **_on(document_no, amount))


def returned(document_no: str, amount: str) -> ApplicationReversed:
    return ApplicationReversed(application=f"pay|{document_no}", receipt="US01|R-1", reason="worth_less", **_on(document_no, amount))


def written_off(document_no: str, amount: str, tax: str = "0.00") -> AdjustmentPosted:
    return AdjustmentPosted(adjustment=f"US01|{document_no}|1|a1", kind="bad_debt", tax=tax, **_on(document_no, amount))


def recovered(document_no: str, amount: str, tax: str = "0.00") -> AdjustmentReversed:
    return AdjustmentReversed(
        adjustment=f"US01|{document_no}|1|a1", kind="bad_debt", reason="recovered", tax=tax, **_on(document_no, amount)
    )


async def read(sut: ServiceUnderTest, path: str, **params: Any) -> Any:
    answer = await sut.get(path, entity="US01", **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def standing(sut: ServiceUnderTest, document_no: str = "INV-1", **params: Any) -> tuple[str, str, str]:
    """Document status, settlement status, open."""
    shown = await read(sut, f"/v1/invoices/{document_no}", **params)
    return shown["document_status"], shown["settlement_status"], shown["open"]


async def test_what_is_settled_is_told_by_what_it_was_settled_with(invoice: ServiceUnderTest) -> None:
    """INV-05, INV-08: money, credit, adjustment; and a rest that an adjustment closed is written off until it is recovered (A7)."""
    await invoice.receive(an_invoice(total="480.00", tax="80.00"))
    await invoice.receive(written_off("INV-1", "480.00", "80.00"))
    assert await standing(invoice) == ("issued", "written_off", "0.00")

    await invoice.receive(recovered("INV-1", "240.00", "40.00"), paid("INV-1", "200.00"), credited("INV-1", "40.00"))

    shown = await read(invoice, "/v1/invoices/INV-1")
    assert shown["settled"] == {"applied": "200.00", "credited": "40.00", "discounted": "0.00", "adjusted": "240.00"}
    assert (shown["settlement_status"], shown["open"]) == ("written_off", "0.00")
    await invoice.receive(recovered("INV-1", "240.00", "40.00"), paid("INV-1", "240.00"))
    assert await standing(invoice) == ("issued", "settled", "0.00")
    async with invoice.db.transaction() as db:
        row = await db.fetchrow("SELECT open_minor, settled_minor, credited_minor, adjusted_minor FROM chk.item")
    assert tuple(row) == (0, 44_000, 4_000, 0)


async def test_every_pair_of_days_has_an_answer_that_stays(invoice: ServiceUnderTest) -> None:
    """XC-14, INV-05: what was effective by the one and booked by the other; what is booked later changes no earlier answer."""
    await invoice.receive(an_invoice(issued_on=DAY - timedelta(days=10)))
    days = [DAY - timedelta(days=11), DAY - timedelta(days=10), DAY - timedelta(days=1), DAY, NEXT]
    await invoice.receive(paid("INV-1", "500.00"))
    await invoice.turn("US01", NEXT)
    await invoice.turn("US01", NEXT + timedelta(days=1))

    async def asked() -> dict[tuple[date, date], str | None]:
        found = {}
        for as_of, known_at in product(days, [DAY - timedelta(days=1), DAY, NEXT]):
            answer = await invoice.get("/v1/invoices/INV-1", entity="US01", as_of=as_of.isoformat(), known_at=known_at.isoformat())
            found[as_of, known_at] = answer.json()["open"] if answer.status_code == 200 else None
        return found

    before = await asked()
    assert before[days[0], DAY] is None
    assert before[days[1], DAY - timedelta(days=1)] is None
    assert before[days[1], DAY] == "1200.00"
    assert before[DAY, DAY] == "700.00"
    await invoice.receive(paid("INV-1", "200.00"), day=NEXT)
    after = await asked()
    assert after[NEXT, NEXT] == "500.00"
    assert {pair: after[pair] for pair in before if pair[1] < NEXT} == {pair: before[pair] for pair in before if pair[1] < NEXT}
    assert (await standing(invoice))[2] == "500.00"


async def test_a_settlement_that_comes_after_its_day_was_complete_counts_from_the_last_closed_one(invoice: ServiceUnderTest) -> None:
    """XC-14, INV-09: opening a day waits for all that the ledger booked up to two days before, so nothing before that changes any more."""
    await invoice.receive(an_invoice())
    await invoice.turn("US01", NEXT + timedelta(days=2))

    await invoice.receive(paid("INV-1", "500.00"), day=DAY)

    assert (await standing(invoice, known_at=NEXT.isoformat()))[2] == "1200.00"
    assert (await standing(invoice, known_at=(NEXT + timedelta(days=1)).isoformat()))[2] == "700.00"


async def test_a_void_is_worth_nothing_from_its_day_on(invoice: ServiceUnderTest) -> None:
    """INV-05, INV-07: voided is what the document is; nothing is open of it, and before its day it stands as it stood."""
    await invoice.receive(an_invoice())
    await invoice.turn("US01", NEXT)
    await invoice.receive(erp.InvoiceVoided(entity="US01", document_no="INV-1", customer="C-1", reason="WRONG"))

    assert await standing(invoice) == ("voided", "settled", "0.00")
    assert await standing(invoice, as_of=DAY.isoformat()) == ("issued", "open", "1200.00")
    assert await standing(invoice, known_at=DAY.isoformat()) == ("issued", "open", "1200.00")
    happened = (await read(invoice, "/v1/history/invoices/INV-1"))["events"]
    assert [(event["event"], event["open_after"], event["reason"]) for event in happened] == [
        ("issued", "1200.00", None),
        ("voided", "0.00", "WRONG"),
    ]
    shown = await read(invoice, "/v1/invoices/INV-1")
    assert (shown["overdue"], shown["voided_on"]) == (False, NEXT.isoformat())
    explained = await read(invoice, "/v1/explain/invoices/INV-1")
    assert (explained["total"], explained["billed"], explained["void"]["reason"]) == ("1200.00", "0.00", "WRONG")
    assert (await read(invoice, "/v1/explain/invoices/INV-1", as_of=DAY.isoformat()))["void"] is None


async def test_a_list_can_be_narrowed_to_what_somebody_looks_for(invoice: ServiceUnderTest) -> None:
    """INV-05: by status, date, currency, account and reference, and by status it says what each document says."""
    refs = erp.References(purchase_order_no="PO-7")
    await invoice.receive(
        an_invoice("A", issued_on=date(2025, 11, 1)),
        an_invoice("B", issued_on=date(2025, 12, 1), references=refs),
        an_invoice("C", currency="EUR", customer="C-2"),
        an_invoice("D", terms=None, instalments=[erp.Instalment(due_on=date(2026, 2, day), amount="600.00") for day in (1, 20)]),
        an_invoice("E", total="0.00"),
        an_invoice("F", type="386"),
        an_invoice("V"),
        a_memo(),
        erp.InvoiceVoided(entity="US01", document_no="V", customer="C-1"),
    )
    await invoice.receive(paid("A", "1200.00"), paid("B", "200.00"), written_off("F", "1200.00"))

    async def numbers(documents: str = "invoices", **params: Any) -> str:
        shown = await read(invoice, f"/v1/{documents}", **params)
        return "".join(one["document_no"] for one in shown[documents.replace("-", "_")])

    assert await numbers() == "ABCDEFV"
    assert await numbers(settlement_status="open") == "CD"
    assert await numbers(settlement_status="settled") == "AEV"
    assert await numbers(settlement_status="partially_settled") == "B"
    assert await numbers(settlement_status="written_off") == "F"
    assert await numbers(document_status="voided") == "V"
    assert await numbers(overdue=True) == "B"
    assert await numbers(overdue=True, as_of="2026-02-05") == "BCD"
    assert await numbers(overdue=False, document_status="issued") == "ACDEF"
    assert await numbers(overdue=True, account="C-2", as_of="2026-02-05") == "C"
    assert await numbers(currency="EUR") == await numbers(customer="C-2") == "C"
    assert await numbers(type="386") == "F"
    assert await numbers(issued_from="2025-11-02", issued_to="2025-12-31") == "B"
    assert await numbers(due_from="2026-02-10", due_to="2026-02-28") == "D"
    assert await numbers(due_from="2026-02-02", due_to="2026-02-03") == ""
    assert await numbers(due_to="2025-12-31") == "AB"
    assert await numbers(reference="PO-7") == "B"
    assert await numbers(settlement_status="open", known_at="2026-01-04") == ""
    assert await numbers("credit-memos", settlement_status="open") == "CM-1"
    assert await numbers("debit-memos") == ""
    for status in ("open", "partially_settled", "settled", "written_off"):
        shown = await read(invoice, "/v1/invoices", settlement_status=status)
        assert {one["settlement_status"] for one in shown["invoices"]} == {status}


async def test_pages_of_a_narrowed_list_hold_every_document_once(invoice: ServiceUnderTest) -> None:
    await invoice.receive(*(an_invoice(f"I{n}") for n in range(5)))
    await invoice.receive(paid("I1", "1200.00"), paid("I3", "1200.00"))

    first = await read(invoice, "/v1/invoices", settlement_status="open", limit=2)
    last = await read(invoice, "/v1/invoices", settlement_status="open", limit=2, cursor=first["next_cursor"])

    assert [one["document_no"] for one in first["invoices"] + last["invoices"]] == ["I0", "I2", "I4"]
    assert last["next_cursor"] is None


async def test_a_debit_memo_is_read_like_an_invoice_and_a_memo_by_its_credit(invoice: ServiceUnderTest) -> None:
    """INV-02"""
    common: dict[str, Any] = {"entity": "US01", "customer": "C-1", "currency": "USD", "issued_on": DAY, "total": "35.00"}
    await invoice.receive(erp.DebitMemoIssued(document_no="2026/DM", terms="NET0", **common), a_memo(), an_invoice())
    await invoice.receive(credited("INV-1", "100.00"))

    debit_memo = await read(invoice, "/v1/debit-memos/2026/DM")
    memo = await read(invoice, "/v1/credit-memos/CM-1")

    assert (debit_memo["invoice"], debit_memo["instalments"][0]["item"], debit_memo["open"]) == ("US01|2026/DM", "US01|2026/DM|1", "35.00")
    assert [one["document_no"] for one in (await read(invoice, "/v1/debit-memos"))["debit_memos"]] == ["2026/DM"]
    assert (memo["open"], memo["settled"]["credited"], memo["settlement_status"]) == ("200.00", "100.00", "partially_settled")
    assert (await invoice.get("/v1/invoices/2026/DM", entity="US01")).status_code == 404


async def test_a_history_tells_every_event_with_what_was_open_before_and_after(invoice: ServiceUnderTest) -> None:
    """INV-03, INV-05, INV-11: in booked order, with rule, cause and split."""
    lines = [erp.Line(amount="900.00"), erp.Line(amount="100.00", kind="freight")]
    await invoice.receive(an_invoice("2026/1", lines=lines, tax="200.00", terms="NET1"))
    await invoice.turn("US01", NEXT)
    await invoice.receive(paid("2026/1", "600.00"), day=NEXT, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    await invoice.receive(returned("2026/1", "240.00"), written_off("2026/1", "840.00", "140.00"), day=NEXT)

    shown = await read(invoice, "/v1/history/invoices/2026/1")

    assert (shown["document"], shown["rule_set"], shown["policy_version"]) == ("US01|2026/1", "prorate_all", "standard-1")
    events = shown["events"]
    assert [(one["event"], one["amount"], one["open_before"], one["open_after"]) for one in events] == [
        ("issued", "1200.00", "0.00", "1200.00"),
        ("fell_due", "1200.00", "1200.00", "1200.00"),
        ("applied", "600.00", "1200.00", "600.00"),
        ("application_reversed", "240.00", "600.00", "840.00"),
        ("adjusted", "840.00", "840.00", "0.00"),
    ]
    _, fell_due, applied, reversed_, adjusted = events
    assert (fell_due["item"], fell_due["effective_on"], fell_due["booked_on"]) == ("US01|2026/1|1", NEXT.isoformat(), NEXT.isoformat())
    assert (applied["rule"], applied["act"], applied["counterpart"]) == ("reference", "pay|2026/1", "US01|R-1")
    assert (applied["fact"]["id"], applied["fact"]["type"]) == ("payment/US01|C-1/1", "receivables.PaymentApplied.v1")
    assert applied["fact"]["trace_id"] == "a" * 32
    assert applied["split"] == {"goods": "450.00", "tax": "100.00", "freight": "50.00", "charges": "0.00", "over": "0.00"}
    assert (reversed_["reason"], reversed_["split"]["tax"]) == ("worth_less", "-40.00")
    assert (adjusted["rule"], adjusted["tax"], adjusted["split"]["tax"]) == ("bad_debt", "140.00", "140.00")
    earlier = await read(invoice, "/v1/history/invoices/2026/1", known_at=DAY.isoformat())
    assert [one["event"] for one in earlier["events"]] == ["issued"]


async def in_force(sut: ServiceUnderTest, kind: str, body: dict[str, Any]) -> None:
    """Have a policy approved that is in force from the next day on."""
    proposal = {"entity": "US01", "kind": kind, "valid_from": "2026-01-01", "body": body}
    proposed = await sut.post("/v1/policies", proposal, key=f"propose {kind}", roles=["policy_maker"], sub="maker")
    path = f"/v1/policies/{proposed.json()['policy']}/approve"
    answer = await sut.post(path, {}, key=f"approve {kind}", roles=["policy_checker"], sub="checker")
    assert answer.status_code == 200, answer.text


async def test_a_history_tells_late_charges_and_splits_by_the_policy_of_its_day(invoice: ServiceUnderTest) -> None:
    """INV-09, INV-11, XC-07: a policy counts from the next day on and for documents that come under it; those before stay as they were."""
    await in_force(invoice, "split", {"rule_set": "line_first_tax_after"})
    await in_force(invoice, "late_charges", {"rates": [{"from": "2026-01-01", "percent": "9"}], "cycle": "daily"})
    await invoice.receive(an_invoice("BEFORE", tax="200.00"))
    await invoice.turn("US01", NEXT)
    await invoice.receive(an_invoice("AFTER", tax="200.00", terms="NET0"))
    await invoice.turn("US01", NEXT + timedelta(days=2))
    await invoice.receive(paid("BEFORE", "600.00"), paid("AFTER", "600.00"))

    before = await read(invoice, "/v1/history/invoices/BEFORE")
    after = await read(invoice, "/v1/history/invoices/AFTER")

    assert (before["rule_set"], before["policy_version"]) == ("prorate_all", "standard-1")
    assert before["events"][-1]["split"]["tax"] == "100.00"
    assert (after["rule_set"], after["policy_version"]) == ("line_first_tax_after", "1")
    assert after["events"][-1]["split"] == {"goods": "600.00", "tax": "0.00", "freight": "0.00", "charges": "0.00", "over": "0.00"}
    charged = [event for event in after["events"] if event["event"] == "charged"]
    assert charged
    assert {(event["item"], event["open_before"], event["open_after"]) for event in charged} == {("US01|AFTER|1", "1200.00", "1200.00")}


async def test_an_explanation_leads_from_the_open_amount_to_the_facts(invoice: ServiceUnderTest) -> None:
    """EVT-09: what was billed, less every movement with the fact that told of it, is what is open."""
    await invoice.receive(an_invoice(), a_memo())
    await invoice.receive(paid("INV-1", "500.00"), credited("INV-1", "100.00"), returned("INV-1", "50.00"))

    shown = await read(invoice, "/v1/explain/invoices/INV-1")
    memo = await read(invoice, "/v1/explain/credit-memos/CM-1")

    assert (shown["open"], shown["billed"]) == ((await standing(invoice))[2], "1200.00")
    assert shown["came_from"] == {
        "id": "US01|INV-1",
        "type": "erp.InvoiceIssued.v1",
        "source": "/test/erp",
        "caused_by": None,
        "trace_id": None,
    }
    (item,) = shown["items"]
    assert [(less["amount"], less["left"], less["fact"]["id"]) for less in item["less"]] == [
        ("500.00", "700.00", "payment/US01|C-1/1"),
        ("100.00", "600.00", "payment/US01|C-1/2"),
        ("-50.00", "650.00", "payment/US01|C-1/3"),
    ]
    assert {less["fact"]["source"] for less in item["less"]} == {"/receivables/payment"}
    assert (item["subject"], item["open"]) == ("US01|INV-1|1", "650.00")
    assert [(one["subject"], one["open"], one["less"][0]["counterpart"]) for one in memo["items"]] == [
        ("US01|CM-1", "200.00", "US01|INV-1|1")
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/history/invoices/NONE?entity=US01", 404),
        ("/v1/history/receipts/INV-1?entity=US01", 422),
        ("/v1/explain/credit-memos/INV-1?entity=US01", 404),
        ("/v1/explain/invoices/INV-1?entity=XX99", 404),
        ("/v1/explain/invoices/INV-1", 422),
        ("/v1/invoices?entity=US01&settlement_status=paid", 422),
        ("/v1/invoices?entity=US01&issued_from=yesterday", 422),
        ("/v1/debit-memos?entity=US01&cursor=%25", 400),
    ],
)
async def test_what_cannot_be_asked_is_a_problem(invoice: ServiceUnderTest, path: str, status: int) -> None:
    answer: httpx.Response = await invoice.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
