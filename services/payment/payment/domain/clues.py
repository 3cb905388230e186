"""
Clues to the payer: document numbers and creditor references in a remittance, the debtor's bank account, the order a deposit is for.

A remittance is free text and personal data. It is cut into what could be a document number and kept as digests only, which is enough to
compare it with the numbers of documents, now and when they come later.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from payment.domain.books import REFERENCE
from payment.domain.creditor_references import find_references

REFERENCES_MAX: Final = 200
"""No remittance is searched for more references: a batch locks each of them."""
WEAK_LENGTH_MIN: Final = 4
"""A shorter order number stands in too many texts by chance."""
_BY_A_DEPOSIT: Final = "deposit_for"
_REMITTANCE_LENGTH_MAX: Final = 10_000
_REFERENCE_LENGTH_MAX: Final = 64  # No document number is longer.

_WORD = re.compile(r"\S+")
_PIECE = re.compile(r"[^,;/|:+&()\[\]{}<>\"'*=#]+")
_AROUND = ".,;:/|+&()[]{}<>\"'*=#!?-_"
_may_be_spelled = re.compile(r"[ ./_:#]\d", re.ASCII).search
_SPELLED = re.compile(r"(?<![0-9A-Za-z])([A-Za-z]{1,6})[ ./_:#]{1,3}(\d{1,12}(?:[ ./_-]\d{1,12}){0,2})(?![0-9A-Za-z])", re.ASCII)


def references_in(remittance: str) -> list[str]:
    """
    Return what could be a document number or a creditor's reference, caseless, in the order it stands there, each once.

    The whole text is one; then the references with check digits; then every word, and the pieces of a word between separators; last
    numbers spelled with other separators than a hyphen: "INV 2026/0001" may be INV-2026-0001. No substrings are guessed: a number is
    found when it stands alone. Words without a digit are not references, but the whole text may be one.
    """
    found = dict.fromkeys(one.casefold() for one in _candidates(remittance[:_REMITTANCE_LENGTH_MAX].strip()))
    return [one for one in found if 0 < len(one) <= _REFERENCE_LENGTH_MAX][:REFERENCES_MAX]


def _candidates(remittance: str) -> Iterator[str]:
    yield remittance
    references, remittance = find_references(remittance)
    yield from references
    for word in _WORD.findall(remittance):
        for one in (word, *(piece for piece in _PIECE.findall(word) if piece != word)):
            bare = one.strip(_AROUND)
            if any(map(str.isdigit, bare)):
                yield bare
    for prefix, number in _SPELLED.findall(remittance) if _may_be_spelled(remittance) else ():
        groups = re.split(r"\D", number)
        for upto in range(1, len(groups) + 1):
            yield "-".join((prefix, *groups[:upto]))
            yield "".join((prefix, *groups[:upto]))


def normalise_bank_account(bank_account: str) -> str:
    """Return an IBAN or account number as it is compared: capital letters and digits, without the spaces of print."""
    return "".join(bank_account.split()).upper()


def digest_of(entity: str, kind: str, text: str) -> bytes:
    """Return 16 bytes that stand for a text of one kind within one entity; equal texts, and in practice only they, have equal digests."""
    return blake2b(f"{entity}|{kind}|{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def is_telling(order: str) -> bool:
    """Whether a text that has the number of an order, say, can be taken to mean it."""
    return len(order) >= WEAK_LENGTH_MIN and any(map(str.isdigit, order))


def digest_for_deposits(entity: str, number: str) -> bytes:
    """Return what stands for the number of an order or contract, caseless, that deposits may give and no text is searched for."""
    return digest_of(entity, _BY_A_DEPOSIT, number)


def digests_of_deposit(entity: str, deposit_for: str) -> tuple[bytes, bytes]:
    """Return what stands for the order or contract that a deposit is for: as a text may name it, and as only deposits do."""
    number = deposit_for.casefold()
    return digest_of(entity, REFERENCE, number), digest_for_deposits(entity, number)
