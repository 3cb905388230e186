"""An account's day is a set: what is applied to what, as a pure function of the opening books and of what came today."""

from collections.abc import Mapping
from datetime import date

from payment.domain import decisions, exchange, named, rules
from payment.domain.books import Books, Entry
from payment.domain.policy import Policy
from payment.domain.working import Work


def settle(books: Books, day: date, policy: Policy) -> dict[Entry, int]:
    """
    Return the entries that `day` has to hold: all of them, not what is new.

    A function of sets: the order of items, memos, adjustments and money in `books` means nothing. The passes, each in its canonical order:

    0. money that the bank took back leaves the items it paid, with what it was allowed to keep back of them (PAY-10);
    1. items become worth less, and one that is worth less than stands on it of earlier days gives that back, the latest first
       (`give_back`): money is on-account, memo credit open again, an adjustment vanishes. A discount shrinks with what there is to pay.
       a. Items of a document voided today are worth nothing and give everything back, credit of memos that name them too;
       b. memos that name an invoice reduce its items, by memo number, instalment by instalment;
       c. adjustments approved today take off what is open, by id. What is not open is not posted, on no later day either;
    2. people's decisions, in the order in which they were recorded, cut to what there is. What a person took off an item is pinned: only a
       person uses it again, or releases it;
    3. money that names invoices pays them, by value date and bank reference, invoices in the order of the remittance, as much of each as it
       states; with the discount it earned, the deductions the policy lets go and what little is missing then (PAY-09). When nothing is open
       of an invoice, what is left pays what was written off of it (`RECOVERABLE`), which is recovered (INV-08);
    4. unapplied money that names nothing is placed by the entity's rules, the first that fits (PAY-05), and by its auto-apply policy other
       money pays the oldest item first (due date, document number, instalment): the opening's before today's, then by value date and bank
       reference;
    5. by the auto-apply policy open memo credit likewise, by memo number. A memo whose named invoice has not come yet waits for it.

    A deposit pays what it names only, in pass 3; passes 4 and 5 leave it alone (PAY-16), as they do money that is for documents of other
    accounts too (PAY-11).

    What is left of it, and of money that names an invoice, is on-account; what names nothing and finds nothing stays unapplied, or is
    on-account by policy. In another currency than the entity's every application realises a gain or loss (`exchange`).

    Effective dates (PAY-08). Money that came today, received or identified, is applied on the later of its value date and the document's
    date. Money that was held when the day opened is applied by an act of today: on the booked day, or on the document's date or the day
    the money is free where that is later. A memo reduces the invoice it names on the later of the two document dates, whenever they
    came; other memo credit follows the rule of money. A void and an adjustment count from their own dates, never before the document;
    what is recovered, not before it was written off. A person's decision counts from its own date where that is later, a transfer
    from its own date in any case, when so much was free; money is taken back from the date of its return. What money that came today leaves
    on-account is so from its value date. So at no date is an item, a memo, an adjustment or a disposition of a receipt negative.

    :raises ItemsMissing: something is left that a rule may put on items that are not in the books.
    """
    work = Work(books, day, policy)
    named.give_to_the_bank(work)
    decisions.bar_memos(work)
    named.void(work)
    named.reduce_by_memos(work)
    named.adjust(work)
    decisions.decide(work)
    named.pay_named(work)
    if rules.has_rest(work):
        rules.require(work, rules.reach_of(work))
        rules.place_money(work)
        rules.place_credit(work)
    rules.leave(work)
    entries = {entry: minor for entry, minor in work.entries.items() if minor}
    return entries | exchange.realised(books, entries)


def difference(target: Mapping[Entry, int], booked: Mapping[Entry, int]) -> list[tuple[Entry, int]]:
    """
    Return what has to be booked on top of `booked` to arrive at `target`, in canonical order.

    What is taken back comes first, and applications before money moves on-account or from it.
    """
    changes = [(entry, target.get(entry, 0) - booked.get(entry, 0)) for entry in target.keys() | booked.keys()]
    return sorted(((entry, minor) for entry, minor in changes if minor), key=lambda change: (change[1] > 0, not change[0].item, change[0]))
