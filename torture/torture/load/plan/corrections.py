"""Voids and corrected invoices: told by an ERP before or behind what they void, paid or not; wanted by a clerk, who may come too late."""

from collections.abc import Sequence
from typing import Any, Final

from torture.load.operation import Meant, Operation
from torture.load.plan import documents
from torture.load.plan.desk import Billed, Desk
from torture.load.plan.documents import TOPIC
from torture.load.wire import VOID
from torture.load.world import Customer

CORRECTED: Final = "384"
CUSTOMER_CORRECTED_SHARE: Final = 1 / 6


def void_told(desk: Desk) -> Sequence[Operation]:
    """An ERP voids a document, whatever was paid: it has to be accepted, and voiding twice is voiding once."""
    if not desk.billed:
        return documents.invoice_told(desk)
    return [_told(desk, desk.any_billed())]


def early_void_told(desk: Desk) -> Sequence[Operation]:
    """An ERP voids an invoice that it only tells of later, one in ten never."""
    invoice = documents.new_invoice(desk, desk.world.choose(desk.random))
    billed = desk.billed[-1]
    if desk.random.random() < 0.1:
        desk.billed.pop()
    else:
        desk.put_off(desk.random.randint(5, 60), documents.told(desk, invoice))
    return [_told(desk, billed)]


def void_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk voids a document, which is possible while nothing is known to be settled of it."""
    if not desk.billed:
        return documents.invoice_posted(desk)
    billed = desk.any_there(desk.billed)
    return [desk.post("void", _body(desk, billed), meant=Meant.EITHER, after=[desk.issued[billed.number]])]


def void_refused(desk: Desk) -> Sequence[Operation]:
    """Somebody voids a credit memo, or another customer's invoice; over Kafka it stands behind the document, in the same partition."""
    documents_there = [one for one in desk.taken if one.kind in ("invoice", "debit_memo", "memo")]
    if not documents_there:
        return documents.memo_told(desk)
    of = desk.random.choice(documents_there)
    body = {"entity": of.body["entity"], "document_no": of.body["document_no"], "customer": of.body["customer"]}
    body["reason"] = f"DISPUTE-{desk.number():06d}"  # Never the same twice: that would be a repeat, and not answered again.
    code = "VOID_OF_CREDIT_MEMO"
    if of.kind != "memo":
        code, body["customer"] = "CUSTOMER_MISMATCH", "C-NOBODY"
    if desk.random.random() < 0.5:
        return [desk.post("void", body, meant=Meant.REFUSED, code=code, after=[of.id])]
    key = documents.key_of(body)
    return [desk.refused_publication("void", VOID, TOPIC, key, body, code, after=[of.id], name=f"{key}|void")]


def correction_told(desk: Desk) -> Sequence[Operation]:
    """An ERP corrects a document: a new invoice takes its place, some in the name of another customer."""
    if not desk.billed:
        return documents.invoice_told(desk)
    body, billed = _correction(desk, desk.any_billed())
    desk.billed.append(billed)
    return [documents.told(desk, body)]


def correction_posted(desk: Desk) -> Sequence[Operation]:
    """A clerk corrects a document, which is possible while nothing is known to be settled of it; nobody counts on it."""
    if not desk.billed:
        return documents.invoice_posted(desk)
    body, _ = _correction(desk, desk.any_there(desk.billed))
    return [desk.post("invoice", body, meant=Meant.EITHER, after=[desk.issued[body["ref_document_no"]]])]


def _told(desk: Desk, billed: Billed) -> Operation:
    """Have an ERP void a document, under the document's key or under one that has nothing to do with it."""
    key = f"{billed.customer.entity}|{billed.number}"
    kafka_key = desk.random.choice((key, f"{billed.customer.entity}|{billed.customer.number}"))
    return desk.publication("void", VOID, TOPIC, kafka_key, _body(desk, billed), name=f"{key}|void|{desk.number()}")


def _body(desk: Desk, billed: Billed) -> dict[str, Any]:
    body = {"entity": billed.customer.entity, "document_no": billed.number, "customer": billed.customer.number}
    if desk.random.random() < 0.5:
        body["reason"] = "DUPLICATE"
    if desk.random.random() < 0.3:
        body["effective_on"] = desk.day_near(4).isoformat()
    return body


def _correction(desk: Desk, corrected: Billed) -> tuple[dict[str, Any], Billed]:
    body, billed = documents.bill(desk, "INV", _customer(desk, corrected.customer))
    return {**body, "type": CORRECTED, "ref_document_no": corrected.number}, billed


def _customer(desk: Desk, billed: Customer) -> Customer:
    others = [one for one in desk.world.customers if one.entity == billed.entity and one != billed]
    return desk.random.choice(others) if desk.random.random() < CUSTOMER_CORRECTED_SHARE else billed
