"""Under whose account a customer settles (PAY-11)."""

from hypothesis import given
from hypothesis import strategies as st
from policies.hierarchy import DEPTH_MAX, account_of, accounts_of

CUSTOMERS = st.sampled_from("ABCDEFGH")


def test_a_customer_settles_under_its_topmost_parent() -> None:
    """PAY-11"""
    parents = {"STORE": "REGION", "REGION": "GROUP"}
    assert accounts_of(["STORE", "REGION", "GROUP", "OTHER"], parents) == {
        "STORE": "GROUP",
        "REGION": "GROUP",
        "GROUP": "GROUP",
        "OTHER": "OTHER",
    }


def test_each_customer_of_a_circle_is_its_own_account_and_who_hangs_below_settles_under_the_one_it_reaches() -> None:
    """PAY-11: wrong master data stops nothing."""
    parents = {"A": "B", "B": "C", "C": "A", "BELOW-B": "B", "FAR-BELOW": "BELOW-B", "SELF": "SELF"}
    assert accounts_of(parents, parents) == {"A": "A", "B": "B", "C": "C", "BELOW-B": "B", "FAR-BELOW": "B", "SELF": "SELF"}


def test_a_chain_without_end_is_no_group() -> None:
    parents = {f"C-{n}": f"C-{n + 1}" for n in range(DEPTH_MAX + 1)}
    assert account_of("C-1", parents) == f"C-{DEPTH_MAX + 1}"
    assert account_of("C-0", parents) == "C-0"


@given(st.dictionaries(CUSTOMERS, CUSTOMERS))
def test_whatever_parents_are_told_every_customer_has_one_account_that_is_its_own(parents: dict[str, str]) -> None:
    """PAY-11: following parents ends, and an account settles under nobody else."""
    accounts = accounts_of("ABCDEFGH", parents)
    assert {account_of(account, parents) for account in accounts.values()} == set(accounts.values())
    assert all(account == customer for customer, account in accounts.items() if customer not in parents)


@given(st.dictionaries(CUSTOMERS, CUSTOMERS), CUSTOMERS)
def test_who_stands_on_no_circle_settles_where_its_parent_does(parents: dict[str, str], customer: str) -> None:
    """PAY-11"""
    above, parent = {customer}, parents.get(customer)
    while parent is not None and parent not in above:
        above.add(parent)
        parent = parents.get(parent)
    if customer in parents and parent != customer:
        assert account_of(customer, parents) == account_of(parents[customer], parents)
