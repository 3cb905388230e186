"""What comes with the money: structured lines, exchanged money, rates; over Kafka and over HTTP (PAY-04, PAY-13)."""

from datetime import date, timedelta
from typing import Any

import pytest
from events import bank, erp, invoice
from events.payment import EntryRejected, FxRealised, PaymentApplied, PaymentReceived, Received
from payment.handlers.entries import Entry, read_entry
from testkit.service import FIRST_DAY, ServiceUnderTest, two_entities

D1 = FIRST_DAY
D2 = D1 + timedelta(days=1)
ENTITIES = two_entities()


def an_invoice(number: str, total: str, *, currency: str = "USD", account: str = "C-1", base: str | None = None) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=account,
        account=account,
        currency=currency,
        issued_on=D1,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=D1, amount=total)],
        valuation=None if base is None else invoice.Valuation(currency="USD", rate="1.10", rate_on=D1, type="spot", total=base),
    )


def an_entry(ref: str, amount: str, *lines: bank.RemittanceLine, **other: Any) -> bank.EntryBooked:
    fields = {"entity": "US01", "account_ref": "OUR-1", "value_on": D1, "currency": "USD", **other}
    return bank.EntryBooked(bank_ref=ref, amount=amount, lines=list(lines), **fields)


def line(number: str, amount: str | None = None, **other: Any) -> bank.RemittanceLine:
    return bank.RemittanceLine(document_no=number, amount=amount, **other)


def a_rate(rate: str, rate_on: date, currency: str = "EUR") -> erp.FxRatePublished:
    return erp.FxRatePublished(entity="US01", currency=currency, rate=rate, rate_on=rate_on)


def entry_of(data: bank.EntryBooked) -> Entry:
    read = read_entry(data, ENTITIES, None)
    assert isinstance(read, Entry), read
    return read


def reasons_against(data: bank.EntryBooked) -> list[tuple[str, str]]:
    read = read_entry(data, ENTITIES, None)
    assert isinstance(read, list), read
    return [(reason.field, reason.code) for reason in read]


async def applied(payment: ServiceUnderTest) -> dict[str, int]:
    """What stands applied, by item."""
    rows = await payment.db.pool.fetch("SELECT item, amount_minor FROM chk.application WHERE NOT reversed ORDER BY item")
    return {row["item"].removeprefix("US01|").removesuffix("|1"): row["amount_minor"] for row in rows}


def test_lines_are_read_for_every_reason_at_once() -> None:
    """PAY-04: each fault with the field it is about."""
    wrong = line("", "1.005", n=0, gross="x", discount_taken="-1.00", deductions=[bank.Deduction(code="A|B", amount="0.00")])
    assert reasons_against(an_entry("BR-1", "10.00", line("INV-1", "4.00"), wrong)) == [
        ("lines[1].document_no", "BAD_IDENTIFIER"),
        ("lines[1].n", "OUT_OF_RANGE"),
        ("lines[1].amount", "AMOUNT_TOO_PRECISE"),
        ("lines[1].gross", "AMOUNT_NOT_PLAIN"),
        ("lines[1].discount_taken", "AMOUNT_NOT_POSITIVE"),
        ("lines[1].deductions[0].code", "BAD_IDENTIFIER"),
        ("lines[1].deductions[0].amount", "AMOUNT_NOT_POSITIVE"),
    ]


def test_lines_say_no_more_than_came_and_may_say_less() -> None:
    """A payer that nets a credit states it below zero."""
    assert reasons_against(an_entry("BR-1", "10.00", line("INV-1", "6.00"), line("INV-2", "4.01"))) == [("lines", "LINES_EXCEED_AMOUNT")]
    entry_of(an_entry("BR-1", "10.00", line("INV-1", "6.00")))
    entry_of(an_entry("BR-1", "10.00", line("INV-1", "12.00"), line("CM-1", "-2.00")))


def test_there_are_not_more_lines_than_can_be_locked() -> None:
    assert reasons_against(an_entry("BR-1", "10.00", *[line(f"INV-{n}") for n in range(1_001)])) == [("lines", "TOO_MANY")]
    many = [bank.Deduction(code="X", amount="0.01")] * 21
    assert reasons_against(an_entry("BR-1", "10.00", line("INV-1", deductions=many))) == [("lines[0].deductions", "TOO_MANY")]


def test_exchange_and_rate_are_read_for_every_reason_at_once() -> None:
    exchange = bank.Exchange(currency="USD", amount="0.00")
    assert reasons_against(an_entry("BR-1", "x", exchange=exchange, rate="1,1", payment_ref="")) == [
        ("payment_ref", "BAD_IDENTIFIER"),
        ("amount", "AMOUNT_NOT_PLAIN"),
        ("exchange.currency", "CURRENCY_NOT_EXCHANGED"),
        ("exchange.amount", "AMOUNT_NOT_POSITIVE"),
        ("rate", "RATE_MALFORMED"),
    ]
    assert reasons_against(an_entry("BR-1", "10000000000000.00", currency="EUR", rate="1.1")) == [("rate", "AMOUNT_TOO_LARGE")]


