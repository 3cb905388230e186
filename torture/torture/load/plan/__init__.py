"""The plan of a run: an endless, seeded sequence of what ERPs, banks and people do, whatever happens to it afterwards."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeAlias

from torture.load.operation import Operation
from torture.load.plan import (
    corrections,
    deposits,
    documents,
    limits,
    openings,
    people,
    policies,
    rates,
    receipts,
    refusals,
    returns,
    suggestions,
    transfers,
    twins,
    writeoffs,
)
from torture.load.plan.customers import tell_again, tell_all
from torture.load.plan.desk import Desk
from torture.load.world import World

STEPS_PER_DAY: Final = 240

Intent: TypeAlias = Callable[[Desk], Sequence[Operation]]

_INTENTS: Final[Sequence[tuple[Intent, int]]] = (  # More is billed than paid, as in life: else every account drowns in money on account.
    (documents.invoice_told, 32),
    (documents.invoice_posted, 12),
    (documents.debit_memo_told, 3),
    (documents.debit_memo_posted, 2),
    (documents.memo_told, 5),
    (documents.memo_posted, 3),
    (openings.opening_told, 2),
    (openings.opening_posted, 1),
    (corrections.void_told, 3),
    (corrections.early_void_told, 2),
    (corrections.void_posted, 3),
    (corrections.void_refused, 2),
    (corrections.correction_told, 2),
    (corrections.correction_posted, 1),
    (writeoffs.write_off, 8),
    (receipts.entry_told, 22),
    (receipts.early_entry_told, 8),
    (receipts.receipt_posted, 9),
    (receipts.all_at_once, 1),
    (receipts.advised, 3),
    (returns.entry_returned, 3),
    (returns.early_return, 1),
    (returns.return_refused, 1),
    (people.taken_off, 8),
    (people.put_on, 2),
    (people.reversed_by_hand, 3),
    (people.payer_found, 1),
    (deposits.paid_before, 3),
    (transfers.too_much, 2),
    (suggestions.reviewed, 3),
    (suggestions.credit_taken_off, 2),
    (rates.rate_told, 2),
    (policies.tolerances, 1),
    (twins.document, 1),
    (twins.receipt, 1),
    (limits.limit_put, 6),
    (tell_again, 3),
    (refusals.conflict, 5),
    (refusals.unacceptable, 5),
)


class Plan:
    """
    The same world and seed plan the same operations, byte for byte.

    :param steps_per_day: after how many steps the dates in what is said go on by a day.
    """

    def __init__(self, world: World, seed: int, *, steps_per_day: int = STEPS_PER_DAY) -> None:
        self._desk = Desk(world, Random(f"plan {seed}"), f"torture-{seed}", steps_per_day)
        self._intents = [intent for intent, _ in _INTENTS]
        self._weights = [weight for _, weight in _INTENTS]

    def next(self) -> list[Operation]:
        """Return what is done in the next step: mostly one operation, sometimes several at once."""
        desk = self._desk
        first = desk.steps == 0
        due = desk.step()
        if first:
            return [*due, *tell_all(desk), *policies.revaluation(desk)]
        (intent,) = desk.random.choices(self._intents, self._weights)
        return [*due, *intent(desk)]
