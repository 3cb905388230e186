"""The pass about what people decided: their decisions stand above every rule, cut to what there is (messaging section 11)."""

from datetime import date
from fractions import Fraction

from money import round_half_up

from payment.domain.allowances import cover
from payment.domain.books import (
    ALLOWANCE,
    DISCOUNTS,
    MEMO,
    ON_ACCOUNT,
    PERSON,
    RECEIPT,
    REFUNDED,
    TOLERANCE,
    TRANSFERRED,
    Decision,
    Entry,
    Item,
    Source,
)
from payment.domain.working import LEAVING, Credit, Purse, Work


def decide(work: Work) -> None:
    """Carry out the decisions of the day, in the order in which they were recorded."""
    for one in work.books.decisions:
        of = work.purses[one.source] if one.source.kind == RECEIPT else work.credits[one.source]
        if isinstance(of, Purse) and of.money.returned_on is not None and one.kind not in LEAVING:
            continue  # There is nothing left of it but what was refunded or transferred.
        match one.kind:
            case "apply":
                _apply(work, of, work.items[one.item], one)
            case "unapply":
                _unapply(work, of, work.items[one.item], one)
            case "release":
                work.pin(of, -of.pinned, max(of.from_on, one.effective_on))
                of.barred.clear()
            case "refund":
                assert isinstance(of, Purse), "only money is paid back"
                _take(work, of, one, REFUNDED, max(of.from_on, one.effective_on))
            case "transfer":
                assert isinstance(of, Purse), "only money is transferred"
                _take(work, of, one, TRANSFERRED, max(of.gone_from_on, one.effective_on))


def bar_memos(work: Work) -> None:
    """A memo that a person took off its invoice today does not reduce it, though memos come before decisions."""
    for one in work.books.decisions:
        if one.source.kind == MEMO and one.kind == "unapply":
            work.credits[one.source].barred.add(one.item)


def _apply(work: Work, of: Purse | Credit, item: Item, one: Decision) -> None:
    """A person's application, with the discount and the tolerance that a payment of that amount has."""
    of.barred.discard(item.id)
    effective_on, rule = max(of.from_on, work.payable_on(item), one.effective_on), f"{PERSON}:{one.id}"
    open_minor = work.open[item.id]
    if isinstance(of, Credit):
        part = min(one.amount_minor, of.left, open_minor)
        if pinned := min(part, of.pinned):
            work.pin(of, -pinned, effective_on)
        work.credit(of, item, part, rule, effective_on)
        return
    part = min(one.amount_minor, of.left, open_minor)
    if part:
        discount = work.discount_of(item, of)
        done = cover(open_minor, part, discount, work.policy.tolerance_of(open_minor, work.books.currency))
        work.pay(of, item, done.cash_minor, rule, effective_on, may_use_pinned=True)
        if discount is not None:
            work.allow(of, item, done.discount_minor, discount.kind, effective_on)
        work.allow(of, item, done.tolerated_minor, TOLERANCE, effective_on)


def _unapply(work: Work, of: Purse | Credit, item: Item, one: Decision) -> None:
    """
    Take money or credit off an item: what a person put there today, then what stands of earlier days, the latest first.

    What a rule or a reference would put there today is not put there: as much is kept instead. What a payment was allowed to keep back goes
    with it in proportion.
    """
    wanted = _undo_today(work, of, item, one)
    stood = [standing for standing in work.stands_on(item) if standing.source == one.source and standing.amount_minor]
    before = sum(standing.amount_minor for standing in stood)
    after = before - min(before, wanted)
    for allowed in [standing for standing in work.stands_on(item) if standing.source == Source(ALLOWANCE, one.source.id)]:
        kept = round_half_up(Fraction(allowed.amount_minor * after, before)) if before else allowed.amount_minor
        if kept < allowed.amount_minor:
            work.take_off(item, allowed, allowed.amount_minor - kept, max(one.effective_on, allowed.effective_on))
    for standing in sorted(stood, key=lambda stands: (stands.applied_on, stands.effective_on, stands.application), reverse=True):
        if part := min(standing.amount_minor, wanted):
            effective_on = max(one.effective_on, standing.effective_on)
            work.take_off(item, standing, part, effective_on)
            _keep(work, of, part, effective_on)
            wanted -= part
    _keep_free(work, of, wanted, one)
    of.barred.add(item.id)


def _undo_today(work: Work, of: Purse | Credit, item: Item, one: Decision) -> int:
    """Undo what a person put on the item earlier today, with all that it was allowed to keep back; return what is still wanted."""
    wanted = one.amount_minor
    sources = (one.source, Source(ALLOWANCE, one.source.id))
    for entry, minor in list(work.entries.items()):
        is_allowed = entry.source.kind == ALLOWANCE
        if (entry.item, entry.applied_on) != (item.id, work.day) or entry.source not in sources or not (is_allowed or entry.rule == PERSON):
            continue
        part = minor if is_allowed else min(minor, wanted)
        work.entries[entry] -= part
        work.open[item.id] += part
        if is_allowed:
            if entry.rule in DISCOUNTS:
                work.granted[item.id] -= part
            continue
        if one.source.kind == MEMO and item.early is not None:
            work.relieved[item.id] -= part
        wanted -= part
        _keep(work, of, part, max(entry.effective_on, one.effective_on))
    return wanted


def _keep(work: Work, of: Purse | Credit, minor: int, effective_on: date) -> None:
    """Keep what came off an item from the rules: money on-account, credit open, both pinned."""
    of.from_on = max(of.from_on, effective_on)
    if isinstance(of, Purse):
        of.gone_from_on = max(of.gone_from_on, effective_on)
        of.on_account += minor
        work.move(of.source, ON_ACCOUNT, minor, effective_on)
    else:
        of.left += minor
    work.pin(of, minor, effective_on)


def _keep_free(work: Work, of: Purse | Credit, minor: int, one: Decision) -> None:
    """Keep money or credit that is not on any item yet; where there is none, nothing is any later free than before."""
    part = min(minor, of.free if isinstance(of, Credit) else of.unapplied)
    if not part:
        return
    of.from_on = effective_on = max(of.from_on, one.effective_on)
    if isinstance(of, Purse):
        of.gone_from_on = max(of.gone_from_on, effective_on)
        of.unapplied -= part
        of.on_account += part
        work.move(of.source, ON_ACCOUNT, part, effective_on)
    work.pin(of, part, effective_on)


def _take(work: Work, purse: Purse, one: Decision, rule: str, effective_on: date) -> None:
    """Take money that goes back to the payer or to another account: what is unapplied first, pinned money last."""
    part = min(one.amount_minor, purse.left)
    from_unapplied = min(part, purse.unapplied)
    from_on_account = part - from_unapplied
    work.pin(purse, -max(0, from_on_account - (purse.on_account - purse.pinned)), effective_on)
    purse.unapplied -= from_unapplied
    purse.on_account -= from_on_account
    work.move(purse.source, ON_ACCOUNT, -from_on_account, effective_on)
    work.entries[Entry("", purse.source, "", f"{rule}:{one.id}", effective_on, work.day)] += part
