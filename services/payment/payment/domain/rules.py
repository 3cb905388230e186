"""Passes about what names nothing: the rules of an entity for money without a reference (PAY-05), and auto-application (PAY-08)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from payment.domain.allowances import due_for
from payment.domain.books import ALL_ITEMS, ON_ACCOUNT, Books, Item, Reach
from payment.domain.named import pay_item
from payment.domain.policy import (
    CLEAR_ACCOUNT,
    CLEAR_PAST_DUE,
    CLEAR_PAST_DUE_BY_TERMS,
    COMBINATION,
    EXACT_ITEM,
    OLDEST_FIRST,
)
from payment.domain.working import Credit, Purse, Work

Choice: TypeAlias = list[Item] | None
_WITHIN_REACH: Final = frozenset((EXACT_ITEM, OLDEST_FIRST))
"""The rules that need not look at all open items."""


class ItemsMissing(Exception):
    """Rules look at items that the books do not have: load what is `wanted` and settle again."""

    def __init__(self, books: Books, wanted: Reach) -> None:
        super().__init__(wanted)
        self.books = books
        self.wanted = wanted


def has_rest(work: Work) -> bool:
    """Whether money or credit is left that a rule may put on any item."""
    return any(_by_rule(work, purse) or _on_account(work, purse) for purse in work.purses.values()) or (
        work.policy.auto_apply == "oldest" and any(_usable(work, credit) for credit in work.credits.values())
    )


def reach_of(work: Work) -> Reach:
    """
    Say which items the rules may look at with what is left.

    An account may owe ten thousand items, and money seldom gets further than a few. Where discounts make items smaller, or a person took
    money off some of them, how far it gets is not known beforehand.
    """
    policy = work.policy
    by_amount = policy.rules[:1] == (EXACT_ITEM,)  # What comes behind it looks at more when it comes to that: see `_place`.
    is_all = not by_amount and policy.rules != (OLDEST_FIRST,)
    by_age = OLDEST_FIRST in policy.rules and _WITHIN_REACH.issuperset(policy.rules)
    amounts: set[int] = set()
    by_rule_minor, oldest_minor, is_barred = 0, 0, False
    for purse in work.purses.values():
        if _on_account(work, purse):
            oldest_minor += purse.free
        if _by_rule(work, purse):
            by_rule_minor += purse.unapplied
            amounts.add(purse.unapplied)
        is_barred = is_barred or bool(purse.barred)
    if policy.auto_apply == "oldest":
        usable = [credit for credit in work.credits.values() if _usable(work, credit)]
        oldest_minor += sum(credit.free for credit in usable)
        is_barred = is_barred or any(credit.barred for credit in usable)
    if oldest_minor or by_age:
        oldest_minor += by_rule_minor  # What an exact amount takes of the oldest ones is not there for the others.
    if policy.discounts == "earned" or (by_rule_minor and is_all) or (oldest_minor and is_barred):
        return ALL_ITEMS
    return Reach(frozenset(amounts if by_amount else ()), oldest_minor)


def require(work: Work, wanted: Reach) -> None:
    """
    Go on only where the books have what is wanted.

    :raises ItemsMissing: see there.
    """
    if not work.books.reach.covers(wanted):
        raise ItemsMissing(work.books, wanted)


def place_money(work: Work) -> None:
    """Place money by the entity's rules, the opening's before today's, then by value date and bank reference."""
    queue = _oldest_last(work)
    for purse in sorted(work.purses.values(), key=lambda purse: not purse.is_held):  # Stable: by value date within each.
        if _by_rule(work, purse):
            _place(work, purse, queue)
        if _on_account(work, purse):
            _pay_oldest(work, purse, queue, partials=True)


def place_credit(work: Work) -> None:
    """Use open memo credit for the oldest items, by memo number."""
    if work.policy.auto_apply != "oldest":
        return
    queue = _oldest_last(work)
    for credit in work.credits.values():
        if _usable(work, credit):
            _spend(work, credit, queue)


def leave(work: Work) -> None:
    """What is left of a deposit, and of money that names an invoice, is deliberate credit; of other money, where the policy says so."""
    for purse in work.purses.values():
        is_credit = purse.money.names or purse.money.is_bound or (work.policy.rest == "on_account" and work.policy.rules)
        if purse.unapplied and is_credit:
            work.move(purse.source, ON_ACCOUNT, purse.unapplied, purse.from_on)
            purse.on_account += purse.unapplied
            purse.unapplied = 0


def _by_rule(work: Work, purse: Purse) -> bool:
    """Whether it is unapplied money that names nothing and is bound to nothing."""
    return bool(purse.unapplied and not purse.money.names and not _is_kept(purse) and work.policy.rules)


def _on_account(work: Work, purse: Purse) -> bool:
    """Whether it is money for auto-application: on-account, neither pinned nor bound, or left over behind what it named."""
    on_account = purse.on_account - purse.pinned + (purse.unapplied if purse.money.names else 0)
    return work.policy.spends_on_account and on_account > 0 and not _is_kept(purse)


