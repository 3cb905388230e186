"""Money for an order that is billed later, bit by bit; some of it a person gives free before the order has come (PAY-16)."""

from collections.abc import Sequence
from typing import Any, Final

from torture.load.operation import Meant, Operation
from torture.load.plan import documents, receipts
from torture.load.plan.desk import Desk

BORNE_AS: Final = ("order_no", "order_no", "purchase_order_no", "contract_no")
"""As what an invoice bears the number of the order."""
RELEASED_SHARE: Final = 0.3


def paid_before(desk: Desk) -> Sequence[Operation]:
    """Somebody pays a deposit for an order; its invoices come later, told or posted, before or behind its release."""
    order = f"ORD-{desk.number():06d}"
    came, banked = receipts.deposit(desk, order)
    for _ in range(desk.random.randint(1, 3)):
        body, billed = documents.bill(desk, "INV", banked.customer, banked.currency)
        body["references"] = {desk.random.choice(BORNE_AS): order}
        desk.billed.append(billed)
        issued = documents.told(desk, body) if desk.random.random() < 0.5 else desk.post("invoice", body)
        desk.put_off(desk.random.randint(5, 200), issued)
    if desk.random.random() < RELEASED_SHARE:
        release: dict[str, Any] = {"entity": banked.customer.entity, "reason": "ORDER_CANCELLED"}
        given = desk.post("placing", release, meant=Meant.EITHER, after=[came.id], path=banked.path("release"))
        desk.put_off(desk.random.randint(30, 400), given)
    return [came]
