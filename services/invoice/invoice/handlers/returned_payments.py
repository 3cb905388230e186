"""
What a customer whose payment a bank took back is billed when a day turns (PAY-10).

That is what the bank asked for it, and, where the money stays on what it paid, its amount.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact, Received
from events.payment import PaymentReversed, PaymentReversedAsDebit
from money import parse_minor

from invoice.domain import last_closed
from invoice.domain.returned_payments import Origin, ReturnCharge, charge_memo
from invoice.handlers.charges import FEEDBACK_DAYS
from invoice.handlers.intake import issue_made
from invoice.queries import returned_payments as queries

Told: TypeAlias = PaymentReversed | PaymentReversedAsDebit


async def note_returned_payments(db: Connection, received: Sequence[Received[Told]], batch: Batch) -> list[Fact]:
    """
    Keep what is to be billed of money that was taken back, until a day turns. Money of nobody has nobody to bill.

    Booked as what the ledger does to items: on its own day, which for what comes late is the last closed one.
    """
    charges = [charge for one in received for charge in _charges(one, batch)]
    if charges:
        await queries.insert_charges(db, charges, batch.now)
    return []


def _charges(one: Received[Told], batch: Batch) -> Iterator[ReturnCharge]:
    data = one.data
    if data.account is None:
        return
    amounts: list[tuple[Origin, str | None]] = [("return_fee", data.fee)]
    if isinstance(data, PaymentReversedAsDebit):
        amounts.append(("returned_payment", data.amount))
    for origin, amount in amounts:
        amount_minor = 0 if amount is None else parse_minor(amount, data.currency)
        if amount_minor > 0:
            yield ReturnCharge(
                receipt=data.receipt,
                origin=origin,
                entity=one.entity,
                account=data.account,
                currency=data.currency,
                amount_minor=amount_minor,
                kind=data.kind,
                effective_on=one.effective_on,
                booked_on=max(one.envelope.booked_on or one.booked_on, last_closed(batch.open_on[one.entity])),
            )


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with something to bill when `day` starts."""
    return await queries.find_accounts(db, entity, day - FEEDBACK_DAYS, after, limit)


async def bill_returned_payments(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Bill what was booked for these accounts two days before `day` or earlier, each by a debit memo of its own; done twice, once.

    :raises DocumentRefused: it cannot be billed: a currency nobody knows, say; see `issue_made`.
    :raises DocumentNumberTaken: its number is that of another document.
    """
    charges = await queries.load_unbilled(db, entity, accounts, day - FEEDBACK_DAYS)
    if not charges:
        return []
    facts = await issue_made(db, [charge_memo(charge) for charge in charges], batch)
    await queries.note_billed(db, charges, day)
    return facts


BILLING: Final = DayWork(find_accounts, bill_returned_payments)
"""The part of a turning day that bills fees, and amounts, of returned payments."""