def test_an_entry_without_the_new_fields_has_the_content_it_always_had() -> None:
    """Entries of earlier releases come again: they must not conflict with themselves."""
    entry = an_entry("BR-1", "70.00", remittance="INV-1", customer="C-1", debtor=bank.Debtor(iban="DE02 1203"))
    assert entry_of(entry).content.hex() == "378a361bae82b33d296969fa18762eff"


@pytest.mark.parametrize(
    "other",
    [
        {"payment_ref": "E2E-1"},
        {"rate": "1.14"},
        {"exchange": bank.Exchange(currency="JPY", amount="1000")},
        {"lines": [line("INV-1")]},
        {"lines": [line("INV-1", "1.00")]},
        {"lines": [line("INV-1", "1.00", discount_taken="0.10")]},
        {"lines": [line("INV-1", "1.00", gross="1.10")]},
    ],
)
def test_whatever_decides_about_money_is_content(other: dict[str, Any]) -> None:
    plain, told = an_entry("BR-1", "70.00", currency="EUR"), bank.EntryBooked(**{**_fields("70.00"), **other})
    assert entry_of(plain).content != entry_of(told).content
    assert entry_of(told).content == entry_of(bank.EntryBooked(**{**_fields("70.0"), **other})).content


def _fields(amount: str) -> dict[str, Any]:
    return {"entity": "US01", "account_ref": "OUR-1", "bank_ref": "BR-1", "value_on": D1, "amount": amount, "currency": "EUR"}


def test_a_payer_without_a_reference_of_its_own_says_so() -> None:
    """ISO 20022 writes NOTPROVIDED where there is no end-to-end id: those payments are not one."""
    assert entry_of(an_entry("BR-1", "1.00", payment_ref="NOTPROVIDED")).payment_ref is None
    assert entry_of(an_entry("BR-1", "1.00", payment_ref="E2E-1")).payment_ref is not None


@pytest.mark.db
async def test_lines_say_how_much_of_each_document_is_paid(payment: ServiceUnderTest) -> None:
    """PAY-04, PAY-09: what they state, in their order, before the text; what they leave is on-account of it."""
    await payment.receive(*[an_invoice(f"INV-{n}", "100.00") for n in (1, 2, 3)])
    await payment.receive(an_entry("BR-1", "160.00", line("inv-2", "30.00"), line("INV-1", "50.00"), remittance="INV-3"))
    assert await applied(payment) == {"INV-1": 50_00, "INV-2": 30_00, "INV-3": 80_00}
    (received,) = payment.published(PaymentReceived)
    assert received.references == ["INV-2", "INV-1", "INV-3"]


@pytest.mark.db
async def test_an_entry_with_wrong_lines_is_refused_alone(payment: ServiceUnderTest) -> None:
    await payment.receive(an_entry("BR-1", "1.00", line("INV-1", "2.00")), an_entry("BR-2", "1.00", customer="C-1"))
    assert [[reason.code for reason in one.reasons] for one in payment.published(EntryRejected)] == [["LINES_EXCEED_AMOUNT"]]
    assert await payment.db.pool.fetchval("SELECT count(*) FROM receipt") == 1


@pytest.mark.db
async def test_a10_a_receipt_at_a_stated_rate_realises_its_gain(payment: ServiceUnderTest) -> None:
    """A10: EUR 4,000.00 at 1.14 on an invoice at 1.10 gain 160.00; the rest at 1.06 loses 240.00."""
    await payment.receive(an_invoice("INV-10", "10000.00", currency="EUR", base="11000.00"))
    await payment.receive(an_entry("BR-1", "4000.00", currency="EUR", rate="1.14", remittance="INV-10"))
    await payment.receive(an_entry("BR-2", "6000.00", currency="EUR", rate="1.06", remittance="INV-10"))
    facts = payment.published()
    assert [one.valuation for one in facts if isinstance(one, PaymentReceived)] == [
        invoice.Valuation(currency="USD", rate="1.14", rate_on=D1, type="bank", total="4560.00"),
        invoice.Valuation(currency="USD", rate="1.06", rate_on=D1, type="bank", total="6360.00"),
    ]
    assert [(one.gain, one.loss) for one in facts if isinstance(one, FxRealised)] == [("160.00", "0.00"), ("0.00", "240.00")]


