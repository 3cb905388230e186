"""Money that a bank took back: the receipt it came with is undone whole, once, from the date of the return (PAY-10)."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

from chassis.database import Connection
from chassis.entities import Entities
from chassis.service import Batch, Fact, Received
from events.bank import EntryReturned
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason
from events.payment import PaymentReversed
from money import AmountRefused, CurrencyUnknown, format_minor, parse_minor
from policies.faults import Fault

from payment.domain import RECEIPT, RETURNED, digest_of
from payment.domain.hand import as_code
from payment.domain.returns import KINDS, Match, Part, Returnable, Returned, objections_to
from payment.handlers.bookings import Booking, Causes, Phase, in_order
from payment.handlers.debits import bill_anew, find_debits, objections_to_debit
from payment.handlers.entries import VALUE_ON_MIN
from payment.handlers.loading import Brought
from payment.handlers.payers import PayersKeptMoving
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import books, locks
from payment.queries import returns as queries
from payment.queries.books import NewEntry, ReceiptMove
from payment.queries.locks import Account
from payment.queries.returns import Undone

CONFLICT: Final = Fault("CONFLICT", "bank_ref")
REVERSAL: Final = "reversal:"
"""What a person takes back in the bank's place has the reference `reversal:<bank_ref>`."""
_RETURN: Final = "return"
_ROUNDS_MAX: Final = 5


