"""
Money that was taken back and is billed to its payer anew instead of leaving what it paid: a debit-memo reversal (PAY-10).

Only of money all of which stood on items when the open day began. That is a function of closed days alone, so that which way a return goes
does not hang on what else came today, or on the order of it. What came or found its payer today is taken off what it paid. In the ledger
nothing changes: what today still takes off those items becomes credit of the payer, who owes the debit memo as well.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from chassis.database import Connection
from chassis.service import Fact
from events.payment import PaymentReversedAsDebit
from money import format_minor
from policies.faults import Fault

from payment.domain import RECEIPT
from payment.domain.returns import DEBIT_MEMO, Match, Returnable, Returned
from payment.handlers.bookings import Booking, Causes, Phase
from payment.handlers.in_force import load_policies
from payment.queries import debits as queries

Name: TypeAlias = tuple[str, str]


async def find_debits(db: Connection, returns: Sequence[tuple[Returned, Returnable]], open_on: Mapping[str, date]) -> set[Name]:
    """
    Return which returns, by their own references, bill their receipts anew: a person wants it, or the policy, and it is possible.

    The accounts of the receipts are locked.
    """
    policies = await load_policies(db, {one.entity: open_on[one.entity] for one, _ in returns if one.way is None})
    wanted = [(one, receipt) for one, receipt in returns if (one.way or policies[one.entity].returns) == DEBIT_MEMO]
    if not wanted:
        return set()
    applied = await queries.find_wholly_applied(db, [(receipt.row_id, open_on[one.entity]) for one, receipt in wanted])
    return {one.name for one, receipt in wanted if receipt.row_id in applied}


def objections_to_debit(returned: Returned, debits: Collection[Name]) -> list[Fault]:
    """Return why a receipt is not billed anew though a person wants that; what a bank tells is then taken off what it paid."""
    return [Fault("NOT_ALL_APPLIED", "as")] if returned.way == DEBIT_MEMO and returned.name not in debits else []


async def bill_anew(db: Connection, matches: Sequence[Match], open_on: Mapping[str, date], causes: Causes) -> list[Booking]:
    """Mark receipts as taken back and billed anew; return the facts by which they are."""
    if not matches:
        return []
    dates = {one.receipt.row_id: _debited_on(one, open_on[one.receipt.entity]) for one in matches}
    await queries.mark_debited(db, [(one.return_id, one.receipt.row_id, dates[one.receipt.row_id]) for one in matches])
    return [_booking(one, dates[one.receipt.row_id], causes) for one in matches]


def _debited_on(match: Match, day: date) -> date:
    """Money is not taken back before it was there, nor later than today, whatever date a bank gives."""
    return max(min(match.returned.value_on, day), match.receipt.value_on)


def _booking(match: Match, debited_on: date, causes: Causes) -> Booking:
    returned, receipt = match.returned, match.receipt
    fee_minor = returned.fee_minor if returned.currency == receipt.currency else None
    event = PaymentReversedAsDebit(
        entity=receipt.entity,
        receipt=returned.receipt,
        account=receipt.account,
        currency=receipt.currency,
        amount=format_minor(receipt.amount_minor, receipt.currency),
        kind=returned.kind,
        value_on=receipt.value_on,
        reason_code=returned.reason_code,
        fee=None if fee_minor is None else format_minor(fee_minor, receipt.currency),
    )
    fact = Fact(event, receipt.entity, f"{receipt.entity}|{receipt.account}", debited_on, causes.get((RECEIPT, returned.receipt)))
    return Booking(Phase.PLACED, fact)
