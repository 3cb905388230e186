"""Receipts: recorded once, given to their payer, settled."""

from collections.abc import Mapping, Sequence
from datetime import date

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.bank import EntryBooked
from events.envelope import Envelope
from events.invoice import Reason
from events.payment import PaymentReceived
from money import format_minor

from payment.domain import RECEIPT, NamedDocument, Payer, identify
from payment.domain.payers import numbers_of
from payment.handlers.advices import take_waiting
from payment.handlers.bookings import ACCOUNT, Booking, Causes, Phase, in_order
from payment.handlers.entries import Entry, read_entry
from payment.handlers.identification import keep_texts, recognise
from payment.handlers.loading import Brought
from payment.handlers.payers import UNIDENTIFIED, named_in, under_accounts
from payment.handlers.rates import value_at_published_rates
from payment.handlers.returns import undo_awaited
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import intake, locks, payers, returns
from payment.queries.intake import NewReceipt
from payment.queries.locks import Account

CONFLICT = Reason(code="CONFLICT", field="bank_ref")


class ReceiptConflict(Exception):
    """A receipt with this bank reference is here and says something else."""


async def record_receipts(db: Connection, received: Sequence[Received[EntryBooked]], batch: Batch) -> list[Fact]:
    """
    Record bank entries and settle the accounts they belong to.

    One that cannot be recorded is refused for every reason at once. One that is here already with the same content is left alone, with
    another content it is refused as a conflict.
    """
    entries: list[Entry] = []
    origins: list[Received[EntryBooked]] = []
    causes: dict[tuple[str, str], Envelope] = {}
    for one in received:
        entry = read_entry(one.data, batch.entities, one.envelope)
        if isinstance(entry, list):
            batch.refuse(one, entry)
            continue
        entries.append(entry)
        origins.append(one)
        causes.setdefault((RECEIPT, entry.receipt), one.envelope)
    facts, conflicts = await _record(db, entries, batch.open_on, causes)
    for place in conflicts:
        batch.refuse(origins[place], [CONFLICT])
    return facts


async def record_receipt(db: Connection, entry: Entry, batch: Batch) -> list[Fact]:
    """
    Record a receipt that a person or a program reports: a batch of one.

    :raises ReceiptConflict: see there. The same again changes nothing and returns no facts.
    """
    facts, conflicts = await _record(db, [entry], batch.open_on, {})
    if conflicts:
        raise ReceiptConflict
    return facts


