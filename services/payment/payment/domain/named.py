"""Passes about what names an item: voids, memos, adjustments, returned money, and the money of a remittance."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import NamedTuple

from payment.domain.allowances import cover
from payment.domain.books import (
    ADJUSTMENT,
    ALLOWANCE,
    ON_ACCOUNT,
    PINNED,
    RECEIPT,
    RECOVERABLE,
    RECOVERED,
    REFERENCE,
    RETURNED,
    TOLERANCE,
    VOID,
    Entry,
    Item,
    Source,
    Standing,
    Stated,
)
from payment.domain.working import LEAVING, Credit, Purse, Work, WrittenOff


def give_to_the_bank(work: Work) -> None:
    """
    Take back all that returned money paid, and what it was allowed to keep back; the money itself is gone (PAY-10).

    It goes when the last of it is free, so that no disposition of it is negative at any date. What is refunded or transferred today has
    gone already.
    """
    for purse in work.purses.values():
        if purse.money.returned_on is None:
            continue
        returned_on = min(purse.money.returned_on, work.day)  # Whatever date a bank gives it, the money is not there from today on.
        gone, gone_on = purse.left, max(returned_on, purse.money.since_on)
        if purse.on_account:
            gone_on = max(gone_on, purse.money.free_on)
        for item in work.books.items:
            for one in list(work.stands_on(item)):
                if one.source.id == purse.source.id and one.source.kind in (RECEIPT, ALLOWANCE) and one.amount_minor:
                    effective_on = max(returned_on, one.effective_on)
                    work.take_off(item, one, one.amount_minor, effective_on)
                    if one.source.kind == RECEIPT:
                        gone, gone_on = gone + one.amount_minor, max(gone_on, effective_on)
        leaving = [one for one in work.books.decisions if one.kind in LEAVING and one.source == purse.source]
        left = min(gone, sum(one.amount_minor for one in leaving))
        if left > purse.left:
            purse.from_on = max(purse.from_on, gone_on)
            purse.gone_from_on = max(purse.gone_from_on, gone_on)
        on_account = min(purse.on_account, max(0, left - purse.unapplied))
        work.move(purse.source, PINNED, -purse.pinned, gone_on)
        work.move(purse.source, ON_ACCOUNT, on_account - purse.on_account, gone_on)
        work.move(purse.source, RETURNED, gone - left, gone_on)
        purse.unapplied, purse.on_account, purse.pinned = left - on_account, on_account, 0


def void(work: Work) -> None:
    """Items of a document voided today are worth nothing and give everything back."""
    for item in work.books.items:
        if item.void_on is not None:
            document = Source(VOID, item.id.removesuffix(f"|{item.n}"))
            effective_on = max(item.void_on, item.document_on)
            total_minor = work.open[item.id] + sum(one.amount_minor for one in work.stands_on(item))
            work.entries[Entry(f"{VOID}|{item.id}", document, item.id, VOID, effective_on, work.day)] += total_minor
            work.reduce(item, [(effective_on, total_minor)], work.stands_on(item))


def reduce_by_memos(work: Work) -> None:
    """Memos reduce the invoices they name. A memo may take all that an item is worth, also what was paid of it on earlier days."""
    if not work.credits:
        return
    standing = [item for item in work.books.items if item.void_on is None]
    stacks = {item.id: [one for one in work.stands_on(item) if not one.is_credit_by_name] for item in standing}
    room = {item.id: work.open[item.id] + sum(one.amount_minor for one in stacks.get(item.id, ())) for item in work.books.items}
    reductions: dict[str, list[tuple[date, int]]] = defaultdict(list)
    for credit in work.credits.values():
        for item in work.by_document.get(credit.memo.names or "", ()):
            part = min(credit.free, room[item.id])
            if part > 0 and item.id not in credit.barred:
                effective_on = _reduced_on(work, credit, item)
                application = f"{credit.source.kind}|{credit.source.id}|{item.document_no}|{item.n}|{work.day}|{effective_on}|{REFERENCE}"
                work.entries[Entry(application, credit.source, item.id, REFERENCE, effective_on, work.day)] += part
                reductions[item.id].append((effective_on, part))
                credit.left -= part
                room[item.id] -= part
    for item in standing:
        if item.id in reductions:
            work.reduce(item, reductions[item.id], stacks[item.id])


def _reduced_on(work: Work, credit: Credit, item: Item) -> date:
    """
    From when a memo reduces an item: not before what was taken back of it was open, but for what `give_back` can date back.

    That is not the credit of another memo by its name, nor anything for a memo that was held when the day opened.
    """
    since = max(credit.memo.document_on, credit.free_on, item.document_on)
    if credit.memo.came_on < work.day:
        return max(since, work.payable_on(item))
    return max([since, *(on for one in work.stands_on(item) if one.is_credit_by_name for on, _ in one.later)])


def adjust(work: Work) -> None:
    """Adjustments approved today take off what is open."""
    for one in sorted(work.books.adjustments, key=lambda one: one.id):
        item = work.items[one.item]
        part = min(one.amount_minor, work.open[item.id])
        if part > 0:
            source, effective_on = Source(ADJUSTMENT, one.id), max(one.effective_on, work.payable_on(item))
            work.entries[Entry(one.id, source, item.id, one.kind, effective_on, work.day)] += part
            work.open[item.id] -= part
            if item.early is not None:
                work.relieved[item.id] += part
            if one.kind in RECOVERABLE:
                standing = Standing(one.id, source, one.kind, part, effective_on, work.day)
                work.written_off[item.id].append(WrittenOff(standing, part))


class _Wanted(NamedTuple):
    """
    What a remittance pays together: a document or its instalment `n` with the most it states for it, or several without.

    `charges` are the deductions it states that the policy lets go, by kind.
    """

    documents: tuple[str, ...]
    cash_max: int | None
    n: int | None
    charges: tuple[tuple[str, int], ...]


def pay_named(work: Work) -> None:
    """Money that names invoices pays them, less what it may keep back (PAY-09); what was written off of them is recovered."""
    for purse in work.purses.values():
        for wanted in _wanted(purse, work.policy.codes):
            _pay_together(work, purse, wanted)


def _wanted(purse: Purse, codes: Mapping[str, str]) -> Iterator[_Wanted]:
    stated: dict[str, list[Stated]] = defaultdict(list)
    for line in purse.money.stated:
        stated[line.document_no].append(line)
    for is_stated, numbers in groupby(purse.money.names, key=lambda number: number in stated):
        if not is_stated:
            yield _Wanted(tuple(numbers), None, None, ())
            continue
        for number in numbers:
            for line in stated[number]:
                charges = tuple((codes[code], minor) for code, minor in line.deductions if code in codes)
                yield _Wanted((number,), line.amount_minor, line.n, charges)


def _pay_together(work: Work, purse: Purse, wanted: _Wanted) -> None:
    documents = [[one for one in work.by_document.get(number, ()) if wanted.n in (None, one.n)] for number in wanted.documents]
    cash = purse.free if wanted.cash_max is None else min(purse.free, wanted.cash_max)
    charges = list(wanted.charges)
    missing = sum(work.open[item.id] for items in documents for item in items if item.id not in purse.barred)
    missing -= cash + sum(minor for _, minor in charges)
    for items in documents:
        for item in items:
            before = purse.free
            missing = pay_item(work, purse, item, REFERENCE, cash, missing, charges)
            cash -= before - purse.free
        for item in items:
            before = purse.free
            _recover(work, purse, item, cash)
            cash -= before - purse.free


def pay_item(work: Work, purse: Purse, item: Item, rule: str, cash: int, missing: int, charges: list[tuple[str, int]] | None = None) -> int:
    """
    Pay an item with up to `cash`; of all that is to be paid together `missing` is not there. Return what is missing of the others.

    Stated charges count like money, and are used up. As much discount is granted as is missing: who sends the whole amount in time has not
    taken one. What little is missing then is tolerated of money that names the item.
    """
    open_minor, cash = work.open[item.id], min(cash, purse.free)
    if not open_minor or cash <= 0 or item.id in purse.barred:
        return missing
    effective_on = max(purse.from_on, work.payable_on(item))
    taken = _take(charges or [], open_minor - 1)  # Something is left for money: what nobody paid of is not charged.
    due = open_minor - sum(minor for _, minor in taken)
    discount = work.discount_of(item, purse)
    kept = min(due - 1, discount.unused_minor, max(missing, 0)) if discount else 0
    tolerance = work.policy.tolerance_of(open_minor, work.books.currency) if rule == REFERENCE else 0
    done = cover(due, min(cash, due - kept), discount, tolerance)
    work.pay(purse, item, done.cash_minor, rule, effective_on)
    if discount is not None:
        work.allow(purse, item, done.discount_minor, discount.kind, effective_on)
    for kind, minor in [*taken, (TOLERANCE, done.tolerated_minor)]:
        work.allow(purse, item, minor, kind, effective_on)
    return missing - done.discount_minor - done.tolerated_minor


def _take(charges: list[tuple[str, int]], minor_max: int) -> list[tuple[str, int]]:
    """Take up to so much from a list of charges, in its order."""
    taken = []
    for place, (kind, minor) in enumerate(charges):
        part = min(minor, minor_max)
        if part > 0:
            taken.append((kind, part))
            charges[place] = (kind, minor - part)
            minor_max -= part
    return taken


def _recover(work: Work, purse: Purse, item: Item, cash: int) -> None:
    """Let money that names a written-off item pay it after all, what was written off first being recovered first (INV-08)."""
    if item.id in purse.barred:
        return
    for one in work.written_off.get(item.id, ()):
        part = min(cash, purse.free, one.left)
        if part > 0:
            standing = one.standing
            effective_on = max(purse.from_on, item.document_on, standing.effective_on)
            work.entries[Entry(standing.application, standing.source, item.id, RECOVERED, effective_on, standing.applied_on)] -= part
            one.left -= part
            cash -= part
            work.open[item.id] += part
            work.pay(purse, item, part, REFERENCE, effective_on)
