"""Records as they would stand in partition 0 of their topics, in the polls in which a consumer gets them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

import msgspec
from chassis.record import Record
from chassis.streams import Place
from events import invoice, payment
from events.business_day import BusinessDayStarted
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of

from testkit.ingress import an_invoice
from testkit.service import FIRST_DAY

Poll: TypeAlias = Mapping[Place, Sequence[Record]]

DOCUMENTS, CUSTOMERS, REFERENCE, INVOICES = "erp.documents", "erp.customers", "erp.reference", "receivables.invoice"
DAY_BEFORE: Final = FIRST_DAY - timedelta(days=1)


class Told:
    """Writes polls, fact by fact."""

    def __init__(self) -> None:
        self.polls: list[dict[Place, list[Record]]] = []
        self._offsets: dict[str, int] = {}
        self._sequences: dict[tuple[str, str], int] = {}
        self._days: dict[str, date] = {}

    def begin(self) -> None:
        """What is told from now on comes with another poll."""
        self.polls.append({})

    def tell(self, event: Event, key: str = "", *, sequence: int | None = None) -> None:
        """Tell a fact; one of our own under `key`, the next of its stream unless a sequence is given."""
        kind = kind_of(type(event))
        natural = "|".join(str(getattr(event, name)) for name in kind.natural_key)
        context = Envelope(id=natural, type=kind.type, source="/test", key=key or natural)
        if kind.topic.startswith("receivables."):
            number = sequence or self._sequences.get((kind.topic, key), 0) + 1
            self._sequences[kind.topic, key] = number
            name = f"{kind.owner}/{key}/{number}"
            day = self._days.get(kind.topic, DAY_BEFORE)
            context = Envelope(id=name, type=kind.type, source="/test", entity="US01", key=key, sequence=number, booked_on=day)
        self.put(kind.topic, context.key or "", msgspec.json.encode(event), to_headers(context))

    def mark(self, topic: str, day: date) -> None:
        """Tell that a day starts here: what is told behind it is booked on it, at the earliest."""
        self._days[topic] = day
        context = Envelope(id=f"day|US01|{day}|{topic}|0", type=kind_of(BusinessDayStarted).type, source="/calendar", entity="US01")
        self.put(topic, "day", msgspec.json.encode(BusinessDayStarted(entity="US01", date=day)), to_headers(context))

    def put(self, topic: str, key: str, value: bytes, headers: Sequence[tuple[str, bytes]]) -> None:
        """Put a record as it is."""
        offset = self._offsets.get(topic, 0)
        self._offsets[topic] = offset + 1
        self.polls[-1].setdefault((topic, 0), []).append(Record(topic, 0, offset, key.encode(), value, headers))


def documents_and_money() -> Sequence[Poll]:
    """
    For the invoice service: documents, one of them twice, one refused, and something that is no event; money applied; what is no amount,
    with more behind it; a day that comes in pieces, documents behind its marker, money heard twice, a gap and its filling.
    """
    told = Told()
    told.begin()
    for number, customer in (("D1", "C-1"), ("D2", "C-2"), ("D1", "C-1")):
        told.tell(an_invoice("US01", number, customer, "10.00", issued_on=DAY_BEFORE))
    told.tell(an_invoice("US01", "REFUSED", "C-1", "10.00", issued_on=DAY_BEFORE, currency="NONE"))
    told.put(DOCUMENTS, "?", b"{", [])
    told.tell(_applied("D1", "1.00"), "US01|C-1")
    told.begin()
    told.tell(_applied("D2", "none"), "US01|C-2")
    told.tell(_applied("D2", "3.00"), "US01|C-2")
    told.begin()
    told.mark(DOCUMENTS, FIRST_DAY)
    told.tell(an_invoice("US01", "D3", "C-1", "10.00", issued_on=FIRST_DAY))
    told.tell(an_invoice("JP01", "D3", "C-1", "10", issued_on=FIRST_DAY, currency="JPY"))
    told.mark(CUSTOMERS, FIRST_DAY)
    told.tell(_applied("D1", "1.00"), "US01|C-1", sequence=1)
    told.tell(_applied("D3", "4.00"), "US01|C-3", sequence=2)
    told.begin()
    told.mark(REFERENCE, FIRST_DAY)
    told.tell(an_invoice("US01", "D4", "C-2", "10.00", issued_on=FIRST_DAY))
    told.tell(_applied("D3", "2.00"), "US01|C-3", sequence=1)
    return told.polls


def waits_and_days() -> Sequence[Poll]:
    """
    For the toy: a fact that waits with one more behind it, what it waits for, feedback, and a day with work for several chunks of
    accounts, the last one not full, of which one cannot be judged.
    """
    told = Told()
    told.begin()
    told.tell(_issued("WAIT:X1", "C-1"), "US01|C-1")
    told.tell(_issued("N1", "C-1"), "US01|C-1")
    for customer in ("C-2", "C-3", "C-4"):
        told.tell(_issued(f"N-{customer}", customer), f"US01|{customer}")
    told.tell(payment.ReceiptUnapplied(entity="US01", receipt="R-1", account="C-2", currency="USD", amount="1.00"), "US01|C-2")
    told.begin()
    told.tell(an_invoice("US01", "X1", "C-9", "10.00", issued_on=DAY_BEFORE))
    told.begin()
    told.mark(DOCUMENTS, FIRST_DAY)
    told.mark(INVOICES, FIRST_DAY)
    told.tell(_issued("N2", "C-1"), "US01|C-1")
    return told.polls


def _issued(number: str, customer: str) -> invoice.InvoiceIssued:
    return invoice.InvoiceIssued(
        entity="US01",
        invoice=f"US01|{number}",
        document_no=number,
        type="380",
        customer=customer,
        account=customer,
        currency="USD",
        issued_on=DAY_BEFORE,
        total="10.00",
        instalments=[],
    )


def _applied(number: str, amount: str) -> payment.PaymentApplied:
    return payment.PaymentApplied(
        entity="US01",
        application=f"A-{number}-{amount}",
        receipt="US01|R-1",
        item=f"US01|{number}|1",
        invoice=f"US01|{number}",
        customer="C-1",
        account="C-1",
        currency="USD",
        due_on=FIRST_DAY,
        amount=amount,
        rule="reference",
    )
