"""Notices and levels over HTTP."""

from datetime import date

import pytest
from events import invoice, payment
from testkit.service import ServiceUnderTest

pytestmark = pytest.mark.db

DUE_ON = date(2026, 1, 6)


def an_invoice(amount: str, *, document_no: str = "INV-1", account: str = "C-1") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{document_no}",
        document_no=document_no,
        type="380",
        customer=account,
        account=account,
        currency="USD",
        issued_on=date(2026, 1, 5),
        total=amount,
        instalments=[invoice.Instalment(n=1, due_on=DUE_ON, amount=amount)],
    )


async def test_a_notice_is_read_with_its_items(dunning: ServiceUnderTest) -> None:
    """COL-02."""
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-2"))
    await dunning.turn("US01", date(2026, 1, 12))

    assert (await dunning.get("/v1/notices?entity=US01")).json() == {
        "notices": [
            {
                "notice": "US01|C-1|USD|2026-01-11",
                "account": "C-1",
                "currency": "USD",
                "noticed_on": "2026-01-11",
                "level": 1,
                "total": "1000.00",
                "procedure": "standard-1",
                "channel": "log",
                "items": [
                    {"item": "US01|INV-1|1", "level": 1, "due_on": "2026-01-06", "open": "600.00"},
                    {"item": "US01|INV-2|1", "level": 1, "due_on": "2026-01-06", "open": "400.00"},
                ],
            }
        ],
        "next_cursor": None,
    }


async def test_notices_are_read_page_by_page_and_by_account(dunning: ServiceUnderTest) -> None:
    await dunning.receive(*(an_invoice("600.00", document_no=f"INV-{n}", account=f"C-{n}") for n in range(4)))
    await dunning.turn("US01", date(2026, 1, 12))

    read, cursor = [], "0"
    while cursor is not None:
        page = (await dunning.get(f"/v1/notices?entity=US01&limit=2&cursor={cursor}")).json()
        read.append([notice["account"] for notice in page["notices"]])
        cursor = page["next_cursor"]
    assert read == [["C-0", "C-1"], ["C-2", "C-3"]]

    by_account = (await dunning.get("/v1/notices?entity=US01&account=C-2")).json()
    assert [notice["account"] for notice in by_account["notices"]] == ["C-2"]


@pytest.mark.parametrize("query", ["entity=US01&limit=1001", "entity=US01&limit=0", "entity=US01&cursor=x", ""])
async def test_a_page_that_cannot_be_is_refused(dunning: ServiceUnderTest, query: str) -> None:
    answer = await dunning.get(f"/v1/notices?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("path", ["/v1/notices?entity=XX", "/v1/accounts/C-1?entity=XX"])
async def test_an_entity_that_is_not_declared_is_not_found(dunning: ServiceUnderTest, path: str) -> None:
    answer = await dunning.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "ENTITY_UNKNOWN")


async def test_an_account_shows_its_open_items_with_level_and_next_notice(dunning: ServiceUnderTest) -> None:
    """COL-01, COL-02: level 2 comes 20 days after the due date, level 1 of what was not noticed yet 5 days after."""
    await dunning.receive(an_invoice("600.00"), an_invoice("400.00", document_no="INV-2"))
    await dunning.turn("US01", date(2026, 1, 12))
    await dunning.receive(
        an_invoice("5.00", document_no="INV-3"),
        payment.PaymentApplied(
            entity="US01",
            application="A-1",
            receipt="US01|R-1",
            item="US01|INV-2|1",
            invoice="US01|INV-2",
            customer="C-1",
            account="C-1",
            currency="USD",
            due_on=DUE_ON,
            amount="400.00",
            rule="reference",
        ),
    )

    answer = (await dunning.get("/v1/accounts/C-1?entity=US01")).json()

    assert (answer["complete_up_to"], answer["procedure"], answer["next_cursor"]) == ("2026-01-11", "standard-1", None)
    assert [(one["item"], one["open"], one["level"], one["last_noticed_on"], one["next_notice_on"]) for one in answer["items"]] == [
        ("US01|INV-1|1", "600.00", 1, "2026-01-11", "2026-01-26"),
        ("US01|INV-3|1", "5.00", 0, None, "2026-01-11"),
    ]
