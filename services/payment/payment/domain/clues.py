"""
Clues to the payer: document numbers in a remittance, and the debtor's bank account.

A remittance is free text and personal data. It is cut into what could be a document number and kept as digests only, which is enough to
compare it with the numbers of documents, now and when they come later.
"""

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

REFERENCES_MAX: Final = 200
"""No remittance is searched for more references: a batch locks each of them."""
_REMITTANCE_LENGTH_MAX: Final = 10_000
_REFERENCE_LENGTH_MAX: Final = 64  # No document number is longer.

_WORD = re.compile(r"\S+")
_PIECE = re.compile(r"[^,;/|:+&()\[\]{}<>\"'*=#]+")
_AROUND = ".,;:/|+&()[]{}<>\"'*=#!?-_"


def references_in(remittance: str) -> list[str]:
    """
    Return what could be a document number, caseless, in the order it stands there, each once.

    The whole text is one; then every word, and the pieces of a word between separators. No substrings are guessed: a number is found
    when it stands alone. Words without a digit are not references, but the whole text may be one.
    """
    found = dict.fromkeys(one.casefold() for one in _candidates(remittance[:_REMITTANCE_LENGTH_MAX]))
    return [one for one in found if 0 < len(one) <= _REFERENCE_LENGTH_MAX][:REFERENCES_MAX]


def _candidates(remittance: str) -> Iterator[str]:
    yield remittance.strip()
    for word in _WORD.findall(remittance):
        for one in (word, *(piece for piece in _PIECE.findall(word) if piece != word)):
            bare = one.strip(_AROUND)
            if any(map(str.isdigit, bare)):
                yield bare


def normalise_bank_account(bank_account: str) -> str:
    """Return an IBAN or account number as it is compared: capital letters and digits, without the spaces of print."""
    return "".join(bank_account.split()).upper()


def digest_of(entity: str, kind: str, text: str) -> bytes:
    """Return 16 bytes that stand for a text of one kind within one entity; equal texts, and in practice only they, have equal digests."""
    return blake2b(f"{entity}|{kind}|{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
