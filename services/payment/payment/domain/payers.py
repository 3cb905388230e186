"""Who paid: a function of what the receipt says and of the documents and bank accounts that are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from payment.domain.books import REFERENCE

BANK_ACCOUNT: Final = "bank_account"
CUSTOMER: Final = "customer"


class NamedDocument(NamedTuple):
    """A known document whose number stands in the remittance: at which place, and whose it is."""

    place: int
    document_no: str
    account: str


@dataclass(frozen=True, slots=True)
class Payer:
    """The account a receipt belongs to and by what it was identified: `reference`, `bank_account` or `customer`."""

    account: str
    by: str


def identify(named: Iterable[NamedDocument], by_bank_account: str | None, customer: str | None) -> Payer | None:
    """
    Say whose money it is, or None when nobody can tell yet.

    The account of the first document named, else the customer who is known to pay from the debtor's bank account, else the customer number
    the entry gives, which need not be known to us. Money that names documents of several accounts goes whole to the first one's. Two
    documents whose numbers differ in case only stand at one place: the lower number decides.
    """
    first = min(named, default=None)
    if first is not None:
        return Payer(first.account, REFERENCE)
    if by_bank_account is not None:
        return Payer(by_bank_account, BANK_ACCOUNT)
    if customer is not None:
        return Payer(customer, CUSTOMER)
    return None
