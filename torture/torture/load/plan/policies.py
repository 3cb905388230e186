"""Policies of payments: two proposals of one kind, approved by two people at the same moment, of whom one has to begin again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from torture.load.operation import Learnt, Meant, Operation
from torture.load.plan.desk import Desk

CODES: Final[Mapping[str, str]] = {"BANK": "bank_charge", "WHT": "withholding_tax"}
"""What may be kept back of a payment without anybody's asking; other codes stay open."""
KEPT_BACK: Final = (*CODES, "DAMAGED")


def tolerances(desk: Desk) -> Sequence[Operation]:
    """Somebody proposes how much may be missing of a payment, twice; two others approve one each, at two processes."""
    entity = desk.random.choice(desk.world.entities).id
    proposed = [desk.post("policy", _body(desk, entity), meant=Meant.EITHER, subject="maker-1") for _ in range(2)]
    after = [one.id for one in proposed]
    return [
        *proposed,
        *(
            desk.post(
                "policy_decision",
                {"entity": entity},
                meant=Meant.EITHER,
                after=after,
                subject=f"checker-{n}",
                path="/v1/policies/{policy}/approve",
                learnt=[Learnt("policy", one.id, "policy")],
                at=f"payment-{n}",
            )
            for n, one in enumerate(proposed, 1)
        ),
    ]


def revaluation(desk: Desk) -> list[Operation]:
    """Have open items in other currencies valued anew whenever a month ends, in all entities."""
    operations: list[Operation] = []
    for entity in desk.world.entities:
        body = {"entity": entity.id, "kind": "revaluation", "valid_from": desk.day.isoformat(), "body": {"period": "month"}}
        proposed = desk.post("policy", body, meant=Meant.EITHER, subject="maker-1")
        approved = desk.post(
            "policy_decision",
            {"entity": entity.id},
            meant=Meant.EITHER,
            after=[proposed.id],
            subject="checker-1",
            path="/v1/policies/{policy}/approve",
            learnt=[Learnt("policy", proposed.id, "policy")],
        )
        operations += [proposed, approved]
    return operations


def _body(desk: Desk, entity: str) -> dict[str, Any]:
    percent = desk.random.choice((None, "0.5", "1"))
    units = desk.random.randint(1, 9)
    fixed = {"USD": f"{units}.00", "EUR": f"{units}.00", "JPY": f"{units}00", "KWD": f"{units}.000"}
    body = {"fixed": fixed if desk.random.random() < 0.7 else {}, "percent": percent, "codes": dict(CODES)}
    return {"entity": entity, "kind": "tolerances", "valid_from": desk.day_near(3).isoformat(), "body": body}
