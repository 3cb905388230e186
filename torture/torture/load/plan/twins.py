"""The same new thing, told by two people at the same moment to two processes: it is there once, and both are answered as if alone."""

from collections.abc import Sequence

from torture.load.operation import Operation
from torture.load.plan import documents, receipts
from torture.load.plan.desk import Desk

SUBJECTS = ("clerk-1", "clerk-2")


def document(desk: Desk) -> Sequence[Operation]:
    """Two clerks issue the same invoice."""
    body = documents.new_invoice(desk, desk.world.choose(desk.random))
    return [desk.post("invoice", body, subject=who, at=f"invoice-{n}") for n, who in enumerate(SUBJECTS, 1)]


def receipt(desk: Desk) -> Sequence[Operation]:
    """Two clerks record the same cheque."""
    if not desk.billed:
        return document(desk)
    body = receipts.cheque(desk)
    return [desk.post("receipt", body, subject=who, at=f"payment-{n}") for n, who in enumerate(SUBJECTS, 1)]
