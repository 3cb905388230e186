"""Write-offs: asked for by one person, decided by another, by the wrong one, by two at once or by nobody; money that comes after all."""

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from torture.load.amounts import written
from torture.load.operation import Call, Meant, Operation
from torture.load.plan import documents, receipts
from torture.load.plan.desk import Billed, Desk

KINDS: Final = ("bad_debt", "bad_debt", "bad_debt", "settlement", "small_balance", "rounding", "discount_exception", "fee_waiver")
MAKERS: Final = ("clerk-1", "clerk-1", "clerk-2", "approver-1")
CENTS: Final = 6
RIVAL_SHARE: Final = 0.15
RECOVERY_SHARE: Final = 0.6


def write_off(desk: Desk) -> Sequence[Operation]:
    """
    Somebody asks for an item to be written off, sometimes two at once, and some decide about it when they have their answers.

    Whether anything is open, and whether the document was heard at all, is a race. Nobody asks about a document again, so the requests of
    an item are its first and second, and their ids are known beforehand.
    """
    free = [one for one in desk.billed if one.number not in desk.asked_of]
    if not free:
        return documents.invoice_posted(desk)
    billed = desk.any_there(free)
    desk.asked_of.add(billed.number)
    n = desk.random.randint(1, billed.parts)
    maker = desk.random.choice(MAKERS)
    asking = [_asked(desk, billed, n, maker)]
    if desk.random.random() < RIVAL_SHARE:
        asking.append(_asked(desk, billed, n, "clerk-2" if maker == "clerk-1" else "clerk-1"))
    after = [one.id for one in asking]
    (way,) = desk.random.choices([way for way, _ in _WAYS], [weight for _, weight in _WAYS])
    decisions = [one for seq in range(1, len(asking) + 1) for one in way(_Case(desk, billed, n, seq, maker, after))]
    if desk.random.random() < RECOVERY_SHARE:
        desk.put_off(
            desk.random.randint(20, 200), receipts.payment_of(desk, billed, max(1, billed.total_minor // desk.random.randint(1, 3)))
        )
    return [*asking, *decisions]


def _asked(desk: Desk, billed: Billed, n: int, maker: str) -> Call:
    body: dict[str, Any] = {"entity": billed.customer.entity, "document_no": billed.number, "kind": desk.random.choice(KINDS)}
    body["reason"] = "INSOLVENT"
    most_minor = CENTS if body["kind"] == "rounding" else billed.total_minor  # A few cents are taken off without a second person.
    if billed.parts > 1:
        body["n"] = n
    if billed.total_minor and desk.random.random() < 0.5:
        body["amount"] = written(desk.random.randint(1, most_minor), billed.currency)
    return desk.post("adjustment", body, meant=Meant.EITHER, after=[desk.issued[billed.number]], subject=maker)


class _Case:
    """A request that is to be decided: the `seq`th of its item. `maker` made it, or its rival."""

    def __init__(self, desk: Desk, billed: Billed, n: int, seq: int, maker: str, after: Sequence[str]) -> None:
        self.desk, self.billed, self.maker, self.after = desk, billed, maker, after
        self.id = f"{billed.customer.entity}|adj|{billed.number}|{n}|{seq}"
        self.checker = "approver-2" if maker == "approver-1" else desk.random.choice(("approver-1", "approver-2"))

    def decide(self, verb: str, subject: str, body: dict[str, Any], code: str = "") -> Call:
        """Plan a decision; with a `code` it has to be refused, whatever has become of the request."""
        path = f"/v1/adjustments/{quote(self.id, safe='')}/{verb}"
        meant = Meant.REFUSED if code else Meant.EITHER
        return self.desk.post("decision", body, meant=meant, code=code, after=self.after, subject=subject, path=path)


def _approved(case: _Case) -> list[Call]:
    return [case.decide("approve", case.checker, {})]


def _approved_in_part(case: _Case) -> list[Call]:
    part_minor = case.desk.random.randint(1, max(1, case.billed.total_minor // 2))
    return [case.decide("approve", case.checker, {"amount": written(part_minor, case.billed.currency)})]


def _approved_after_the_wrong_one_tried(case: _Case) -> list[Call]:
    """First its maker, then who may. Beside an approver's request may stand another's, which he may approve: a clerk has no limit there."""
    is_alone = len(case.after) == 1
    wrong, code = (case.maker, "MAKER_IS_CHECKER") if is_alone else ("clerk-2", "LIMIT_MISSING")
    return [case.decide("approve", wrong, {}, code), case.decide("approve", case.checker, {})]


def _fought_over(case: _Case) -> list[Call]:
    """Two decide at once, each the other way."""
    return [case.decide("approve", case.checker, {}), case.decide("reject", case.checker, {"reason": "STILL_COLLECTIBLE"})]


def _rejected(case: _Case) -> list[Call]:
    return [case.decide("reject", case.checker, {"reason": "STILL_COLLECTIBLE"})]


def _withdrawn(case: _Case) -> list[Call]:
    """Its maker takes it back, after somebody tried who has not made it; a rival's stays as it is."""
    return [case.decide("withdraw", "approver-2", {}, "NOT_THE_MAKER"), case.decide("withdraw", case.maker, {})]


def _left_alone(case: _Case) -> list[Call]:
    return []


_WAYS: Final[Sequence[tuple[Callable[[_Case], list[Call]], int]]] = (
    (_approved, 30),
    (_approved_in_part, 10),
    (_approved_after_the_wrong_one_tried, 20),
    (_fought_over, 12),
    (_rejected, 10),
    (_withdrawn, 8),
    (_left_alone, 10),
)
