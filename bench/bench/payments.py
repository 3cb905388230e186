"""
Payments of the mix that cash application is measured by, and the open invoices they pay: of a hundred, sixty name one invoice, fifteen two,
fifteen none but have the amount of one, ten have nothing to pay. The same in every run, from arithmetic alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec
from events import bank, invoice
from events.envelope import Envelope, to_headers
from events.fact import Event, kind_of
from money import format_minor

from bench.facts import ENTITY, OPENS_ON
from bench.history import Published

CURRENCY: Final = "USD"
INVOICES_PER_PAYMENT: Final = 5
INVOICES_PER_CUSTOMER: Final = 20
NOTHING_MINOR: Final = 7
"""Less than any invoice is over: there is nothing to pay with it."""
_FIRST_MINOR: Final = 10_000  # No two invoices are over the same amount: what an amount stands for is never in doubt.
_ONE, _TWO, _AMOUNT = 60, 15, 15


@dataclass(frozen=True, slots=True)
class Owed:
    """An open invoice of one item."""

    number: int
    customer: int

    @property
    def document_no(self) -> str:
        return f"M{self.number:08}"

    @property
    def account(self) -> str:
        return f"M{self.customer:06}"

    @property
    def minor(self) -> int:
        return _FIRST_MINOR + self.number

    @property
    def item(self) -> str:
        return f"{ENTITY}|{self.document_no}|1"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money of a customer: `names` are invoices it names, `pays` those it has to settle, by name or by its amount."""

    number: int
    account: str
    minor: int
    names: tuple[Owed, ...]
    pays: tuple[Owed, ...]

    @property
    def bank_ref(self) -> str:
        return f"M{self.number:08}"

    @property
    def remittance(self) -> str | None:
        """What the payer writes."""
        return " ".join(one.document_no for one in self.names) or None


class Mix:
    """Invoices and payments one behind the other: what is paid next is the oldest that is not paid yet."""

    def __init__(self, invoices: int) -> None:
        self._customers = max(1, invoices // INVOICES_PER_CUSTOMER)
        self._issued = self._told = self._paid = 0
        self._ahead: set[int] = set()  # Paid before their turn, with another.

    def owe(self, n: int) -> list[Owed]:
        """Return the next n invoices, neighbours of different customers."""
        numbers = range(self._issued, self._issued + n)
        self._issued = numbers.stop
        return [self._owed(number) for number in numbers]

    def pay(self, n: int) -> list[Payment]:
        """Return the next n payments. More invoices are owed than one of every customer."""
        numbers = range(self._told, self._told + n)
        self._told = numbers.stop
        return [self._payment(number) for number in numbers]

    def _payment(self, number: int) -> Payment:
        of_hundred = number * 61 % 100  # 61 and 100 have no common divisor: all come, in no order to speak of.
        if of_hundred >= _ONE + _TWO + _AMOUNT:
            return Payment(number, self._owed(number).account, NOTHING_MINOR, (), ())
        pays = self._next(is_double=_ONE <= of_hundred < _ONE + _TWO)
        return Payment(number, pays[0].account, sum(one.minor for one in pays), pays if of_hundred < _ONE + _TWO else (), pays)

    def _next(self, *, is_double: bool) -> tuple[Owed, ...]:
        """The next unpaid invoice, and where two are paid the one its customer was billed after it."""
        while self._paid in self._ahead:
            self._ahead.discard(self._paid)
            self._paid += 1
        first = self._paid
        self._paid += 1
        if not is_double:
            return (self._owed(first),)
        second = first + self._customers
        while second in self._ahead:
            second += self._customers
        self._ahead.add(second)
        return (self._owed(first), self._owed(second))

    def _owed(self, number: int) -> Owed:
        return Owed(number, number % self._customers)


class Teller:
    """Tells both as the invoice service and a bank would; sequences have no gap."""

    def __init__(self) -> None:
        self._sequences: dict[str, int] = {}

    def bill(self, owed: Sequence[Owed]) -> list[Published]:
        """Return the facts that billed invoices."""
        return [self._billed(one) for one in owed]

    def book(self, payments: Sequence[Payment]) -> list[Published]:
        """Return the entries of a bank, which knows the customer number where nothing is named."""
        return [_booked(one) for one in payments]

    def _billed(self, owed: Owed) -> Published:
        total, key = format_minor(owed.minor, CURRENCY), f"{ENTITY}|{owed.account}"
        self._sequences[key] = sequence = self._sequences.get(key, 0) + 1
        fact = invoice.InvoiceIssued(
            entity=ENTITY,
            invoice=f"{ENTITY}|{owed.document_no}",
            document_no=owed.document_no,
            type="380",
            customer=owed.account,
            account=owed.account,
            currency=CURRENCY,
            issued_on=OPENS_ON,
            total=total,
            instalments=[invoice.Instalment(n=1, due_on=OPENS_ON + timedelta(days=30 + owed.number % 60), amount=total)],
        )
        own = {"sequence": sequence, "booked_on": OPENS_ON, "effective_on": OPENS_ON}
        return _published(fact, "/receivables/invoice", f"invoice/{key}/{sequence}", key, **own)


def _booked(payment: Payment) -> Published:
    fact = bank.EntryBooked(
        entity=ENTITY,
        account_ref="bench",
        bank_ref=payment.bank_ref,
        value_on=OPENS_ON,
        amount=format_minor(payment.minor, CURRENCY),
        currency=CURRENCY,
        remittance=payment.remittance,
        customer=None if payment.names else payment.account,
    )
    key = f"{ENTITY}|{payment.bank_ref}"
    return _published(fact, "/bank/bench", key, key)


def _published(fact: Event, source: str, id_: str, key: str, **own: Any) -> Published:
    kind = kind_of(type(fact))
    context = Envelope(id=id_, type=kind.type, source=source, time=f"{OPENS_ON}T12:00:00Z", entity=ENTITY, key=key, **own)
    return Published(kind.topic, key, to_headers(context), msgspec.json.encode(fact))


@dataclass(slots=True)
class Outcome:
    """
    What one payment after the other makes of the books, computed beside them: open minor units by item, and of receipts what is applied
    and what is left.
    """

    open_minor: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def owe(self, owed: Sequence[Owed]) -> None:
        """Take invoices in."""
        self.open_minor |= {one.item: one.minor for one in owed}

    def pay(self, payments: Sequence[Payment]) -> None:
        """Pay what is named, in its order; else the item of the customer that needs just so much, if there is one."""
        for one in payments:
            left_minor = one.minor
            for owed in one.pays:
                part = min(left_minor, self.open_minor[owed.item])
                self.open_minor[owed.item] -= part
                left_minor -= part
            self.receipts[f"{ENTITY}|{one.bank_ref}"] = (one.minor - left_minor, left_minor)

    def differs_from(self, open_minor: Mapping[str, int], receipts: Mapping[str, tuple[int, int]]) -> list[str]:
        """Say in how many items and receipts books are otherwise, with one of each."""
        differences = []
        for what, told, said in (("items", self.open_minor, open_minor), ("receipts", self.receipts, receipts)):
            wrong = sorted(name for name in told.keys() | said.keys() if told.get(name) != said.get(name))
            if wrong:
                name = wrong[0]
                differences.append(f"{len(wrong)} {what} differ: {name} is {said.get(name)} instead of {told.get(name)} (minor units)")
        return differences
