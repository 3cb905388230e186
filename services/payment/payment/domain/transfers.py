"""Money that goes from one account to another, and how much of a receipt the documents it names of others need. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final, NamedTuple

from events.ingress import IDENTIFIER_LENGTH_MAX

from payment.domain.books import Stated

TRANSFER: Final = "transfer"
"""By what a receipt made of transferred money came, and its payer is known."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """
    So much money of a receipt for another account, effective on a date; `id` is that of the decision too.

    `by` is `person`, then `reason` (a code) and `transferred_by` are given, or `reference`.
    """

    id: str
    to_account: str
    amount_minor: int
    effective_on: date
    by: str
    reason: str | None = None
    transferred_by: str | None = None


def reference_of(bank_ref: str, to_account: str, n: int) -> str:
    """
    Return the bank reference of the receipt that the n-th transfer of another makes: `<bank_ref>/to/<account>/<n>`.

    It is an identifier, so what would be longer than one has a digest of the two instead.
    """
    spoken = f"{bank_ref}/to/{to_account}/{n}"
    if len(spoken) <= IDENTIFIER_LENGTH_MAX:
        return spoken
    return f"to/{blake2b(f'{bank_ref}|{to_account}'.encode(), digest_size=16).hexdigest()}/{n}"


class Owed(NamedTuple):
    """A document that a remittance names, whose it is, what is open of it, and how much the remittance states for it (None: nothing)."""

    document_no: str
    account: str
    open_minor: int
    stated_minor: int | None = None


class Share(NamedTuple):
    """So much money for an account, and the documents it is for."""

    account: str
    amount_minor: int
    documents: tuple[str, ...]


def spread(free_minor: int, named: Iterable[Owed]) -> list[Share]:
    """
    Return what of a receipt's free money goes to which account, for documents in the order of its remittance.

    Each takes what the remittance states for it, but no more than is open of it, while there is money.
    """
    amounts: dict[str, int] = {}
    documents: dict[str, list[str]] = {}
    for one in named:
        part = min(free_minor, one.open_minor if one.stated_minor is None else min(one.stated_minor, one.open_minor))
        if part > 0:
            free_minor -= part
            amounts[one.account] = amounts.get(one.account, 0) + part
            documents.setdefault(one.account, []).append(one.document_no)
    return [Share(account, minor, tuple(documents[account])) for account, minor in amounts.items()]


def stated_for(document_no: str, stated: Sequence[Stated]) -> int | None:
    """
    Return how much a remittance states for a document, by what it says of caseless numbers.

    None where it says nothing of this one, or leaves an amount open.
    """
    amounts = [one.amount_minor for one in stated if one.document_no == document_no.casefold()]
    return sum(minor or 0 for minor in amounts) if amounts and None not in amounts else None
