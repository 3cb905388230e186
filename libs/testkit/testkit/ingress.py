"""What an ERP and a bank would tell us: facts with the fields a test does not speak of filled in, and the records that carry them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec
from events import bank, erp
from events.envelope import STRUCTURED, Envelope, to_headers
from events.fact import Event, kind_of

ERP: Final = "/erp/books"
BANK: Final = "/bank/main"
OUR_BANK_ACCOUNT: Final = "main"


@dataclass(frozen=True, slots=True)
class Message:
    """One record to publish; without a partition Kafka's default partitioner places it by its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    partition: int | None = None


def an_invoice(
    entity: str,
    document_no: str,
    customer: str,
    total: str,
    *,
    issued_on: date,
    due_on: date | None = None,
    currency: str = "USD",
    **more: Any,
) -> erp.InvoiceIssued:
    """An invoice, NET30 unless it is due on a day of its own."""
    terms = {"terms": "NET30"} if due_on is None else {"instalments": [erp.Instalment(due_on=due_on, amount=total)]}
    told = {"entity": entity, "document_no": document_no, "customer": customer, "currency": currency, "total": total, **terms, **more}
    return erp.InvoiceIssued(issued_on=issued_on, **told)


def a_credit_memo(
    entity: str, document_no: str, customer: str, total: str, *, issued_on: date, against: str | None = None, **more: Any
) -> erp.CreditMemoIssued:
    """A credit memo in dollars; `against` names the invoice it makes worth less."""
    told = {"entity": entity, "document_no": document_no, "customer": customer, "currency": "USD", "total": total, **more}
    return erp.CreditMemoIssued(issued_on=issued_on, ref_document_no=against, **told)


def a_debit_memo(
    entity: str, document_no: str, customer: str, total: str, *, issued_on: date, terms: str = "IMMEDIATE", **more: Any
) -> erp.DebitMemoIssued:
    """A debit memo in dollars, due at once."""
    told = {"entity": entity, "document_no": document_no, "customer": customer, "currency": "USD", "total": total, **more}
    return erp.DebitMemoIssued(issued_on=issued_on, terms=terms, **told)


def a_void(entity: str, document_no: str, customer: str, *, reason: str = "DUPLICATE") -> erp.InvoiceVoided:
    """The void of an invoice or debit memo, from the day it is booked on."""
    return erp.InvoiceVoided(entity=entity, document_no=document_no, customer=customer, reason=reason)


def an_opening_balance(
    entity: str, document_no: str, customer: str, open_: str, *, issued_on: date, as_of: date, due_on: date | None = None
) -> erp.OpeningBalanceLoaded:
    """What was open in dollars of an item in the books before ours; below zero it is credit, which is never due."""
    return erp.OpeningBalanceLoaded(
        entity=entity,
        document_no=document_no,
        customer=customer,
        currency="USD",
        issued_on=issued_on,
        as_of=as_of,
        open=open_,
        due_on=due_on,
    )


def a_rate(entity: str, currency: str, rate: str, *, rate_on: date) -> erp.FxRatePublished:
    """The rate of a currency on a day: units of the entity's currency for one of it."""
    return erp.FxRatePublished(entity=entity, currency=currency, rate=rate, rate_on=rate_on)


def a_customer(
    entity: str, customer: str, *bank_accounts: str, name: str = "Example Ltd", parent: str | None = None
) -> erp.CustomerUpserted:
    """A customer, the bank accounts it pays from, and the customer under whose account it settles."""
    return erp.CustomerUpserted(entity=entity, customer=customer, name=name, bank_accounts=list(bank_accounts), parent=parent)


def a_receipt(
    entity: str,
    bank_ref: str,
    amount: str,
    *,
    value_on: date,
    naming: str | None = None,
    iban: str | None = None,
    debtor: str | None = None,
    customer: str | None = None,
    currency: str = "USD",
    **more: Any,
) -> bank.EntryBooked:
    """Money on our bank account; `naming` is what the payer wrote, `iban` and `debtor` are whom the bank took it from."""
    return bank.EntryBooked(
        entity=entity,
        account_ref=OUR_BANK_ACCOUNT,
        bank_ref=bank_ref,
        value_on=value_on,
        amount=amount,
        currency=currency,
        debtor=bank.Debtor(name=debtor, iban=iban) if iban or debtor else None,
        remittance=naming,
        customer=customer,
        **more,
    )


def a_return(entity: str, of: str, amount: str, *, value_on: date, **more: Any) -> bank.EntryReturned:
    """The bank takes all the money of an entry back, for want of funds, under a reference of its own."""
    told = {"entity": entity, "currency": "USD", "kind": "nsf", "reason_code": "R01", **more}
    ours = {"account_ref": OUR_BANK_ACCOUNT, "bank_ref": f"RT-{of}", "returned_bank_ref": of}
    return bank.EntryReturned(amount=amount, value_on=value_on, **ours, **told)


def context_of(event: Event, *, traceparent: str | None = None, source: str | None = None) -> Envelope:
    """The context a sender gives a fact: its id is the natural key, as naive senders choose it."""
    kind = kind_of(type(event))
    key = "|".join(str(getattr(event, name)) for name in kind.natural_key)
    sender = source or (BANK if kind.topic == "bank.entries" else ERP)
    return Envelope(id=key, type=kind.type, source=sender, entity=getattr(event, "entity", None), key=key, traceparent=traceparent)


def in_binary_mode(event: Event, *, traceparent: str | None = None, source: str | None = None) -> Message:
    """The fact as CloudEvents binary mode has it: the context in headers, the data as the value."""
    context = context_of(event, traceparent=traceparent, source=source)
    return Message(kind_of(type(event)).topic, _key(context), msgspec.json.encode(event), to_headers(context))


def in_structured_mode(event: Event, *, traceparent: str | None = None, source: str | None = None) -> Message:
    """The fact as CloudEvents structured mode has it: one JSON object with the data in it."""
    context = context_of(event, traceparent=traceparent, source=source)
    members = {"specversion": "1.0", "id": context.id, "type": context.type, "source": context.source, "partitionkey": context.key}
    whole = {**members, "data": msgspec.to_builtins(event)}
    headers = [("content-type", STRUCTURED), *([("traceparent", traceparent.encode())] if traceparent else [])]
    return Message(kind_of(type(event)).topic, _key(context), json.dumps(whole).encode(), headers)


def _key(context: Envelope) -> bytes | None:
    return context.key.encode() if context.key else None
