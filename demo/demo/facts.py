"""A ledger entry as the record an ERP or a bank would publish: CloudEvents 1.0 in binary mode."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from events import bank, erp
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from money import format_minor

from demo.ledger import CreditMemo, Customer, DebitMemo, Document, Invoice, Rate, Receipt, Return, Void, told_on

ERP: Final = "/erp/demo"
BANK: Final = "/bank/demo"
TOPICS: Final = ("erp.customers", "erp.documents", "erp.reference", "bank.entries")
_OUR_BANK_ACCOUNT: Final = "demo"
_VOID_REASON: Final = "BILLED_IN_ERROR"
_BOUNCED: Final = "nsf"
_TRACED_ONE_IN: Final = 50  # A sampled trace costs more than the record it follows.


Told = Customer | Document | Void | Receipt | Return | Rate


@dataclass(frozen=True, slots=True)
class Record:
    """One record for Kafka. `document_id` is set for invoices: it is how their way into the read model is timed."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes
    document_id: str | None


def to_record(entry: Told, entity: str) -> Record:
    """Return the record of an entry; ids come from the natural keys, so that the same entry is the same event whenever it is told."""
    match entry:
        case Customer(customer, known_on, name, bank_account, parent):
            accounts = [bank_account] if bank_account else []
            customer_fact = erp.CustomerUpserted(entity=entity, customer=customer, name=name, bank_accounts=accounts, parent=parent)
            return record_of(customer_fact, told_on(entry), f"{entity}|{customer}|{known_on}", ERP, f"{entity}|{customer}")
        case Invoice() | DebitMemo() | CreditMemo():
            return record_of(_document(entry, entity), told_on(entry), f"{entity}|{entry.document_no}", ERP, f"{entity}|{entry.customer}")
        case Void(number, customer, voided_on):
            void = erp.InvoiceVoided(entity=entity, document_no=number, customer=customer, reason=_VOID_REASON)
            return record_of(void, voided_on, f"{entity}|{number}|void", ERP, f"{entity}|{customer}")
        case Receipt(bank_ref, currency, value_on, minor, remittance, bank_account, customer_no, deposit_for):
            booked = bank.EntryBooked(
                entity=entity,
                account_ref=_OUR_BANK_ACCOUNT,
                bank_ref=bank_ref,
                value_on=value_on,
                amount=format_minor(minor, currency),
                currency=currency,
                debtor=bank.Debtor(iban=bank_account) if bank_account else None,
                remittance=remittance,
                customer=customer_no,
                deposit_for=deposit_for,
            )
            return record_of(booked, told_on(entry), f"{entity}|{bank_ref}", BANK, f"{entity}|{bank_ref}")
        case Return():
            return record_of(_returned(entry, entity), told_on(entry), f"{entity}|{entry.bank_ref}", BANK, f"{entity}|{entry.of}")
        case Rate(currency, told, rate):
            published = erp.FxRatePublished(entity=entity, currency=currency, rate=rate, rate_on=told)
            return record_of(published, told, f"{entity}|{currency}|{told}", ERP, f"{entity}|{currency}")


def _returned(entry: Return, entity: str) -> bank.EntryReturned:
    return bank.EntryReturned(
        entity=entity,
        account_ref=_OUR_BANK_ACCOUNT,
        bank_ref=entry.bank_ref,
        returned_bank_ref=entry.of,
        value_on=entry.value_on,
        amount=format_minor(entry.amount_minor, entry.currency),
        currency=entry.currency,
        kind=_BOUNCED,
        fee=format_minor(entry.fee_minor, entry.currency) if entry.fee_minor else None,
    )


def _document(entry: Document, entity: str) -> erp.InvoiceIssued | erp.DebitMemoIssued | erp.CreditMemoIssued:
    total = format_minor(entry.amount_minor, entry.currency)
    common: dict[str, Any] = {
        "entity": entity,
        "document_no": entry.document_no,
        "customer": entry.customer,
        "currency": entry.currency,
        "issued_on": entry.issued_on,
        "total": total,
    }
    match entry:
        case Invoice(discount=discount, order=order):
            early = [erp.Discount(percent=str(discount[0]), days=discount[1])] if discount else None
            due, references = [erp.Instalment(due_on=entry.due_on, amount=total)], erp.References(order_no=order) if order else None
            return erp.InvoiceIssued(**common, instalments=due, discounts=early, references=references)
        case DebitMemo():
            due = [erp.Instalment(due_on=entry.due_on, amount=total)]
            return erp.DebitMemoIssued(**common, instalments=due, ref_document_no=entry.ref_document_no)
        case CreditMemo():
            return erp.CreditMemoIssued(**common, ref_document_no=entry.ref_document_no)


def record_of(fact: Event, day: date, natural_key: str, source: str, key: str) -> Record:
    """
    Return the record of a fact that was told at noon of a day.

    :param natural_key: begins with the entity and becomes the id of the event: told again it is the same event.
    """
    kind = kind_of(type(fact))
    envelope = Envelope(
        id=natural_key,
        type=kind.type,
        source=source,
        time=f"{day}T12:00:00Z",
        entity=natural_key.partition("|")[0],
        key=key,
        traceparent=_traceparent(natural_key),
    )
    document_id = natural_key if isinstance(fact, erp.InvoiceIssued) else None
    return Record(kind.topic, key.encode(), to_headers(envelope), msgspec.json.encode(fact), document_id)


def _traceparent(natural_key: str) -> str | None:
    """Start a sampled trace (W3C trace context, version 00) for one fact in fifty, chosen by its key."""
    digest = hashlib.sha256(natural_key.encode()).hexdigest()
    if int(digest[:8], 16) % _TRACED_ONE_IN:
        return None
    return f"00-{digest[:32]}-{digest[32:48]}-01"
