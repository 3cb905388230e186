"""Whose money a receipt is: receipts without a payer find one, and a receipt of today may find a better one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chassis.database import Connection
from chassis.service import Batch, Fact
from events.payment import PayerIdentified, PayerUnknown
from money import format_minor
from policies.customers import load_accounts

from payment.domain import BANK_ACCOUNT, RECEIPT, REFERENCE, NamedDocument, Payer, identify
from payment.domain import payers as domain
from payment.handlers.bookings import Booking, Causes, Phase, in_order
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import locks
from payment.queries import payers as queries
from payment.queries.locks import Account
from payment.queries.payers import KnownDocument, MovableReceipt

_ROUNDS_MAX = 5
UNIDENTIFIED = "receipt:"
"""A receipt without a payer stands under an account name of its own, `receipt:<bank_ref>`, which no account may bear."""


class PayersKeptMoving(TimeoutError):
    """Receipts kept finding other payers in other transactions while we locked theirs; trying again helps."""


@dataclass(frozen=True, slots=True)
class Move:
    """A receipt that goes to another account; `references` are the numbers of documents it names."""

    receipt: MovableReceipt
    payer: Payer
    references: tuple[str, ...]

    @property
    def touches(self) -> set[tuple[str, str]]:
        """The accounts whose books it changes: the payer's, and the one it leaves if that was one."""
        left = {(self.receipt.entity, self.receipt.account)} if self.receipt.identified_by is not None else set()
        return left | {(self.receipt.entity, self.payer.account)}


def named_in(places: Iterable[tuple[int, bytes]], documents: Mapping[bytes, Sequence[KnownDocument]]) -> list[NamedDocument]:
    """Return the known documents among the references of a remittance, by place."""
    return domain.in_order(
        NamedDocument(place, one.document_no, one.account, one.position, one.is_weak)
        for place, digest in places
        for one in documents.get(digest, ())
    )


async def under_accounts(db: Connection, found: Sequence[tuple[str, Payer | None]], days: Mapping[str, date]) -> list[Payer | None]:
    """
    Return the payers found for receipts (entity, payer) as accounts: customers by the parents in force on the entity's day (PAY-11).

    A document named has its account for good.
    """
    customers = {(entity, payer.account) for entity, payer in found if payer is not None and payer.by != REFERENCE}
    if not customers:
        return [payer for _, payer in found]
    accounts = await load_accounts(db, customers, days)
    return [
        payer if payer is None or payer.by == REFERENCE else Payer(accounts[entity, payer.account], payer.by) for entity, payer in found
    ]


async def lock_with_movable(
    db: Connection, names: Collection[tuple[str, str]], digests: Collection[bytes], days: Mapping[str, date]
) -> tuple[dict[tuple[str, str], Account], list[Move]]:
    """
    Lock accounts, and with them those of receipts that name these document numbers and therefore move; return the moves.

    The numbers are locked already, so no other transaction brings a receipt or document of one meanwhile; it may move a receipt by another
    of its references, hence the second look when the accounts are locked.
    """
    return await lock_with(db, names, await queries.find_movable(db, digests, days), days)


async def lock_with(
    db: Connection, names: Collection[tuple[str, str]], receipts: Sequence[MovableReceipt], days: Mapping[str, date]
) -> tuple[dict[tuple[str, str], Account], list[Move]]:
    """Lock accounts, and with them those of receipts that may move on the open days; return the moves."""
    wanted = set(names)
    for _ in range(_ROUNDS_MAX):
        moves = await _moves(db, receipts, days)
        wanted |= {(one.entity, one.account) for one in receipts} | {(move.receipt.entity, move.payer.account) for move in moves}
        accounts = await locks.lock_accounts(db, wanted)
        receipts = await queries.load_movable(db, [one.id for one in receipts])
        moves = await _moves(db, receipts, days)
        touched = {(one.entity, one.account) for one in receipts} | {(move.receipt.entity, move.payer.account) for move in moves}
        if touched <= accounts.keys():
            return accounts, moves
    raise PayersKeptMoving


