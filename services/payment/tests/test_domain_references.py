"""References with check digits as they are printed and as they are sent, and numbers as people spell them (PAY-04)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain import NamedDocument, Payer, identify, references_in
from payment.domain.creditor_references import as_compared, find_references
from payment.domain.payers import in_order, is_better, numbers_of
from stdnum.iso7064 import mod_97_10

OF_THE_STANDARD = "rf18539007547034"
"""RF18 5390 0754 7034, the example of ISO 11649."""
OF_THE_GUIDELINES = "210000000003139471430009017"
"""21 00000 00003 13947 14300 09017, the example of the Swiss implementation guidelines QR-bill."""


@pytest.mark.parametrize(
    "text",
    [
        "RF18 5390 0754 7034",
        "RF18539007547034",
        "rf18539007547034",
        "RF18-5390-0754-7034",
        "RF 18 5390 0754 7034",
        "Invoice, ref. RF18 5390 0754 7034, thank you",
        "/RFB/RF18539007547034/",
        "RF18 0000 0000 0539 0075 4703 4",
    ],
)
def test_a_creditor_reference_is_found_however_it_is_spelled(text: str) -> None:
    """PAY-04: ISO 11649, in print in groups of four."""
    assert OF_THE_STANDARD in references_in(text)


@pytest.mark.parametrize("reference", ["RF45G72UUR", "RF6518K5", "RF712348231", "RF471234567890"])
def test_short_creditor_references_and_those_with_letters_are_found_too(reference: str) -> None:
    grouped = " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
    assert as_compared(grouped) == reference.casefold()
    assert reference.casefold() in references_in(f"for {grouped}")


@pytest.mark.parametrize(
    "text", ["RF17 5390 0754 7034", "RF18 5390 0754 7035", "xRF18 5390 0754 7034", "RF18", "RF", "RF18 5390  0754 7034"]
)
def test_what_has_wrong_check_digits_is_no_creditor_reference(text: str) -> None:
    assert find_references(text) == ([], text)


@pytest.mark.parametrize(
    "text", ["21 00000 00003 13947 14300 09017", OF_THE_GUIDELINES, f"QRR {OF_THE_GUIDELINES}.", "2100000 00003139 47143000 9017"]
)
def test_a_qr_reference_is_found_however_it_is_grouped(text: str) -> None:
    """PAY-04: 27 digits, the last one recursive modulo 10."""
    assert OF_THE_GUIDELINES in references_in(text)
    assert OF_THE_GUIDELINES[:-1] + "8" not in references_in(text.replace("7", "8"))


@pytest.mark.parametrize("text", ["00 00000 00000 00000 00018 78583", "000000000000000000001878583", "0000 0000 0187 8583", "18 78583"])
def test_zeros_in_front_of_a_slip_mean_nothing(text: str) -> None:
    """PAY-04: the payer may leave them out, and so may the slip, which had 16 digits before it had 27."""
    assert "1878583" in references_in(text)


def test_a_number_of_another_length_is_a_reference_only_where_nothing_else_stands() -> None:
    """PAY-04: 1234567 4 has the check digit of an OCR number; beside other words its groups may be two invoices."""
    assert "12345674" in references_in("1234567 4")
    assert "12345674" in references_in("12345674")
    assert references_in("1234567 4 thanks") == ["1234567 4 thanks", "1234567", "4"]
    assert references_in("1234567 5") == ["1234567 5", "1234567", "5"]


def test_the_groups_of_a_reference_are_no_numbers_of_anything() -> None:
    assert references_in("RF18 5390 0754 7034 and INV-7") == ["rf18 5390 0754 7034 and inv-7", OF_THE_STANDARD, "inv-7"]
    assert references_in("INV-7 21 00000 00003 13947 14300 09017")[1:] == [OF_THE_GUIDELINES, "inv-7"]


def test_the_numbers_of_several_invoices_are_never_put_together() -> None:
    assert references_in("1001 1002 1003") == ["1001 1002 1003", "1001", "1002", "1003"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("INV 2026 0001", "inv-2026-0001"),
        ("inv.2026/0001", "inv-2026-0001"),
        ("Inv: 1001", "inv-1001"),
        ("INV#1001.", "inv1001"),
        ("for INV_7 and RE 8", "re-8"),
    ],
)
def test_a_number_spelled_with_other_separators_is_found(text: str, number: str) -> None:
    assert number in references_in(text)


def test_a_number_that_stands_as_it_is_costs_nothing_more() -> None:
    """Each reference is locked and looked up: what machines write must not have more of them."""
    assert references_in("INV-2026-0001") == ["inv-2026-0001"]
    assert references_in("payment of INV-1 INV-2, thank you") == ["payment of inv-1 inv-2, thank you", "inv-1", "inv-2"]


@given(text=st.text(max_size=80) | st.from_regex(r"(RF ?\d\d ?|)(\d{1,5}[ .-]?){1,8}[A-Z ]{0,9}", fullmatch=True))
def test_any_text_can_be_searched_and_what_is_found_is_found_again(text: str) -> None:
    found, rest = find_references(text)
    assert [as_compared(one) for one in found] == found
    assert rest == text or not set(found) & set(find_references(rest).references)  # Groups of an OCR number stay in the text.
    for one in found:
        assert one in references_in(text)


@given(number=st.integers(min_value=1, max_value=10**12))
def test_a_reference_in_groups_is_the_reference_in_one_word(number: int) -> None:
    reference = f"RF{mod_97_10.calc_check_digits(f'{number}RF')}{number}"
    grouped = " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
    assert find_references(f"pay {grouped}, please").references == [reference.casefold()] == [as_compared(grouped)]


def test_a_weak_reference_counts_only_where_there_is_nothing_better() -> None:
    """PAY-04: an order number names its invoices in due order; an invoice's own number beside it names that invoice only."""
    first = NamedDocument(1, "INV-8", "C-1", position=20, is_weak=True)
    second = NamedDocument(1, "INV-7", "C-1", position=10, is_weak=True)
    strong = NamedDocument(2, "INV-9", "C-1")
    assert in_order([first, second]) == [second, first]
    assert in_order([first, strong, second]) == [strong]
    assert numbers_of([second, first], "C-2") == []


def test_an_order_number_says_not_whose_money_it_is() -> None:
    """PAY-11: two customers may number their orders alike; ambiguous money is never guessed."""
    weak = NamedDocument(1, "INV-8", "C-1", is_weak=True)
    assert identify([weak], None, None) is None
    assert identify([weak], None, "C-3") == Payer("C-3", "customer")
    assert identify([weak], None, None, "C-4") == Payer("C-4", "advice")
    assert identify([], "C-2", "C-3", "C-4") == Payer("C-2", "bank_account")


def test_a_payer_given_by_an_advice_displaces_none_but_another_advice() -> None:
    advised, named = Payer("C-1", "advice"), Payer("C-1", "reference")
    assert [is_better(advised, than) for than in (None, "advice", "bank_account", "customer", "alias")] == [True, True, False, False, False]
    assert all(is_better(named, than) for than in (None, "advice", "bank_account", "customer", "reference"))
