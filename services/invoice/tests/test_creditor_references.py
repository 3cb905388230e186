"""References with check digits: as banks print them, and stable for every number (INV-12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain.creditor_references import (
    creditor_reference,
    is_creditor_reference,
    is_ocr_number,
    is_qr_reference,
    ocr_number,
    qr_reference,
)

numbers = st.text(min_size=1, max_size=64)


def test_a_creditor_reference_has_the_check_digits_of_the_standard() -> None:
    """ISO 11649: RF18 5390 0754 7034 is the example of the standard."""
    assert creditor_reference("539007547034") == "RF18539007547034"
    assert is_creditor_reference("RF18 5390 0754 7034")
    assert not is_creditor_reference("RF17 5390 0754 7034")


@pytest.mark.parametrize("number", ["B20260131-0001", "b2026/0131.0001", "B 2026_0131:0001"])
def test_separators_and_small_letters_are_left_out_of_a_creditor_reference(number: str) -> None:
    assert creditor_reference(number)[4:] == "B202601310001"


@pytest.mark.parametrize("number", ["A" * 22, "Rechnung-2026-Straße-1", "Ä-1", "---", "請求書1"])
def test_a_number_that_does_not_fit_has_a_reference_of_its_own(number: str) -> None:
    reference = creditor_reference(number)

    assert is_creditor_reference(reference)
    assert len(reference) <= 25
    assert reference not in {creditor_reference(f"{number}1"), creditor_reference(number[:-1] or "x")}


@given(number=numbers)
def test_every_number_has_one_valid_reference_of_each_form(number: str) -> None:
    assert is_creditor_reference(creditor_reference(number))
    assert is_qr_reference(qr_reference(number))
    assert is_ocr_number(ocr_number(number))


@given(number=numbers, place=st.integers(min_value=0), digit=st.integers(min_value=1, max_value=9))
def test_a_mistyped_digit_is_noticed(number: str, place: int, digit: int) -> None:
    """Every single wrong digit changes the check digits of all three forms."""
    for make, check in ((creditor_reference, is_creditor_reference), (qr_reference, is_qr_reference), (ocr_number, is_ocr_number)):
        reference = make(number)
        at = place % len(reference)
        if reference[at].isdigit():
            assert not check(f"{reference[:at]}{(int(reference[at]) + digit) % 10}{reference[at + 1 :]}")


def test_a_qr_reference_is_a_number_of_27_digits() -> None:
    """The example of the Swiss implementation guide, which python-stdnum quotes too."""
    assert qr_reference("21000000000313947143000901") == "210000000003139471430009017"
    assert qr_reference("B20260131-0001")[:26] == "00000000000011202601310001"
    assert is_qr_reference("21 00000 00003 13947 14300 09017")


@pytest.mark.parametrize("text", ["", "0" * 27, "21000000000313947143000901", "21000000000313947143000901x", "٢١٠٠٠٠٠٠٠٠٠٣١٣٩٤٧١٤٣٠٠٠٩٠١٧"])
def test_what_is_no_qr_reference_is_none(text: str) -> None:
    assert not is_qr_reference(text)


@pytest.mark.parametrize("text", ["", "RF", "RF18", "RF18-", "RF1853900754703é", "NO RF", "RF٢٠٥٣٩٠٠٧٥٤٧٠٣٤"])
def test_what_is_no_creditor_reference_is_none(text: str) -> None:
    assert not is_creditor_reference(text)


def test_an_ocr_number_ends_in_its_luhn_digit() -> None:
    assert ocr_number("1234567") == "12345674"
    assert ocr_number("A-1") == "101" + ocr_number("A-1")[3:]
    assert not is_ocr_number("12345675")
    assert not is_ocr_number("")
