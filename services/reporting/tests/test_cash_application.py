"""What cash application tells, as reports show it: discounts, returned and refunded money, rates."""

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from events import invoice, payment
from events.fact import Event
from reporting.app import SERVICE
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

OPENS_ON = date(2026, 3, 1)
ONE_DAY = timedelta(days=1)


@pytest.fixture
async def reporting(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("reporting"), entities=two_entities(opens_on=OPENS_ON)) as sut:
        yield sut


def billed(
    number: str, total: str, due_on: date, currency: str = "USD", kind: type[invoice.Billed] = invoice.InvoiceIssued, **more: Any
) -> Event:
    return kind(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency=currency,
        issued_on=due_on,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=due_on, amount=total)],
        **more,
    )


def received(receipt: str, amount: str, value_on: date, currency: str = "USD", account: str | None = "C-1", **more: Any) -> Event:
    return payment.PaymentReceived(
        entity="US01",
        receipt=f"US01|{receipt}",
        method="bank",
        amount=amount,
        currency=currency,
        value_on=value_on,
        bank_ref=receipt,
        account=account,
        **more,
    )


def _of_item(number: str, amount: str, due_on: date, currency: str) -> dict[str, Any]:
    of = {"entity": "US01", "customer": "C-1", "account": "C-1", "currency": currency, "due_on": due_on, "amount": amount}
    return {**of, "item": f"US01|{number}|1", "invoice": f"US01|{number}"}


def applied(receipt: str, number: str, amount: str, due_on: date, currency: str = "USD", rule: str = "reference") -> Event:
    name = f"{receipt}|{number}|{rule}"
    return payment.PaymentApplied(application=name, receipt=f"US01|{receipt}", rule=rule, **_of_item(number, amount, due_on, currency))


def taken_back(receipt: str, number: str, amount: str, due_on: date, rule: str = "reference", reason: str = "returned") -> Event:
    return payment.ApplicationReversed(
        application=f"{receipt}|{number}|{rule}",
        receipt=f"US01|{receipt}",
        rule=rule,
        reason=reason,
        **_of_item(number, amount, due_on, "USD"),
    )


def discounted(receipt: str, number: str, amount: str, due_on: date) -> Event:
    return payment.DiscountGranted(
        discount=f"D-{receipt}-{number}", receipt=f"US01|{receipt}", tax="0.00", kind="earned", **_of_item(number, amount, due_on, "USD")
    )


def reversed_(receipt: str, amount: str, value_on: date, **more: Any) -> Event:
    return payment.PaymentReversed(
        entity="US01", receipt=f"US01|{receipt}", currency="USD", amount=amount, kind="return", value_on=value_on, account="C-1", **more
    )


