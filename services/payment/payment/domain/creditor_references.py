"""
References with check digits in the text of a payment: RF creditor references, Swiss QR- and ESR-references, OCR numbers.

Found as they are printed, in groups, and as they are sent, in one word. Sources: ISO 11649 (RF, two check digits, at most 21 characters);
the Swiss implementation guidelines QR-bill (27 digits, or 16 on the slips before it, the last one recursive modulo 10, zeros in front mean
nothing); Luhn's digit of Nordic OCR numbers (at most 25 digits). The arithmetic is python-stdnum's.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from stdnum import iso11649, luhn
from stdnum.ch import esr

RF_LENGTH_MAX: Final = 25
QR_LENGTHS: Final = (27, 16)
OCR_LENGTH_MAX: Final = 25

_many_digits = re.compile(r"\d(?: ?\d){15}", re.ASCII).search
_GROUP = re.compile(r"[0-9A-Za-z]+")
_between_groups = re.compile(r"[ .-]?").fullmatch
_rf_begins = re.compile(r"rf(\d\d|$)", re.ASCII | re.IGNORECASE).match
_groups_of_digits = re.compile(r"\d+(?: \d+)+", re.ASCII).fullmatch


class Found(NamedTuple):
    """References as `as_compared` writes them, and the text without them: their groups are no numbers of anything."""

    references: list[str]
    rest: str


class _Spelled(NamedTuple):
    start: int
    end: int
    reference: str


def find_references(text: str) -> Found:
    """
    Find the references with right check digits in a text.

    Groups are put together as far as they stand next to one another. A number of another length than a QR-reference's is a reference only
    where the text has nothing else, and its groups stay: they may be the numbers of two invoices as well.
    """
    references, rest = [], text
    if "rf" in text.casefold() or _many_digits(text):
        spelled = list(_spelled_in(text))
        references = [one.reference for one in spelled]
        for one in reversed(spelled):
            rest = f"{rest[: one.start]} {rest[one.end :]}"
    digits = text.replace(" ", "")
    if not references and _groups_of_digits(text) and digits.strip("0"):
        if len(digits) <= OCR_LENGTH_MAX and luhn.is_valid(digits):
            references.append(digits)
        if len(digits) <= max(QR_LENGTHS) and esr.is_valid(digits):
            references.append(digits.lstrip("0"))
    return Found(references, rest)


def as_compared(reference: str) -> str:
    """
    Return a creditor's reference as it is compared with those in a text: without letter case, a valid one also without its groups.

    The zeros in front of a number are left out, of an RF reference those behind its check digits: systems fill up with them, paper leaves
    them out. What has no check digits we know stays as it is written.
    """
    compact = re.sub(r"[ .-]", "", reference).casefold()
    if _is_rf_reference(compact):
        return compact[:4] + compact[4:].lstrip("0")
    if compact.isascii() and compact.isdigit():
        return compact.lstrip("0") if _is_qr_reference(compact) else compact
    return reference.strip().casefold()


def _spelled_in(text: str) -> Iterator[_Spelled]:
    """Find what is spelled in groups or as one word, from left to right, none over another."""
    groups = list(_GROUP.finditer(text))
    done = 0
    for first, group in enumerate(groups):
        if group.start() < done:
            continue
        found = _longest_from(text, groups[first:])
        if found is not None:
            done = found.end
            yield found


def _longest_from(text: str, groups: list[re.Match[str]]) -> _Spelled | None:
    """Put groups together while they may be one reference; return the longest that is."""
    first = groups[0]
    is_rf = _rf_begins(first[0]) is not None
    if not is_rf and not first[0].isdigit():
        return None
    longest, joined, end = None, "", first.start()
    for group in groups:
        joined += group[0].casefold()
        is_next = _between_groups(text, end, group.start()) is not None and (is_rf or group[0].isdigit())
        if not is_next or len(joined) > (RF_LENGTH_MAX if is_rf else max(QR_LENGTHS)):
            break
        end = group.end()
        if _is_rf_reference(joined) if is_rf else _is_qr_reference(joined):
            longest = _Spelled(first.start(), end, as_compared(joined))
    return longest


def _is_rf_reference(compact: str) -> bool:
    return compact.isascii() and compact.isalnum() and compact.startswith("rf") and iso11649.is_valid(compact)


def _is_qr_reference(digits: str) -> bool:
    return len(digits) in QR_LENGTHS and digits.isascii() and digits.isdigit() and bool(digits.strip("0")) and esr.is_valid(digits)
