"""Invoices and credit memos, told by an ERP or posted by a clerk."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from torture.load.amounts import SCALES, written
from torture.load.operation import Operation, Publication
from torture.load.plan.desk import Billed, Desk
from torture.load.wire import INVOICE, MEMO
from torture.load.world import Customer

TOPIC: Final = "erp.documents"
NET_DAYS_MAX: Final = 10


def invoice_told(desk: Desk) -> Sequence[Operation]:
    """An ERP issues an invoice."""
    return [told(desk, new_invoice(desk, desk.world.choose(desk.random)))]


def invoice_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk issues an invoice; one in eight is told by the ERP besides, with the same content."""
    body = new_invoice(desk, desk.world.choose(desk.random))
    posted = desk.post("invoice", body)
    return [posted, told(desk, body)] if desk.random.random() < 1 / 8 else [posted]


def memo_told(desk: Desk) -> Sequence[Operation]:
    """An ERP issues a credit memo."""
    body = _new_memo(desk)
    return [desk.publication("memo", MEMO, TOPIC, f"{body['entity']}|{body['document_no']}", body)]


def memo_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk issues a credit memo."""
    return [desk.post("memo", _new_memo(desk))]


def told(desk: Desk, body: dict[str, Any]) -> Publication:
    """Plan to tell an invoice."""
    return desk.publication("invoice", INVOICE, TOPIC, f"{body['entity']}|{body['document_no']}", body)


def new_invoice(desk: Desk, customer: Customer) -> dict[str, Any]:
    """Make up an invoice that has to be accepted and remember it; due within ten days, at once or in two instalments."""
    random = desk.random
    currency = random.choice(customer.currencies)
    total_minor = random.randint(5, 5000) * 10 ** SCALES[currency] + random.randrange(10 ** SCALES[currency])
    billed = Billed(f"INV-{desk.number():06d}", customer, currency, total_minor)
    desk.billed.append(billed)
    issued_on = desk.day_near(3)
    body: dict[str, Any] = {
        "entity": customer.entity,
        "document_no": billed.number,
        "customer": customer.number,
        "currency": currency,
        "issued_on": issued_on.isoformat(),
        "total": written(total_minor, currency),
    }
    if random.random() < 0.2:
        first_minor = random.randint(1, total_minor - 1)
        parts = zip((2, NET_DAYS_MAX), (first_minor, total_minor - first_minor), strict=True)
        body["instalments"] = [
            {"due_on": (issued_on + timedelta(days=days)).isoformat(), "amount": written(minor, currency)} for days, minor in parts
        ]
    else:
        body["terms"] = f"NET{random.randint(0, NET_DAYS_MAX)}"
    if random.random() < 0.2:
        tax_minor = total_minor // 10
        body["lines"] = [{"amount": written(total_minor - tax_minor, currency)}]
        body["tax"] = written(tax_minor, currency)
    return body


def _new_memo(desk: Desk) -> dict[str, Any]:
    """Make up a credit memo: two in three name an invoice of the same customer and currency, some for more than it was."""
    random = desk.random
    customer = desk.world.choose(random)
    currency = random.choice(customer.currencies)
    invoices = desk.billed_to(customer, currency)
    total_minor = random.randint(1, 200) * 10 ** SCALES[currency]
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