class ReturnRefused(Exception):
    """The receipt cannot be taken back as it was asked for; `reasons` are all there are."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


class ReceiptUnknown(Exception):
    """The entity has no receipt with this bank reference."""


class Undoing(NamedTuple):
    """
    What returns bring: `returned` by row ids, receipt to account, for the settlement of these accounts; and what is booked already.

    `causes` are those of what was made of the receipts' money elsewhere.
    """

    returned: Mapping[int, int]
    bookings: Sequence[Booking]
    causes: Causes = MappingProxyType({})


def read_return(data: EntryReturned, entities: Entities, envelope: Envelope | None) -> Returned | list[Reason]:
    """Return what was taken back, or every reason why it cannot be recorded. `envelope` is that of the fact, None for our own API."""
    reasons = entities.reasons_against(data.entity, envelope)
    named = (("bank_ref", data.bank_ref), ("returned_bank_ref", data.returned_bank_ref))
    reasons += [reason for field, value in named if (reason := check_identifier(field, value)) is not None]
    amount_minor = _positive(data.amount, data.currency, "amount", reasons)
    fee_minor = None if data.fee is None else _positive(data.fee, data.currency, "fee", reasons)
    if data.kind not in KINDS:
        reasons.append(Reason(code="KIND_UNKNOWN", field="kind"))
    if data.reason_code is not None and as_code(data.reason_code) is None:
        reasons.append(Reason(code="REASON_INVALID", field="reason_code"))
    if data.value_on < VALUE_ON_MIN:
        reasons.append(Reason(code="DATE_OUT_OF_RANGE", field="value_on"))
    if reasons:
        return reasons
    said = (data.returned_bank_ref, str(amount_minor), data.currency, str(data.value_on), data.kind, data.reason_code or "", str(fee_minor))
    return Returned(
        entity=data.entity,
        bank_ref=data.bank_ref,
        returned_bank_ref=data.returned_bank_ref,
        value_on=data.value_on,
        amount_minor=amount_minor,
        currency=data.currency,
        kind=data.kind,
        reason_code=data.reason_code,
        fee_minor=fee_minor,
        content=digest_of(data.entity, "content", "\0".join(said)),
    )


def _positive(text: str, currency: str, field: str, reasons: list[Reason]) -> int:
    """Read an amount above zero; what is returned beside a reason is of no use."""
    try:
        minor = parse_minor(text, currency)
    except CurrencyUnknown as refused:
        reason = Reason(code=refused.code, field="currency")
        reasons += [] if reason in reasons else [reason]
        return 0
    except AmountRefused as refused:
        reasons.append(Reason(code=refused.code, field=field))
        return 0
    if minor <= 0:
        reasons.append(Reason(code="AMOUNT_NOT_POSITIVE", field=field))
    return minor


async def record_returns(db: Connection, received: Sequence[Received[EntryReturned]], batch: Batch) -> list[Fact]:
    """
    Take back what a bank took back, and settle the accounts it had come to.

    A return of a receipt that is not here waits for it. The same again changes nothing; under the same reference with another content it
    is refused as a conflict, and for every reason why it does not undo its receipt.
    """
    returns: list[Returned] = []
    origins: list[Received[EntryReturned]] = []
    causes: dict[tuple[str, str], Envelope] = {}
    for one in received:
        returned = read_return(one.data, batch.entities, one.envelope)
        if isinstance(returned, list):
            batch.refuse(one, returned)
            continue
        returns.append(returned)
        origins.append(one)
        causes.setdefault((RECEIPT, returned.receipt), one.envelope)
    facts, refused = await _record(db, returns, batch.open_on, causes)
    for place, faults in refused:
        batch.refuse(origins[place], _reasons(faults))
    return facts


async def reverse_receipt(db: Connection, returned: Returned, batch: Batch) -> list[Fact]:
    """
    Take a receipt back because a person says that the bank did, or that it was never there.

    :raises ReceiptUnknown, ReturnRefused: see there.
    """
    if returned.returned_name not in await queries.find_returnable(db, {returned.returned_name}):
        raise ReceiptUnknown
    facts, refused = await _record(db, [returned], batch.open_on, {})
    if refused or not facts:
        raise ReturnRefused(_reasons([fault for _, faults in refused for fault in faults] or [Fault("ALREADY_RETURNED", "bank_ref")]))
    return facts


def _reasons(faults: Sequence[Fault]) -> list[Reason]:
    return [Reason(code=fault.code, field=fault.field) for fault in faults]


async def _record(
    db: Connection, returns: Sequence[Returned], open_on: Mapping[str, date], causes: Causes
) -> tuple[list[Fact], list[tuple[int, list[Fault]]]]:
    """Record returns; return the facts, and the places of those that are refused with every reason."""
    if not returns:
        return [], []
    digests = {digest_of(one.entity, RECEIPT, one.returned_bank_ref) for one in returns}
    await locks.lock_names(db, digests | {digest_of(one.entity, _RETURN, one.bank_ref) for one in returns})
    contents = await queries.find_contents(db, {one.name for one in returns})
    receipts, accounts = await _lock_returnable(db, returns)
    debits = await find_debits(db, [(one, receipts[one.returned_name]) for one in returns if one.returned_name in receipts], open_on)
    kept: list[Returned] = []
    refused: list[tuple[int, list[Fault]]] = []
    gone: set[int] = set()
    for place, one in enumerate(returns):
        receipt = receipts.get(one.returned_name)
        if one.name in contents:
            faults = [] if contents[one.name] == one.content else [CONFLICT]
        elif receipt is None:
            contents[one.name], faults = one.content, []
            kept.append(one)
        else:
            faults = objections_to(one, receipt) + ([Fault("ALREADY_RETURNED", "returned_bank_ref")] if receipt.row_id in gone else [])
            faults += objections_to_debit(one, debits)
            if not faults:
                contents[one.name] = one.content
                kept.append(one)
                gone.add(receipt.row_id)
        if faults:
            refused.append((place, faults))
    if not kept:
        return [], refused
    ids = await queries.insert_returns(db, kept, open_on)
    matches = [Match(ids[one.name], one, receipts[one.returned_name]) for one in kept if one.returned_name in receipts]
    undoing = await undo(db, [one for one in matches if one.returned.name not in debits], open_on, causes)
    billed = await bill_anew(db, [one for one in matches if one.returned.name in debits], open_on, causes)
    touched = set(undoing.returned.values())
    days = {account: open_on[account.entity] for account in accounts if account.id in touched}
    settled = await settle_accounts(db, days, {**causes, **undoing.causes}, Named(), list(days), Brought(returned=undoing.returned))
    return in_order([*undoing.bookings, *billed, *settled]), refused


async def _lock_returnable(db: Connection, returns: Sequence[Returned]) -> tuple[dict[tuple[str, str], Returnable], list[Account]]:
    """Lock the accounts that the receipts, and what was made of them, stand on; return the receipts as they are then, and the accounts."""
    names = {one.returned_name for one in returns}
    locked: dict[tuple[str, str], Account] = {}
    for _ in range(_ROUNDS_MAX):
        receipts = await queries.find_returnable(db, names)
        parts = await queries.find_parts(db, [one.row_id for one in receipts.values()])
        whole: list[Returnable | Part] = [*receipts.values(), *parts]
        standing = {(one.entity, one.account) for one in whole}
        if standing <= locked.keys():
            return receipts, [locked[name] for name in sorted(standing)]
        locked |= await locks.lock_accounts(db, standing)
    raise PayersKeptMoving


async def undo_awaited(db: Connection, waiting: Sequence[tuple[int, Returned]], open_on: Mapping[str, date], causes: Causes) -> Undoing:
    """
    Undo receipts that have just come and whose returns (with their row ids) are here already; their accounts are locked.

    Of several returns the first that fits counts, by their own references; what does not fit goes on waiting.
    """
    if not waiting:
        return Undoing({}, [])
    receipts = await queries.find_returnable(db, {one.returned_name for _, one in waiting})
    fitting: dict[int, Match] = {}
    for return_id, one in waiting:
        receipt = receipts[one.returned_name]
        if not objections_to(one, receipt):
            fitting.setdefault(receipt.row_id, Match(return_id, one, receipt))
    return await undo(db, list(fitting.values()), open_on, causes)


async def undo(db: Connection, matches: Sequence[Match], open_on: Mapping[str, date], causes: Causes) -> Undoing:
    """
    Mark receipts as taken back on the open day, and what was made of them elsewhere; the accounts of all of them are locked, and the
    settlement of these has to follow.

    What is nobody's leaves at once: nothing was paid by it.
    """
    if not matches:
        return Undoing({}, [])
    origins = {one.receipt.row_id: one for one in matches}
    parts = await queries.find_parts(db, origins.keys())
    days = {row_id: open_on[one.receipt.entity] for row_id, one in origins.items()}
    days |= {one.row_id: open_on[one.entity] for one in parts}
    undone = [Undone(one.return_id, row_id, one.returned.value_on) for row_id, one in origins.items()]
    undone += [Undone(None, one.row_id, origins[one.origin_id].returned.value_on) for one in parts]
    await queries.mark_returned(db, undone, days)
    nobodys = [one for one in matches if not one.receipt.is_identified]
    if nobodys:
        await books.insert_entries(db, [_entry(one, days[one.receipt.row_id]) for one in nobodys])
        await books.add_to_receipts(db, sorted(ReceiptMove(one.receipt.row_id, 0, 0, 0, one.receipt.amount_minor, 0, 0) for one in nobodys))
    known: list[Returnable | Part] = [*(one.receipt for one in matches if one.receipt.is_identified), *parts]
    whose = {one.receipt: (RECEIPT, origins[one.origin_id].returned.receipt) for one in parts}
    inherited = {(RECEIPT, receipt): causes[origin] for receipt, origin in whose.items() if origin in causes}
    return Undoing({one.row_id: one.account_id for one in known}, [_reversed(one, causes) for one in nobodys], inherited)


def _gone_on(match: Match) -> date:
    """Money is not taken back before it was there."""
    return max(match.returned.value_on, match.receipt.value_on)


def _entry(match: Match, day: date) -> NewEntry:
    return NewEntry(
        account_id=match.receipt.account_id,
        receipt_id=match.receipt.row_id,
        memo_id=None,
        adjustment_id=None,
        void_id=None,
        allowance_id=None,
        item_id=None,
        application=None,
        rule=RETURNED,
        reason=None,
        amount_minor=match.receipt.amount_minor,
        applied_on=day,
        booked_on=day,
        effective_on=_gone_on(match),
        is_finished=False,
    )


def _reversed(match: Match, causes: Causes) -> Booking:
    """Tell that money of nobody's was taken back."""
    returned, receipt = match.returned, match.receipt
    has_fee = returned.fee_minor is not None and returned.currency == receipt.currency
    event = PaymentReversed(
        entity=receipt.entity,
        receipt=returned.receipt,
        currency=receipt.currency,
        amount=format_minor(receipt.amount_minor, receipt.currency),
        kind=returned.kind,
        value_on=receipt.value_on,
        reason_code=returned.reason_code,
        fee=format_minor(returned.fee_minor or 0, receipt.currency) if has_fee else None,
    )
    fact = Fact(event, receipt.entity, f"{receipt.entity}|{receipt.account}", _gone_on(match), causes.get((RECEIPT, returned.receipt)))
    return Booking(Phase.PLACED, fact)  # Last: it may have come in this very batch.
