"""What has to be refused: other content under a number that is taken, and what nobody may accept."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from torture.load.operation import Kind, Meant, Operation, Publication
from torture.load.plan import documents
from torture.load.plan.desk import Desk
from torture.load.wire import DEBIT, ENTRY, INVOICE, MEMO, OPENING, RETURN

_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "invoice": (INVOICE, "erp.documents"),
    "debit_memo": (DEBIT, "erp.documents"),
    "memo": (MEMO, "erp.documents"),
    "opening": (OPENING, "erp.documents"),
    "receipt": (ENTRY, "bank.entries"),
    "return": (RETURN, "bank.entries"),
}
_OF_THE_BANK: Final = ("receipt", "return")


def conflict(desk: Desk) -> Sequence[Operation]:
    """
    Say something else under a number that is taken, once that is certain.

    Over HTTP only against what was posted: a fact that Kafka has acknowledged may not have been heard yet. Over Kafka it stands behind
    the original, in the same partition.
    """
    if not desk.taken:
        return documents.invoice_told(desk)
    original = desk.random.choice(desk.taken)
    dated = "value_on" if original.kind in _OF_THE_BANK else "issued_on"
    desk.contradicted[original.id] += 1  # Never the same twice: that would be a repeat, and not answered again.
    other_day = date.fromisoformat(original.body[dated]) - timedelta(days=desk.contradicted[original.id])
    body = {**original.body, dated: other_day.isoformat()}
    if not isinstance(original, Publication) and desk.random.random() < 0.5:
        return [desk.post(original.kind, body, meant=Meant.REFUSED, code="CONFLICT", after=[original.id])]
    return [_told(desk, original.kind, body, "CONFLICT", [original.id])]


def unacceptable(desk: Desk) -> Sequence[Operation]:
    """Say something that is wrong in itself, as a document or as a receipt, over Kafka or over HTTP."""
    kind, body, code = _spoilt_document(desk) if desk.random.random() < 0.6 else _spoilt_entry(desk)
    return [desk.post(kind, body, meant=Meant.REFUSED, code=code)] if desk.random.random() < 0.5 else [_told(desk, kind, body, code)]


def _told(desk: Desk, kind: Kind, body: dict[str, Any], code: str, after: Sequence[str] = ()) -> Publication:
    """Have an ERP or the bank say what could have been posted."""
    if kind == "receipt":
        body = {"account_ref": f"{body['entity']}-OPERATING", **body}
        body.pop("method", None)
    type_, topic = _TYPES[kind]
    number = body["bank_ref" if kind in _OF_THE_BANK else "document_no"]
    return desk.refused_publication(kind, type_, topic, f"{body['entity']}|{number}", body, code, after)


def _spoilt_document(desk: Desk) -> tuple[Kind, dict[str, Any], str]:
    customer = desk.world.choose(desk.random)
    body: dict[str, Any] = {
        "entity": customer.entity,
        "document_no": f"BAD-{desk.number():06d}",
        "customer": customer.number,
        "currency": customer.currencies[0],
        "issued_on": desk.day.isoformat(),
        "total": "100",
        "terms": "NET5",
    }
    spoil, code = desk.random.choice(_SPOILT_DOCUMENTS)
    spoil(body)
    return "invoice", body, code


def _spoilt_entry(desk: Desk) -> tuple[Kind, dict[str, Any], str]:
    customer = desk.world.choose(desk.random)
    body: dict[str, Any] = {
        "entity": customer.entity,
        "bank_ref": f"BAD-{desk.number():06d}",
        "value_on": desk.day.isoformat(),
        "amount": "100",
        "currency": customer.currencies[0],
        "customer": customer.number,
    }
    spoil, code = desk.random.choice(_SPOILT_ENTRIES)
    spoil(body)
    return "receipt", body, code


def _put(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(body: dict[str, Any]) -> None:
        body[name] = value

    return spoil


def _wrong_sum(body: dict[str, Any]) -> None:
    body.pop("terms")
    body["instalments"] = [{"due_on": body["issued_on"], "amount": "60"}, {"due_on": body["issued_on"], "amount": "41"}]


_SPOILT_DOCUMENTS: Final[Sequence[tuple[Callable[[dict[str, Any]], None], str]]] = (
    (_put("currency", "XQQ"), "CURRENCY_UNKNOWN"),
    (_put("currency", "usd"), "CURRENCY_UNKNOWN"),
    (_put("total", "-100"), "AMOUNT_NEGATIVE"),
    (_put("total", "100.12345"), "AMOUNT_NOT_PLAIN"),
    (_put("total", "1e2"), "AMOUNT_NOT_PLAIN"),
    (_put("total", "9999999999999999"), "AMOUNT_TOO_LARGE"),
    (_put("terms", "NET 5"), "TERMS_UNKNOWN"),
    (_put("terms", "2/10 3/20 NET30"), "TERMS_UNKNOWN"),
    (_put("discounts", [{"percent": "101", "days": 5}]), "PERCENT_OUT_OF_RANGE"),
    (_put("type", "384"), "MISSING"),
    (_put("lines", [{"amount": "99"}]), "LINES_SUM"),
    (_put("type", "999"), "TYPE_NOT_SUPPORTED"),
    (_put("customer", "no|pipes"), "BAD_IDENTIFIER"),
    (_put("entity", "ZZ99"), "ENTITY_UNKNOWN"),
    (_wrong_sum, "INSTALMENTS_SUM"),
)
_SPOILT_ENTRIES: Final[Sequence[tuple[Callable[[dict[str, Any]], None], str]]] = (
    (_put("currency", "XQQ"), "CURRENCY_UNKNOWN"),
    (_put("amount", "-1"), "AMOUNT_NOT_POSITIVE"),
    (_put("amount", "1,000"), "AMOUNT_NOT_PLAIN"),
    (_put("amount", "0.12345"), "AMOUNT_NOT_PLAIN"),
    (_put("amount", "9999999999999999"), "AMOUNT_TOO_LARGE"),
    (_put("customer", " C-01"), "BAD_IDENTIFIER"),
    (_put("entity", "ZZ99"), "ENTITY_UNKNOWN"),
)
