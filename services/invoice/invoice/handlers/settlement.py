"""What the settlement ledger says of our documents."""

from collections.abc import Sequence
from typing import TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.payment import (
    AdjustmentPosted,
    AdjustmentReversed,
    ApplicationReversed,
    CreditApplied,
    DiscountGranted,
    DiscountRevoked,
    PaymentApplied,
)
from money import parse_minor

from invoice.domain import Movement, MovementKind, Told, last_closed, sum_by_subject
from invoice.handlers.adjustments import note_posted
from invoice.queries import movements as queries
from invoice.queries.settled import add_settled

Adjustment: TypeAlias = AdjustmentPosted | AdjustmentReversed
Discount: TypeAlias = DiscountGranted | DiscountRevoked
Application: TypeAlias = PaymentApplied | CreditApplied | ApplicationReversed
Settlement: TypeAlias = Application | Discount | Adjustment


async def follow_settlement(db: Connection, received: Sequence[Received[Settlement]], batch: Batch) -> list[Fact]:
    """
    Keep what the settlement ledger did to each item and memo, and fold it into their sums.

    Only sums: any order of the facts ends in the same figures, and a fact may come before its document. Nothing follows from it here.
    """
    movements = [movement for one in received for movement in _movements(one, batch)]
    if movements:
        await queries.insert_movements(db, movements)
        await add_settled(db, sum_by_subject(movements))
    adjustments = [one.data for one in received if isinstance(one.data, Adjustment)]
    if adjustments:
        await note_posted(db, adjustments)
    return []


def _movements(one: Received[Settlement], batch: Batch) -> list[Movement]:
    """
    Say what a fact did to its item and, where credit was used or given back, to the memo.

    Booked on the day the ledger booked it on, which does not depend on when it got here. A day that is complete here, which is every day
    before the last closed one, takes nothing more: what comes after it counts from the last closed day.
    """
    data, envelope = one.data, one.envelope
    sign = -1 if isinstance(data, ApplicationReversed | DiscountRevoked | AdjustmentReversed) else 1
    kind, act, rule, counterparts = _touched(data)
    return [
        Movement(
            subject=subject,
            kind=kind,
            amount_minor=sign * parse_minor(data.amount, data.currency),
            tax_minor=sign * parse_minor(data.tax, data.currency) if isinstance(data, Discount | Adjustment) else None,
            act=act,
            counterpart=counterpart,
            rule=rule,
            reason=data.reason if isinstance(data, ApplicationReversed | DiscountRevoked | AdjustmentReversed) else None,
            effective_on=one.effective_on,
            booked_on=max(envelope.booked_on or one.booked_on, last_closed(batch.open_on[one.entity])),
            recorded_at=batch.now,
            told=Told(envelope.id, envelope.type, envelope.causation_id, envelope.traceparent),
        )
        for subject, counterpart in counterparts.items()
    ]


def _touched(data: Settlement) -> tuple[MovementKind, str, str | None, dict[str, str | None]]:
    """
    Return what an act moved with, its id, its rule or kind, and whom it moved: the item, and the memo whose credit it was.

    Each of them with what stands on the other side.
    """
    if isinstance(data, Adjustment):
        return "adjusted", data.adjustment, data.kind, {data.item: data.receipt}
    if isinstance(data, Discount):
        return "discounted", data.discount, data.kind, {data.item: data.receipt}
    rule = None if isinstance(data, ApplicationReversed) else data.rule
    receipt = None if isinstance(data, CreditApplied) else data.receipt
    memo = None if isinstance(data, PaymentApplied) else data.memo
    if memo is None:
        return "applied", data.application, rule, {data.item: receipt}
    return "credited", data.application, rule, {data.item: memo, memo: data.item}
