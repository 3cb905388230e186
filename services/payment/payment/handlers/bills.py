"""Consolidated bills: one reference that stands for several documents (INV-12)."""

from collections.abc import Sequence

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.envelope import Envelope
from events.invoice import ConsolidatedBillIssued

from payment.domain import RECEIPT, REFERENCE, digest_of
from payment.handlers.bookings import ACCOUNT, in_order
from payment.handlers.payers import lock_with_movable, move_receipts
from payment.handlers.references import digest_of_reference
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import locks
from payment.queries import references as queries
from payment.queries.references import NewReference


class DocumentUnknown(Exception):
    """
    A bill has a document that is not here.

    Bills follow their documents under one key, so this is a fault of somebody's: the fact is parked.
    """


async def record_bills(db: Connection, received: Sequence[Received[ConsolidatedBillIssued]], batch: Batch) -> list[Fact]:
    """
    Let the number and the payment reference of bills stand for their documents, in the order of the bill.

    A receipt that names a bill names its documents, whichever of the two came first that day: it finds its payer, or a better one, and its
    account is settled afresh.

    :raises DocumentUnknown: see there.
    """
    references = [one for bill in received for one in _references(bill.data)]
    digests = {one.digest for one in references}
    await locks.lock_names(db, digests)
    here = await queries.insert_references(db, references)
    if lost := {(one.entity, one.document_no) for one in references} - here:
        raise DocumentUnknown(f"no document {min(lost)[1]} for a bill")
    accounts, moves = await lock_with_movable(db, {(one.data.entity, one.data.account) for one in received}, digests, batch.open_on)

    causes: dict[tuple[str, str], Envelope] = {(ACCOUNT, f"{one.data.entity}|{one.data.account}"): one.envelope for one in received}
    for move in moves:
        if cause := causes.get((ACCOUNT, f"{move.receipt.entity}|{move.payer.account}")):
            causes[RECEIPT, move.receipt.receipt] = cause
    bookings = await move_receipts(db, moves, accounts, batch.open_on, causes)
    naming = await queries.find_accounts_naming(db, digests)
    changed = {name for move in moves for name in move.touches}
    changed |= {(one.data.entity, one.data.account) for one in received if accounts[one.data.entity, one.data.account].id in naming}
    days = {accounts[name]: batch.open_on[name[0]] for name in sorted(changed)}
    return in_order(bookings + await settle_accounts(db, days, causes, Named(), list(days)))


def _references(bill: ConsolidatedBillIssued) -> list[NewReference]:
    digests = {digest_of(bill.entity, REFERENCE, bill.bill_no.casefold()), digest_of_reference(bill.entity, bill.payment_reference)}
    numbers = [invoice.removeprefix(f"{bill.entity}|") for invoice in bill.invoices]
    return [NewReference(bill.entity, number, digest, place, False) for place, number in enumerate(numbers) for digest in sorted(digests)]
