"""
References by which a payment says what it is for, with check digits: made of a number, and checked (python-stdnum).

Three forms: the RF creditor reference of ISO 11649, the Swiss QR-reference (26 digits and a recursive mod-10 check digit), and the
Nordic OCR number (digits and a Luhn check digit).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from stdnum import iso11649, luhn
from stdnum.ch import esr
from stdnum.iso7064 import mod_97_10

ReferenceForm: TypeAlias = Literal["rf", "qr", "ocr"]

_RF_LENGTH_MAX: Final = 21  # Behind `RF` and the two check digits.
_RF_LEGIBLE: Final = 9
_QR_DIGITS: Final = 26
_OCR_DIGITS_MAX: Final = 24
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_separators = re.compile(r"[ ./_,:-]")
_plain = re.compile(r"[0-9A-Z]+", re.ASCII).fullmatch


def creditor_reference(number: str) -> str:
    """
    Return the RF creditor reference of a number (ISO 11649), without spaces.

    The number is taken in capitals and without the separators ` - . / _ , :`. Where that is more than 21 characters or holds others
    than A to Z and 0 to 9, the reference keeps the first nine of A to Z and 0 to 9 and goes on with twelve characters of the number's
    SHA-256 in base 36. So a number always has the same reference; two numbers that differ in separators only share one.
    """
    body = _separators.sub("", number.upper())
    if not _plain(body) or len(body) > _RF_LENGTH_MAX:
        legible = re.sub(r"[^0-9A-Z]", "", body)[:_RF_LEGIBLE]
        body = legible + _in_base_36(_digest(number), _RF_LENGTH_MAX - _RF_LEGIBLE)
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def is_creditor_reference(text: str) -> bool:
    """Say whether a text is an RF creditor reference, in groups of four or not, its check digits right."""
    return text.isascii() and iso11649.is_valid(text)


def qr_reference(number: str) -> str:
    """
    Return the Swiss QR-reference of a number: 27 digits, the last one the recursive mod-10 check digit.

    The digits are those of `_as_digits`, with zeros before them.
    """
    body = _as_digits(number, _QR_DIGITS).zfill(_QR_DIGITS)
    return body + esr.calc_check_digit(body)


def is_qr_reference(text: str) -> bool:
    """Say whether a text is a QR-reference of 27 digits, in groups or not, its check digit right."""
    digits = text.replace(" ", "")
    return digits.isascii() and digits.isdigit() and len(digits) == _QR_DIGITS + 1 and bool(digits.strip("0")) and esr.is_valid(digits)


def ocr_number(number: str) -> str:
    """Return the OCR number of a number: at most 24 digits, those of `_as_digits`, and their Luhn check digit."""
    body = _as_digits(number, _OCR_DIGITS_MAX)
    return body + luhn.calc_check_digit(body)


def is_ocr_number(text: str) -> bool:
    """Say whether a text is 2 to 25 digits, the last of which is the Luhn check digit of the others."""
    return text.isascii() and 2 <= len(text) <= _OCR_DIGITS_MAX + 1 and luhn.is_valid(text)


REFERENCES: Final[Mapping[ReferenceForm, Callable[[str], str]]] = {"rf": creditor_reference, "qr": qr_reference, "ocr": ocr_number}
"""How the payable reference of a number is made, by its form."""


def _as_digits(number: str, digits_max: int) -> str:
    """
    Write a number in digits: in capitals and without separators, letters as 10 (A) to 35 (Z), as ISO 7064 counts them.

    Where that is too long or other characters are in it, so many digits of its SHA-256.
    """
    body = _separators.sub("", number.upper())
    digits = "".join(str(_DIGITS.index(character)) for character in body) if _plain(body) else ""
    if digits.strip("0") and len(digits) <= digits_max:
        return digits
    return str(_digest(number) % 10**digits_max).zfill(digits_max)


def _digest(number: str) -> int:
    return int.from_bytes(hashlib.sha256(number.encode()).digest(), "big")


def _in_base_36(value: int, length: int) -> str:
    """Return the last `length` digits of a number in base 36."""
    written = ""
    for _ in range(length):
        value, digit = divmod(value, 36)
        written = _DIGITS[digit] + written
    return written
