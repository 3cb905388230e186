"""Loading the books of accounts for settlement: one statement per table, only what something may touch."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from asyncpg import Record
from chassis.database import Connection

from payment.domain import ADJUSTMENT, ALLOWANCE, MEMO, RECEIPT, RECOVERED, RETURNED, VOID, Decision, Entry, Reach, Source, Standing
from payment.domain.clues import digests_of_deposit
from payment.domain.transfers import Transfer
from payment.handlers.bookings import BILLED
from payment.handlers.ledger import Ids, Ledger
from payment.queries import books as queries
from payment.queries import corrections, payers, pins, transfers
from payment.queries.books import ReceiptMove, Row
from payment.queries.intake import NewReceipt
from payment.queries.payers import KnownDocument

_NONE: Final[Mapping[int, int]] = MappingProxyType({})
_UNTOUCHED: Final[Mapping[str, Any]] = MappingProxyType(
    {
        **dict.fromkeys(ReceiptMove._fields[1:], 0),
        "is_barred": False,
        **dict.fromkeys(("arrived_on", "returned_on", "return_booked_on", "given_on")),
    }
)
"""What nothing has happened to yet of a receipt that came just now."""


class Brought(NamedTuple):
    """
    Row ids of what a batch brings: items of voided documents with their accounts, adjustments with their items, receipts returned to the
    bank with their accounts, and the accounts about which a person decided. `refunds` says who asked for the refunds (by decision) that it
    brings, and who approved them; `transfers` are those that it brings, by decision.

    `received` are receipts that are in no table yet: the settlement keeps them with what it spends of them. `documents` are all that are
    known by what these name.
    """

    voided: Mapping[int, int] = _NONE
    adjustments: Mapping[int, int] = _NONE
    returned: Mapping[int, int] = _NONE
    decided: Collection[int] = ()
    refunds: Mapping[str, tuple[str, str]] = MappingProxyType({})
    transfers: Mapping[str, Transfer] = MappingProxyType({})
    received: Sequence[NewReceipt] = ()
    documents: Mapping[bytes, Sequence[KnownDocument]] = MappingProxyType({})


NOTHING: Final = Brought()


async def load(db: Connection, open_on: Mapping[int, date], brought: Brought = NOTHING, resting: Collection[int] = ()) -> Ledger:
    """
    Load the books of accounts (row ids, locked) with one statement per table.

    That is money and credit not spent, less on-account money that names nothing where no rule uses it (accounts that are `resting`), what
    today's entries and people's decisions touch unless it is finished, and the items that something names; of items that become worth less
    today, or that money is taken off, also what stands on them, of those that are written off the adjustments. Other open items come with
    `load_within`, where something looks for them.
    """
    days = sorted(open_on.items())
    booked = await queries.load_entries(db, days)
    touched = Touched.by(booked)
    decisions = await pins.load_decisions(db, [(one, open_on[one]) for one in sorted(brought.decided)]) if brought.decided else []
    touched.add_decisions(decisions)
    reopened = await _reopened(db, open_on, booked, decisions, brought)
    memos = await queries.load_memos(db, days, touched.memos)
    named = {(row["account_id"], row["entity"], row["names"]) for row in memos if row["names"] is not None}
    reducible = await queries.find_named_items(db, named) if named else []
    fresh = {(row["account_id"], row["names"]) for row in memos if row["booked_on"] == open_on[row["account_id"]]}
    reduced = {row["id"]: row["account_id"] for row in reducible if (row["account_id"], row["document_no"]) in fresh}
    reduced |= {**touched.voided, **brought.voided, **reopened}
    standing = await queries.load_standing(db, _days(reduced, open_on)) if reduced else []
    pushed = Touched.by(standing)
    if spent := pushed.memos - {row["id"] for row in memos}:
        memos += [row for row in await queries.load_memos(db, days, spent) if row["id"] in spent]
    kept = await queries.load_receipts(db, days, touched.receipts.union(pushed.receipts, brought.returned), resting)
    known = await load_known(db, kept, brought)
    receipts: list[Row] = [*kept, *(_row_of(one) for one in brought.received)]
    names = invoices_of(receipts, known)
    item_ids = touched.items.union((row["id"] for row in reducible), brought.voided, brought.adjustments.values(), reopened)
    document_ids = {document.id for documents in names.values() for document in documents}
    items = await queries.load_items(db, item_ids, document_ids) if item_ids or document_ids else []
    adjusted = {row["id"]: row["account_id"] for row in items if row["adjusted_minor"] or row["id"] in touched.adjusted}
    if recoverable := _days({item_id: account_id for item_id, account_id in adjusted.items() if item_id not in reduced}, open_on):
        standing += await queries.load_standing(db, recoverable, adjustments_only=True)
    adjustment_ids = Touched.by(standing).adjustments.union(touched.adjustments, brought.adjustments)
    if reopened:
        adjustment_ids |= {row["id"] for row in await pins.find_adjustments_of_day(db, _days(reopened, open_on))}
    adjustments = await corrections.load_adjustments(db, adjustment_ids) if adjustment_ids else []

    numbers = {receipt_id: tuple(one.document_no for one in documents) for receipt_id, documents in names.items()}
    ledger = Ledger(open_on, numbers, await _for_others(db, open_on, receipts, known))
    ids = ledger.index(items, memos, receipts, adjustments)
    for row in booked:
        ledger.booked[row["account_id"]][_entry(row, ids)] = row["amount_minor"]
    _stand(ledger, [(_entry(row, ids), row["amount_minor"]) for row in standing])
    ledger.decisions = [(row["account_id"], _decision(row, ids)) for row in decisions]
    ledger.reopened = {row["item_id"]: row["reopened_on"] for row in await pins.load_reopened(db, days)}
    await _load_bars(db, ledger, days, ids)
    return ledger


async def load_within(db: Connection, ledger: Ledger, wanted: Mapping[tuple[int, str], Reach]) -> None:
    """Complete the items of some of the accounts (row id) and currencies to what is wanted of them."""
    here: dict[tuple[int, str], int] = defaultdict(int)
    for row in ledger.items.values():
        here[row["account_id"], row["currency"]] += row["open_minor"]  # What is here takes nothing from how far the others have to reach.
    ledger.index(await queries.load_items_within(db, wanted, here), (), ())
    ledger.reach.update(wanted)


async def _reopened(
    db: Connection, open_on: Mapping[int, date], booked: Sequence[Record], decisions: Sequence[Record], brought: Brought
) -> dict[int, int]:
    """
    The items, with their accounts, that money or credit of earlier days may be taken off today: returned to the bank, or by a person.

    What a receipt paid on another account before it found a better payer has been taken off there.
    """
    returned = {row["receipt_id"] for row in booked if row["rule"] == RETURNED} | brought.returned.keys()
    paid = await pins.find_paid_items(db, returned) if returned else []
    unapplied = {row["item_id"]: row["account_id"] for row in decisions if row["kind"] == "unapply"}
    return {row["id"]: row["account_id"] for row in paid if row["account_id"] in open_on} | unapplied


async def _load_bars(db: Connection, ledger: Ledger, days: Sequence[tuple[int, date]], ids: Ids) -> None:
    barred = {
        kind: [row["id"] for source, row in ledger.sources.items() if source.kind == kind and row["is_barred"]] for kind in (RECEIPT, MEMO)
    }
    if not any(barred.values()):
        return
    for row in await pins.load_bars(db, days, barred[RECEIPT], barred[MEMO]):
        ledger.bars[_source(row, ids)].add(row["item_id"])


def _days(items: Mapping[int, int], open_on: Mapping[int, date]) -> list[tuple[int, date]]:
    """Return the open days of items, by row id, given with their accounts."""
    return [(item_id, open_on[account_id]) for item_id, account_id in items.items()]


def _stand(ledger: Ledger, entries: Iterable[tuple[Entry, int]]) -> None:
    """Put together what stands on items of earlier days, from what was booked by application and date, in the order of the dates."""
    by_application: dict[tuple[str, str], list[tuple[Entry, int]]] = defaultdict(list)
    for entry, minor in entries:
        by_application[entry.item, entry.application].append((entry, minor))
    for (item, application), steps in by_application.items():
        first = next((entry for entry, _ in steps if entry.rule != RECOVERED), steps[0][0])
        since = steps[0][0].effective_on
        later = tuple((entry.effective_on, minor) for entry, minor in steps if entry.effective_on > since)
        minor = sum(minor for _, minor in steps)
        ledger.standing[item].append(Standing(application, first.source, first.rule, minor, since, first.applied_on, later))


class Known(NamedTuple):
    """What receipts (by row id) may name, as digests by place, and the documents known by these."""

    clues: Mapping[int, Mapping[int, bytes]]
    documents: Mapping[bytes, Sequence[KnownDocument]]


async def load_known(db: Connection, receipts: Sequence[Record], brought: Brought = NOTHING) -> Known:
    """Load what receipts may name, those that a batch brings besides: what they name is locked, so what was found of it is all there is."""
    clues = await payers.load_clues(db, [row["id"] for row in receipts]) if receipts else {}
    named = {digest for places in clues.values() for digest in places.values()}
    named.difference_update(*(one.clues.values() for one in brought.received))
    documents = await payers.find_documents(db, named) if named else {}
    clues |= {one.id: dict(one.clues) for one in brought.received}
    return Known(clues, {**brought.documents, **documents})


def _row_of(receipt: NewReceipt) -> Row:
    """Return a receipt that came just now as `queries.load_receipts` would."""
    return {
        "id": receipt.id,
        "account_id": receipt.account_id,
        "account": receipt.account,
        "entity": receipt.entity,
        "bank_ref": receipt.bank_ref,
        "currency": receipt.currency,
        "amount_minor": receipt.amount_minor,
        "base_minor": receipt.base_minor,
        "stated": receipt.stated,
        "value_on": receipt.value_on,
        "identified_on": receipt.identified_on,
        "is_bound": receipt.is_bound,
        "deposit_for": receipt.deposit_for,
        **_UNTOUCHED,
    }


async def invoices_named(db: Connection, receipts: Sequence[Record]) -> dict[int, list[KnownDocument]]:
    """Load `invoices_of`."""
    return invoices_of(receipts, await load_known(db, receipts))


def named_of_others(receipt: Row, known: Known) -> list[KnownDocument]:
    """Return the invoices of other accounts in its currency that a receipt names by their own numbers, each once, in its order."""
    at = [(place, one) for place, digest in known.clues[receipt["id"]].items() for one in known.documents.get(digest, ())]
    at = [(place, one) for place, one in at if one.kind in BILLED and not one.is_weak and one.account != receipt["account"]]
    at = [(place, one) for place, one in at if one.currency == receipt["currency"]]
    at.sort(key=lambda one: (one[0], one[1].position, one[1].document_no))
    return list({one.id: one for _, one in at}.values())


async def _for_others(db: Connection, open_on: Mapping[int, date], receipts: Sequence[Row], known: Known) -> set[int]:
    """The receipts (row id) that name invoices of other accounts that were open when the day opened; no deposits, nothing transferred."""
    free = [row for row in receipts if not row["is_bound"] and row["arrived_on"] is None]
    named = {row["id"]: found for row in free if (found := named_of_others(row, known))}
    if not named:
        return set()
    days = {one.id: open_on[row["account_id"]] for row in free for one in named.get(row["id"], ())}
    open_of = await transfers.load_open_of_documents(db, days)
    return {receipt_id for receipt_id, found in named.items() if any(one.id in open_of for one in found)}


def invoices_of(receipts: Sequence[Row], known: Known) -> dict[int, list[KnownDocument]]:
    """
    Return the invoices of their own account and currency that receipts (by row id) name, each once, in the order of the remittance.

    An order's number counts where no document's stands; for the deposit that is bound to it always, behind what the remittance names.
    """
    named: dict[int, list[KnownDocument]] = {}
    for row in receipts:
        home = row["account"], row["currency"]
        found = [(place, digest, one) for place, digest in known.clues[row["id"]].items() for one in known.documents.get(digest, ())]
        found = [one for one in found if one[2].kind in BILLED and (one[2].account, one[2].currency) == home]
        at = [(place, one) for place, _, one in found if not one.is_weak]
        if row["is_bound"]:
            order = digests_of_deposit(row["entity"], row["deposit_for"])
            at += [(place, one) for place, digest, one in found if one.is_weak and digest in order]
        else:
            at = at or [(place, one) for place, _, one in found]
        at.sort(key=lambda one: (one[1].is_weak, one[0], one[1].position, one[1].document_no))
        named[row["id"]] = list({one.id: one for _, one in at}.values())
    return named


_SOURCES: Final = (
    ("receipt_id", RECEIPT),
    ("memo_id", MEMO),
    ("adjustment_id", ADJUSTMENT),
    ("allowance_id", ALLOWANCE),
    ("void_id", VOID),
)


def _entry(row: Record, ids: Ids) -> Entry:
    source = next(ids.sources[kind][row[column]] for column, kind in _SOURCES if row[column] is not None)
    item = "" if row["item_id"] is None else ids.items[row["item_id"]]
    return Entry(row["application"] or "", source, item, row["rule"], row["effective_on"], row["applied_on"])


def _source(row: Record, ids: Ids) -> Source:
    """What a decision is about."""
    kind, column = (RECEIPT, "receipt_id") if row["receipt_id"] is not None else (MEMO, "memo_id")
    return ids.sources[kind][row[column]]


def _decision(row: Record, ids: Ids) -> Decision:
    item = "" if row["item_id"] is None else ids.items[row["item_id"]]
    return Decision(row["decision"], row["kind"], _source(row, ids), item, row["amount_minor"], row["effective_on"])


@dataclass(slots=True)
class Touched:
    """Row ids that entries speak of; `voided` are items with a void, and their accounts, `adjusted` those with an adjustment."""

    items: set[int] = field(default_factory=set)
    memos: set[int] = field(default_factory=set)
    receipts: set[int] = field(default_factory=set)
    adjustments: set[int] = field(default_factory=set)
    adjusted: set[int] = field(default_factory=set)
    voided: dict[int, int] = field(default_factory=dict)

    @classmethod
    def by(cls, rows: Iterable[Record]) -> "Touched":
        """Collect the ids of entries."""
        touched = cls()
        for row in rows:
            item_id = row["item_id"]
            if item_id is not None:
                touched.items.add(item_id)
            if row["receipt_id"] is not None:
                touched.receipts.add(row["receipt_id"])
            elif row["memo_id"] is not None:
                touched.memos.add(row["memo_id"])
            elif row["allowance_id"] is not None:
                touched.receipts.add(row["allowance_id"])
            elif row["adjustment_id"] is not None:
                touched.adjustments.add(row["adjustment_id"])
                touched.adjusted.add(item_id)
            else:
                touched.voided[item_id] = row["account_id"]
        return touched

    def add_decisions(self, rows: Iterable[Record]) -> None:
        """Collect the ids of what people decided about, too."""
        for row in rows:
            for column, ids in (("item_id", self.items), ("receipt_id", self.receipts), ("memo_id", self.memos)):
                if row[column] is not None:
                    ids.add(row[column])
