"""Banks that take money back: of an earlier payment, before it was told of at all, for a fee, and when they may not."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from torture.load.amounts import SCALES, written
from torture.load.operation import Operation, Publication
from torture.load.plan import receipts
from torture.load.plan.desk import Banked, Desk
from torture.load.plan.receipts import TOPIC
from torture.load.wire import RETURN

KINDS: Final = ("nsf", "nsf", "return", "chargeback", "error")
FEE_SHARE: Final = 0.4


def entry_returned(desk: Desk) -> Sequence[Operation]:
    """A bank takes back money it has told of, or that a clerk has recorded."""
    banked = desk.any_banked()
    return receipts.entry_told(desk) if banked is None else [told(desk, banked)]


def early_return(desk: Desk) -> Sequence[Operation]:
    """A bank takes money back before anybody has told of it: the return waits for the entry."""
    entry = receipts.one_told(desk)
    banked = desk.banked[-1]
    desk.spoken_for.add(banked.reference)
    desk.put_off(desk.random.randint(5, 60), entry)
    return [told(desk, banked)]


def return_refused(desk: Desk) -> Sequence[Operation]:
    """A bank takes back another amount than came, or the same money a second time; both of what was recorded by hand, and so is there."""
    banked = desk.any_banked(is_posted=True)
    if banked is None:
        return receipts.receipt_posted(desk)
    if desk.random.random() < 0.5:
        body = _body(desk, banked) | {"amount": written(banked.minor + 1, banked.currency)}
        return [desk.refused_publication("return", RETURN, TOPIC, _key(body), body, "AMOUNT_DIFFERS", after=[banked.operation])]
    first = told(desk, banked, after=[banked.operation])
    body = _body(desk, banked)
    return [
        first,
        desk.refused_publication("return", RETURN, TOPIC, first.key, body, "ALREADY_RETURNED", after=[first.id], name=_key(body)),
    ]


def told(desk: Desk, banked: Banked, after: Sequence[str] = ()) -> Publication:
    """Plan that a bank takes money back, under a reference of its own."""
    body = _body(desk, banked)
    return desk.publication("return", RETURN, TOPIC, _key(body), body, after=after)


def _body(desk: Desk, banked: Banked) -> dict[str, Any]:
    body: dict[str, Any] = {
        "entity": banked.customer.entity,
        "account_ref": f"{banked.customer.entity}-OPERATING",
        "bank_ref": f"R-{desk.number():06d}",
        "returned_bank_ref": banked.reference,
        "value_on": desk.day_near(1).isoformat(),
        "amount": written(banked.minor, banked.currency),
        "currency": banked.currency,
        "kind": desk.random.choice(KINDS),
    }
    if desk.random.random() < 0.5:
        body["reason_code"] = desk.random.choice(("R01", "AM04", "MD06"))
    if desk.random.random() < FEE_SHARE:
        body["fee"] = written(desk.random.randint(1, 50) * 10 ** SCALES[banked.currency], banked.currency)
    return body


def _key(body: Mapping[str, Any]) -> str:
    return f"{body['entity']}|{body['bank_ref']}"
