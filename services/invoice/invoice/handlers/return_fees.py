"""What a bank asked for taking money back is billed to the customer when a day turns (PAY-10)."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact, Received
from events.payment import PaymentReversed
from money import parse_minor

from invoice.domain import last_closed
from invoice.domain.return_fees import ReturnFee, fee_memo
from invoice.handlers.charges import FEEDBACK_DAYS
from invoice.handlers.intake import issue_made
from invoice.queries import return_fees as queries


async def note_fees(db: Connection, received: Sequence[Received[PaymentReversed]], batch: Batch) -> list[Fact]:
    """
    Keep the fees of money that was taken back, to be billed when a day turns. Money of nobody has nobody to bill.

    Booked as what the ledger does to items: on its own day, which for what comes late is the last closed one.
    """
    fees = [fee for one in received if (fee := _fee(one, batch)) is not None]
    if fees:
        await queries.insert_fees(db, fees, batch.now)
    return []


def _fee(one: Received[PaymentReversed], batch: Batch) -> ReturnFee | None:
    data = one.data
    if data.account is None or data.fee is None:
        return None
    fee_minor = parse_minor(data.fee, data.currency)
    if fee_minor <= 0:
        return None
    return ReturnFee(
        receipt=data.receipt,
        entity=one.entity,
        account=data.account,
        currency=data.currency,
        fee_minor=fee_minor,
        kind=data.kind,
        effective_on=one.effective_on,
        booked_on=max(one.envelope.booked_on or one.booked_on, last_closed(batch.open_on[one.entity])),
    )


async def find_accounts(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, with a fee to bill when `day` starts."""
    return await queries.find_accounts(db, entity, day - FEEDBACK_DAYS, after, limit)


async def bill_fees(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Bill each fee of these accounts that was booked two days before `day` or earlier, by a debit memo of its own; done twice, once.

    :raises DocumentRefused: it cannot be billed: a currency nobody knows, say; see `issue_made`.
    :raises DocumentNumberTaken: its number is that of another document.
    """
    fees = await queries.load_unbilled(db, entity, accounts, day - FEEDBACK_DAYS)
    if not fees:
        return []
    facts = await issue_made(db, [fee_memo(fee) for fee in fees], batch)
    await queries.note_billed(db, [fee.receipt for fee in fees], day)
    return facts


BILLING: Final = DayWork(find_accounts, bill_fees)
"""The part of a turning day that bills fees of returned payments."""
