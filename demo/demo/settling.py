"""One account's day, settled as a whole. What it is for is said in `oracle`."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from demo.account import Account, Item, Kept, Memo, Money, Source, WrittenOff
from demo.early import covered, discount_minor
from demo.ledger import BillAnew, CreditMemo, DebitMemo, Invoice, Receipt, Refund, Return, TakeOff, Void, WriteOff
from demo.postings import CHARGES, Cause, Owner, Posting

_CAUSES: dict[type[Source], Cause] = {Money: "settled", Memo: "credited", WrittenOff: "written_off", Kept: "discounted"}


@dataclass(frozen=True, slots=True)
class Today:
    """
    What one day brings to one account; `money` is what came or got a known payer today, `arrivals` what came from other accounts.

    `invoices` come with the day on which they are booked, which for what a returned payment costs is the next. Receipts `for_others` name
    documents of other accounts that were open when the day began: what they do not pay by name waits.
    """

    day: date
    invoices: Sequence[tuple[Invoice | DebitMemo, date]]
    memos: Sequence[CreditMemo]
    voids: Sequence[Void]
    write_offs: Sequence[WriteOff]
    money: Sequence[Receipt]
    returns: Sequence[Return] = ()
    decisions: Sequence[TakeOff | Refund | BillAnew] = ()
    arrivals: Sequence[Money] = ()
    for_others: Collection[str] = ()


def settle(account: Account, today: Today) -> Iterator[Posting]:
    """
    Settle one account's day: returns, voids, memos that name, write-offs, what people decide, money that names, money without a name
    (held money first), memos without a name.
    """
    owner, day = account.owner, today.day
    account.moves.clear()
    found = [account.items.get(one.document_no.casefold()) for one in today.write_offs]
    to_write_off = [(item, item.open_minor) for item in found if item]  # What is open as the day opens is what people see.
    to_pay_back = {one.of: money.unapplied_minor + money.on_account_minor for one in today.decisions if (money := account.of(one.of))}
    came = sorted((*(Money(one, one.amount_minor) for one in today.money), *today.arrivals), key=lambda money: money.place)
    new_memos = [Memo(memo, memo.amount_minor) for memo in today.memos]
    account.memos = sorted((*account.memos, *new_memos), key=lambda memo: memo.memo.document_no)
    for invoice, booked_on in today.invoices:
        item = account.items[invoice.document_no.casefold()] = Item(invoice, invoice.amount_minor)
        cause: Cause = "charged" if invoice.document_no.startswith(CHARGES) else "invoiced"
        yield account.change(item, invoice.amount_minor, cause, invoice.issued_on, booked_on)
    for memo in new_memos:
        yield Posting(owner, "on_account", memo.left_minor, memo.memo.issued_on, day)
    for returned in today.returns:
        yield from _return(account, returned, day)
    for void in today.voids:
        yield from _void(account, account.items[void.document_no.casefold()], void, day)
    for memo in account.memos:
        yield from _credit_named(account, memo, day)
    for item, asked_minor in to_write_off:
        yield from _write_off(account, item, asked_minor, day)
    for decision in today.decisions:
        yield from _decide(account, decision, to_pay_back, day)
    held = sorted((money for money in account.money if money.left_minor), key=lambda money: money.place)
    account.money += came
    spending = [(money, day) for money in held]  # By an act of today.
    spending += [(money, money.since_on) for money in came]
    for money, from_on in sorted(spending, key=lambda one: one[0].place):
        yield from _pay_named(account, money, from_on, day)
    free = [one for one in spending if not one[0].receipt.deposit_for and one[0].receipt.bank_ref not in today.for_others]
    for money, from_on in free:
        for item in _oldest_first(account, money.left_minor):
            if item.invoice.document_no not in money.barred:
                yield from _pay(account, item, money, min(money.left_minor, item.open_minor), from_on, day)
    for memo in account.memos:
        yield from _credit_oldest(account, memo, day)
    for money, from_on in spending:
        if money.unapplied_minor and (money.receipt.deposit_for or account.named_by(money)):
            yield from _move(owner, money, money.unapplied_minor, from_on, day)


def _return(account: Account, returned: Return, day: date) -> Iterator[Posting]:
    """A bank takes money back: all that it paid is open again, with what it kept back, and whatever is left of it is gone."""
    money = account.of(returned.of)
    if money is None:
        return
    for item in account.items.values():
        yield from _take_off(account, item, money, returned.value_on, day)
    owner, gone = account.owner, money.unapplied_minor
    yield Posting(owner, "unapplied", -gone, returned.value_on, day)
    yield Posting(owner, "on_account", -money.on_account_minor, returned.value_on, day)
    yield Posting(owner, "left", -returned.amount_minor, returned.value_on, day, cause="reversed")
    money.unapplied_minor = money.on_account_minor = money.pinned_minor = 0


def _take_off(account: Account, item: Item, money: Money, effective_on: date, day: date) -> Iterator[Posting]:
    """Undo all that a receipt did to an item; its money is not put anywhere yet."""
    of_it = [one for one in item.applied if one[0] is money or (isinstance(one[0], Kept) and one[0].money is money)]
    for one in of_it:
        source, minor = one
        item.applied.remove(one)
        yield account.change(item, minor, _CAUSES[type(source)], effective_on, day, source)


def _decide(account: Account, decision: TakeOff | Refund | BillAnew, to_pay_back: dict[str, int], day: date) -> Iterator[Posting]:
    """
    What a person takes off an item stays on account for people to use; what is paid back takes free money first, and that last.

    What is billed anew stays where it is.
    """
    money = account.of(decision.of)
    if money is None:
        return
    if isinstance(decision, BillAnew):
        yield Posting(account.owner, "left", -money.receipt.amount_minor, day, day, cause="reversed")
        return
    if isinstance(decision, TakeOff):
        for item in account.items.values():
            taken = sum(minor for source, minor in item.applied if source is money)
            if taken:
                yield from _take_off(account, item, money, day, day)
                yield Posting(account.owner, "on_account", taken, day, day)
                money.on_account_minor += taken
                money.pinned_minor += taken
                money.given_on = max(money.given_on, day)
                money.barred.add(item.invoice.document_no)
        return
    part = min(to_pay_back[decision.of], money.unapplied_minor + money.on_account_minor)
    unapplied = min(part, money.unapplied_minor)
    money.unapplied_minor -= unapplied
    money.on_account_minor -= part - unapplied
    money.pinned_minor = min(money.pinned_minor, money.on_account_minor)
    yield Posting(account.owner, "unapplied", -unapplied, day, day)
    yield Posting(account.owner, "on_account", unapplied - part, day, day)
    yield Posting(account.owner, "left", -part, day, day, cause="refunded")


def _void(account: Account, item: Item, void: Void, day: date) -> Iterator[Posting]:
    """A void document is worth nothing: all that was applied to it comes back, and so do the memos that named it."""
    effective_on = max(void.voided_on, item.invoice.issued_on)
    for source, minor in (*item.applied, *item.reduced_by):
        yield from _give_back(account, item, source, minor, effective_on, day)
    yield account.change(item, -item.invoice.amount_minor, "voided", effective_on, day)
    item.worth_minor, item.applied, item.reduced_by = 0, [], []


def _credit_named(account: Account, memo: Memo, day: date) -> Iterator[Posting]:
    """A memo makes the invoice it names worth less; what the invoice then has too much it gives back, the latest first."""
    item = account.items.get((memo.memo.ref_document_no or "").casefold())
    credit_minor = min(memo.left_minor, item.worth_minor) if item else 0
    if item is None or not credit_minor:
        return
    memo.left_minor -= credit_minor
    item.worth_minor -= credit_minor
    item.reduced_by.append((memo, credit_minor))
    effective_on = max(memo.memo.issued_on, item.invoice.issued_on)
    yield Posting(account.owner, "on_account", -credit_minor, effective_on, day)
    yield account.change(item, -credit_minor, "credited", effective_on, day, memo)
    while (too_much_minor := -item.open_minor) > 0:
        source, applied_minor = item.applied.pop()
        given_back_minor = min(applied_minor, too_much_minor)
        if applied_minor > given_back_minor:
            item.applied.append((source, applied_minor - given_back_minor))
        yield from _give_back(account, item, source, given_back_minor, effective_on, day)


def _give_back(account: Account, item: Item, source: Source, minor: int, effective_on: date, day: date) -> Iterator[Posting]:
    """Money becomes credit of the account, a memo has its credit again, and all else is not any more."""
    yield account.change(item, minor, _CAUSES[type(source)], effective_on, day, source)
    match source:
        case Money():
            source.on_account_minor += minor
            source.given_on = max(source.given_on, effective_on)
            yield Posting(account.owner, "on_account", minor, effective_on, day)
        case Memo():
            source.left_minor += minor
            yield Posting(account.owner, "on_account", minor, effective_on, day)


def _write_off(account: Account, item: Item, asked_minor: int, day: date) -> Iterator[Posting]:
    """Two people write off what they saw; what is not open any more is not."""
    minor = min(asked_minor, item.open_minor)
    if minor > 0:
        source = WrittenOff(day)
        item.applied.append((source, minor))
        yield account.change(item, -minor, "written_off", day, day, source)


def _pay_named(account: Account, money: Money, from_on: date, day: date) -> Iterator[Posting]:
    """Money pays what it names, less what it may keep back of what is missing; then what was written off of that."""
    named = [item for item in account.named_by(money) if item.invoice.document_no not in money.barred]
    missing = sum(item.open_minor for item in named) - money.left_minor
    for item in named:
        if item.open_minor and money.left_minor:
            full = discount_minor(item.invoice, money.receipt.value_on)
            unused = item.unused_minor(full) if full else 0
            kept = min(item.open_minor, unused, max(missing, 0))
            cash = min(money.left_minor, item.open_minor - kept)
            cash, discount = covered(item.open_minor, cash, full, unused, item.invoice.amount_minor)
            effective_on = max(from_on, item.invoice.issued_on)
            yield from _pay(account, item, money, cash, from_on, day)
            if discount:
                source = Kept(money)
                item.applied.append((source, discount))
                yield account.change(item, -discount, "discounted", effective_on, day, source)
                missing -= discount
        yield from _recover(account, item, money, from_on, day)


def _recover(account: Account, item: Item, money: Money, from_on: date, day: date) -> Iterator[Posting]:
    """Money that names a written-off invoice pays it after all."""
    for place, (source, written_off_minor) in enumerate(item.applied):
        minor = min(money.left_minor, written_off_minor)
        if isinstance(source, WrittenOff) and minor:
            effective_on = max(from_on, source.effective_on)
            item.applied[place] = (source, written_off_minor - minor)
            yield account.change(item, minor, "written_off", effective_on, day, source)
            yield from _pay(account, item, money, min(money.left_minor, item.open_minor), effective_on, day)


def _pay(account: Account, item: Item, money: Money, minor: int, from_on: date, day: date) -> Iterator[Posting]:
    """Apply so much of a receipt, unapplied money before on-account money."""
    if not minor:
        return
    effective_on = max(from_on, item.invoice.issued_on)
    item.applied.append((money, minor))
    unapplied_minor = min(minor, money.unapplied_minor)
    yield Posting(account.owner, "unapplied", -unapplied_minor, effective_on, day)
    yield Posting(account.owner, "on_account", unapplied_minor - minor, effective_on, day)
    money.unapplied_minor -= unapplied_minor
    money.on_account_minor -= minor - unapplied_minor
    yield account.change(item, -minor, "settled", effective_on, day, money)


def _move(owner: Owner, money: Money, minor: int, effective_on: date, day: date) -> Iterator[Posting]:
    """What money leaves over behind the invoice it names is deliberate credit."""
    money.unapplied_minor -= minor
    money.on_account_minor += minor
    money.given_on = max(money.given_on, effective_on)
    yield Posting(owner, "unapplied", -minor, effective_on, day)
    yield Posting(owner, "on_account", minor, effective_on, day)


def _credit_oldest(account: Account, memo: Memo, day: date) -> Iterator[Posting]:
    """What is left of a memo reduces the oldest item first; a memo whose invoice has not come waits for it."""
    names = (memo.memo.ref_document_no or "").casefold()
    if names and names not in account.items:
        return
    for item in _oldest_first(account, memo.left_minor):
        minor = min(memo.left_minor, item.open_minor)
        if minor:
            memo.left_minor -= minor
            item.applied.append((memo, minor))
            effective_on = max(day, item.invoice.issued_on)  # A memo is told on its own date, so this is never before it.
            yield Posting(account.owner, "on_account", -minor, effective_on, day)
            yield account.change(item, -minor, "credited", effective_on, day, memo)


def _oldest_first(account: Account, wanted_minor: int) -> list[Item]:
    """Return the open items by due date and number; none where there is nothing to spend."""
    return sorted((item for item in account.items.values() if item.open_minor), key=lambda item: item.place) if wanted_minor else []
