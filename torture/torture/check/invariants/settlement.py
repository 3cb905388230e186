"""M1 to M4, M7, M8: what the settlement ledger says of itself, in one snapshot of its database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from torture.check.evidence import Evidence
from torture.check.finding import Finding
from torture.check.ledger_rows import Application, LedgerItem, LedgerMemo, Leg, Receipt


def m1_items_are_open_plus_applied(evidence: Evidence) -> Iterator[Finding]:
    """
    M1: per item, total = open + what money settled + what credit took off, each the sum of its applications, + written off + allowed +
    voided.
    """
    settled, credited = _applied(evidence, "receipt"), _applied(evidence, "memo")
    items = evidence.books.rows("payment", LedgerItem)
    for item in items:
        if item.total_minor != item.open_minor + _taken_off(item):
            yield Finding("M1", item.item, f"total {item.total_minor} is not open + all that was taken off: {item}")
        applied = settled.pop(item.item, 0), credited.pop(item.item, 0)
        if applied != (item.settled_minor, item.credited_minor):
            yield Finding(
                "M1", item.item, f"settled and credited are {item.settled_minor}, {item.credited_minor}, the applications {applied}"
            )
    for name in settled.keys() | credited.keys():
        yield Finding("M1", name, "something is applied to an item that is not there")


def _taken_off(item: LedgerItem) -> int:
    return item.settled_minor + item.credited_minor + item.adjusted_minor + item.allowed_minor + item.voided_minor


def _applied(evidence: Evidence, source_kind: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for one in evidence.books.rows("payment", Application):
        if one.source_kind == source_kind:
            sums[one.item] += one.amount_minor
    return sums


def m2_open_is_between_zero_and_total(evidence: Evidence) -> Iterator[Finding]:
    """M2: nothing is overpaid and nothing is owed more than was billed, in the ledger and in every copy of it."""
    for item in evidence.books.rows("payment", LedgerItem):
        parts = (item.settled_minor, item.credited_minor, item.adjusted_minor, item.discounted_minor, item.voided_minor)
        if not 0 <= item.open_minor <= item.total_minor or min(parts) < 0:
            yield Finding("M2", item.item, f"open {item.open_minor} of {item.total_minor}")
    for one in evidence.books.rows("payment", Application):
        if one.amount_minor < 0:
            yield Finding("M2", one.application, f"{-one.amount_minor} more was taken back than applied")


def m3_receipts_are_where_their_money_is(evidence: Evidence) -> Iterator[Finding]:
    """
    M3: per receipt, amount = unidentified + unapplied + on-account + applied + refunded + returned + transferred, each at least 0, applied
    the sum of its applications. What is pinned is part of what is on-account.
    """
    applied = _spent(evidence, "receipt")
    for one in evidence.books.rows("payment", Receipt):
        spent = (one.on_account_minor, one.applied_minor, one.refunded_minor, one.returned_minor, one.transferred_minor)
        parts = (one.unidentified_minor, one.unapplied_minor, *spent)
        if sum(parts) != one.amount_minor or min(parts) < 0:
            yield Finding("M3", one.receipt, f"amount {one.amount_minor}, its parts {parts}")
        if not 0 <= one.pinned_minor <= one.on_account_minor:
            yield Finding("M3", one.receipt, f"{one.pinned_minor} pinned of {one.on_account_minor} on account")
        if (sum_minor := applied.pop(one.receipt, 0)) != one.applied_minor:
            yield Finding("M3", one.receipt, f"applied {one.applied_minor}, its applications {sum_minor}")
    for name in applied:
        yield Finding("M3", name, "money of a receipt that is not there was applied")


def m4_memos_are_remaining_plus_applied(evidence: Evidence) -> Iterator[Finding]:
    """M4: per credit memo, total = remaining + applied, each at least 0, applied the sum of its applications."""
    applied = _spent(evidence, "memo")
    for one in evidence.books.rows("payment", LedgerMemo):
        if one.total_minor != one.remaining_minor + one.applied_minor or min(one.remaining_minor, one.applied_minor) < 0:
            yield Finding("M4", one.memo, f"total {one.total_minor}, remaining {one.remaining_minor}, applied {one.applied_minor}")
        if (spent := applied.pop(one.memo, 0)) != one.applied_minor:
            yield Finding("M4", one.memo, f"applied {one.applied_minor}, its applications {spent}")
    for name in applied:
        yield Finding("M4", name, "credit of a memo that is not there was applied")


def _spent(evidence: Evidence, source_kind: str) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for one in evidence.books.rows("payment", Application):
        if one.source_kind == source_kind:
            sums[one.source] += one.amount_minor
    return sums


def m7_only_equal_currencies_meet(evidence: Evidence) -> Iterator[Finding]:
    """M7: no application between two currencies: money that was exchanged is kept in the currency of what it pays."""
    receipts = {one.receipt: one.currency for one in evidence.books.rows("payment", Receipt)}
    memos = {one.memo: one.currency for one in evidence.books.rows("payment", LedgerMemo)}
    items = {one.item: one.currency for one in evidence.books.rows("payment", LedgerItem)}
    for one in evidence.books.rows("payment", Application):
        sources: Mapping[str, str] = receipts if one.source_kind == "receipt" else memos
        met = {one.currency, items.get(one.item, one.currency), sources.get(one.source, one.currency)}
        if len(met) > 1:
            yield Finding("M7", one.application, f"{one.source} pays {one.item} over the currencies {', '.join(sorted(met))}")


def m8_entries_balance(evidence: Evidence) -> Iterator[Finding]:
    """
    M8: what leaves a receipt or memo arrives at an item, on account, at the payer, at the bank or at another account, entry by entry; all
    legs add up to what the rows say.
    """
    sums: dict[tuple[int, str], int] = defaultdict(int)
    arrived: dict[str, int] = defaultdict(int)
    for leg in evidence.books.rows("payment", Leg):
        sums[leg.entry, leg.currency] += leg.amount_minor
        arrived[leg.leg] += leg.amount_minor
    for (entry, currency), minor in sums.items():
        if minor:
            yield Finding("M8", f"entry {entry}", f"its legs add up to {minor} minor units of {currency}")
    receipts = evidence.books.rows("payment", Receipt)
    rows = {
        "item": sum(map(_taken_off, evidence.books.rows("payment", LedgerItem))),
        "on_account": sum(one.on_account_minor for one in receipts),
        "refunded": sum(one.refunded_minor for one in receipts),
        "returned": sum(one.returned_minor for one in receipts),
        "transferred": sum(one.transferred_minor for one in receipts),
    }
    legs = {leg: arrived[leg] for leg in rows}
    if legs != rows:
        yield Finding("M8", "payment", f"the legs add up to {legs}, the rows to {rows}")
