"""Exposure is arithmetic on components, and the order of facts is nothing to it."""

from functools import reduce
from operator import add

from credit import domain
from credit.domain import NOTHING, Components
from hypothesis import given
from hypothesis import strategies as st

moves = st.sampled_from(
    [
        domain.billed,
        domain.voided,
        domain.written_off,
        domain.recovered,
        domain.memo_issued,
        domain.money_applied,
        domain.memo_applied,
        domain.money_given_back,
        domain.memo_given_back,
        domain.put_on_account,
        domain.taken_off_account,
    ]
)
amounts = st.integers(1, 10**15)
histories = st.lists(st.builds(lambda move, minor: move(minor), moves, amounts))


@given(histories.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_any_order_of_the_same_facts_ends_in_the_same_components(histories: tuple[list[Components], list[Components]]) -> None:
    """CRD-02, A14."""
    told, shuffled = histories
    assert reduce(add, shuffled, NOTHING) == reduce(add, told, NOTHING)


@given(amounts)
def test_giving_back_undoes_applying(minor: int) -> None:
    assert domain.money_applied(minor) + domain.money_given_back(minor) == NOTHING
    assert domain.memo_applied(minor) + domain.memo_given_back(minor) == NOTHING
    assert domain.billed(minor) + domain.voided(minor) == NOTHING
    assert domain.written_off(minor) + domain.recovered(minor) == NOTHING
    assert domain.put_on_account(minor) + domain.taken_off_account(minor) == NOTHING


@given(amounts)
def test_a_memo_lowers_exposure_when_it_is_issued_and_not_again_when_it_is_applied(minor: int) -> None:
    assert domain.memo_issued(minor).exposure_minor == -minor
    assert domain.memo_applied(minor).exposure_minor == 0


def test_exposure_moves_when_money_is_applied_or_put_on_account() -> None:
    """CRD-02, A12 for the components there are: 32,000.00 open, 1,500.00 on-account, then 5,000.00 applied; limit 50,000.00."""
    owing = domain.billed(32_000_00) + domain.put_on_account(1_500_00)
    assert owing.exposure_minor == 30_500_00
    assert domain.available_minor(50_000_00, owing) == 19_500_00

    paying = owing + domain.money_applied(5_000_00)
    assert paying.exposure_minor == 25_500_00
    assert domain.available_minor(50_000_00, paying) == 24_500_00


def test_what_is_available_is_negative_above_the_limit_and_unknown_without_one() -> None:
    """CRD-01."""
    owing = domain.billed(100)
    assert domain.available_minor(60, owing) == -40
    assert domain.available_minor(0, NOTHING) == 0
    assert domain.available_minor(None, owing) is None