def _is_kept(purse: Purse) -> bool:
    """Whether it is for what is not here: an order that has not come, documents of other accounts."""
    return purse.money.is_bound or purse.money.is_for_others


def _usable(work: Work, credit: Credit) -> bool:
    return credit.free > 0 and not work.is_waiting(credit)


def _oldest_last(work: Work) -> list[Item]:
    items = [item for item in work.books.items if work.open[item.id]]
    return sorted(items, key=lambda item: (item.due_on, item.document_no, item.n), reverse=True)


def _open(work: Work, queue: list[Item], barred: Iterable[str]) -> Iterator[Item]:
    """Walk along the open items, the oldest first; forget the settled ones at the old end."""
    while queue and not work.open[queue[-1].id]:
        queue.pop()
    return (item for item in reversed(queue) if work.open[item.id] and item.id not in barred)


def _place(work: Work, purse: Purse, queue: list[Item]) -> None:
    """Let the first rule that fits place unapplied money."""
    for rule in work.policy.rules:
        if rule not in _WITHIN_REACH:
            require(work, ALL_ITEMS)
        if rule == OLDEST_FIRST:
            _pay_oldest(work, purse, queue, partials=work.policy.partials, unapplied_only=True)
        elif (chosen := _CHOICES[rule](work, purse, list(_open(work, queue, purse.barred)))) is not None:
            missing = sum(work.open[item.id] for item in chosen) - purse.unapplied
            for item in chosen:
                missing = pay_item(work, purse, item, rule, purse.unapplied, missing)
        if not purse.unapplied:
            return


def _pay_oldest(work: Work, purse: Purse, queue: list[Item], *, partials: bool, unapplied_only: bool = False) -> None:
    """Rule 5: the oldest item first; without partials it ends at the first item the money does not settle."""
    for item in _open(work, queue, purse.barred):
        cash = purse.unapplied if unapplied_only else purse.free
        if not cash:
            return
        due = _due(work, purse, item)
        if not partials and due > cash:
            return
        if work.policy.discounts == "earned":
            pay_item(work, purse, item, OLDEST_FIRST, cash, work.open[item.id] - cash if due > cash else work.open[item.id] - due)
        else:
            work.pay(purse, item, min(cash, work.open[item.id]), OLDEST_FIRST, max(purse.from_on, work.payable_on(item)))


def _spend(work: Work, credit: Credit, queue: list[Item]) -> None:
    for item in _open(work, queue, credit.barred):
        if not credit.free:
            return
        work.credit(credit, item, min(credit.free, work.open[item.id]), OLDEST_FIRST, max(credit.from_on, work.payable_on(item)))


def _due(work: Work, purse: Purse, item: Item) -> int:
    """What settles an item with this money: less its earned discount where the policy counts that."""
    if work.policy.discounts == "none":
        return work.open[item.id]
    return due_for(work.open[item.id], work.discount_of(item, purse))


def _exact_item(work: Work, purse: Purse, items: Sequence[Item]) -> Choice:
    """Rule 1: one item that needs just this; of several the one due first, then by document number and instalment."""
    return next(([item] for item in items if _due(work, purse, item) == purse.unapplied), None)


def _all_of(work: Work, purse: Purse, items: Sequence[Item]) -> Choice:
    return list(items) if items and sum(_due(work, purse, item) for item in items) == purse.unapplied else None


def _past_due(work: Work, purse: Purse, items: Sequence[Item]) -> Choice:
    """Rule 3, judged on the booked day."""
    return _all_of(work, purse, [item for item in items if item.due_on < work.day])


def _past_due_by_terms(work: Work, purse: Purse, items: Sequence[Item]) -> Choice:
    """Rule 4: the past due items of one payment term, the group with the oldest item first."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        if item.due_on < work.day:
            groups.setdefault(item.terms, []).append(item)
    return next((found for group in groups.values() if (found := _all_of(work, purse, group))), None)


def _combination(work: Work, purse: Purse, items: Sequence[Item]) -> Choice:
    """Rule 6: all that is open less all open credit; the credit is used first, for the oldest items."""
    credits = [credit for credit in work.credits.values() if _usable(work, credit)]
    free = sum(credit.free for credit in credits)
    if not free or sum(work.open[item.id] for item in items) - free != purse.unapplied:
        return None
    queue = list(reversed(items))
    for credit in credits:
        _spend(work, credit, queue)
    return [item for item in items if work.open[item.id]]


_CHOICES: Final[Mapping[str, Callable[[Work, Purse, Sequence[Item]], Choice]]] = MappingProxyType(
    {
        EXACT_ITEM: _exact_item,
        CLEAR_ACCOUNT: _all_of,
        CLEAR_PAST_DUE: _past_due,
        CLEAR_PAST_DUE_BY_TERMS: _past_due_by_terms,
        COMBINATION: _combination,
    }
)
