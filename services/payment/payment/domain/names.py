"""Names of payers and customers as they are compared: without case, accents, punctuation, legal form and order."""

import re
import unicodedata
from typing import Final, NamedTuple

NAME_LENGTH_MAX: Final = 140
"""A name is compared by as many characters; no payment format carries more."""

# fmt: off
_LEGAL_FORMS: Final = frozenset({
    "ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "ek", "eurl", "gbr", "gmbh", "inc",
    "incorporated", "kg", "kgaa", "limited", "llc", "llp", "ltd", "mbh", "nv", "ohg", "oy", "oyj", "plc", "pty", "sa", "sarl",
    "sas", "se", "sl", "snc", "spa", "srl", "ug",
})
# fmt: on
_WORD = re.compile(r"[^\W_]+")


class NamedCustomer(NamedTuple):
    """A customer and its name as `normalise_name` writes it."""

    customer: str
    name: str


def normalise_name(name: str) -> str:
    """
    Return a name as it is compared: its words in small letters without accents, in the order of the alphabet.

    Words for a legal form are left out, unless there are no others. The same party is "Müller, Hans" at one bank and "HANS MULLER" at
    another. Empty where nothing can be compared.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    words = _WORD.findall("".join(one for one in plain if not unicodedata.combining(one)).replace(".", "").replace("'", ""))
    telling = [word for word in words if word not in _LEGAL_FORMS] or words
    return " ".join(sorted(telling))[:NAME_LENGTH_MAX].rstrip()
