"""What the books suggest about money of nobody, looked at by a clerk, who takes it or does not (PAY-06)."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

from torture.load.amounts import read_minor
from torture.load.operation import Learnt, Meant, Operation
from torture.load.plan import documents, receipts
from torture.load.plan.desk import Desk

REJECTED_SHARE: Final = 0.25
RIVAL_SHARE: Final = 0.15


def reviewed(desk: Desk) -> Sequence[Operation]:
    """
    A cheque comes without a word over just what a new invoice needs; a clerk takes what is suggested first, or rejects it.

    Whether anything is suggested, and what, stands in the answer to who looks; without it nobody decides. Sometimes two do at once.
    """
    customer = desk.world.choose(desk.random)
    body, billed = documents.bill(desk, "INV", customer)
    issued = desk.post("invoice", body)
    if not billed.total_minor:
        return [issued]
    first = body["instalments"][0]["amount"] if "instalments" in body else body["total"]
    recorded, banked = receipts.without_saying(desk, customer, billed.currency, read_minor(first, billed.currency))
    query = urlencode({"entity": customer.entity, "receipt": banked.reference})
    look = desk.look("payment", f"/v1/suggestions?{query}", after=[issued.id, recorded.id])
    verb = "reject" if desk.random.random() < REJECTED_SHARE else "accept"
    verbs = [verb, "accept"] if desk.random.random() < RIVAL_SHARE else [verb]
    steps = desk.random.randint(20, 120)
    desk.put_off(steps, look)
    for one in verbs:
        decided = desk.post(
            "suggestion",
            {"reason": "LOOKS_RIGHT" if one == "accept" else "NOT_THEIRS"},
            meant=Meant.EITHER,
            after=[look.id],
            path=f"/v1/suggestions/{{suggestion}}/{one}",
            learnt=[Learnt("suggestion", look.id, "suggestions.0.suggestion")],
        )
        desk.put_off(steps, decided)
    return [issued, recorded]


def credit_taken_off(desk: Desk) -> Sequence[Operation]:
    """A memo credits an invoice that was posted; a clerk looks what became of the credit and takes it off, and some release it later."""
    if not desk.billed:
        return documents.memo_posted(desk)
    billed = desk.any_there(list(desk.billed))
    body = documents.memo_about(desk, billed)
    memo = desk.post("memo", body, after=[desk.issued[billed.number]])
    path, entity = f"/v1/memos/{quote(body['document_no'], safe='')}", billed.customer.entity
    look = desk.look("payment", f"{path}?{urlencode({'entity': entity})}", after=[memo.id])
    off = desk.post(
        "placing",
        {"entity": entity, "reason": "WRONG_INVOICE"},
        meant=Meant.EITHER,
        after=[look.id],
        path="/v1/applications/{application}/unapply",
        learnt=[Learnt(name, look.id, f"applications.0.{name}") for name in ("application", "effective_on")],
    )
    steps = desk.random.randint(20, 120)
    desk.put_off(steps, look)
    desk.put_off(steps, off)
    if desk.random.random() < 0.3:
        released = desk.post(
            "placing", {"entity": entity, "reason": "CLEARED_UP"}, meant=Meant.EITHER, after=[off.id], path=f"{path}/release"
        )
        desk.put_off(desk.random.randint(1, 200) + steps, released)
    return [memo]
