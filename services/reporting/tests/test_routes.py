"""The reports over HTTP, from facts delivered through the chassis."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest
from events import dunning, erp, invoice, payment
from reporting.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test

pytestmark = pytest.mark.db

DAY = date(2026, 1, 5)
DUE = date(2026, 2, 4)


@pytest.fixture
async def reporting(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("reporting")) as sut:
        yield sut


def an_invoice(number: str = "INV-1", total: str = "12000.00", entity: str = "US01", currency: str = "USD") -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity=entity,
        invoice=f"{entity}|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency=currency,
        issued_on=DAY,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=DUE, amount=total)],
    )


def a_receipt(receipt: str, amount: str, value_on: date) -> payment.PaymentReceived:
    return payment.PaymentReceived(
        entity="US01",
        receipt=receipt,
        method="transfer",
        amount=amount,
        currency="USD",
        value_on=value_on,
        bank_ref=receipt,
        account="C-1",
    )


def applied(receipt: str, amount: str) -> payment.PaymentApplied:
    return payment.PaymentApplied(
        entity="US01",
        application=f"A-{receipt}",
        receipt=receipt,
        item="US01|INV-1|1",
        invoice="US01|INV-1",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=DUE,
        amount=amount,
        rule="reference",
    )


async def partial_payments(reporting: ServiceUnderTest) -> None:
    """A1: 12,000.00 due 02-04; 5,000.00 on 02-20 and 3,000.00 on 03-10."""
    await reporting.receive(an_invoice(), day=DAY)
    for receipt, amount, day in (("R-1", "5000.00", date(2026, 2, 20)), ("R-2", "3000.00", date(2026, 3, 10))):
        await reporting.receive(a_receipt(receipt, amount, day), applied(receipt, amount), day=day)


async def aging(reporting: ServiceUnderTest, **asked: str) -> dict[str, Any]:
    answer = await reporting.get("/v1/aging", entity="US01", **asked)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_partial_payments_leave_what_is_open_in_its_bucket_on_each_day(reporting: ServiceUnderTest) -> None:
    """RPT-01, A1"""
    await partial_payments(reporting)

    assert await aging(reporting, as_of="2026-03-31", known_at="2026-03-31") == {
        "entity": "US01",
        "as_of": "2026-03-31",
        "known_at": "2026-03-31",
        "complete_up_to": "2026-01-04",
        "rows": [
            {
                "currency": "USD",
                "buckets": {"current": "0.00", "1-30": "0.00", "31-60": "4000.00", "61-90": "0.00", "90+": "0.00"},
                "open": "4000.00",
                "unapplied": "0.00",
                "on_account": "0.00",
            }
        ],
    }
    february = await aging(reporting, as_of="2026-02-28", by="customer")
    assert february["rows"] == [
        {
            "currency": "USD",
            "customer": "C-1",
            "buckets": {"current": "0.00", "1-30": "7000.00", "31-60": "0.00", "61-90": "0.00", "90+": "0.00"},
            "open": "7000.00",
            "unapplied": "0.00",
            "on_account": "0.00",
        }
    ]
    assert february["known_at"] is None


async def test_facts_delivered_twice_count_once(reporting: ServiceUnderTest) -> None:
    """EVT-02"""
    await reporting.receive(an_invoice())
    before = await aging(reporting, as_of="2026-03-31")

    await reporting.receive_again()

    assert await aging(reporting, as_of="2026-03-31") == before
    assert before["rows"][0]["open"] == "12000.00"


async def test_nothing_is_published_and_nothing_is_held(reporting: ServiceUnderTest) -> None:
    """A fact of a day to come is folded at once, under the day it carries."""
    await reporting.receive(an_invoice(), day=date(2026, 1, 9))

    assert reporting.published() == []
    assert (await aging(reporting, as_of="2026-01-05", known_at="2026-01-09"))["rows"][0]["open"] == "12000.00"
    assert (await aging(reporting, as_of="2026-01-05", known_at="2026-01-08"))["rows"] == []


async def test_without_dates_a_report_speaks_of_the_last_closed_day(reporting: ServiceUnderTest) -> None:
    """RPT-14"""
    await reporting.receive(an_invoice())
    assert (await aging(reporting))["rows"] == []

    await reporting.turn("US01", date(2026, 1, 7))

    body = await aging(reporting)
    assert (body["as_of"], body["complete_up_to"], body["known_at"]) == ("2026-01-06", "2026-01-06", None)
    assert body["rows"][0]["buckets"]["current"] == "12000.00"


async def test_yen_have_no_decimals(reporting: ServiceUnderTest) -> None:
    """XC-01"""
    await reporting.receive(an_invoice(total="12000", entity="JP01", currency="JPY"), entity="JP01")

    answer = await reporting.get("/v1/aging", entity="JP01", as_of="2026-03-07")
    assert answer.json()["rows"][0]["buckets"] == {"current": "0", "1-30": "0", "31-60": "12000", "61-90": "0", "90+": "0"}


async def test_a_month_rolls_forward(reporting: ServiceUnderTest) -> None:
    """RPT-08, A1"""
    await partial_payments(reporting)

    answer = await reporting.get("/v1/roll-forward", entity="US01", month="2026-03")

    assert answer.json()["rows"] == [
        {
            "currency": "USD",
            "opening": "7000.00",
            "invoiced": "0.00",
            "charged": "0.00",
            "credited": "0.00",
            "settled": "3000.00",
            "discounted": "0.00",
            "written_off": "0.00",
            "voided": "0.00",
            "closing": "4000.00",
            "unapplied": "0.00",
            "on_account": "0.00",
            "reversed": "0.00",
            "refunded": "0.00",
            "transferred": "0.00",
        }
    ]


async def test_kpis_stand_beside_their_definitions(reporting: ServiceUnderTest) -> None:
    """RPT-03"""
    await partial_payments(reporting)

    body = (await reporting.get("/v1/kpis", entity="US01", as_of="2026-03-31")).json()
    (row,) = body["rows"]
    later = (await reporting.get("/v1/kpis", entity="US01", as_of="2026-03-31", days=30)).json()["rows"][0]

    assert (body["days"], row["open_total"], row["overdue"], row["net_credit_sales"]) == (90, "4000.00", "4000.00", "12000.00")
    assert (row["dso"], row["best_possible_dso"], row["average_days_delinquent"]) == ("30.0", "0.0", "30.0")
    assert set(body["definitions"]) == set(row) - {"currency", "not_defined"}
    assert (later["dso"], later["not_defined"]["dso"]) == (None, "not defined: no net credit sales in the window")


async def test_a_customers_balance_tells_what_it_was_told(reporting: ServiceUnderTest) -> None:
    await partial_payments(reporting)
    await reporting.receive(a_receipt("R-3", "1500.00", date(2026, 3, 12)), day=date(2026, 3, 12))
    for level, noticed_on in ((1, date(2026, 2, 9)), (2, date(2026, 3, 1))):
        notice = dunning.DunningNoticeSent(
            entity="US01",
            notice=f"N-{level}",
            account="C-1",
            currency="USD",
            noticed_on=noticed_on,
            level=level,
            total="7000.00",
            items=[],
            channel="log",
        )
        await reporting.receive(notice, day=noticed_on)

    answer = await reporting.get("/v1/customers/C-1/balance", entity="US01", as_of="2026-03-31")
    before = await reporting.get("/v1/customers/C-1/balance", entity="US01", as_of="2026-02-28")

    (row,) = answer.json()["rows"]
    assert (row["open"], row["overdue"], row["unapplied"], row["on_account"]) == ("4000.00", "4000.00", "1500.00", "0.00")
    assert (row["balance"], row["notices"], row["last_noticed_on"], row["last_notice_level"]) == ("2500.00", 2, "2026-03-01", 2)
    assert (before.json()["rows"][0]["notices"], before.json()["rows"][0]["last_notice_level"]) == (1, 1)


async def test_the_items_behind_a_balance_come_in_pages(reporting: ServiceUnderTest) -> None:
    await reporting.receive(*[an_invoice(f"INV-{n}", "10.00") for n in range(1, 4)])

    first = (await reporting.get("/v1/items", entity="US01", customer="C-1", limit=2)).json()
    second = (await reporting.get("/v1/items", entity="US01", customer="C-1", limit=2, cursor=first["next_cursor"])).json()

    assert [item["item"] for item in first["items"] + second["items"]] == [f"US01|INV-{n}|1" for n in range(1, 4)]
    assert (first["items"][0]["open"], second["next_cursor"]) == ("10.00", None)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/aging?entity=XX99", 404),
        ("/v1/kpis?entity=XX99", 404),
        ("/v1/roll-forward?entity=XX99&month=2026-01", 404),
        ("/v1/customers/C-1/balance?entity=US01", 404),
        ("/v1/items?entity=US01&customer=C-1", 404),
        ("/?entity=XX99", 404),
        ("/v1/aging", 422),
        ("/v1/aging?entity=US01&as_of=2026-02-30", 422),
        ("/v1/aging?entity=US01&as_of=9999-12-31", 422),
        ("/v1/aging?entity=US01&by=moon", 422),
        ("/v1/aging?entity=US01&by=customer&limit=0", 422),
        ("/v1/roll-forward?entity=US01&month=2026-13", 422),
        ("/v1/kpis?entity=US01&days=0", 422),
        ("/v1/customers/C%001/balance?entity=US01", 400),
        ("/v1/items?entity=US01&customer=C-1&cursor=%00", 400),
        ("/?entity=%00", 400),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(path: str, status: int, reporting: ServiceUnderTest) -> None:
    answer = await reporting.get(path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_the_page_says_so_while_there_is_nothing(reporting: ServiceUnderTest) -> None:
    answer = await reporting.get("/")

    assert answer.status_code == 200
    assert "No receivables yet" in answer.text


async def test_the_page_shows_figures_names_and_freshness_and_runs_nothing(reporting: ServiceUnderTest) -> None:
    """RPT-14; a name is shown as it was given and never taken for markup."""
    await reporting.receive(erp.CustomerUpserted(entity="US01", customer="C-1", name="<script>alert(1)</script> & Sons"))
    await partial_payments(reporting)
    await reporting.turn("US01", date(2026, 1, 6))

    answer = await reporting.get("/", entity="US01", as_of="2026-03-31")

    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons" in answer.text
    assert "<script" not in answer.text
    assert "Complete up to <strong>2026-01-05</strong>" in answer.text
    assert [answer.text.count(tag) for tag in ("<main>", "<h1>")] == [1, 1]
    aged = answer.text.partition("<h3>How money found its items</h3>")[0]
    assert re.findall(r'<td class="amount">([\d,.]+)</td>', aged) == ["0.00", "0.00", "4,000.00", "0.00", "0.00", "4,000.00"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"""\sstyle=|\son\w+=|https?://""", answer.text)