@pytest.mark.db
async def test_money_of_another_currency_settles_at_what_it_was_exchanged_for(payment: ServiceUnderTest) -> None:
    """PAY-13: the bank booked USD 4,560.00 for EUR 4,000.00; what it booked is what it is worth."""
    await payment.receive(an_invoice("INV-10", "10000.00", currency="EUR", base="11000.00"))
    exchange = bank.Exchange(currency="EUR", amount="4000.00")
    await payment.receive(an_entry("BR-1", "4560.00", line("INV-10", "4000.00"), exchange=exchange))
    facts = payment.published()
    (received,) = [one for one in facts if isinstance(one, PaymentReceived)]
    assert (received.amount, received.currency, received.received) == ("4000.00", "EUR", Received(currency="USD", amount="4560.00"))
    assert received.valuation == invoice.Valuation(currency="USD", rate="1.14", rate_on=D1, type="bank", total="4560.00")
    assert [one.gain for one in facts if isinstance(one, FxRealised)] == ["160.00"]
    row = await payment.db.pool.fetchrow("SELECT * FROM receipt")
    assert (row["currency"], row["amount_minor"], row["received_currency"], row["received_minor"]) == ("EUR", 4_000_00, "USD", 4_560_00)
    assert row["base_minor"] == 4_560_00


@pytest.mark.db
async def test_money_exchanged_into_the_own_currency_has_no_other_worth(payment: ServiceUnderTest) -> None:
    exchange = bank.Exchange(currency="USD", amount="45.60")
    await payment.receive(an_entry("BR-1", "40.00", currency="EUR", exchange=exchange, rate="1.14", customer="C-1"))
    (received,) = payment.published(PaymentReceived)
    assert (received.currency, received.valuation, received.received) == ("USD", None, Received(currency="EUR", amount="40.00"))


@pytest.mark.db
async def test_without_a_stated_rate_the_latest_published_one_counts_from_the_next_opening(payment: ServiceUnderTest) -> None:
    """PAY-13: on or before the value date; one published today counts tomorrow; without one nothing is realised."""
    await payment.receive(a_rate("1.20", D1), a_rate("1.10", D1 - timedelta(days=3)), a_rate("9.99", D2))
    await payment.receive(an_entry("BR-1", "10.00", currency="EUR", customer="C-1"))
    assert [one.valuation for one in payment.published(PaymentReceived)] == [None]
    await payment.turn("US01", D2)
    await payment.receive(an_entry("BR-2", "10.00", currency="EUR", customer="C-1"))
    await payment.receive(an_entry("BR-3", "10.00", currency="EUR", customer="C-1", value_on=D1 - timedelta(days=1)))
    await payment.receive(an_entry("BR-4", "10.00", currency="EUR", customer="C-1", value_on=D1 - timedelta(days=4)))
    totals = [one.valuation and one.valuation.total for one in payment.published(PaymentReceived)]
    assert totals == ["12.00", "11.00", None]


@pytest.mark.db
async def test_of_several_rates_of_a_day_the_one_said_last_counts_in_any_order(payment: ServiceUnderTest) -> None:
    for rate in ("1.10", "1.30", "1.20"):
        await payment.receive(a_rate(rate, D1))
    await payment.receive(erp.FxRatePublished(entity="US01", currency="USD", rate="1", rate_on=D1, type=""))
    assert [{reason.code for reason in one.reasons} for one in payment.published(EntryRejected)] == [
        {"BAD_IDENTIFIER", "CURRENCY_OF_THE_ENTITY"}
    ]
    assert [row["rate"] for row in await payment.db.pool.fetch("SELECT rate FROM fx_rate")] == ["1.3"]


def a_body(ref: str, amount: str, **other: Any) -> dict[str, Any]:
    return {"entity": "US01", "bank_ref": ref, "value_on": "2026-01-05", "amount": amount, "currency": "USD", **other}


@pytest.mark.db
async def test_all_of_it_is_said_over_http_too(payment: ServiceUnderTest) -> None:
    await payment.receive(an_invoice("INV-1", "100.00", currency="EUR", base="110.00"))
    lines = [{"document_no": "INV-1", "amount": "40.00", "deductions": [{"code": "BANK", "amount": "2.50"}]}]
    body = a_body("BR-1", "45.60", lines=lines, exchange={"currency": "EUR", "amount": "40.00"}, payment_ref="E2E-1", rate="1")
    answer = await payment.post("/v1/receipts", body)
    assert (answer.status_code, answer.json()["currency"], answer.json()["applied"]) == (201, "EUR", "40.00")
    assert [one.amount for one in payment.published(PaymentApplied)] == ["40.00"]
    assert (await payment.post("/v1/receipts", body, key="again")).json() == answer.json()
    lines[0]["amount"] = "40.01"
    refused = await payment.post("/v1/receipts", {**body, "bank_ref": "BR-2"}, key="more")
    assert (refused.status_code, refused.json()["reasons"]) == (422, [{"code": "LINES_EXCEED_AMOUNT", "field": "lines"}])
    assert (await payment.post("/v1/receipts", body | {"lines": []}, key="other")).status_code == 409
