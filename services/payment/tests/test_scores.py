"""How well money fits an item: exact figures, and names as they are compared (PAY-06, PAY-11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain.names import NamedCustomer, normalise_name
from payment.domain.recommended import lengths_alike, recommend
from payment.domain.scores import (
    ONE_BPS,
    STANDARD_SCORING,
    Scoring,
    closeness_bps,
    format_score,
    most_alike_bps,
    similarity_bps,
)

TEXTS = st.text(alphabet="abc 019-", max_size=12)
MINORS = st.integers(min_value=1, max_value=10**15)


@pytest.mark.parametrize(
    ("one", "other", "score_bps"),
    [
        ("inv1001", "inv1001", 10_000),
        ("inv1001", "inv1007", 8_571),  # One edit in seven, cut: 6/7.
        ("inv1001", "inv1010", 7_142),  # Two characters changed places, which are two edits: 5/7.
        ("1001", "inv1001", 5_714),  # Three characters are missing: 4/7.
        ("abc", "xyz", 0),
        ("", "", 0),
        ("a", "", 0),
    ],
)
def test_similarity_is_one_less_edits_by_length(one: str, other: str, score_bps: int) -> None:
    """PAY-06, figures by hand."""
    assert similarity_bps(one, other) == score_bps


@given(TEXTS, TEXTS)
def test_similarity_is_between_none_and_all_and_the_same_both_ways(one: str, other: str) -> None:
    """PAY-06"""
    assert 0 <= similarity_bps(one, other) <= ONE_BPS
    assert similarity_bps(one, other) == similarity_bps(other, one)
    assert (similarity_bps(one, other) == ONE_BPS) == (one == other != "")


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=8))
def test_of_many_words_the_most_alike_counts(words: list[str], numbers: list[str]) -> None:
    assert most_alike_bps(words, numbers) == [max((similarity_bps(word, number) for word in words), default=0) for number in numbers]


def test_a_score_is_the_weighted_sum_of_customer_transaction_and_amount() -> None:
    """PAY-06: 0.2 x 1 + 0.5 x 0.8571 + 0.3 x 0.98, cut to four decimals."""
    assert closeness_bps(980_00, 1000_00) == 9_800
    assert format_score(STANDARD_SCORING.combine(10_000, 8_571, 9_800)) == "0.9225"
    assert format_score(STANDARD_SCORING.combine(10_000, 10_000, 10_000)) == "1.0000"
    assert STANDARD_SCORING.of_exact_amount(10_000) == 10_000
    assert STANDARD_SCORING.of_exact_amount(0) == 6_000  # 0.3 of 0.5: an amount alone just reaches the minimum.


@given(st.integers(0, ONE_BPS), st.integers(0, ONE_BPS), MINORS, MINORS)
def test_scores_stay_between_none_and_all(customer_bps: int, transaction_bps: int, one_minor: int, other_minor: int) -> None:
    """PAY-06"""
    amount_bps = closeness_bps(one_minor, other_minor)
    assert amount_bps == closeness_bps(other_minor, one_minor)
    assert 0 <= STANDARD_SCORING.combine(customer_bps, transaction_bps, amount_bps) <= ONE_BPS
    assert 0 <= STANDARD_SCORING.of_exact_amount(customer_bps) <= ONE_BPS


def test_numbers_are_compared_without_the_configured_characters_and_without_case() -> None:
    """PAY-06"""
    assert STANDARD_SCORING.bare("INV-2026/0001 ") == "inv20260001"
    assert Scoring("1", stripped="0").bare("00-12") == "-12"


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Müller, Hans", "hans muller"),
        ("HANS  MULLER", "hans muller"),
        ("Acme Corp.", "acme"),
        ("ACME, Inc", "acme"),
        ("Société Générale S.A.", "generale societe"),
        ("GmbH", "gmbh"),
        ("Straße 7", "7 strasse"),
        (" - ", ""),
    ],
)
def test_names_are_compared_without_case_accents_legal_form_and_order(written: str, compared: str) -> None:
    """PAY-11"""
    assert normalise_name(written) == compared
    assert normalise_name(compared) == compared


def test_customers_with_names_that_are_alike_are_recommended_the_most_alike_first() -> None:
    """PAY-11: of eight characters one is wrong in C-2, two in C-1, and three in C-3, which is somebody else."""
    customers = [NamedCustomer("C-1", "nordwxnx"), NamedCustomer("C-2", "nordwind"), NamedCustomer("C-3", "suedwind")]
    assert [tuple(one) for one in recommend("nordwint", customers, 7_000)] == [("C-2", 8_750), ("C-1", 7_500)]
    assert [tuple(one) for one in recommend("nordwind", customers, 6_000)] == [("C-2", 10_000), ("C-1", 7_500), ("C-3", 6_250)]
    assert recommend("", customers, 0) == []


@given(TEXTS.map(normalise_name).filter(bool), st.lists(TEXTS.map(normalise_name), max_size=6), st.integers(1, ONE_BPS))
def test_nobody_who_is_alike_enough_is_missed(name: str, names: list[str], score_bps: int) -> None:
    """PAY-11: neither by the bound on edits nor by the bound on lengths."""
    customers = [NamedCustomer(f"C-{place}", other) for place, other in enumerate(names)]
    least, most = lengths_alike(name, score_bps)
    expected = {one.customer for one in customers if similarity_bps(name, one.name) >= score_bps}
    assert all(least <= len(one.name) <= most for one in customers if one.customer in expected)
    found = [one.customer for one in recommend(name, customers, score_bps)]
    assert set(found) <= expected
    assert len(found) == min(len(expected), 5)