async def read(reporting: ServiceUnderTest, path: str, **asked: Any) -> Any:
    answer = await reporting.get(path, entity="US01", **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def aging(reporting: ServiceUnderTest, as_of: date, **asked: Any) -> dict[str, Any]:
    (row,) = (await read(reporting, "/v1/aging", as_of=as_of, **asked))["rows"]
    found: dict[str, Any] = row
    return found


async def a_returned_payment(reporting: ServiceUnderTest) -> None:
    """A6: 600.00 and 400.00 due 03-01, paid on 03-10, returned on 03-14 with a fee of 35.00, which is billed two days later."""
    due_on, paid_on, back_on = date(2026, 3, 1), date(2026, 3, 10), date(2026, 3, 14)
    await reporting.receive(billed("INV-6", "600.00", due_on), billed("INV-7", "400.00", due_on), day=due_on)
    await reporting.receive(
        received("B-1", "1000.00", paid_on),
        applied("B-1", "INV-6", "600.00", due_on),
        applied("B-1", "INV-7", "400.00", due_on),
        day=paid_on,
    )
    await reporting.receive(
        taken_back("B-1", "INV-6", "600.00", due_on),
        taken_back("B-1", "INV-7", "400.00", due_on),
        reversed_("B-1", "1000.00", back_on, fee="35.00", reopened=["US01|INV-6|1", "US01|INV-7|1"]),
        day=back_on,
        effective_on=back_on,
    )
    fee = billed("FEE-B-1", "35.00", back_on, kind=invoice.DebitMemoIssued, origin="return_fee", origin_id="US01|B-1")
    await reporting.receive(fee, day=date(2026, 3, 16))


async def test_a_returned_payment_is_paid_before_and_owed_after_the_day_it_was_taken_back(reporting: ServiceUnderTest) -> None:
    """A6, PAY-10, RPT-01: as of 03-12 nothing, as of 03-14 1,000.00 at 13 days and the fee of 35.00, current."""
    await a_returned_payment(reporting)

    paid = await aging(reporting, date(2026, 3, 12))
    returned = await aging(reporting, date(2026, 3, 14))
    known_then = await aging(reporting, date(2026, 3, 14), known_at=date(2026, 3, 13))

    assert (paid["open"], paid["unapplied"]) == ("0.00", "0.00")
    assert (returned["buckets"]["1-30"], returned["buckets"]["current"], returned["open"]) == ("1000.00", "35.00", "1035.00")
    assert (returned["unapplied"], known_then["open"]) == ("0.00", "0.00")
    (march,) = (await read(reporting, "/v1/roll-forward", month="2026-03"))["rows"]
    assert (march["invoiced"], march["charged"], march["settled"], march["reversed"]) == ("1000.00", "35.00", "0.00", "1000.00")
    assert march["closing"] == "1035.00"


async def test_a_returned_payment_that_is_billed_anew_stays_applied_and_is_counted(reporting: ServiceUnderTest) -> None:
    """PAY-10: what it paid stays paid, the debit memo is charged and no sale, and the money counts among what banks took back."""
    due_on, paid_on, back_on = date(2026, 3, 1), date(2026, 3, 10), date(2026, 3, 14)
    await reporting.receive(billed("INV-6", "600.00", due_on), day=due_on)
    await reporting.receive(received("B-1", "600.00", paid_on), applied("B-1", "INV-6", "600.00", due_on), day=paid_on)
    of = {"entity": "US01", "receipt": "US01|B-1", "account": "C-1", "currency": "USD", "kind": "nsf"}
    back = payment.PaymentReversedAsDebit(**of, amount="600.00", value_on=paid_on)
    await reporting.receive(back, day=back_on, effective_on=back_on)
    anew = billed("RETURN-B-1", "600.00", back_on, kind=invoice.DebitMemoIssued, origin="returned_payment", origin_id="US01|B-1")
    await reporting.receive(anew, day=date(2026, 3, 16))

    after = await aging(reporting, date(2026, 3, 14))
    assert (after["buckets"]["1-30"], after["buckets"]["current"], after["unapplied"]) == ("0.00", "600.00", "0.00")
    (march,) = (await read(reporting, "/v1/roll-forward", month="2026-03"))["rows"]
    assert (march["invoiced"], march["charged"], march["settled"], march["reversed"]) == ("600.00", "600.00", "600.00", "600.00")


async def test_a_returned_payment_told_twice_is_returned_once(reporting: ServiceUnderTest) -> None:
    """A6, EVT-02"""
    await a_returned_payment(reporting)
    await reporting.receive_again()
    assert (await aging(reporting, date(2026, 3, 16)))["open"] == "1035.00"


async def test_a_discount_settles_with_the_money_and_is_a_column_of_the_month(reporting: ServiceUnderTest) -> None:
    """A2 (a) and (e): 24.00 off for 1,176.00; and 24.00 off and 3.50 tolerated for 1,172.50."""
    due_on, paid_on = date(2026, 3, 31), date(2026, 3, 10)
    tolerated = payment.AdjustmentPosted(
        adjustment="US01|tolerance|B-2",
        tax="0.00",
        kind="tolerance",
        receipt="US01|B-2",
        **_of_item("INV-2E", "3.50", due_on, "USD"),
    )
    await reporting.receive(billed("INV-2A", "1200.00", due_on), billed("INV-2E", "1200.00", due_on), effective_on=OPENS_ON)
    await reporting.receive(
        received("B-1", "1176.00", paid_on),
        applied("B-1", "INV-2A", "1176.00", due_on),
        discounted("B-1", "INV-2A", "24.00", due_on),
        received("B-2", "1172.50", paid_on),
        applied("B-2", "INV-2E", "1172.50", due_on),
        discounted("B-2", "INV-2E", "24.00", due_on),
        tolerated,
        day=paid_on,
        effective_on=paid_on,
    )

    assert (await aging(reporting, paid_on - ONE_DAY))["open"] == "2400.00"
    assert (await aging(reporting, paid_on))["open"] == "0.00"
    (march,) = (await read(reporting, "/v1/roll-forward", month="2026-03"))["rows"]
    assert (march["settled"], march["discounted"], march["written_off"], march["closing"]) == ("2348.50", "48.00", "3.50", "0.00")


async def test_a_refund_leaves_unapplied_money(reporting: ServiceUnderTest) -> None:
    """PAY-02, PAY-08"""
    await reporting.receive(received("B-1", "150.00", OPENS_ON), day=OPENS_ON)
    refund = payment.RefundIssued(
        entity="US01",
        refund="RF-1",
        receipt="US01|B-1",
        account="C-1",
        currency="USD",
        amount="40.00",
        requested_by="clerk-1",
        approved_by="manager-1",
    )
    await reporting.receive(refund, day=OPENS_ON + ONE_DAY)

    assert (await aging(reporting, OPENS_ON))["unapplied"] == "150.00"
    assert (await aging(reporting, OPENS_ON + ONE_DAY))["unapplied"] == "110.00"
    assert (await read(reporting, "/v1/roll-forward", month="2026-03"))["rows"][0]["refunded"] == "40.00"


def realised(receipt: str, gain: str, loss: str) -> Event:
    return payment.FxRealised(
        entity="US01",
        application=f"{receipt}|INV-10|reference",
        receipt=f"US01|{receipt}",
        item="US01|INV-10|1",
        invoice="US01|INV-10",
        customer="C-1",
        account="C-1",
        currency="USD",
        gain=gain,
        loss=loss,
    )


async def an_item_in_euros(reporting: ServiceUnderTest) -> None:
    """A10: EUR 10,000.00 at 1.10; 4,000.00 at 1.14; month's end at 1.08; 6,000.00 at 1.06."""
    due_on, first_on, end_on, last_on = date(2026, 3, 2), date(2026, 3, 20), date(2026, 3, 31), date(2026, 4, 10)
    await reporting.receive(billed("INV-10", "10000.00", due_on, "EUR"), day=due_on)
    await reporting.receive(
        received("B-1", "4000.00", first_on, "EUR"),
        applied("B-1", "INV-10", "4000.00", due_on, "EUR"),
        realised("B-1", "160.00", "0.00"),
        day=first_on,
        effective_on=first_on,
    )
    revalued = payment.FxRevalued(
        entity="US01",
        item="US01|INV-10|1",
        invoice="US01|INV-10",
        customer="C-1",
        account="C-1",
        item_currency="EUR",
        open="6000.00",
        currency="USD",
        carrying="6600.00",
        revalued="6480.00",
        gain="0.00",
        loss="120.00",
        rate="1.08",
        rate_on=end_on,
        period_end_on=end_on,
        reverses_on=end_on + ONE_DAY,
    )
    await reporting.receive(revalued, day=end_on + ONE_DAY, effective_on=end_on)
    await reporting.receive(
        received("B-2", "6000.00", last_on, "EUR"),
        applied("B-2", "INV-10", "6000.00", due_on, "EUR"),
        realised("B-2", "0.00", "240.00"),
        day=last_on,
        effective_on=last_on,
    )


async def test_a_months_end_is_aged_in_the_items_currency_and_in_the_entitys(reporting: ServiceUnderTest) -> None:
    """A10, RPT-01, RPT-08: EUR 6,000.00, which are USD 6,480.00; on no other day, and not before it was revalued."""
    await an_item_in_euros(reporting)
    end_on = date(2026, 3, 31)

    entity, customer = await aging(reporting, end_on), await aging(reporting, end_on, by="customer")

    assert (entity["currency"], entity["buckets"]["1-30"], entity["open"]) == ("EUR", "6000.00", "6000.00")
    nothing = {"current": "0.00", "31-60": "0.00", "61-90": "0.00", "90+": "0.00"}
    assert entity["valued"] == {"currency": "USD", "of": "6000.00", "buckets": {**nothing, "1-30": "6480.00"}, "open": "6480.00"}
    assert customer["valued"] == entity["valued"]
    assert "valued" not in await aging(reporting, end_on, known_at=end_on)
    assert "valued" not in await aging(reporting, end_on - ONE_DAY)


async def test_exchange_differences_are_told_by_day_and_customer(reporting: ServiceUnderTest) -> None:
    """A10, PAY-13: +160.00 and -240.00 realised; -120.00 unrealised at the month's end, taken back on the next day."""
    await an_item_in_euros(reporting)

    whole = await read(reporting, "/v1/exchange-differences", **{"from": "2026-03-01", "until": "2026-04-30"})
    march = await read(reporting, "/v1/exchange-differences", **{"from": "2026-03-01", "until": "2026-03-31"})
    known_then = await read(reporting, "/v1/exchange-differences", known_at="2026-03-31", **{"from": "2026-03-01", "until": "2026-03-31"})

    assert [(row["on"], row["customer"], row["realised"], row["unrealised"]) for row in whole["rows"]] == [
        ("2026-03-20", "C-1", "160.00", "0.00"),
        ("2026-03-31", "C-1", "0.00", "-120.00"),
        ("2026-04-01", "C-1", "0.00", "120.00"),
        ("2026-04-10", "C-1", "-240.00", "0.00"),
    ]
    assert whole["totals"] == [{"currency": "USD", "realised": "-80.00", "unrealised": "0.00"}]
    assert march["totals"] == [{"currency": "USD", "realised": "160.00", "unrealised": "-120.00"}]
    assert known_then["totals"] == [{"currency": "USD", "realised": "160.00", "unrealised": "0.00"}]
    assert (whole["from"], whole["until"], whole["next_cursor"]) == ("2026-03-01", "2026-04-30", None)


async def test_exchange_differences_come_in_pages(reporting: ServiceUnderTest) -> None:
    await an_item_in_euros(reporting)
    asked: dict[str, Any] = {"from": "2026-03-01", "until": "2026-04-30", "limit": 3}

    first = await read(reporting, "/v1/exchange-differences", **asked)
    second = await read(reporting, "/v1/exchange-differences", cursor=first["next_cursor"], **asked)
    nobody = await read(reporting, "/v1/exchange-differences", customer="C-2", **asked)

    assert [row["on"] for row in first["rows"] + second["rows"]] == ["2026-03-20", "2026-03-31", "2026-04-01", "2026-04-10"]
    assert (first["totals"], second["next_cursor"], nobody["rows"], nobody["totals"]) == (second["totals"], None, [], [])


async def test_money_that_settles_in_another_currency_is_unapplied_in_that_one(reporting: ServiceUnderTest) -> None:
    """PAY-13: what the bank booked, and what it is worth to the entity, are told beside it."""
    fact = received(
        "B-1",
        "100.00",
        OPENS_ON,
        "EUR",
        received=payment.Received(currency="GBP", amount="86.00"),
        valuation=invoice.Valuation(currency="USD", rate="1.10", rate_on=OPENS_ON, type="stated", total="110.00"),
    )
    await reporting.receive(fact, day=OPENS_ON)
    row = await aging(reporting, OPENS_ON)
    assert (row["currency"], row["unapplied"]) == ("EUR", "100.00")
