"""Money goes from one account to another: it leaves a receipt, and is a receipt of its own where it arrives (PAY-02, PAY-11)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.payment import MoneyTransferredIn, Worth
from money import format_minor
from policies.customers import load_accounts

from payment import domain
from payment.domain import PERSON, REFERENCE, Source, digest_of
from payment.domain.exchange import worth_of_part
from payment.domain.hand import Asked, Held, examine_transfer
from payment.domain.transfers import TRANSFER, Transfer, reference_of
from payment.handlers.bookings import Booking, Phase, in_order
from payment.handlers.decisions import DecisionUnfit, SourceUnknown
from payment.handlers.loading import Brought
from payment.handlers.payers import PayersKeptMoving
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import decisions, hierarchy, identification, locks
from payment.queries import transfers as queries
from payment.queries.decisions import DecisionRow
from payment.queries.locks import Account
from payment.queries.transfers import NewArrival, TransferSource

_ROUNDS_MAX: Final = 5
_OF_THE_REMITTANCE: Final = "remittance"
"""Who decides where no person does."""


class CustomerUnknown(Exception):
    """Nothing of this customer has come here."""


class OutsideTheGroup(Exception):
    """The two accounts belong to no one group, and the person may not transfer between others."""


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """
    So much of a receipt (row id) is to go to an account, not before `since_on`.

    `by` is `person`, then `reason` and `transferred_by` are given, or `reference`: then `references` are the documents it is for.
    """

    receipt_id: int
    to_account: str
    amount_minor: int
    since_on: date
    by: str
    reason: str | None = None
    transferred_by: str | None = None
    references: tuple[str, ...] = ()


async def transfer_by_hand(
    db: Connection, source: Source, to_customer: str, asked: Asked, batch: Batch, *, may_leave_group: bool
) -> list[Fact]:
    """
    Transfer money of a receipt that is on no item to the account a customer settles under, because a person says so.

    :raises SourceUnknown, CustomerUnknown, OutsideTheGroup, DecisionUnfit: see there.
    """
    entity = source.id.partition("|")[0]
    if not await identification.is_known(db, entity, to_customer):
        raise CustomerUnknown
    to_account = (await load_accounts(db, [(entity, to_customer)], batch.open_on))[entity, to_customer]
    held, accounts = await _lock(db, source, (entity, to_account))
    minor = examine_transfer(asked, held, to_account)
    if isinstance(minor, list):
        raise DecisionUnfit(minor, held=held)
    if not may_leave_group and not await hierarchy.in_one_group(db, entity, (held.account, to_account), asked.open_on):
        raise OutsideTheGroup
    since_on = asked.effective_on or asked.open_on
    new = NewTransfer(held.row_id, to_account, minor, since_on, PERSON, asked.reason, asked.by)
    return await carry_out(db, [new], accounts, batch, given_before=asked.open_on + timedelta(days=1))


async def _lock(db: Connection, source: Source, to: tuple[str, str]) -> tuple[Held, dict[tuple[str, str], Account]]:
    """Lock the account a receipt stands on and the one its money is to go to; return the receipt as it is then."""
    accounts: dict[tuple[str, str], Account] = {}
    for _ in range(_ROUNDS_MAX):
        held = (await decisions.find_held(db, {source})).get(source)
        if held is None:
            raise SourceUnknown
        wanted = {(to[0], held.account), to}
        if wanted <= accounts.keys():
            return held, accounts
        accounts = await locks.lock_accounts(db, wanted | accounts.keys())
    raise PayersKeptMoving


async def carry_out(
    db: Connection, wanted: Sequence[NewTransfer], accounts: Mapping[tuple[str, str], Account], batch: Batch, *, given_before: date
) -> list[Fact]:
    """
    Transfer money of receipts of one entity, in this order, and settle both sides; the accounts are locked, and so much is free.

    Neither amount nor date changes afterwards: both are known, so the receipts it arrives as are there before anything is settled. It is
    effective when no less was free, counting what was given back to the receipt and booked before `given_before`.
    """
    if not wanted:
        return []
    entity = next(iter(accounts))[0]
    day = batch.open_on[entity]
    sources = await queries.load_sources(db, {one.receipt_id for one in wanted}, day, given_before)
    moves = list(_moves(wanted, sources, accounts))
    arrivals, transfers = [arrival for arrival, _ in moves], [transfer for _, transfer in moves]
    await queries.insert_arrivals(db, arrivals, day)
    await decisions.insert_decisions(db, [_decision(*move) for move in moves], day)
    touched = {(entity, one.source.account) for one in arrivals} | {(entity, one.to_account) for one in transfers}
    days = {accounts[name]: day for name in sorted(touched)}
    brought = Brought(decided={one.source.account_id for one in arrivals}, transfers={one.id: one for one in transfers})
    settled = await settle_accounts(db, days, {}, Named(), list(days), brought)
    base = batch.entities.by_id[entity].currency
    arrived = [_arrived(*move, one.references, base) for move, one in zip(moves, wanted, strict=True)]
    return in_order([*arrived, *settled])


def _moves(
    wanted: Collection[NewTransfer], sources: Mapping[int, TransferSource], accounts: Mapping[tuple[str, str], Account]
) -> list[tuple[NewArrival, Transfer]]:
    """The receipts to make, and why; of one receipt each part takes its number, and of what that is worth, where the one before ended."""
    settled: dict[int, int] = defaultdict(int)
    numbers: dict[int, int] = defaultdict(int)
    moves = []
    for one in wanted:
        source = sources[one.receipt_id]
        numbers[source.id] += 1
        n = source.transfers + numbers[source.id]
        since_on = max(one.since_on, source.free_on)
        transfer = f"{source.entity}|{TRANSFER}|{source.bank_ref}|{n}"
        base_minor = None
        if source.base_minor is not None:
            worth = domain.Worth(source.amount_minor, source.base_minor)
            base_minor = worth_of_part(worth, source.settled_minor + settled[source.id], one.amount_minor)
        settled[source.id] += one.amount_minor
        arrival = NewArrival(
            source=source,
            bank_ref=reference_of(source.bank_ref, one.to_account, n),
            account_id=accounts[source.entity, one.to_account].id,
            transfer=transfer,
            amount_minor=one.amount_minor,
            base_minor=base_minor,
            arrived_on=since_on,
            content=digest_of(source.entity, TRANSFER, transfer),
            has_clues=one.by == REFERENCE,
        )
        moves.append((arrival, Transfer(transfer, one.to_account, one.amount_minor, since_on, one.by, one.reason, one.transferred_by)))
    return moves


def _decision(arrival: NewArrival, transfer: Transfer) -> DecisionRow:
    return DecisionRow(
        decision=transfer.id,
        account_id=arrival.source.account_id,
        receipt_id=arrival.source.id,
        memo_id=None,
        item_id=None,
        kind=TRANSFER,
        amount_minor=transfer.amount_minor,
        effective_on=transfer.effective_on,
        reason=transfer.reason or transfer.by,
        decided_by=transfer.transferred_by or _OF_THE_REMITTANCE,
    )


def _arrived(arrival: NewArrival, transfer: Transfer, references: Sequence[str], base: str) -> Booking:
    source = arrival.source
    event = MoneyTransferredIn(
        entity=source.entity,
        receipt=f"{source.entity}|{arrival.bank_ref}",
        account=transfer.to_account,
        transfer=transfer.id,
        from_receipt=source.receipt,
        from_account=source.account,
        method=TRANSFER,
        amount=format_minor(transfer.amount_minor, source.currency),
        currency=source.currency,
        value_on=source.value_on,
        bank_ref=arrival.bank_ref,
        references=list(references),
        worth=None if arrival.base_minor is None else Worth(currency=base, amount=format_minor(arrival.base_minor, base)),
    )
    return Booking(Phase.CAME, Fact(event, source.entity, f"{source.entity}|{transfer.to_account}", transfer.effective_on))
