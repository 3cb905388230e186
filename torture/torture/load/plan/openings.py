"""What was open in the books before ours: told by a migration, or posted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from torture.load.amounts import SCALES, written
from torture.load.operation import Operation
from torture.load.plan.desk import Billed, Desk
from torture.load.plan.documents import TOPIC, key_of
from torture.load.wire import OPENING

CREDIT_SHARE: Final = 0.25
DEBIT_MEMO: Final = "383"


def opening_told(desk: Desk) -> Sequence[Operation]:
    """A migration tells what was open."""
    body = _new_opening(desk)
    return [desk.publication("opening", OPENING, TOPIC, key_of(body), body)]


def opening_posted(desk: Desk) -> Sequence[Operation]:
    """Somebody posts what was open."""
    return [desk.post("opening", _new_opening(desk))]


def _new_opening(desk: Desk) -> dict[str, Any]:
    """Make up an item of the books before ours and remember it, unless it is credit of the customer: one in four is."""
    random = desk.random
    customer = desk.world.choose(random)
    currency = random.choice(customer.currencies)
    as_of = desk.world.opens_on - timedelta(days=1)
    issued_on = as_of - timedelta(days=random.randint(0, 60))
    open_minor = random.randint(1, 500) * 10 ** SCALES[currency]
    is_credit = random.random() < CREDIT_SHARE
    billed = Billed(f"OB-{desk.number():06d}", customer, currency, open_minor)
    body: dict[str, Any] = {
        "entity": customer.entity,
        "document_no": billed.number,
        "customer": customer.number,
        "currency": currency,
        "issued_on": issued_on.isoformat(),
        "as_of": as_of.isoformat(),
        "open": written(-open_minor if is_credit else open_minor, currency),
    }
    if is_credit:
        return body
    desk.billed.append(billed)
    due = {"due_on": (issued_on + timedelta(days=random.randint(0, 60))).isoformat()} if random.random() < 0.5 else {"terms": "NET30"}
    more = random.choice(({}, {"type": DEBIT_MEMO}, {"original_total": written(2 * open_minor, currency)}))
    return {**body, **due, **more}
