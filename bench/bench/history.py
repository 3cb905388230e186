"""A ledger as the facts that the invoice and the payment service would have published about it, ready for their topics."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from events import bank, invoice, payment
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from money import format_minor

from bench.facts import ENTITY
from bench.ledger import Billed, Outcome, Paid

_AT: Final = "T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Published:
    """One fact of ours as it stands in its topic."""

    topic: str
    key: str
    headers: list[tuple[str, bytes]]
    value: bytes


class History:
    """
    Tells a ledger, item by item: the invoice, then its receipt and what of it was applied.

    Sequences have no gap per (topic, key), as the relay would have sent them. `outcome` is what was told so far.
    """

    def __init__(self, ledger: Iterable[Billed]) -> None:
        self.outcome = Outcome()
        self._items = iter(ledger)
        self._sequences: Counter[tuple[str, str]] = Counter()

    def take(self, n: int) -> list[Published]:
        """Return the facts of the next whole items, `n` facts or a little more; fewer only where the ledger ends."""
        facts: list[Published] = []
        for billed in self._items:
            facts += self._tell(billed)
            if len(facts) >= n:
                break
        return facts

    def _tell(self, billed: Billed) -> Iterator[Published]:
        self.outcome.add(billed)
        yield self._publish(issue_of(billed), billed, billed.issued_on, billed.booked_on)
        if billed.paid:
            for event in receipt_of(billed, billed.paid):
                yield self._publish(event, billed, billed.paid.value_on, billed.paid.booked_on)

    def _publish(self, event: Event, billed: Billed, effective_on: date, booked_on: date) -> Published:
        kind, key = kind_of(type(event)), f"{ENTITY}|{billed.account}"
        self._sequences[kind.topic, key] += 1
        sequence = self._sequences[kind.topic, key]
        context = Envelope(
            id=f"{kind.owner}/{key}/{sequence}",
            type=kind.type,
            source=f"/receivables/{kind.owner}",
            time=f"{booked_on}{_AT}",
            entity=ENTITY,
            key=key,
            sequence=sequence,
            booked_on=booked_on,
            effective_on=effective_on,
            correlation_id=f"{ENTITY}|{billed.document_no}",
            causation_id=f"{ENTITY}|{billed.document_no}",
        )
        return Published(kind.topic, key, to_headers(context), msgspec.json.encode(event))


def issue_of(billed: Billed) -> invoice.InvoiceIssued:
    """Return the fact that billed an item."""
    total = format_minor(billed.minor, billed.currency)
    return invoice.InvoiceIssued(
        entity=ENTITY,
        invoice=f"{ENTITY}|{billed.document_no}",
        document_no=billed.document_no,
        type="380",
        customer=billed.account,
        account=billed.account,
        currency=billed.currency,
        issued_on=billed.issued_on,
        total=total,
        instalments=[invoice.Instalment(n=1, due_on=billed.due_on, amount=total)],
    )


def receipt_of(billed: Billed, paid: Paid) -> tuple[payment.PaymentReceived, payment.PaymentApplied]:
    """Return the facts of the receipt that paid an item, all of it applied."""
    bank_ref, amount = billed.bank_ref, format_minor(paid.minor, billed.currency)
    receipt = f"{ENTITY}|{bank_ref}"
    received = payment.PaymentReceived(
        entity=ENTITY,
        receipt=receipt,
        method="transfer",
        amount=amount,
        currency=billed.currency,
        value_on=paid.value_on,
        bank_ref=bank_ref,
        account=billed.account,
        references=[billed.document_no],
    )
    applied = payment.PaymentApplied(
        entity=ENTITY,
        application=f"{receipt}>{billed.item}",
        receipt=receipt,
        item=billed.item,
        invoice=f"{ENTITY}|{billed.document_no}",
        customer=billed.account,
        account=billed.account,
        currency=billed.currency,
        due_on=billed.due_on,
        amount=amount,
        rule="reference",
    )
    return received, applied


def entry_of(billed: Billed) -> Published:
    """Return what a bank says when an item is paid in full, naming its document."""
    entry = bank.EntryBooked(
        entity=ENTITY,
        account_ref="bench",
        bank_ref=billed.bank_ref,
        value_on=billed.issued_on,
        amount=format_minor(billed.minor, billed.currency),
        currency=billed.currency,
        remittance=billed.document_no,
    )
    kind, key = kind_of(type(entry)), f"{ENTITY}|{entry.bank_ref}"
    context = Envelope(id=key, type=kind.type, source="/bank/bench", time=f"{billed.issued_on}{_AT}", entity=ENTITY, key=key)
    return Published(kind.topic, key, to_headers(context), msgspec.json.encode(entry))
