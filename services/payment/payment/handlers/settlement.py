"""Settling accounts: decide what their open day has to hold, book the difference to what it holds already, and tell."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from chassis.database import Connection
from chassis.service import Fact
from events.fact import Event
from events.payment import (
    AdjustmentPosted,
    AdjustmentReversed,
    ApplicationReversed,
    CreditApplied,
    OnAccountCredited,
    PaymentApplied,
    ReceiptUnapplied,
)
from money import format_minor

from payment import domain
from payment.domain import ADJUSTMENT, RECEIPT, RECOVERED, STANDARD, VOID, Books, Entry
from payment.handlers import ledger as books
from payment.handlers.bookings import ACCOUNT, INVOICE, Booking, Causes, Phase
from payment.handlers.ledger import NOTHING, REORDERED, WORTH_LESS, Brought, Change, Ledger
from payment.queries import books as queries
from payment.queries.locks import Account


class Named(NamedTuple):
    """Document numbers, as digests: `by_receipts`, new on these accounts, and `as_documents`, of new documents."""

    by_receipts: Collection[bytes] = ()
    as_documents: Collection[bytes] = ()


async def settle_accounts(
    db: Connection,
    days: Mapping[Account, date],
    causes: Causes,
    named: Named,
    afresh: Collection[Account] = (),
    brought: Brought = NOTHING,
) -> list[Booking]:
    """
    Settle the open day of accounts, whose rows are locked, and return what that publishes.

    All that came is in the tables already, which makes a day's facts a set. Doing it again books nothing. What is finished today is left
    out, unless what came names it, or the account is to be settled `afresh`: a memo, a void or an adjustment came (`brought` says which of
    the latter two) or a receipt changed hands. A void is booked and not told: its own fact says all of it.
    """
    if not days:
        return []
    open_on = {account.id: day for account, day in days.items()}
    await _reopen(db, open_on, named, {account.id for account in afresh})
    ledger = await books.load(db, open_on, brought)
    decided = await _decide(db, ledger)
    changes: list[Change] = []
    bookings: list[Booking] = []
    for account, day in days.items():
        target, done = decided[account.id]
        for entry, minor in domain.difference(target, ledger.booked[account.id]):
            change = Change(account.id, entry, minor, _reason(entry, minor, day), entry in done)
            changes.append(change)
            if entry.source.kind != VOID:
                bookings.append(_booking(account, change, ledger, causes))
    if changes:
        await books.save(db, ledger, changes)
    return bookings


async def _reopen(db: Connection, open_on: Mapping[int, date], named: Named, afresh: set[int]) -> None:
    found = await queries.find_finished_by_document(db, named.by_receipts) if named.by_receipts else []
    found += await queries.find_finished_by_clue(db, named.as_documents) if named.as_documents else []
    afresh |= {row["account_id"] for row in found if open_on.get(row["account_id"]) == row["booked_on"]}
    await queries.reopen(db, [(account_id, open_on[account_id]) for account_id in sorted(afresh)])


async def _decide(db: Connection, ledger: Ledger) -> dict[int, tuple[dict[Entry, int], set[Entry]]]:
    """By account (row id): the entries its day has to hold, and which of them are finished. Open items are loaded where they are needed."""
    decided: dict[int, tuple[dict[Entry, int], set[Entry]]] = defaultdict(lambda: ({}, set()))
    missing = set()
    opened = ledger.books()
    for account_id, by_currency in opened.items():
        try:
            decided[account_id] = _decide_one(ledger, account_id, by_currency)
        except domain.ItemsMissing:
            missing.add(account_id)
    if missing:
        await books.load_open_items(db, ledger, missing)
        opened = ledger.books()
        decided |= {account_id: _decide_one(ledger, account_id, opened[account_id]) for account_id in missing}
    return decided


def _decide_one(ledger: Ledger, account_id: int, by_currency: Iterable[Books]) -> tuple[dict[Entry, int], set[Entry]]:
    target: dict[Entry, int] = {}
    done: set[Entry] = set()
    for one in by_currency:
        entries = domain.settle(one, ledger.open_on[account_id], STANDARD)
        done |= domain.finished(one, entries, ledger.booked[account_id])
        target |= entries
    return target, done


def _reason(entry: Entry, minor: int, day: date) -> str | None:
    """Say why something is taken back: what money recovers; an earlier day's by what its item is worth, today's by what came since."""
    if minor > 0 or not entry.item:
        return None
    if entry.rule == RECOVERED:
        return RECOVERED
    return WORTH_LESS if entry.applied_on < day else REORDERED


def _booking(account: Account, change: Change, ledger: Ledger, causes: Causes) -> Booking:
    entry = change.entry
    event: Event
    cause = causes.get(entry.source)
    if entry.item:
        event = _adjusted(account, change, ledger) if entry.source.kind == ADJUSTMENT else _applied(account, change, ledger)
        cause = cause or causes.get((INVOICE, f"{account.entity}|{ledger.items[entry.item]['document_no']}"))
    else:
        currency = ledger.sources[entry.source]["currency"]
        moved = OnAccountCredited if change.minor > 0 else ReceiptUnapplied
        event = moved(
            entity=account.entity,
            receipt=entry.source.id,
            account=account.account,
            currency=currency,
            amount=format_minor(abs(change.minor), currency),
        )
    fact = Fact(event, account.entity, account.key, entry.effective_on, cause or causes.get((ACCOUNT, account.key)))
    return Booking(Phase.PLACED if change.minor > 0 else Phase.TAKEN_BACK, fact)


def _applied(account: Account, change: Change, ledger: Ledger) -> PaymentApplied | CreditApplied | ApplicationReversed:
    """Tell an application; more of an earlier day's than stands of it bears that application's id, whose part it restores."""
    entry = change.entry
    common = {"application": entry.application, **_of_item(account, change, ledger)}
    is_receipt = entry.source.kind == RECEIPT
    if change.reason is not None:
        receipt, memo = (entry.source.id, None) if is_receipt else (None, entry.source.id)
        return ApplicationReversed(**common, receipt=receipt, memo=memo, reason=change.reason)
    if is_receipt:
        return PaymentApplied(**common, receipt=entry.source.id, rule=entry.rule)
    return CreditApplied(**common, memo=entry.source.id, rule=entry.rule)


def _adjusted(account: Account, change: Change, ledger: Ledger) -> AdjustmentPosted | AdjustmentReversed:
    """Tell what was posted of an adjustment; more of what was taken back already restores that part."""
    source, common = change.entry.source, _of_item(account, change, ledger)
    common |= {
        "adjustment": source.id,
        "kind": ledger.sources[source]["kind"],
        "tax": format_minor(abs(ledger.post(source, change.minor)), common["currency"]),
    }
    if change.reason is not None:
        return AdjustmentReversed(**common, reason=change.reason)
    return AdjustmentPosted(**common)


def _of_item(account: Account, change: Change, ledger: Ledger) -> dict[str, Any]:
    """Return what every fact about an item says of it, and the amount."""
    item = ledger.items[change.entry.item]
    return {
        "entity": account.entity,
        "item": change.entry.item,
        "invoice": f"{account.entity}|{item['document_no']}",
        "customer": item["customer"],
        "account": account.account,
        "currency": item["currency"],
        "due_on": item["due_on"],
        "amount": format_minor(abs(change.minor), item["currency"]),
    }
