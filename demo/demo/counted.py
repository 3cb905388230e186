"""What only few customers do: how much of it was told, and what it came to by the ledger alone and in the books."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote

from money import parse_minor

from demo.ledger import BillAnew, Ledger
from demo.oracle import Told
from demo.postings import ANEW
from demo.services import Services

_PAGE: Final = 1000
_BILLED_AFTER: Final = timedelta(days=2)
"""A debit memo for money that was taken back is there so much later."""
Sums = dict[str, int]
"""Minor units by currency; what comes to nothing is left out."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One kind of case: how many `told`, and what they came to on both sides."""

    name: str
    told: int
    ledger: Sums
    books: Sums


async def count(ledger: Ledger, told: Told, items: Sequence[Mapping[str, Any]], services: Services) -> list[Counted]:
    """
    Count the cases; `items` are all that the payment service has. Those that the ledger does not tell of are left out.

    :raises ServiceRefused: a service does not know what it should.
    """
    counted = [_of_groups(told, items), await _moved(told, services), *await _deposits(told, services), await _anew(ledger, told, services)]
    return [one for one in counted if one.told or one.books]


def _of_groups(told: Told, items: Iterable[Mapping[str, Any]]) -> Counted:
    """Invoices that are on the account of their customer's parent, and what of them is not open any more."""
    own = [
        (owner[1], one) for owner, account in told.accounts.items() for one in account.items.values() if one.invoice.customer != owner[0]
    ]
    theirs = [(one["currency"], one) for one in items if one["customer"] != one["account"]]
    return Counted(
        "invoices of children, settled by parents",
        len(own),
        _sums((currency, one.invoice.amount_minor - one.open_minor) for currency, one in own),
        _sums((currency, parse_minor(one["total"], currency) - parse_minor(one["open"], currency)) for currency, one in theirs),
    )


async def _moved(told: Told, services: Services) -> Counted:
    """Receipts that named documents of several accounts, and what of them went to the others."""
    moved = [one for account in told.accounts.values() for one in account.money if one.parts]
    arrived = [one for account in told.accounts.values() for one in account.money if one.arrived_on]
    return Counted(
        "money for several customers, moved",
        len(moved),
        _sums((one.receipt.currency, one.receipt.amount_minor) for one in arrived),
        _sums([await _of_receipt(services, one.receipt.bank_ref, "transferred") for one in moved]),
    )


async def _deposits(told: Told, services: Services) -> list[Counted]:
    """Deposits for orders: what invoices have drawn, and what is left."""
    deposits = [one for account in told.accounts.values() for one in account.money if one.receipt.deposit_for]
    left = [(one.receipt.currency, one.unapplied_minor + one.on_account_minor) for one in deposits]
    drawn = [(one.receipt.currency, one.receipt.amount_minor) for one in deposits]
    listed = await services.all_of("payment", "/v1/deposits", "deposits", _PAGE)
    return [
        Counted(
            "deposits, drawn by their orders",
            len(deposits),
            _sums([*drawn, *((currency, -minor) for currency, minor in left)]),
            _sums([await _of_receipt(services, one.receipt.bank_ref, "applied") for one in deposits]),
        ),
        Counted(
            "deposits, left",
            sum(minor > 0 for _, minor in left),
            _sums(left),
            _sums((one["currency"], parse_minor(one["left"], one["currency"])) for one in listed),
        ),
    ]


async def _anew(ledger: Ledger, told: Told, services: Services) -> Counted:
    """Money that was taken back and left where it was, and the debit memos for it."""
    told_on = {one.of: one.decided_on for one in ledger.entries if isinstance(one, BillAnew)}
    until = ledger.ends_on - _BILLED_AFTER
    memos = [one.invoice for account in told.accounts.values() for one in account.items.values()]
    memos = [
        one for one in memos if one.document_no.startswith(ANEW) and told_on.get(one.document_no.removeprefix(ANEW), date.max) <= until
    ]
    found = [await services.get("invoice", f"/v1/debit-memos/{quote(one.document_no, safe='')}") for one in memos]
    return Counted(
        "taken back by banks, billed anew",
        len(memos),
        _sums((one.currency, one.amount_minor) for one in memos),
        _sums((one["currency"], parse_minor(one["total"], one["currency"])) for one in found),
    )


async def _of_receipt(services: Services, bank_ref: str, figure: str) -> tuple[str, int]:
    receipt = await services.get("payment", f"/v1/receipts/{quote(bank_ref, safe='')}")
    return receipt["currency"], parse_minor(receipt[figure], receipt["currency"])


def _sums(amounts: Iterable[tuple[str, int]]) -> Sums:
    found: defaultdict[str, int] = defaultdict(int)
    for currency, minor in amounts:
        found[currency] += minor
    return {currency: minor for currency, minor in found.items() if minor}
