"""Settling accounts: decide what their open day has to hold, book the difference to what it holds already, and tell."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from chassis.database import Connection

from payment import domain
from payment.domain import (
    ALLOWANCE,
    FX,
    PINNED,
    RECEIPT,
    RECOVERED,
    REFUNDED,
    RETURNED,
    TRANSFERRED,
    VOID,
    Books,
    Entry,
    Policy,
    Reach,
    Source,
)
from payment.handlers import loading
from payment.handlers.bookings import Booking, Causes
from payment.handlers.in_force import load_policies
from payment.handlers.ledger import Change, Ledger, save
from payment.handlers.loading import NOTHING, Brought
from payment.handlers.telling import Teller
from payment.queries import books as queries
from payment.queries import pins
from payment.queries.locks import Account

REORDERED = "reordered"
WORTH_LESS = "worth_less"
BY_PERSON = "person"


class Named(NamedTuple):
    """Documents (row ids) named `by_receipts` that are new on these accounts, and numbers `as_documents`, as digests, of new documents."""

    by_receipts: Collection[int] = ()
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

    All that came is in the tables already, or `brought` as received, which makes a day's facts a set. Doing it again books nothing. What is
    finished today is left out, unless what came names it, or the account is to be settled `afresh`: a memo, a void, an adjustment, a return
    or a decision came (`brought` says which of all but the first) or a receipt changed hands. A void is booked and not told: its own fact
    says all of it. So is what is pinned: nobody but people is concerned.
    """
    if not days:
        return []
    open_on = {account.id: day for account, day in days.items()}
    entities = {account.id: account.entity for account in days}
    await _reopen(db, open_on, named, {account.id for account in afresh})
    decided = {account.id for account, day in days.items() if account.decided_on == day}
    policies = await load_policies(db, {account.entity: day for account, day in days.items()})
    resting = {account.id for account in days if not policies[account.entity].spends_on_account}
    ledger = await loading.load(db, open_on, brought._replace(decided=decided.union(brought.decided)), resting)
    targets = await _decide(db, ledger, {account_id: policies[entity] for account_id, entity in entities.items()})
    by_account = {account: _changes(ledger, account, day, *targets[account.id]) for account, day in days.items()}
    changes = [change for found in by_account.values() for change in found]
    if not changes:
        await save(db, ledger, changes, brought.received)
        return []
    gone = {ledger.sources[change.entry.source]["id"] for change in changes if change.entry.rule == RETURNED}
    returns = {row["receipt_id"]: row for row in await pins.load_returns(db, gone)} if gone else {}
    versions = {entity: policy.version for entity, policy in policies.items()}
    teller = Teller(ledger, causes, returns, brought.refunds, brought.transfers, versions)
    bookings = [
        booking
        for account, found in by_account.items()
        for change in found
        if _is_told(change, brought)
        for booking in [teller.tell(account, change, found)]
    ]
    await save(db, ledger, changes, brought.received)
    return bookings


def _is_told(change: Change, brought: Brought) -> bool:
    """Not what is pinned, nor a void; nor a refund or transfer that is only dated anew because of what came later today."""
    rule, _, decision = change.entry.rule.partition(":")
    if rule in (REFUNDED, TRANSFERRED):
        return decision in (brought.refunds if rule == REFUNDED else brought.transfers)
    return change.entry.source.kind != VOID and rule != PINNED


def _changes(ledger: Ledger, account: Account, day: date, target: Mapping[Entry, int], done: Collection[Entry]) -> list[Change]:
    """What is to be booked on an account, and why what is taken back is."""
    unapplied = {(one.source, one.item) for account_id, one in ledger.decisions if account_id == account.id and one.kind == "unapply"}
    return [
        Change(account.id, entry, minor, _reason(ledger, entry, minor, day, unapplied), entry in done)
        for entry, minor in domain.difference(target, ledger.booked[account.id])
    ]


async def _reopen(db: Connection, open_on: Mapping[int, date], named: Named, afresh: set[int]) -> None:
    found = await queries.find_finished_by_document(db, named.by_receipts) if named.by_receipts else []
    found += await queries.find_finished_by_clue(db, named.as_documents) if named.as_documents else []
    afresh |= {row["account_id"] for row in found if open_on.get(row["account_id"]) == row["booked_on"]}
    await queries.reopen(db, [(account_id, open_on[account_id]) for account_id in sorted(afresh)])


async def _decide(db: Connection, ledger: Ledger, policies: Mapping[int, Policy]) -> dict[int, tuple[dict[Entry, int], set[Entry]]]:
    """By account (row id): the entries its day has to hold, and which of them are finished. Open items are loaded where they are needed."""
    decided: dict[int, tuple[dict[Entry, int], set[Entry]]] = defaultdict(lambda: ({}, set()))
    opened = ledger.books()
    while opened:
        wanted: dict[tuple[int, str], Reach] = {}
        for account_id, by_currency in opened.items():
            try:
                decided[account_id] = _decide_one(ledger, account_id, by_currency, policies[account_id])
            except domain.ItemsMissing as missing:
                wanted[account_id, missing.books.currency] = missing.wanted
        if not wanted:
            break
        await loading.load_within(db, ledger, wanted)
        opened = ledger.books({account_id for account_id, _ in wanted})
    return decided


def _decide_one(ledger: Ledger, account_id: int, by_currency: Iterable[Books], policy: Policy) -> tuple[dict[Entry, int], set[Entry]]:
    target: dict[Entry, int] = {}
    done: set[Entry] = set()
    for one in by_currency:
        entries = domain.settle(one, ledger.open_on[account_id], policy)
        done |= domain.finished(one, entries, ledger.booked[account_id])
        target |= entries
    return target, done


def _reason(ledger: Ledger, entry: Entry, minor: int, day: date, unapplied: Collection[tuple[Source, str]]) -> str | None:
    """Say why something is taken back: what money recovers, the bank, a person, what an item is worth, or what came later today."""
    if minor > 0 or not entry.item or entry.rule == FX:
        return None
    if entry.rule == RECOVERED:
        return RECOVERED
    payer = Source(RECEIPT, entry.source.id) if entry.source.kind == ALLOWANCE else entry.source
    if payer.kind == RECEIPT and ledger.sources[payer]["return_booked_on"] == day:
        return RETURNED
    if (payer, entry.item) in unapplied:
        return BY_PERSON
    return WORTH_LESS if entry.applied_on < day else REORDERED
