"""What paying early is worth, as a document states it. Scenario ids are those of peers' tests; A2 is a worked example of ours."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoice.domain import Document, Draft, examine
from invoice.domain.components import Line, components_of
from invoice.domain.discounts import DiscountTerms, discount_terms
from invoice.domain.documents import InForce
from invoice.domain.drafts import Opening
from invoice.domain.terms import DiscountRules, TaxChoice, TermsVersion, Tier, parse_terms_policy, terms_of_code

DAY = date(2026, 3, 1)


def the_discount(total: str, tax: str | None, terms: str = "2/10 NET30", **changes: Any) -> DiscountTerms:
    """The discount of an invoice under terms of the grammar, or of a policy `OURS` with the choices given."""
    content = {"due": {"net_days": 30}, "discounts": changes.pop("discounts", [{"percent": "2", "days": 10}])}
    rules = {name: changes.pop(name) for name in ("discount_tax", "discount_base", "grace_days") if name in changes}
    codes = parse_terms_policy({"codes": {"OURS": content | rules}})
    assert isinstance(codes, dict)
    code = "OURS" if rules else terms
    draft = Draft("invoice", "US01", "I-1", "C-1", changes.pop("currency", "USD"), DAY, total, "380", terms=code, tax=tax, **changes)
    document = examine(draft, InForce(terms=[TermsVersion("1", date(2026, 1, 1), codes)]))
    assert isinstance(document, Document), document
    assert document.discount is not None
    return document.discount


def amounts(terms: DiscountTerms) -> list[tuple[int, int]]:
    return [(tier.amount_minor, tier.tax_minor) for tier in terms.tiers]


def test_di_01_a_tenth_of_gross_has_its_tax_share() -> None:
    """INV-04: 10 % of 200.00 + 18 %."""
    assert amounts(the_discount("236.00", "36.00", "10/10 NET30")) == [(2_360, 360)]


def test_di_05_net_and_tax_are_discounted_together() -> None:
    """INV-04: 10 % of 1,500.00 + 15 %, 1,552.50 to pay."""
    assert amounts(the_discount("1725.00", "225.00", "10/10 NET30")) == [(17_250, 2_250)]


def test_di_08_the_last_day_of_the_discount() -> None:
    """INV-04: ten days after the day of issue; grace days are not counted in."""
    terms = terms_of_code("2/10 NET30")
    assert terms is not None
    stated = discount_terms(terms.tiers, DiscountRules(grace_days=3), components_of(100, None, ()), date(2019, 1, 1))
    assert stated is not None
    assert (stated.tiers[0].until_on, stated.grace_days) == (date(2019, 1, 11), 3)


def test_di_09_two_invoices_without_tax() -> None:
    """INV-04: 300.00 off 3,000.00."""
    both = [the_discount(total, None, "10/10 NET30", currency="EUR") for total in ("1000.00", "2000.00")]
    assert [amounts(one) for one in both] == [[(10_000, 0)], [(20_000, 0)]]


@pytest.mark.parametrize(
    ("choice", "amount"),
    [
        ("included", (2_400, 400)),
        ("excluded", (2_000, 0)),
        ("mixed", (2_000, 0)),  # The tax was computed on 980.00 from the start.
    ],
)
def test_a2_two_percent_of_an_invoice_under_each_choice_of_tax(choice: str, amount: tuple[int, int]) -> None:
    """INV-04, A2 (a) and (b): 1,000.00 + 20 %; the discount may be taken through 03-11."""
    stated = the_discount("1200.00", "200.00", discount_tax=choice)
    assert amounts(stated) == [amount]
    assert (stated.tiers[0].until_on, stated.tiers[0].percent, stated.tax_choice) == (date(2026, 3, 11), "2", choice)


def test_freight_and_charges_are_not_discounted_where_goods_are_the_base() -> None:
    """INV-04: 2 % of goods 1,000.00 and their tax 200.00; freight 100.00 with tax 20.00 is left out, however the tax is told."""
    by_line = [Line("1000.00", tax="200.00"), Line("100.00", "freight", "20.00")]
    of_all = [Line("1000.00"), Line("100.00", "freight")]

    assert amounts(the_discount("1320.00", None, discount_base="goods", lines=by_line)) == [(2_400, 400)]
    assert amounts(the_discount("1320.00", "220.00", discount_base="goods", lines=of_all)) == [(2_400, 400)]
    assert amounts(the_discount("1320.00", "220.00", discount_base="gross", lines=of_all)) == [(2_640, 440)]


def test_tiers_are_stated_one_by_one() -> None:
    """INV-04"""
    stated = the_discount("1200.00", "200.00", "3/7 2/10 NET30")
    assert [(tier.until_on, tier.amount_minor) for tier in stated.tiers] == [(date(2026, 3, 8), 3_600), (date(2026, 3, 11), 2_400)]


def test_an_old_document_keeps_its_discount_only_while_it_is_whole() -> None:
    """INV-04, XC-10"""

    def discount_of(original: str | None) -> DiscountTerms | None:
        opening = Opening(date(2026, 3, 5), original)
        document = examine(Draft("invoice", "US01", "I", "C", "USD", DAY, "100.00", "380", terms="2/10 NET30", opening=opening))
        assert isinstance(document, Document), document
        return document.discount

    assert discount_of("100") is not None
    assert discount_of(None) is not None
    assert discount_of("150.00") is None


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.decimals("0.0001", "100", places=4),
    st.sampled_from(["included", "excluded", "mixed"]),
)
def test_a_discount_is_never_more_than_the_document_nor_its_tax_part_than_the_discount(
    net: int, tax: int, percent: Any, choice: TaxChoice
) -> None:
    """INV-04"""
    stated = discount_terms([Tier(percent, 10)], DiscountRules(tax_choice=choice), components_of(net + tax, tax, ()), DAY)
    for tier in stated.tiers if stated else ():
        assert 0 <= tier.tax_minor <= tier.amount_minor <= net + tax
