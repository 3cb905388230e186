"""The first page: what finance looks at (RPT-14)."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import invoice, payment
from events.fact import Event
from reporting.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

D1 = date(2026, 3, 2)
D2 = D1 + timedelta(days=1)
MONEY: dict[str, Any] = {"entity": "US01", "account": "C-1", "currency": "USD"}
ITEM: dict[str, Any] = {"item": "US01|INV-1|1", "invoice": "US01|INV-1", "customer": "C-1", "due_on": D2}


@pytest.fixture
async def reporting(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("reporting"), entities=two_entities(opens_on=D1)) as sut:
        yield sut


def came(receipt: str, amount: str) -> Event:
    return payment.PaymentReceived(**MONEY, receipt=receipt, method="bank", amount=amount, value_on=D1, bank_ref=receipt)


def applied(receipt: str, amount: str, rule: str) -> Event:
    return payment.PaymentApplied(**MONEY, **ITEM, application=f"A-{receipt}", receipt=receipt, amount=amount, rule=rule)


def billed(number: str, total: str) -> Event:
    part = invoice.Instalment(n=1, due_on=D2, amount=total)
    named: dict[str, Any] = {"invoice": f"US01|{number}", "document_no": number, "type": "380", "customer": "C-1"}
    return invoice.InvoiceIssued(**MONEY, **named, issued_on=D1, total=total, instalments=[part])


async def shown(reporting: ServiceUnderTest, as_of: date = D2) -> str:
    answer = await reporting.get("/", entity="US01", as_of=str(as_of))
    assert answer.status_code == 200
    return str(answer.text)


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The cells of the card under a heading, by the row they stand in."""
    card = page.partition(f">{heading}</h3>")[2].partition("</table>")[0]
    return {
        label: re.findall(r'<td class="(?:count|amount)">(.*?)</td>', cells)
        for label, cells in re.findall(r'<th scope="row" title="[^"]+">(.*?)</th>(.*?)</tr>', card, re.DOTALL)
    }


async def test_the_page_says_how_money_found_its_items(reporting: ServiceUnderTest) -> None:
    """PAY-17"""
    told = [came("R-1", "100.00"), came("R-2", "60.00"), applied("R-1", "100.00", "reference"), applied("R-2", "50.00", "person")]
    await reporting.receive(*told, day=D1)
    for name in ("S-1", "S-2"):
        what = {"suggestion": name, "receipt": "R-2", "amount": "50.00", "score": "0.91", "rule": "exact_cover"}
        await reporting.receive(payment.MatchSuggested(**MONEY, **what, candidates=[]), day=D1)
    who = {"entity": "US01", "receipt": "R-2", "account": "C-1", "accepted_by": "clerk-1"}
    await reporting.receive(payment.SuggestionAccepted(**who, suggestion="S-1", items=["US01|INV-1|1"]), day=D1)

    assert rows(await shown(reporting), "How money found its items") == {
        "Received": ["2", "160.00"],
        "Applied without a person": ["50.0 %", "100.00"],
        "Applied by a person": ["", "50.00"],
        "Suggested": ["2", ""],
        "Accepted": ["1 (50.0 %)", ""],
        "Refused": ["0", ""],
        "Waiting for its items": ["1.0 days old", "10.00"],
    }


async def test_the_page_counts_what_was_found_and_is_open(reporting: ServiceUnderTest) -> None:
    """PAY-08, PAY-09: an item that was found twice counts once, with what is open of it; one that is settled does not count."""
    paid = ITEM | {"item": "US01|INV-2|1", "invoice": "US01|INV-2"}
    for number in ("INV-1", "INV-2"):
        await reporting.receive(billed(number, "100.00"), day=D1)
    await reporting.receive(came("R-1", "190.00"), applied("R-1", "60.00", "reference"), day=D1)
    short = [payment.ShortPaymentDetected(**MONEY, **ITEM, receipt=f"R-{n}", amount="40.00") for n in (1, 2)]
    late = payment.UnearnedDiscountTaken(**MONEY, **paid, receipt="R-1", amount="2.00", until_on=D1)
    over = payment.OverpaymentDetected(**MONEY, receipt="R-3", amount="5.00", references=[])
    await reporting.receive(*short, late, over, day=D2, effective_on=D1)

    before = rows(await shown(reporting), "Found about payments")
    settled = payment.PaymentApplied(**MONEY, **paid, application="A-2", receipt="R-1", amount="100.00", rule="reference")
    await reporting.receive(settled, day=D2)
    after = rows(await shown(reporting), "Found about payments")

    assert before == {"Short payments": ["1", "40.00"], "Unearned discounts": ["1", "100.00"], "Overpayments": ["1", "5.00"]}
    assert after == before | {"Unearned discounts": ["0", "0.00"]}


async def test_the_page_says_what_left_and_what_rates_gained(reporting: ServiceUnderTest) -> None:
    """PAY-10, PAY-11, PAY-13"""
    left: dict[str, Any] = {**MONEY, "receipt": "R-1"}
    out = payment.MoneyTransferredOut(**left, transfer="T-1", to_account="C-2", amount="40.00", by="reference")
    await reporting.receive(came("R-1", "100.00"), out, day=D1)
    of = {name: ITEM[name] for name in ("item", "invoice", "customer")}
    realised = payment.FxRealised(**MONEY, **of, application="A-1", receipt="R-1", gain="0.00", loss="1234.50")
    await reporting.receive(realised, day=D1)

    page = await shown(reporting)
    assert rows(page, "Discounts, and money that left") == {
        "Discounts granted": ["0.00"],
        "Taken back by banks": ["0.00"],
        "Paid back to payers": ["0.00"],
        "Transferred between accounts": ["40.00"],
    }
    assert "Exchange differences in USD" in page
    assert "-1,234.50" in page


async def test_what_there_is_nothing_of_is_said_in_words(reporting: ServiceUnderTest) -> None:
    await reporting.receive(came("R-1", "10.00"), day=D1)

    page = await shown(reporting)

    assert rows(page, "How money found its items")["Suggested"] == ["none", ""]
    assert "Nothing that was found is open" in page
    assert "no money left in these 90 days" in page
    assert "Rates gained and lost nothing in these 90 days" in page


async def test_every_table_has_headers_and_every_figure_its_meaning(reporting: ServiceUnderTest) -> None:
    """RPT-03"""
    await reporting.receive(came("R-1", "10.00"), day=D1)

    page = await shown(reporting)

    assert page.count("<table>") == page.count("<thead>") == len(re.findall(r"<thead><tr><th scope=\"col\">", page))
    assert "<th>" not in page
    assert len(re.findall(r"<dt>[a-z ]+</dt><dd>", page)) >= 16
