"""
Under whose account a customer settles: the root it reaches by following the parents in force (PAY-11). Pure: values in, values out.

`parents` are what is in force on one day, by customer; whoever has no entry has no parent.
"""

from collections.abc import Iterable, Mapping
from typing import Final

DEPTH_MAX: Final = 32
"""So many parents are followed. A chain that goes on behind them is no group of companies, and its lower end settles on its own."""


def account_of(customer: str, parents: Mapping[str, str]) -> str:
    """
    Return the account of a customer: its topmost parent, or itself.

    Where parents go in a circle, each customer on it is its own account, and who hangs below settles under the one it reaches first.
    """
    seen = [customer]
    while (parent := parents.get(seen[-1])) is not None:
        if parent in seen:
            return parent  # The circle is entered here; who stands on it comes back to itself first.
        if len(seen) > DEPTH_MAX:
            return customer
        seen.append(parent)
    return seen[-1]


def accounts_of(customers: Iterable[str], parents: Mapping[str, str]) -> dict[str, str]:
    """Return the account of each customer."""
    return {customer: account_of(customer, parents) for customer in customers}
