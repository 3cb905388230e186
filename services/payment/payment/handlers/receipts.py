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

from payment.domain import RECEIPT, NamedDocument, Payer, digest_of, identify
from payment.handlers.bookings import ACCOUNT, Booking, Causes, Phase, in_order
from payment.handlers.entries import Entry, read_entry
from payment.handlers.payers import UNIDENTIFIED, named_in
from payment.handlers.settlement import Named, settle_accounts
from payment.queries import intake, locks, payers
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
    digests = {digest_of(one.entity, RECEIPT, one.bank_ref) for one in entries}
    await locks.lock_names(db, digests.union(*(one.references for one in entries)))
    contents = await intake.find_contents(db, {one.name for one in entries})
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
    documents = await payers.find_documents(db, {digest for one in fresh for digest in one.references})
    named = [named_in(enumerate(one.references, 1), documents) for one in fresh]
    asked = {(one.bank_account, open_on[one.entity]) for one in fresh if one.bank_account is not None}
    owners = await payers.find_bank_account_owners(db, asked) if asked else {}
    paid_by = [
        identify(names, owners.get((one.bank_account, open_on[one.entity])) if one.bank_account else None, one.customer)
        for one, names in zip(fresh, named, strict=True)
    ]
    accounts = await locks.lock_accounts(db, {_account_name(one, payer) for one, payer in zip(fresh, paid_by, strict=True)})
    recorded = [(one, payer, accounts[_account_name(one, payer)], names) for one, payer, names in zip(fresh, paid_by, named, strict=True)]
    await intake.insert_receipts(db, [_row(one, payer, account, open_on[one.entity]) for one, payer, account, _ in recorded])
    bookings = [_received(one, payer, account, names, causes) for one, payer, account, names in recorded]
    days = {account: open_on[account.entity] for _, payer, account, _ in recorded if payer is not None}
    touched = {(ACCOUNT, one.fact.key): one.fact.cause for one in bookings if one.fact.cause is not None}
    references = {digest for one in fresh for digest in one.references}
    settled = await settle_accounts(db, days, {**touched, **causes}, Named(by_receipts=references))
    return in_order(bookings + settled), conflicts


def _account_name(entry: Entry, payer: Payer | None) -> tuple[str, str]:
    return entry.entity, payer.account if payer else f"{UNIDENTIFIED}{entry.bank_ref}"


def _row(entry: Entry, payer: Payer | None, account: Account, day: date) -> NewReceipt:
    """The row to keep; the debtor's bank account is a clue only while there is no payer."""
    clues = dict(enumerate(entry.references, 1))
    if payer is None and entry.bank_account is not None:
        clues[0] = entry.bank_account
    return NewReceipt(
        entity=entry.entity,
        bank_ref=entry.bank_ref,
        account_id=account.id,
        currency=entry.currency,
        amount_minor=entry.amount_minor,
        value_on=entry.value_on,
        booked_on=day,
        identified_by=payer.by if payer else None,
        method=entry.method,
        content=entry.content,
        clues=clues,
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
        references=list(dict.fromkeys(one.document_no for one in named)),
    )
    return Booking(Phase.CAME, Fact(event, entry.entity, account.key, entry.value_on, causes.get((RECEIPT, entry.receipt))))
