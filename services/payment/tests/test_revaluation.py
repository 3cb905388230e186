"""Open items in another currency are valued anew when a period ends, on a real Postgres (PAY-13, RPT-08)."""

from collections.abc import AsyncIterator, Callable
from datetime import date

import pytest
from events import bank, erp, invoice
from events.payment import FxRealised, FxRevalued
from payment.app import SERVICE
from structlog.testing import capture_logs
from testkit.service import ServiceUnderTest, service_under_test, two_entities

pytestmark = pytest.mark.db

OPENS_ON = date(2026, 1, 28)
END = date(2026, 1, 31)
FEBRUARY = date(2026, 2, 1)


@pytest.fixture
async def payment(database_url: Callable[[str], str]) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(SERVICE, database_url("payment"), entities=two_entities(opens_on=OPENS_ON)) as sut:
        yield sut


async def monthly(sut: ServiceUnderTest, *, valid_from: date = OPENS_ON) -> None:
    """Have items valued at the end of each month from a day on."""
    proposal = {"entity": "US01", "kind": "revaluation", "valid_from": str(valid_from), "body": {"period": "month"}}
    answer = await sut.post("/v1/policies", proposal, key="propose", roles=["policy_maker"], sub="maker")
    assert answer.status_code == 201, answer.text
    path = f"/v1/policies/{answer.json()['policy']}/approve"
    answer = await sut.post(path, {}, key="approve", roles=["policy_checker"], sub="checker")
    assert answer.status_code == 200, answer.text


def in_euros(number: str = "INV-10", *, currency: str = "EUR") -> invoice.InvoiceIssued:
    """10,000.00 at 1.10."""
    valued = invoice.Valuation(currency="USD", rate="1.10", rate_on=OPENS_ON, type="spot", total="11000.00")
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer="C-1",
        account="C-1",
        currency=currency,
        issued_on=OPENS_ON,
        total="10000.00",
        instalments=[invoice.Instalment(n=1, due_on=date(2026, 2, 27), amount="10000.00")],
        valuation=valued,
    )


def paid(ref: str, amount: str, rate: str, value_on: date = OPENS_ON) -> bank.EntryBooked:
    return bank.EntryBooked(
        entity="US01",
        account_ref="OUR-EUR",
        bank_ref=ref,
        value_on=value_on,
        amount=amount,
        currency="EUR",
        remittance="INV-10",
        rate=rate,
    )


def a_rate(rate: str, rate_on: date = END, type_: str = "spot", currency: str = "EUR") -> erp.FxRatePublished:
    return erp.FxRatePublished(entity="US01", currency=currency, rate=rate, rate_on=rate_on, type=type_)


async def revalued(sut: ServiceUnderTest, day: date = FEBRUARY) -> list[FxRevalued]:
    """Turn days up to `day`; return what was valued anew meanwhile."""
    sut.published()
    await sut.turn("US01", day)
    return sut.published(FxRevalued)


async def test_a10_what_is_open_at_the_end_of_the_month_loses_and_what_was_paid_gained(payment: ServiceUnderTest) -> None:
    """A10, PAY-13: gain 160.00 at 1.14; EUR 6,000.00 carried at 6,600.00 are worth 6,480.00; loss 240.00 on the rest at 1.06."""
    await monthly(payment)
    await payment.receive(in_euros(), paid("BR-1", "4000.00", "1.14"), a_rate("1.08"))
    (realised,) = payment.published(FxRealised)
    assert (realised.gain, realised.loss) == ("160.00", "0.00")

    await payment.turn("US01", FEBRUARY)
    (told,) = payment.published_envelopes(FxRevalued)
    assert (told.envelope.key, told.envelope.booked_on, told.envelope.effective_on) == ("US01|C-1", FEBRUARY, END)
    assert told.data == FxRevalued(
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
        rate_on=END,
        period_end_on=END,
        reverses_on=FEBRUARY,
    )
    await payment.receive(paid("BR-2", "6000.00", "1.06", FEBRUARY))
    (realised,) = payment.published(FxRealised)
    assert (realised.gain, realised.loss) == ("0.00", "240.00")
    assert await revalued(payment, date(2026, 3, 1)) == []


async def test_without_a_policy_nothing_is_valued(payment: ServiceUnderTest) -> None:
    """RPT-08: nor under one that begins with the next month."""
    await monthly(payment, valid_from=FEBRUARY)
    await payment.receive(in_euros(), a_rate("1.08"))
    assert await revalued(payment) == []
    assert [one.period_end_on for one in await revalued(payment, date(2026, 3, 1))] == [date(2026, 2, 28)]


async def test_a_closing_rate_of_the_month_comes_before_the_spot_rate(payment: ServiceUnderTest) -> None:
    """RPT-08: also one of its last banking day; one of an earlier month does not."""
    await monthly(payment)
    await payment.receive(in_euros(), a_rate("1.08"), a_rate("1.07", date(2026, 1, 30), "closing"))
    assert [(one.rate, one.revalued) for one in await revalued(payment)] == [("1.07", "10700.00")]
    await payment.receive(a_rate("1.2", date(2026, 2, 27)))
    assert [(one.rate, one.revalued, one.gain) for one in await revalued(payment, date(2026, 3, 1))] == [("1.2", "12000.00", "1000.00")]


async def test_items_without_a_rate_are_shown_and_not_valued(payment: ServiceUnderTest) -> None:
    """RPT-08: nothing is published of them, somebody is told, and the others are valued."""
    await monthly(payment)
    await payment.receive(in_euros(), in_euros("INV-11", currency="GBP"), a_rate("1.08"))
    with capture_logs() as logs:
        assert [one.item for one in await revalued(payment)] == ["US01|INV-10|1"]
    assert [(one["event"], one["items"]) for one in logs if one["log_level"] == "warning"] == [("revaluation.rate_missing", 1)]
    found = (await payment.get("/v1/findings", entity="US01", kind="rate_missing")).json()["findings"]
    assert [(one["item"], one["amount"], one["currency"], one["found_on"]) for one in found] == [
        ("US01|INV-11|1", "10000.00", "GBP", str(END))
    ]


async def test_a_rate_counts_from_the_opening_after_it_was_booked(payment: ServiceUnderTest) -> None:
    """RPT-08: what is published on the last day of the month is known when it ends, what is published a day later is not."""
    await monthly(payment)
    await payment.receive(in_euros())
    await payment.turn("US01", END)
    await payment.receive(a_rate("1.08"))
    assert [one.rate for one in await revalued(payment)] == ["1.08"]
    await payment.receive(a_rate("1.5"))
    assert await revalued(payment, date(2026, 2, 20)) == []
