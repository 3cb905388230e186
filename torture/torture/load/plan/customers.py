"""Customers: told at the start, and now and then again, with the same bank account and perhaps another name."""

from collections.abc import Sequence

from torture.load.operation import Operation, Publication
from torture.load.plan.desk import Desk
from torture.load.wire import CUSTOMER
from torture.load.world import Customer


def tell_all(desk: Desk) -> list[Operation]:
    """Tell every customer whose bank account is known, or who settles under another's account."""
    return [_told(desk, one, "") for one in desk.world.customers if one.bank_account or one.parent]


def tell_again(desk: Desk) -> Sequence[Operation]:
    """
    Tell one customer, whose bank account and parent never change: which of two counted would depend on the day they were heard on.
    """
    return [_told(desk, desk.world.choose(desk.random), desk.random.choice(("", " & Sons", " plc")))]


def _told(desk: Desk, customer: Customer, more: str) -> Publication:
    body = {
        "entity": customer.entity,
        "customer": customer.number,
        "name": f"Customer {customer.number}{more}",
        "bank_accounts": [customer.bank_account] if customer.bank_account else [],
    } | ({"parent": customer.parent} if customer.parent else {})
    return desk.publication("customer", CUSTOMER, "erp.customers", f"{customer.entity}|{customer.number}", body)
