"""What a payer leaves us to find out who paid and for what: the numbers in a text, and a bank account."""

import re
from functools import cache


@cache  # The same texts are looked at every day.
def numbers_in(remittance: str | None) -> tuple[str, ...]:
    """
    Return what may be a document number in a payer's text, letter case aside, in its order.

    That is the whole text, then every word with a digit, and the parts of such a word between punctuation.
    """
    text = (remittance or "").strip().casefold()
    found = dict.fromkeys([text])
    for word in text.split():
        found |= dict.fromkeys(part.strip(".,;:!?-_()[]\"'") for part in (word, *re.split(r"[,;/|:+&()\[\]{}<>\"'*=#]+", word)))
    return tuple(number for number in found if number == text or any(map(str.isdigit, number))) if text else ()


def bank_account_as_compared(bank_account: str | None) -> str:
    """Return an account number without spaces, in capitals; empty without one."""
    return "".join((bank_account or "").split()).upper()
