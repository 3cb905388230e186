"""Who paid: a function of what the receipt says and of the documents and bank accounts that are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from payment.domain.books import REFERENCE

BANK_ACCOUNT: Final = "bank_account"
CUSTOMER: Final = "customer"
ADVICE: Final = "advice"


class NamedDocument(NamedTuple):
    """
    A known document that the remittance names: at which place, and whose it is.

    `position` orders what one reference stands for. `is_weak` where that is no number of the document, its bill or its payment.
    """

    place: int
    document_no: str
    account: str
    position: int = 0
    is_weak: bool = False

    @property
    def order(self) -> tuple[int, int, str]:
        """What named documents are ordered by."""
        return self.place, self.position, self.document_no


@dataclass(frozen=True, slots=True)
class Payer:
    """
    The account a receipt belongs to and by what it was identified: `reference`, `bank_account`, `customer` or `advice`.

    A document settles under an account; all others name a customer, who stands here until `handlers.payers.under_accounts` has looked up
    under whose account it settles.
    """

    account: str
    by: str


def in_order(named: Iterable[NamedDocument]) -> list[NamedDocument]:
    """Return what a remittance names in the order it stands there; weak references count only where there is nothing else."""
    found = list(named)
    return sorted([one for one in found if not one.is_weak] or found, key=lambda one: one.order)


def numbers_of(named: Iterable[NamedDocument], account: str | None) -> list[str]:
    """Return the numbers of the documents named, each once; what a weak reference stands for only on the payer's own account."""
    return list(dict.fromkeys(one.document_no for one in named if not one.is_weak or one.account == account))


def identify(
    named: Iterable[NamedDocument], by_bank_account: str | None, customer: str | None, advised_customer: str | None = None
) -> Payer | None:
    """
    Say whose money it is, or None when nobody can tell yet.

    The account of the first document named, else the customer who is known to pay from the debtor's bank account, else the customer number
    the entry gives, which need not be known to us, else the one an advice gives. Money that names documents of several accounts goes whole
    to the first one's. Two documents whose numbers differ in case only stand at one place: the lower number decides. A weak reference, say
    an order number, says nothing yet: a document of somebody else's may bear it too (`handlers.references`).
    """
    first = min((one for one in named if not one.is_weak), key=lambda one: one.order, default=None)
    if first is not None:
        return Payer(first.account, REFERENCE)
    if by_bank_account is not None:
        return Payer(by_bank_account, BANK_ACCOUNT)
    if customer is not None:
        return Payer(customer, CUSTOMER)
    if advised_customer is not None:
        return Payer(advised_customer, ADVICE)
    return None


def is_better(payer: Payer, than: str | None) -> bool:
    """
    Whether a payer found now displaces one that was identified by something (None: nobody) earlier on the same day.

    A document named does, always. Whom an advice gives stands behind the bank account and the entry itself, not behind another advice.
    """
    return payer.by == REFERENCE or than in (None, ADVICE, REFERENCE)