async def _moves(db: Connection, receipts: Sequence[MovableReceipt], days: Mapping[str, date]) -> list[Move]:
    """Which receipts belong elsewhere, by the documents known now."""
    if not receipts:
        return []
    clues = await queries.load_clues(db, [one.id for one in receipts])
    documents = await queries.find_documents(db, {digest for places in clues.values() for digest in places.values()})
    named_by = [named_in(clues[one.id].items(), documents) for one in receipts]
    found = [(one.entity, identify(named, None, None, one.advised_customer)) for one, named in zip(receipts, named_by, strict=True)]
    moves = []
    for receipt, named, payer in zip(receipts, named_by, await under_accounts(db, found, days), strict=True):
        if payer is None or not domain.is_better(payer, receipt.identified_by):
            continue
        if payer.account != receipt.account or receipt.identified_by is None:
            moves.append(Move(receipt, payer, tuple(domain.numbers_of(named, payer.account))))
    return moves


async def move_receipts(
    db: Connection, moves: Sequence[Move], accounts: Mapping[tuple[str, str], Account], days: Mapping[str, date], causes: Causes
) -> list[Booking]:
    """Give receipts to their payers and tell both sides; settling the accounts is the caller's."""
    if not moves:
        return []
    bookings: list[Booking] = []
    for move in moves:
        receipt, cause = move.receipt, causes.get((RECEIPT, move.receipt.receipt))
        amount = format_minor(receipt.amount_minor, receipt.currency)
        if receipt.identified_by is not None:
            left = PayerUnknown(
                entity=receipt.entity,
                receipt=receipt.receipt,
                account=receipt.account,
                amount=amount,
                currency=receipt.currency,
                value_on=receipt.value_on,
            )
            bookings.append(Booking(Phase.LEFT, Fact(left, receipt.entity, f"{receipt.entity}|{receipt.account}", receipt.value_on, cause)))
        came = PayerIdentified(
            entity=receipt.entity,
            receipt=receipt.receipt,
            account=move.payer.account,
            by=move.payer.by,
            method=receipt.method,
            amount=amount,
            currency=receipt.currency,
            value_on=receipt.value_on,
            bank_ref=receipt.bank_ref,
            references=list(move.references),
            deposit_for=receipt.deposit_for,
        )
        bookings.append(Booking(Phase.CAME, Fact(came, receipt.entity, f"{receipt.entity}|{move.payer.account}", receipt.value_on, cause)))
    rows = [(one.receipt.id, accounts[one.receipt.entity, one.payer.account].id, one.payer.by, days[one.receipt.entity]) for one in moves]
    await queries.move_receipts(db, rows)
    return bookings


async def find_receipts_newly_known(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next unidentified receipts, by account name, whose debtor's bank account is a customer's from `day` on."""
    return await queries.find_newly_known(db, entity, day, after, limit)


async def identify_newly_known(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Give receipts without a payer to the customers whose bank accounts are in force from `day` on, and settle them on it.

    Work of the turn to `day`, because reference data counts from the next opening. Their own value dates stay.
    """
    await locks.lock_accounts(db, [(entity, account) for account in accounts])
    receipts = await queries.find_unidentified(db, entity, accounts)
    clues = await queries.load_clues(db, [one.id for one in receipts])
    owners = await queries.find_bank_account_owners(db, {(clues[one.id][0], day) for one in receipts if 0 in clues[one.id]})
    owner_of = [owners.get((clues[one.id].get(0, b""), day)) for one in receipts]
    found = await under_accounts(db, [(entity, Payer(owner, BANK_ACCOUNT) if owner else None) for owner in owner_of], {entity: day})
    moves = [Move(one, payer, ()) for one, payer in zip(receipts, found, strict=True) if payer is not None]
    known = await locks.lock_accounts(db, {(entity, move.payer.account) for move in moves})
    bookings = await move_receipts(db, moves, known, {entity: day}, {})
    return in_order(bookings + await settle_accounts(db, dict.fromkeys(known.values(), day), {}, Named()))
