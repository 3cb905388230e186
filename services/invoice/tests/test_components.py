"""Credits in parts, and documents in the currency of their entity."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain import Document, Draft, Fault, examine
from invoice.domain.components import Parts, credit_in_parts, tax_in_total
from invoice.domain.documents import InForce
from invoice.domain.valuation import Rate, Valuation
from money import convert_minor

DAY = date(2026, 1, 5)
NOTHING = Parts(0, 0)


def test_ro_01_the_total_of_a_credit_is_the_sum_of_its_rounded_parts() -> None:
    """INV-06: 29/30 of 200.00 + 25 %; rounding the total would give 241.67."""
    credit = credit_in_parts(Parts(20_000, 5_000), NOTHING, Fraction(29, 30))
    assert (credit.net_minor, credit.tax_minor, credit.total_minor) == (19_333, 4_833, 24_166)


def test_ro_04_credits_in_two_parts_never_exceed_the_invoice() -> None:
    """INV-06: 769.00 + 20 % credited as 726.86 and the rest."""
    billed = Parts(76_900, 15_380)
    first = credit_in_parts(billed, NOTHING, Fraction(72_686, 76_900))
    second = credit_in_parts(billed, first, Fraction(4_214, 76_900))

    assert (first.tax_minor, first.total_minor) == (14_537, 87_223)
    assert (second.tax_minor, second.total_minor) == (843, 5_057)
    assert first.total_minor + second.total_minor == 92_280


def test_a5_a_memo_of_300_takes_back_50_of_tax() -> None:
    """INV-06, A5: of 1,000.00 + 20 %."""
    assert tax_in_total(Parts(100_000, 20_000), NOTHING, 30_000) == 5_000


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.lists(st.integers(0, 10**9), max_size=6))
def test_however_a_document_is_credited_its_tax_comes_back_exactly_once(net: int, tax: int, totals: list[int]) -> None:
    """INV-06: credits never take more tax than there was, and when all is credited they have taken all of it."""
    billed, before = Parts(net, tax), NOTHING
    for total in totals:
        credited_tax = tax_in_total(billed, before, total)
        assert 0 <= credited_tax <= total
        before = Parts(before.net_minor + total - credited_tax, before.tax_minor + credited_tax)
    assert before.tax_minor <= tax


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.lists(st.fractions(0, 1), max_size=6))
def test_shares_of_a_document_never_exceed_it_and_the_last_takes_the_rest(net: int, tax: int, shares: list[Fraction]) -> None:
    """INV-06"""
    billed, before = Parts(net, tax), NOTHING
    for share in [*shares, Fraction(1)]:
        credit = credit_in_parts(billed, before, share)
        before = Parts(before.net_minor + credit.net_minor, before.tax_minor + credit.tax_minor)
    assert before == billed


def examined(fx: Rate | None, in_force: InForce, currency: str = "EUR") -> Document | list[Fault]:
    return examine(Draft("invoice", "US01", "INV-10", "C-1", currency, DAY, "10000.00", "380", terms="NET30", fx=fx), in_force)


def test_a10_ten_thousand_euros_at_1_10_are_eleven_thousand_dollars() -> None:
    """INV-13, A10: the sender's rate counts, else the published one of the day."""
    stated, published = Rate("1.10", DAY, "invoice"), Rate("1.14", date(2026, 1, 2))
    in_force = InForce("USD", rates={("EUR", DAY): published})

    by_sender, by_table, without = examined(stated, in_force), examined(None, in_force), examined(None, InForce("USD"))

    assert isinstance(by_sender, Document)
    assert isinstance(by_table, Document)
    assert isinstance(without, Document)
    assert by_sender.valuation == Valuation("USD", stated, 1_100_000)
    assert by_table.valuation == Valuation("USD", published, 1_140_000)
    assert without.valuation is None


def test_a_rate_must_be_one() -> None:
    """INV-13"""
    for rate in ("0", "-1", "1e3", "1.12345678901", "", "x"):
        assert examined(Rate(rate, DAY), InForce("USD")) == [Fault("RATE_MALFORMED", "fx.rate")]
    assert examined(Rate("1.1", DAY), InForce("EUR")) == [Fault("RATE_OF_OWN_CURRENCY", "fx.rate")]
    assert examined(Rate("999999999", DAY), InForce("KWD")) == [Fault("AMOUNT_TOO_LARGE", "fx.rate")]
    assert examined(Rate("x", DAY), InForce()) == [Fault("RATE_MALFORMED", "fx.rate")]
    own = examined(Rate("1.00", DAY), InForce("EUR"))
    assert isinstance(own, Document)
    assert own.valuation is None


@pytest.mark.parametrize(
    ("minor", "currency", "own", "rate", "valued"),
    [(10_000, "USD", "JPY", "150.555", 15_056), (15_000, "JPY", "USD", "0.0066", 9_900), (5, "KWD", "USD", "3.1", 2)],
)
def test_currencies_keep_their_own_decimals(minor: int, currency: str, own: str, rate: str, valued: int) -> None:
    """INV-13, XC-01: rounded half up, once."""
    assert convert_minor(minor, currency, own, Decimal(rate)) == valued
