"""
What else a payer may name than the number of a document: its payment reference, its order, its delivery, the customer's own reference.

A payment reference is as good as the number. The others are weak: several documents may bear one, of several customers even. So they tell
which documents of an account are meant, in due order, where a remittance has nothing better, and whose the money is only when a day turns
and all they stand for is one account's. A deposit says for which order or contract it is: that finds documents by contracts too, and by
numbers that are too short for a text (PAY-16).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import Billed

from payment.domain import REFERENCE, Payer, digest_of
from payment.domain.clues import digest_for_deposits, is_telling
from payment.domain.creditor_references import as_compared
from payment.domain.payers import numbers_of
from payment.handlers.bookings import in_order
from payment.handlers.payers import Move, move_receipts, named_in
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import locks, payers
from payment.queries import references as queries
from payment.queries.references import NewReference

REFERENCE_LENGTH_MAX: Final = 64


def references_of(documents: Sequence[Billed]) -> list[NewReference]:
    """Return what stands for documents besides their numbers."""
    return [one for document in documents if document.references is not None for one in _references_of(document)]


def _references_of(document: Billed) -> Iterator[NewReference]:
    stated = document.references
    assert stated is not None, "the caller has looked"
    due = min((one.due_on for one in document.instalments), default=document.issued_on).toordinal()
    if stated.payment and len(stated.payment) <= REFERENCE_LENGTH_MAX:
        yield NewReference(document.entity, document.document_no, digest_of_reference(document.entity, stated.payment), due, False)
    weak = (stated.order_no, stated.purchase_order_no, stated.delivery_no, stated.customer_reference)
    of_orders = dict.fromkeys(one.strip().casefold() for one in weak if one is not None)
    digests = [digest_of(document.entity, REFERENCE, one) for one in of_orders if is_telling(one) and len(one) <= REFERENCE_LENGTH_MAX]
    for_deposits = [one for one in of_orders if not is_telling(one)]
    if stated.contract_no is not None:
        for_deposits.append(stated.contract_no.strip().casefold())
    digests += [digest_for_deposits(document.entity, one) for one in for_deposits if 0 < len(one) <= REFERENCE_LENGTH_MAX]
    for digest in dict.fromkeys(digests):
        yield NewReference(document.entity, document.document_no, digest, due, True)


def digest_of_reference(entity: str, reference: str) -> bytes:
    """Return what stands for a creditor's reference among those of a remittance."""
    return digest_of(entity, REFERENCE, as_compared(reference))


async def find_receipts_named_weakly(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next receipts without a payer, by account name, whose weak references stand for documents of one account only."""
    return await queries.find_named_weakly(db, entity, after, limit)


async def identify_by_references(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Give receipts without a payer to the account whose documents alone they may mean, and settle them on `day`.

    Work of the turn to `day`: the documents are exactly those of the days before, so nothing that comes later today makes two of one.
    """
    await locks.lock_accounts(db, [(entity, account) for account in accounts])
    receipts = await payers.find_unidentified(db, entity, accounts)
    clues = await payers.load_clues(db, [one.id for one in receipts])
    documents = await payers.find_documents(db, {digest for places in clues.values() for digest in places.values()})
    moves = []
    for receipt in receipts:
        named = named_in(clues[receipt.id].items(), documents)
        owners = {one.account for one in named}
        if len(owners) == 1:
            owner = owners.pop()
            moves.append(Move(receipt, Payer(owner, REFERENCE), tuple(numbers_of(named, owner))))
    if not moves:
        return []
    known = await locks.lock_accounts(db, {(entity, move.payer.account) for move in moves})
    bookings = await move_receipts(db, moves, known, {entity: day}, {})
    return in_order(bookings + await settle_accounts(db, dict.fromkeys(known.values(), day), {}, Named()))


NAMING: Final = DayWork(find_receipts_named_weakly, identify_by_references)
"""The part of a turning day in which receipts without a payer are found by orders, deliveries and customers' own references."""
