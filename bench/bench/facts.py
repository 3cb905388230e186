"""The facts of a race: invoices of an ERP and receipts of a bank, the same ones in every run."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import msgspec
from events import bank, erp
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from money import format_minor

ENTITY: Final = "US01"
OPENS_ON: Final = date(2025, 1, 1)
CUSTOMERS: Final = 2_000
_CURRENCIES: Final = ("USD", "USD", "USD", "EUR")
_SPREAD: Final = 7_919  # A prime: amounts and due dates are spread out, and the same in every run.


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One CloudEvent as it goes to Kafka, with the item that it opens or pays; equal only to itself."""

    id: str
    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes
    item: str


@dataclass(slots=True)
class Told:
    """What was published so far, kept apart from the services: invoices and money in minor units, by currency."""

    invoices: int = 0
    receipts: int = 0
    issued_minor: Counter[str] = field(default_factory=Counter)
    paid_minor: Counter[str] = field(default_factory=Counter)

    def issue(self, n: int) -> list[Record]:
        """Return the next `n` invoices."""
        numbers = range(self.invoices, self.invoices + n)
        self.invoices += n
        for number in numbers:
            self.issued_minor[_currency_of(number)] += _minor_of(number)
        return [_invoice(number) for number in numbers]

    def pay(self, n: int) -> list[Record]:
        """Return receipts for the `n` oldest invoices that were not paid, each naming its invoice and paying it in full."""
        numbers = range(self.receipts, min(self.receipts + n, self.invoices))
        self.receipts = numbers.stop
        for number in numbers:
            self.paid_minor[_currency_of(number)] += _minor_of(number)
        return [_receipt(number) for number in numbers]

    def open_minor(self) -> dict[str, int]:
        """Return what must be open now, by currency."""
        return {currency: minor - self.paid_minor[currency] for currency, minor in self.issued_minor.items()}


def _invoice(number: int) -> Record:
    total = format_minor(_minor_of(number), _currency_of(number))
    due_on = OPENS_ON + timedelta(days=10 + number * _SPREAD % 80)
    fact = erp.InvoiceIssued(
        entity=ENTITY,
        document_no=_document_no(number),
        customer=_customer_of(number),
        currency=_currency_of(number),
        issued_on=OPENS_ON,
        total=total,
        instalments=[erp.Instalment(due_on=due_on, amount=total)],
    )
    return _record(fact, "/erp/bench", _document_no(number), f"{ENTITY}|{_customer_of(number)}", number)


def _receipt(number: int) -> Record:
    fact = bank.EntryBooked(
        entity=ENTITY,
        account_ref="bench",
        bank_ref=f"B{number:08}",
        value_on=OPENS_ON,
        amount=format_minor(_minor_of(number), _currency_of(number)),
        currency=_currency_of(number),
        remittance=_document_no(number),
    )
    return _record(fact, "/bank/bench", fact.bank_ref, f"{ENTITY}|{fact.bank_ref}", number)


def _record(fact: Event, source: str, natural_key: str, key: str, number: int) -> Record:
    kind = kind_of(type(fact))
    envelope = Envelope(id=f"{ENTITY}|{natural_key}", type=kind.type, source=source, time=f"{OPENS_ON}T12:00:00Z", entity=ENTITY, key=key)
    item = f"{ENTITY}|{_document_no(number)}|1"
    return Record(envelope.id, kind.topic, key.encode(), to_headers(envelope), msgspec.json.encode(fact), item)


def _document_no(number: int) -> str:
    return f"N{number:08}"


def _customer_of(number: int) -> str:
    return f"C{number * _SPREAD % CUSTOMERS:04}"


def _currency_of(number: int) -> str:
    return _CURRENCIES[number * _SPREAD % CUSTOMERS % len(_CURRENCIES)]


def _minor_of(number: int) -> int:
    return 1_000 + number * _SPREAD % 100_003
