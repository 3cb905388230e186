"""
What only a few customers of the generated year do, each of them some times.

A parent pays what its three children owe; somebody pays two customers' invoices at once; two customers pay deposits for orders, which their
invoices draw down; and money that a bank takes back is billed anew.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from demo.ledger import Customer, Invoice, Receipt

_NET_DAYS: Final = 30
_PARENT: Final = ("C-101", "Acorn Holding")
_CHILDREN: Final = (("C-102", "Acorn Mills"), ("C-103", "Acorn Stores"), ("C-104", "Acorn Transport"))
_SHARING: Final = (("C-105", "Willow Clinics"), ("C-106", "Willow Laboratories"))
_ORDERING: Final = (("C-107", "Quarry Engineering"), ("C-108", "Quarry Antriebe"))
_BOUNCING: Final = ("C-109", "Larch Interiors")


@dataclass(slots=True)
class Cases:
    """
    What these customers are billed and pay; receipts have no references yet, and invoices their own series of numbers.

    `anew` are receipts that a bank takes back on a day and that are billed anew.
    """

    year: int
    chance: random.Random
    customers: list[Customer] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    anew: list[tuple[Receipt, date]] = field(default_factory=list)

    def know(self, named: tuple[str, str], parent: str | None = None) -> str:
        """Tell a customer on the first day; children have no bank account that anybody was told of. Return that of the others."""
        bank_account = iban(int(named[0].removeprefix("C-")))
        self.customers.append(Customer(named[0], date(self.year, 1, 1), named[1], None if parent else bank_account, parent))
        return bank_account

    def bill(
        self, prefix: str, customer: str, issued_on: date, minor: int | None = None, currency: str = "USD", order: str | None = None
    ) -> Invoice:
        """Bill so much, or by chance."""
        number = f"{prefix}-{10001 + sum(one.document_no.startswith(prefix) for one in self.invoices)}"
        amount_minor = minor or self.chance.randint(50_000, 900_000)
        due_on = issued_on + timedelta(days=_NET_DAYS)
        self.invoices.append(Invoice(number, customer, currency, issued_on, due_on, amount_minor, order=order))
        return self.invoices[-1]

    def pay(
        self, value_on: date, minor: int, names: str | None, bank_account: str, currency: str = "USD", order: str | None = None
    ) -> None:
        self.receipts.append(Receipt("", currency, value_on, minor, names, bank_account, deposit_for=order))


def cases(year: int, chance: random.Random) -> Cases:
    """Grow them; a function of the year and of chance alone."""
    grown = Cases(year, chance)
    _group(grown)
    _shared_payer(grown)
    _deposits(grown)
    _billed_anew(grown)
    return grown


def _group(grown: Cases) -> None:
    """Every month the parent pays its children's invoices with one transfer, which names them every other month."""
    bank_account = grown.know(_PARENT)
    for child in _CHILDREN:
        grown.know(child, parent=_PARENT[0])
    for month in range(1, 13):
        billed = [grown.bill("G", child, date(grown.year, month, 6)) for child, _ in _CHILDREN]
        pays_on = billed[0].due_on + timedelta(days=grown.chance.randint(-3, 6))
        names = " ".join(one.document_no for one in billed) if month % 2 == 0 else None
        grown.pay(pays_on, sum(one.amount_minor for one in billed), names, bank_account)


def _shared_payer(grown: Cases) -> None:
    """Every quarter the one pays the other's invoice, too; of the third hundred are missing."""
    payer, other = _SHARING
    bank_account, _ = grown.know(payer), grown.know(other)
    for month in (2, 5, 8, 11):
        billed = [grown.bill("S", customer, date(grown.year, month, 10)) for customer, _ in _SHARING]
        minor = sum(one.amount_minor for one in billed) - (10_000 if month == 8 else 0)
        grown.pay(date(grown.year, month, 28), minor, f"{billed[0].document_no} {billed[1].document_no}", bank_account)


def _deposits(grown: Cases) -> None:
    """One deposit is not enough for the two invoices of its order, the rest is paid; of the other something is left at the end."""
    (first, _), (second, _) = _ORDERING
    accounts = [grown.know(named) for named in _ORDERING]
    year = grown.year
    grown.pay(date(year, 3, 3), 900_000, None, accounts[0], order="SO-30301")
    grown.bill("D", first, date(year, 4, 8), 500_000, order="SO-30301")
    of_no_order = grown.bill("D", first, date(year, 4, 15), 120_000)
    last = grown.bill("D", first, date(year, 6, 10), 600_000, order="SO-30301")
    grown.pay(date(year, 5, 20), 120_000, of_no_order.document_no, accounts[0])
    grown.pay(date(year, 7, 10), 200_000, last.document_no, accounts[0])
    grown.pay(date(year, 5, 5), 400_000, None, accounts[1], "EUR", order="SO-30302")
    grown.bill("D", second, date(year, 6, 3), 150_000, "EUR", order="SO-30302")
    grown.bill("D", second, date(year, 9, 2), 200_000, "EUR", order="SO-30302")


def _billed_anew(grown: Cases) -> None:
    """Three payments are taken back within a week and billed anew; two of them are made again, without a word."""
    bank_account = grown.know(_BOUNCING)
    for month in (2, 6, 10):
        invoice = grown.bill("R", _BOUNCING[0], date(grown.year, month, 12))
        paid_on = invoice.issued_on + timedelta(days=25)
        grown.pay(paid_on, invoice.amount_minor, invoice.document_no, bank_account)
        grown.anew.append((grown.receipts[-1], paid_on + timedelta(days=6)))
        if month != 10:
            grown.pay(paid_on + timedelta(days=26), invoice.amount_minor, None, bank_account)


def iban(number: int) -> str:
    """A German IBAN with right check digits (ISO 7064 mod 97-10) of a bank that does not exist."""
    account = f"10000000{number:010}"
    check = 98 - int(f"{account}131400") % 97  # D = 13, E = 14, check digits 00.
    return f"DE{check:02}{account}"
