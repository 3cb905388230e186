"""Invoices, debit memos and credit memos, told by an ERP or posted by a clerk."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final

from torture.load.amounts import SCALES, written
from torture.load.operation import Operation, Publication
from torture.load.plan import rates
from torture.load.plan.desk import Billed, Desk
from torture.load.wire import DEBIT, INVOICE, MEMO
from torture.load.world import Customer

TOPIC: Final = "erp.documents"
NET_DAYS_MAX: Final = 10
ZERO_SHARE: Final = 0.03


def invoice_told(desk: Desk) -> Sequence[Operation]:
    """An ERP issues an invoice."""
    return [told(desk, new_invoice(desk, desk.world.choose(desk.random)))]


def invoice_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk issues an invoice; one in eight is told by the ERP besides, with the same content."""
    body = new_invoice(desk, desk.world.choose(desk.random))
    posted = desk.post("invoice", body)
    return [posted, told(desk, body)] if desk.random.random() < 1 / 8 else [posted]


def debit_memo_told(desk: Desk) -> Sequence[Operation]:
    """An ERP issues a debit memo."""
    body = _new_debit_memo(desk)
    return [desk.publication("debit_memo", DEBIT, TOPIC, key_of(body), body)]


def debit_memo_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk issues a debit memo."""
    return [desk.post("debit_memo", _new_debit_memo(desk))]


def memo_told(desk: Desk) -> Sequence[Operation]:
    """An ERP issues a credit memo."""
    body = _new_memo(desk)
    return [desk.publication("memo", MEMO, TOPIC, key_of(body), body)]


def memo_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk issues a credit memo."""
    return [desk.post("memo", _new_memo(desk))]


def memo_about(desk: Desk, billed: Billed) -> dict[str, Any]:
    """Make up a credit memo over half of an invoice, which it names."""
    return {
        "entity": billed.customer.entity,
        "document_no": f"CM-{desk.number():06d}",
        "customer": billed.customer.number,
        "currency": billed.currency,
        "issued_on": desk.day_near(2).isoformat(),
        "ref_document_no": billed.number,
        "total": written(max(1, billed.total_minor // 2), billed.currency),
    }


def told(desk: Desk, body: dict[str, Any]) -> Publication:
    """Plan to tell an invoice."""
    return desk.publication("invoice", INVOICE, TOPIC, key_of(body), body)


def key_of(body: dict[str, Any]) -> str:
    """Return the natural key of a document, which is the Kafka key as well."""
    return f"{body['entity']}|{body['document_no']}"


def new_invoice(desk: Desk, customer: Customer) -> dict[str, Any]:
    """Make up an invoice that has to be accepted and remember it."""
    body, billed = bill(desk, "INV", customer)
    desk.billed.append(billed)
    return body


def bill(desk: Desk, prefix: str, customer: Customer, currency: str | None = None) -> tuple[dict[str, Any], Billed]:
    """
    Make up a document that has to be accepted and is payable.

    By terms of every kind there is, at most a month off, or in two instalments; with discounts, lines and tax, and a few over nothing.
    """
    random = desk.random
    currency = currency or random.choice(customer.currencies)
    total_minor = random.randint(5, 5000) * 10 ** SCALES[currency] + random.randrange(10 ** SCALES[currency])
    if random.random() < ZERO_SHARE:
        total_minor = 0
    number, parts = f"{prefix}-{desk.number():06d}", 2 if total_minor and random.random() < 0.2 else 1
    issued_on = desk.day_near(3)
    body: dict[str, Any] = {
        "entity": customer.entity,
        "document_no": number,
        "customer": customer.number,
        "currency": currency,
        "issued_on": issued_on.isoformat(),
        "total": written(total_minor, currency),
    }
    if parts == 2:
        first_minor = random.randint(1, total_minor - 1)
        shares = zip((2, NET_DAYS_MAX), (first_minor, total_minor - first_minor), strict=True)
        body["instalments"] = [
            {"due_on": (issued_on + timedelta(days=days)).isoformat(), "amount": written(minor, currency)} for days, minor in shares
        ]
    else:
        body["terms"] = _terms(random)
    if "/" not in body.get("terms", "") and random.random() < 0.1:
        body["discounts"] = [{"percent": "3", "days": 5}, {"percent": "1.5", "days": 8}]
    if currency != customer.own_currency and random.random() < 0.5:
        body["fx"] = {"rate": rates.drawn(random, currency, customer.own_currency), "rate_on": issued_on.isoformat()}
    percent = 3 if "discounts" in body else int(body.get("terms", "").partition("/")[0]) if "/" in body.get("terms", "") else 0
    billed = Billed(number, customer, currency, total_minor, parts, percent)
    return {**body, **_made_of(random, total_minor, currency)}, billed


def _terms(random: Random) -> str:
    net = f"NET{random.randint(0, NET_DAYS_MAX)}"
    return random.choice((net, net, net, net, net, f"2/10 {net}", f"3/7 2/10 {net}", "IMMEDIATE", "EOM", "EOM+5", "EONM", "2/10 EOM"))


def _made_of(random: Random, total_minor: int, currency: str) -> dict[str, Any]:
    """Say of one document in four what its total is made of: goods alone, or freight and charges too, with the tax here or there."""
    if random.random() >= 0.25:
        return {}
    tax_minor, freight_minor, charges_minor = total_minor // 10, total_minor // 50, total_minor // 100
    if random.random() < 0.5:
        return {"lines": [{"amount": written(total_minor - tax_minor, currency)}], "tax": written(tax_minor, currency)}
    goods_minor = total_minor - tax_minor - freight_minor - charges_minor
    return {
        "lines": [
            {"amount": written(goods_minor, currency), "kind": "goods", "tax": written(tax_minor, currency)},
            {"amount": written(freight_minor, currency), "kind": "freight"},
            {"amount": written(charges_minor, currency), "kind": "charges"},
        ]
    }


def _new_debit_memo(desk: Desk) -> dict[str, Any]:
    """Make up a debit memo and remember it; every other one is about an invoice."""
    customer = desk.world.choose(desk.random)
    body, billed = bill(desk, "DM", customer)
    about = desk.billed_to(customer, billed.currency)
    if about and desk.random.random() < 0.5:
        body |= {"ref_document_no": desk.random.choice(about).number, "reason": "FREIGHT"}
    desk.billed.append(billed)
    return body


def _new_memo(desk: Desk) -> dict[str, Any]:
    """Make up a credit memo: two in three name an invoice of the same customer and currency, some for more than it was."""
    random = desk.random
    customer = desk.world.choose(random)
    currency = random.choice(customer.currencies)
    invoices = desk.billed_to(customer, currency)
    total_minor = 0 if random.random() < ZERO_SHARE else random.randint(1, 200) * 10 ** SCALES[currency]
    body: dict[str, Any] = {
        "entity": customer.entity,
        "document_no": f"CM-{desk.number():06d}",
        "customer": customer.number,
        "currency": currency,
        "issued_on": desk.day_near(2).isoformat(),
    }
    if invoices and random.random() < 2 / 3:
        named = random.choice(invoices)
        body["ref_document_no"] = named.number
        total_minor = max(1, named.total_minor * random.choice((10, 50, 100, 120)) // 100)
    if random.random() < 0.5:
        body["reason"] = "PRICE"
    return {**body, "total": written(total_minor, currency)}
