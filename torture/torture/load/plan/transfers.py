"""Money that people give to another account: what was paid too much, by an approver, or by a clerk, who may only within a group."""

from collections.abc import Sequence
from typing import Any, Final

from torture.load.amounts import written
from torture.load.operation import Call, Meant, Operation
from torture.load.plan import receipts
from torture.load.plan.desk import Banked, Desk

CLERK_SHARE: Final = 0.3
IN_PART_SHARE: Final = 0.5
DATED_SHARE: Final = 0.2


def too_much(desk: Desk) -> Sequence[Operation]:
    """Somebody pays more than an invoice is worth by cheque, and later what is left goes to another customer, if anything is."""
    if not desk.billed:
        return receipts.receipt_posted(desk)
    recorded, banked, left_minor = receipts.overpaid(desk)
    for given in to_another(desk, banked, [recorded.id], left_minor):
        desk.put_off(desk.random.randint(10, 150), given)
    return [recorded]


def to_another(desk: Desk, banked: Banked, after: Sequence[str], most_minor: int) -> list[Call]:
    """Give up to so much of a receipt to another customer of its entity; a clerk who tries that outside of a group is refused."""
    others = [one for one in desk.world.customers if one.entity == banked.customer.entity and one != banked.customer]
    other = desk.random.choice(others)
    body: dict[str, Any] = {"entity": other.entity, "to_customer": other.number, "reason": "PAID_FOR_ANOTHER"}
    if desk.random.random() < IN_PART_SHARE:
        body["amount"] = written(desk.random.randint(1, most_minor), banked.currency)
    if desk.random.random() < DATED_SHARE:
        body["effective_on"] = desk.day_gone(2).isoformat()
    calls = []
    if desk.random.random() < CLERK_SHARE:
        is_outside = desk.world.group(other) != desk.world.group(banked.customer)
        meant, code = (Meant.REFUSED, "OUTSIDE_THE_GROUP") if is_outside else (Meant.EITHER, "")
        calls.append(desk.post("placing", body, meant=meant, code=code, after=after, path=banked.path("transfers")))
    calls.append(desk.post("placing", body, meant=Meant.EITHER, after=after, subject="approver-1", path=banked.path("transfers")))
    return calls
