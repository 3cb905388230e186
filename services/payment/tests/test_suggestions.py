"""What money that nothing has placed may be for (PAY-04, PAY-06, PAY-18)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment.domain.aliases import objection_to, owner_of, state_of
from payment.domain.scores import ONE_BPS, STANDARD_SCORING
from payment.domain.suggestions import (
    ALREADY_PAID,
    EXACT_AMOUNT,
    EXACT_COVER,
    SIMILAR,
    Field,
    FreeMoney,
    OpenCredit,
    Owed,
    Share,
    shares_of,
    suggest,
    words_in,
)

DUE = date(2026, 1, 31)
KNOWN = {"C-1": ONE_BPS}


def owed(number: str, minor: int, *, account: str = "C-1", due: int = 0) -> Owed:
    return Owed(f"US01|{number}|1", number, 1, account, DUE + timedelta(days=due), minor)


def money(minor: int, remittance: str = "", *, account: str | None = "C-1") -> FreeMoney:
    return FreeMoney("US01|BR-1", account, minor, words_in(remittance, STANDARD_SCORING))


def test_words_that_may_be_numbers_are_taken_from_a_remittance() -> None:
    """PAY-04: with a digit, three characters and more, as they are compared, each once."""
    assert words_in("INV-1001, 777 and thanks", STANDARD_SCORING) == ("inv1001777andthanks", "inv1001", "777")
    assert words_in("many thanks", STANDARD_SCORING) == ()


def test_a_number_with_one_wrong_character_is_suggested_with_its_figures() -> None:
    """PAY-06: 0.2 x 1 + 0.5 x 6/7 + 0.3 x 1."""
    found = suggest(money(500_00, "INV-1007"), Field(KNOWN, [owed("INV-1001", 500_00), owed("INV-2034", 80_00)]), STANDARD_SCORING)
    (best,) = found.suggestions
    assert (best.rule, best.score_bps, best.account) == (SIMILAR, 9_285, "C-1")
    assert [(one.item, one.amount_minor, one.reasons) for one in best.parts] == [
        ("US01|INV-1001|1", 500_00, ("CUSTOMER=1.0000", "TRANSACTION=0.8571", "AMOUNT=1.0000"))
    ]


def test_more_money_than_is_open_pays_what_is_open_and_less_pays_a_part() -> None:
    """PAY-07"""
    more = suggest(money(600_00, "INV-1007"), Field(KNOWN, [owed("INV-1001", 500_00)]), STANDARD_SCORING)
    assert [one.amount_minor for one in more.suggestions[0].parts] == [500_00]
    less = suggest(money(400_00, "INV-1007"), Field(KNOWN, [owed("INV-1001", 500_00)]), STANDARD_SCORING)
    assert [one.amount_minor for one in less.suggestions[0].parts] == [400_00]


def test_without_a_number_only_exact_amounts_are_suggested() -> None:
    """PAY-18: 475.00 is INV-3 and INV-4, whatever else is open."""
    field = Field(KNOWN, [owed("INV-1", 100_00), owed("INV-2", 250_00), owed("INV-3", 400_00), owed("INV-4", 75_00)])
    (best,) = suggest(money(475_00), field, STANDARD_SCORING).suggestions
    assert (best.rule, best.score_bps) == (EXACT_COVER, ONE_BPS)
    assert [(one.item, one.amount_minor) for one in best.parts] == [("US01|INV-3|1", 400_00), ("US01|INV-4|1", 75_00)]
    assert best.parts[0].reasons == ("CUSTOMER=1.0000", "AMOUNT=1.0000", "ITEMS=2", "LOOKED_AT=4")
    assert suggest(money(474_99), field, STANDARD_SCORING) == ((), "NOTHING_FITS")


def test_one_item_of_just_the_amount_goes_before_several_that_add_up_to_it() -> None:
    """PAY-05 (1), PAY-18"""
    field = Field(KNOWN, [owed("INV-1", 100_00), owed("INV-2", 200_00), owed("INV-3", 300_00)])
    (best,) = suggest(money(300_00), field, STANDARD_SCORING).suggestions
    assert (best.rule, list(best.items)) == (EXACT_AMOUNT, ["US01|INV-3|1"])


@pytest.mark.parametrize("open_minor", [(300_00, 300_00), (100_00, 200_00, 150_00, 150_00)])
def test_ambiguous_money_is_not_guessed(open_minor: tuple[int, ...]) -> None:
    """PAY-18: several answers are none."""
    items = [owed(f"INV-{n}", minor) for n, minor in enumerate(open_minor)]
    assert suggest(money(300_00), Field(KNOWN, items), STANDARD_SCORING) == ((), "AMBIGUOUS")


def test_credit_is_netted_where_nothing_else_adds_up() -> None:
    """PAY-18: 450.00 is INV-1 of 500.00 less 50.00 of CM-1, whose credit goes to the item first."""
    field = Field(KNOWN, [owed("INV-1", 500_00)], [OpenCredit("US01|CM-1", "C-1", 50_00)])
    (best,) = suggest(money(450_00), field, STANDARD_SCORING).suggestions
    assert [(one.item, one.amount_minor) for one in best.parts] == [("US01|INV-1|1", 500_00), ("US01|CM-1", -50_00)]
    assert shares_of(best) == [Share("US01|INV-1|1", 50_00, "US01|CM-1"), Share("US01|INV-1|1", 450_00)]
    without_need = suggest(money(500_00), field, STANDARD_SCORING).suggestions
    assert [one.rule for one in without_need] == [EXACT_AMOUNT]


def test_what_was_rejected_is_not_made_again_whatever_the_amount() -> None:
    """PAY-06"""
    field = Field(KNOWN, [owed("INV-1001", 500_00), owed("INV-1002", 500_00)])
    both = suggest(money(500_00, "INV-1007"), field, STANDARD_SCORING)
    assert [one.items for one in both.suggestions] == [{"US01|INV-1001|1"}, {"US01|INV-1002|1"}]
    other = suggest(money(400_00, "INV-1007"), field, STANDARD_SCORING, [both.suggestions[0].items])
    assert [one.items for one in other.suggestions] == [{"US01|INV-1002|1"}]


def test_a_payment_of_what_is_paid_already_is_told_and_never_sure() -> None:
    """PAY-06: closed items are looked at too."""
    field = Field(KNOWN, [], closed=[owed("INV-1001", 500_00)])
    found = suggest(money(500_00, "INV-1001"), field, STANDARD_SCORING)
    assert [(one.rule, one.score_bps) for one in found.suggestions] == [(ALREADY_PAID, ONE_BPS)]
    assert found.sure(replace(STANDARD_SCORING, auto_apply_bps=9_000)) is None


def test_only_a_number_that_is_alike_makes_a_match_sure_and_only_where_nothing_fits_as_well() -> None:
    """PAY-04, PAY-06: the third threshold."""
    strict = replace(STANDARD_SCORING, auto_apply_bps=9_000)
    one = Field(KNOWN, [owed("INV-1001", 500_00)])
    two = Field(KNOWN, [owed("INV-1001", 500_00), owed("INV-1002", 500_00)])
    named = suggest(money(500_00, "INV-1007"), one, strict)
    assert named.sure(strict) == named.suggestions[0]
    assert named.sure(STANDARD_SCORING) is None
    assert suggest(money(500_00), one, strict).sure(strict) is None
    assert suggest(money(500_00, "INV-1007"), two, strict).sure(strict) is None


def test_of_an_unknown_payer_the_only_item_of_the_amount_is_suggested_whosever_it_is() -> None:
    """PAY-11: an amount alone scores 0.3 of 0.5, with a recommended customer more."""
    nobody = suggest(money(500_00, account=None), Field({}, [owed("INV-1", 500_00, account="C-9")]), STANDARD_SCORING)
    assert [(one.account, one.score_bps) for one in nobody.suggestions] == [("C-9", 6_000)]
    twice = [owed("INV-1", 500_00, account="C-9"), owed("INV-2", 500_00, account="C-8")]
    assert suggest(money(500_00, account=None), Field({}, twice), STANDARD_SCORING) == ((), "AMBIGUOUS")
    recommended = suggest(money(500_00, account=None), Field({"C-8": 9_000}, twice), STANDARD_SCORING)
    assert [(one.account, one.score_bps) for one in recommended.suggestions] == [("C-8", 9_600)]  # (0.2 x 0.9 + 0.3) / 0.5


def test_the_same_content_is_the_same_suggestion_and_another_amount_another() -> None:
    field = Field(KNOWN, [owed("INV-1001", 500_00)])
    one = suggest(money(500_00, "INV-1007"), field, STANDARD_SCORING).suggestions[0]
    assert one.id == suggest(money(500_00, "INV-1008"), field, STANDARD_SCORING).suggestions[0].id
    assert one.id != suggest(money(400_00, "INV-1007"), field, STANDARD_SCORING).suggestions[0].id
    assert one.id.startswith("US01|BR-1|")


@given(
    st.integers(1, 60),
    st.lists(st.tuples(st.sampled_from(["INV-1001", "INV-1002", "X7", "2026-11"]), st.integers(1, 50)), max_size=8),
    st.lists(st.integers(1, 20), max_size=3),
    st.sampled_from(["", "INV-1001", "2026/12 X8"]),
    st.sampled_from(["C-1", None]),
)
def test_suggestions_reach_the_minimum_and_spend_no_more_than_the_money(
    minor: int, items: list[tuple[str, int]], credit: list[int], remittance: str, account: str | None
) -> None:
    """PAY-06, PAY-18"""
    credits = [OpenCredit(f"CM-{n}", "C-1", one) for n, one in enumerate(credit)]
    field = Field(KNOWN, [owed(f"{number}-{n}", one) for n, (number, one) in enumerate(items)], credits)
    found = suggest(money(minor, remittance, account=account), field, STANDARD_SCORING)
    assert (found.silence is None) == bool(found.suggestions)
    assert [one.score_bps for one in found.suggestions] == sorted((one.score_bps for one in found.suggestions), reverse=True)
    for one in found.suggestions:
        assert STANDARD_SCORING.minimum_bps <= one.score_bps <= ONE_BPS
        spent = sum(part.amount_minor for part in one.parts)
        assert spent == minor if one.rule in (EXACT_AMOUNT, EXACT_COVER) else 0 < spent <= minor
        by_money = [share for share in shares_of(one) if share.memo is None]
        assert sum(share.amount_minor for share in by_money) == spent
        assert all(share.amount_minor > 0 for share in shares_of(one))


def test_an_alias_is_trusted_by_another_person_and_identifies_one_account_only() -> None:
    """PAY-11: PENDING, then LINKED or UNLINKED by a second look."""
    assert [state_of(one) for one in (None, True, False)] == ["PENDING", "LINKED", "UNLINKED"]
    assert objection_to("LINKED", "PENDING", "ann", "ann") == "MAKER_IS_CHECKER"
    assert objection_to("LINKED", "PENDING", "ann", "bob") is None
    assert objection_to("UNLINKED", "PENDING", "ann", "ann") is None
    assert objection_to("LINKED", "LINKED", "ann", "bob") == "ALIAS_DECIDED"
    assert owner_of(["C-1", "C-1"]) == "C-1"
    assert owner_of(["C-1", "C-2"]) is None
    assert owner_of([]) is None
