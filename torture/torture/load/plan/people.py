"""What people do with money by hand: take it off an item, put it elsewhere, give it back to the rules, pay it back, say whose it is."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from torture.load.amounts import written
from torture.load.operation import Call, Learnt, Meant, Operation
from torture.load.plan import documents, receipts, returns, transfers
from torture.load.plan.desk import Banked, Desk

MAKERS: Final = ("clerk-1", "clerk-2", "approver-1")
RIVAL_SHARE: Final = 0.2
RETURNED_ANYHOW_SHARE: Final = 0.25
BILLED_ANEW_SHARE: Final = 0.6


def taken_off(desk: Desk) -> Sequence[Operation]:
    """
    Somebody takes a recorded payment off the item that a rule put it on, and does something else with it, or nothing.

    What it was put on, and whether it still is, is a race: which application it was, and since when, stands in the answer to who
    recorded it.
    """
    banked = desk.any_banked(is_posted=True)
    if banked is None:
        return receipts.receipt_posted(desk)
    body = {"entity": banked.customer.entity, "reason": "WRONG_INVOICE"}
    if desk.random.random() < 0.3:
        body["amount"] = written(desk.random.randint(1, banked.minor), banked.currency)
    off = desk.post(
        "placing",
        body,
        meant=Meant.EITHER,
        after=[banked.operation],
        path="/v1/applications/{application}/unapply",
        learnt=[Learnt(name, banked.operation, f"applications.0.{name}") for name in ("application", "effective_on")],
    )
    (way,) = desk.random.choices([way for way, _ in _WAYS], [weight for _, weight in _WAYS])
    return [off, *way(desk, banked, off)]


def put_on(desk: Desk) -> Sequence[Operation]:
    """Somebody applies money, free or not, to an invoice, paid or not."""
    banked = desk.any_banked(is_posted=True)
    return receipts.receipt_posted(desk) if banked is None else _put_on(desk, banked, banked.operation)


def reversed_by_hand(desk: Desk) -> Sequence[Operation]:
    """
    Somebody takes money back in the bank's place: the cheque has bounced, or was never there.

    To have it billed anew instead of taken off what it paid is possible where all of it is on items since an earlier day.
    """
    banked = desk.any_banked(is_posted=True)
    if banked is None:
        return receipts.receipt_posted(desk)
    body = {"entity": banked.customer.entity, "kind": desk.random.choice(returns.KINDS), "reason": "CHECK_BOUNCED"}
    body["value_on"] = desk.day_gone(1).isoformat()
    if desk.random.random() < BILLED_ANEW_SHARE:
        body["as"] = "debit_memo"
    if desk.random.random() < returns.FEE_SHARE:
        body["fee"] = written(desk.random.randint(1, 5000), banked.currency)
    return [desk.post("reversal", body, meant=Meant.EITHER, after=[banked.operation], path=banked.path("reverse"))]


def payer_found(desk: Desk) -> Sequence[Operation]:
    """Somebody says whose money it is that came without a word."""
    recorded, banked = receipts.wordless(desk)
    body = {"entity": banked.customer.entity, "customer": banked.customer.number, "reason": "CALLED_THEM"}
    return [recorded, desk.post("payer", body, meant=Meant.EITHER, after=[recorded.id], path=banked.path("payer"))]


def _put_on(desk: Desk, banked: Banked, after: str) -> list[Call]:
    """Apply it to any invoice of the customer, mostly one in its currency."""
    candidates = desk.billed_to(banked.customer, banked.currency) or list(desk.billed)
    if not candidates:
        return []
    billed = desk.any_there(candidates)
    item = f"{billed.customer.entity}|{billed.number}|{desk.random.randint(1, billed.parts)}"
    return [_placed(desk, banked, item, [after])]


def _placed(desk: Desk, banked: Banked, item: str, after: Sequence[str]) -> Call:
    body = {"entity": banked.customer.entity, "item": item, "reason": "CUSTOMER_SAID_SO"}
    if desk.random.random() < 0.4:
        body["amount"] = written(desk.random.randint(1, banked.minor), banked.currency)
    if desk.random.random() < 0.2:
        body["effective_on"] = desk.day.isoformat()
    return desk.post("placing", body, meant=Meant.EITHER, after=after, path=banked.path("applications"))


def _put_elsewhere(desk: Desk, banked: Banked, off: Call) -> list[Operation]:
    """Apply it to an invoice that is new, somewhat later, when that has been heard of."""
    body, billed = documents.bill(desk, "INV", banked.customer, banked.currency)
    desk.billed.append(billed)
    posted = desk.post("invoice", body)
    placed = _placed(desk, banked, f"{banked.customer.entity}|{billed.number}|1", [off.id, posted.id])
    desk.put_off(desk.random.randint(50, 150), placed)
    return [posted]


def _released(desk: Desk, banked: Banked, off: Call) -> list[Operation]:
    body = {"entity": banked.customer.entity, "reason": "CLEARED_UP"}
    return [desk.post("placing", body, meant=Meant.EITHER, after=[off.id], path=banked.path("release"))]


def _paid_back(desk: Desk, banked: Banked, off: Call) -> list[Operation]:
    """Somebody asks for it to be paid back, sometimes two do, and others decide: late, both ways, or who may not."""
    maker = desk.random.choice(MAKERS)
    asking = [_asked(desk, banked, off.id, maker)]
    if desk.random.random() < RIVAL_SHARE:
        asking.append(_asked(desk, banked, off.id, "clerk-2" if maker == "clerk-1" else "clerk-1"))
    after = [one.id for one in asking]
    checker = "approver-2" if maker == "approver-1" else desk.random.choice(("approver-1", "approver-2"))
    operations: list[Operation] = [*asking]
    for number in range(1, len(asking) + 1):
        refund = f"{banked.customer.entity}|refund|{banked.reference}|{number}"
        verbs = desk.random.choice((("approve",), ("approve",), ("approve",), ("approve", "reject"), ("reject",), ("withdraw",), ()))
        if len(asking) == 1 and "approve" in verbs:
            operations.append(_decided(desk, refund, "approve", maker, after, is_refused=True))
        for verb in verbs:
            operations.append(_decided(desk, refund, verb, maker if verb == "withdraw" else checker, after))
    if desk.random.random() < RETURNED_ANYHOW_SHARE:
        desk.put_off(desk.random.randint(1, 120), returns.told(desk, banked))
    return operations


def _asked(desk: Desk, banked: Banked, after: str, maker: str) -> Call:
    body: dict[str, Any] = {"entity": banked.customer.entity, "receipt": banked.reference, "reason": "OVERPAID"}
    if desk.random.random() < 0.6:
        body["amount"] = written(desk.random.randint(1, banked.minor), banked.currency)
    return desk.post("refund", body, meant=Meant.EITHER, after=[after], subject=maker)


def _decided(desk: Desk, refund: str, verb: str, subject: str, after: Sequence[str], *, is_refused: bool = False) -> Call:
    """Plan a decision; one of its maker is refused, whatever has become of the request."""
    body = {"reason": "NEXT_INVOICE_SOON"} if verb == "reject" else {}
    meant, code = (Meant.REFUSED, "MAKER_IS_CHECKER") if is_refused else (Meant.EITHER, "")
    path = f"/v1/refunds/{quote(refund, safe='')}/{verb}"
    return desk.post("refund_decision", body, meant=meant, code=code, after=after, subject=subject, path=path)


def _given_away(desk: Desk, banked: Banked, off: Call) -> list[Operation]:
    """Give it to another customer; some of it the bank takes back all the same, wherever it is by then."""
    if desk.random.random() < RETURNED_ANYHOW_SHARE:
        desk.put_off(desk.random.randint(1, 300), returns.told(desk, banked))
    return [*transfers.to_another(desk, banked, [off.id], banked.minor)]


def _left_alone(desk: Desk, banked: Banked, off: Call) -> list[Operation]:
    return []


_WAYS: Final[Sequence[tuple[Callable[[Desk, Banked, Call], list[Operation]], int]]] = (
    (_paid_back, 7),
    (_put_elsewhere, 3),
    (_given_away, 4),
    (_released, 2),
    (_left_alone, 2),
)