async def _record(db: Connection, entries: Sequence[Entry], open_on: Mapping[str, date], causes: Causes) -> tuple[list[Fact], list[int]]:
    """Record entries; return the facts, and the places of those in conflict with what is here or stands before them."""
    if not entries:
        return [], []
    payment_refs = {digest for one in entries for digest in one.payment_refs}
    await locks.lock_names(db, payment_refs, {digest for one in entries for digest in one.references})
    contents, advised = await intake.find_contents(db, {one.name for one in entries}, payment_refs)
    fresh: list[Entry] = []
    conflicts = []
    for place, entry in enumerate(entries):
        if entry.name not in contents:
            contents[entry.name] = entry.content
            fresh.append(entry)
        elif contents[entry.name] != entry.content:
            conflicts.append(place)
    if not fresh:
        return [], conflicts
    fresh = await value_at_published_rates(db, await take_waiting(db, fresh, advised, open_on), open_on)
    documents = await payers.find_documents(db, {digest for one in fresh for digest in one.clues.values()})
    named = [named_in(one.clues.items(), documents) for one in fresh]
    asked = {(one.bank_account, open_on[one.entity]) for one in fresh if one.bank_account is not None}
    owners = await payers.find_bank_account_owners(db, asked) if asked else {}
    owner_of = [owners.get((one.bank_account, open_on[one.entity])) if one.bank_account else None for one in fresh]
    paid_by = [identify(names, owner, one.customer, one.advised_customer) for one, names, owner in zip(fresh, named, owner_of, strict=True)]
    paid_by = await recognise(db, fresh, paid_by, open_on)
    paid_by = await under_accounts(db, [(one.entity, payer) for one, payer in zip(fresh, paid_by, strict=True)], open_on)
    accounts = await locks.lock_accounts(db, {_account_name(one, payer) for one, payer in zip(fresh, paid_by, strict=True)})
    recorded = [(one, payer, accounts[_account_name(one, payer)], names) for one, payer, names in zip(fresh, paid_by, named, strict=True)]
    ids = await intake.number_receipts(db, len(recorded))
    rows = [_row(id_, one, payer, account, open_on[one.entity]) for id_, (one, payer, account, _) in zip(ids, recorded, strict=True)]
    awaited = await returns.find_waiting(db, [one.name for one in fresh])
    settling = [] if awaited else [row for row in rows if row.identified_by is not None]
    await intake.insert_receipts(db, [row for row in rows if awaited or row.identified_by is None])
    bookings = [_received(one, payer, account, names, causes) for one, payer, account, names in recorded]
    days = {account: open_on[account.entity] for _, payer, account, _ in recorded if payer is not None}
    touched = {(ACCOUNT, one.fact.key): one.fact.cause for one in bookings if one.fact.cause is not None}
    undoing = await undo_awaited(db, awaited, open_on, causes)
    afresh = [account for account in days if account.id in undoing.returned.values()]
    brought = Brought(returned=undoing.returned, received=settling, documents=documents)
    found = {document.id for known in documents.values() for document in known}
    settled = await settle_accounts(db, days, {**touched, **causes}, Named(by_receipts=found), afresh, brought)
    await keep_texts(db, fresh, {(row.entity, row.bank_ref): row.id for row in rows})
    return in_order([*bookings, *undoing.bookings, *settled]), conflicts


def _account_name(entry: Entry, payer: Payer | None) -> tuple[str, str]:
    return entry.entity, payer.account if payer else f"{UNIDENTIFIED}{entry.bank_ref}"


def _row(id_: int, entry: Entry, payer: Payer | None, account: Account, day: date) -> NewReceipt:
    """The row to keep; the debtor's bank account is a clue only while there is no payer."""
    clues = entry.clues
    if payer is None and entry.bank_account is not None:
        clues[0] = entry.bank_account
    return NewReceipt(
        id=id_,
        entity=entry.entity,
        bank_ref=entry.bank_ref,
        account_id=account.id,
        account=account.account,
        currency=entry.currency,
        amount_minor=entry.amount_minor,
        value_on=entry.value_on,
        booked_on=day,
        identified_by=payer.by if payer else None,
        method=entry.method,
        content=entry.content,
        clues=clues,
        base_minor=entry.valued.base_minor if entry.valued else None,
        stated=entry.stated,
        payment_ref=entry.payment_ref,
        received_currency=entry.booked.currency if entry.is_exchanged else None,
        received_minor=entry.booked.minor if entry.is_exchanged else None,
        advised_customer=entry.advised_customer,
        deposit_for=entry.deposit_for,
    )


def _received(entry: Entry, payer: Payer | None, account: Account, named: Sequence[NamedDocument], causes: Causes) -> Booking:
    event = PaymentReceived(
        entity=entry.entity,
        receipt=entry.receipt,
        method=entry.method,
        amount=format_minor(entry.amount_minor, entry.currency),
        currency=entry.currency,
        value_on=entry.value_on,
        bank_ref=entry.bank_ref,
        account=payer.account if payer else None,
        references=numbers_of(named, payer.account if payer else None),
        received=entry.received,
        valuation=entry.valuation,
        deposit_for=entry.deposit_for,
    )
    return Booking(Phase.CAME, Fact(event, entry.entity, account.key, entry.value_on, causes.get((RECEIPT, entry.receipt))))
