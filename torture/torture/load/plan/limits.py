"""Credit limits: round after round for an account and currency, each round naming the version of the one before."""

from collections.abc import Sequence
from typing import Final

from torture.load.amounts import written
from torture.load.operation import Call, Meant, Operation
from torture.load.plan.desk import Desk

RACE_SHARE: Final = 0.3


def limit_put(desk: Desk) -> Sequence[Operation]:
    """
    An analyst sets a limit; sometimes two of them at once, of whom one wins.

    A round begins when the one before it is definite, so its version is known beforehand: it is the number of the round.
    """
    customer = desk.world.choose(desk.random)
    currency = desk.random.choice(customer.currencies)
    slot = (customer.entity, customer.number, currency)
    round_, before = desk.limits.get(slot, (0, ()))
    racers = 2 if desk.random.random() < RACE_SHARE else 1
    calls = []
    for _ in range(racers):
        id_ = desk.id()
        body = {"entity": customer.entity, "currency": currency, "limit": written(desk.number() * 100, currency)}
        calls.append(
            Call(
                id=id_,
                kind="limit",
                body=body,
                meant=Meant.ACCEPTED if racers == 1 else Meant.EITHER,
                after=before,
                service="credit",
                method="PUT",
                path=f"/v1/accounts/{customer.number}/limit",
                key=f"{desk.run}-{id_}",
                subject="analyst-1",
                if_match=f'"{round_}"' if round_ else None,
                hang_up=desk.hang_up(),
            )
        )
    desk.limits[slot] = (round_ + 1, tuple(call.id for call in calls))
    return calls
