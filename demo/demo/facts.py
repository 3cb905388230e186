"""A ledger entry as the record an ERP or a bank would publish: CloudEvents 1.0 in binary mode."""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec
from events import bank, erp
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from money import format_minor

from demo.ledger import CreditMemo, Customer, Entry, Invoice, Receipt, told_on

ERP: Final = "/erp/demo"
BANK: Final = "/bank/demo"
TOPICS: Final = ("erp.customers", "erp.documents", "bank.entries")
_OUR_BANK_ACCOUNT: Final = "demo"
_TRACED_ONE_IN: Final = 50  # A sampled trace costs more than the record it follows.


@dataclass(frozen=True, slots=True)
class Record:
    """One record for Kafka. `document_id` is set for invoices: it is how their way into the read model is timed."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes
    document_id: str | None


def to_record(entry: Entry, entity: str) -> Record:
    """Return the record of an entry; ids come from the natural keys, so that the same entry is the same event whenever it is told."""
    match entry:
        case Customer(customer, known_on, name, bank_account):
            accounts = [bank_account] if bank_account else []
            customer_fact = erp.CustomerUpserted(entity=entity, customer=customer, name=name, bank_accounts=accounts)
            return _record(customer_fact, entry, f"{entity}|{customer}|{known_on}", ERP, f"{entity}|{customer}")
        case Invoice(number, customer, currency, issued_on, due_on, minor):
            total = format_minor(minor, currency)
            invoice = erp.InvoiceIssued(
                entity=entity,
                document_no=number,
                customer=customer,
                currency=currency,
                issued_on=issued_on,
                total=total,
                instalments=[erp.Instalment(due_on=due_on, amount=total)],
            )
            return _record(invoice, entry, f"{entity}|{number}", ERP, f"{entity}|{customer}")
        case CreditMemo(number, customer, currency, issued_on, minor, ref_document_no):
            memo = erp.CreditMemoIssued(
                entity=entity,
                document_no=number,
                customer=customer,
                currency=currency,
                issued_on=issued_on,
                total=format_minor(minor, currency),
                ref_document_no=ref_document_no,
            )
            return _record(memo, entry, f"{entity}|{number}", ERP, f"{entity}|{customer}")
        case Receipt(bank_ref, currency, value_on, minor, remittance, bank_account, customer_no):
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
            )
            return _record(booked, entry, f"{entity}|{bank_ref}", BANK, f"{entity}|{bank_ref}")


def _record(fact: Event, entry: Entry, natural_key: str, source: str, key: str) -> Record:
    kind = kind_of(type(fact))
    envelope = Envelope(
        id=natural_key,
        type=kind.type,
        source=source,
        time=f"{told_on(entry)}T12:00:00Z",
        entity=natural_key.partition("|")[0],
        key=key,
        traceparent=_traceparent(natural_key),
    )
    document_id = natural_key if isinstance(entry, Invoice) else None
    return Record(kind.topic, key.encode(), to_headers(envelope), msgspec.json.encode(fact), document_id)


def _traceparent(natural_key: str) -> str | None:
    """Start a sampled trace (W3C trace context, version 00) for one fact in fifty, chosen by its key."""
    digest = hashlib.sha256(natural_key.encode()).hexdigest()
    if int(digest[:8], 16) % _TRACED_ONE_IN:
        return None
    return f"00-{digest[:32]}-{digest[32:48]}-01"
