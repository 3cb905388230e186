"""
What the books must say, computed from the ledger alone, one business day after the other.

Imports nothing of the services and shares no code with them, so that a mistake of theirs is not repeated here. The rules (PAY-02, PAY-04,
PAY-07 to PAY-11, PAY-16, INV-04, INV-06 to INV-08): money that names documents of other accounts goes there when the next day begins; money
that a bank took back leaves what it paid; then comes what makes an invoice worth less (voids, memos that name it, write-offs), then what
people decided, then money that names an invoice, less its discount where it was early, which also recovers what was written off; what is
left pays the oldest invoice first, a whole day at a time. Deposits pay what names their order, and nothing else. Not computed here: the
discount of an invoice that a memo names, and money that a bank takes back after some of it went to another account.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from demo.account import Account, Money
from demo.billing import billed_on
from demo.clues import bank_account_as_compared, numbers_in
from demo.exchange import Exchange, Gained
from demo.ledger import (
    BillAnew,
    CreditMemo,
    Customer,
    DebitMemo,
    Document,
    Entry,
    Invoice,
    Ledger,
    Rate,
    Receipt,
    Refund,
    Return,
    Schedule,
    TakeOff,
    Void,
    WriteOff,
)
from demo.postings import ANEW, FEE, Owner, Posting
from demo.settling import Today, settle

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """All that the ledger comes to: every change of every figure, in the order of the days, what rates gained, the accounts at the end."""

    postings: list[Posting]
    gained: Gained
    accounts: dict[Owner, Account]


def fold(ledger: Ledger) -> list[Posting]:
    """Play the ledger day by day; return every change of every figure, in the order of the days."""
    return play(ledger).postings


def play(ledger: Ledger) -> Told:
    """Play the ledger day by day."""
    books, entries = _Books(ledger.house.currency), ledger.by_day()
    day, ends_on = ledger.opens_on, ledger.ends_on + _ONE_DAY  # Bank accounts and schedules count from the day after, too.
    while day <= ends_on:
        books.close(day, entries.get(day, []))
        day += _ONE_DAY
    return Told(books.postings, books.gained, books.accounts)


class _Books:
    """All accounts, who pays from where, who settles under whom, and the money nobody could be found for yet."""

    def __init__(self, own_currency: str) -> None:
        self.postings: list[Posting] = []
        self._exchange = Exchange(own_currency)
        self.accounts: dict[Owner, Account] = {}
        self._owner_of_document: dict[str, Owner] = {}
        self._parent_of: dict[str, str] = {}
        self._schedules: list[Schedule] = []
        self._voids: list[Void] = []
        self._payer_of: dict[str, str] = {}
        self._unidentified: list[Receipt] = []
        self._owner_of: dict[str, Owner] = {}
        self._charges: list[DebitMemo] = []

    @property
    def gained(self) -> Gained:
        """What rates gained."""
        return self._exchange.gained

    def close(self, day: date, entries: Sequence[Entry]) -> None:
        """Take a whole day at once: order within it must not matter."""
        came = [entry for entry in entries if isinstance(entry, Receipt)]
        arrivals, for_others = self._spread(day)
        documents = [*billed_on(self._schedules, day), *(entry for entry in entries if isinstance(entry, Document))]
        charges = self._charges
        self._owner_of_document |= {one.document_no.casefold(): self._place(one) for one in documents}
        self._owner_of_document |= {one.document_no.casefold(): (one.customer, one.currency) for one in charges}
        self._schedules += [entry for entry in entries if isinstance(entry, Schedule)]
        voids = self._voids_to_carry_out([entry for entry in entries if isinstance(entry, Void)])
        write_offs = [entry for entry in entries if isinstance(entry, WriteOff)]
        returns = [entry for entry in entries if isinstance(entry, Return)]
        decisions = [entry for entry in entries if isinstance(entry, TakeOff | Refund)]
        anew = [entry for entry in entries if isinstance(entry, BillAnew) and self._is_wholly_applied(entry.of)]
        brought = self._bring(day, came)
        for_others |= {one.bank_ref for owner, own in brought.items() for one in own if self._open_of_others(one, owner)}
        owners = {self._owner(one.document_no) for one in (*documents, *charges, *voids, *write_offs)} | brought.keys()
        owners |= arrivals.keys()
        owners |= {self._owner_of[one.of] for one in (*returns, *decisions, *anew) if one.of in self._owner_of}
        for owner in sorted(owners):
            own = [document for document in documents if self._owner(document.document_no) == owner]
            today = Today(
                day,
                invoices=[(document, day) for document in own if not isinstance(document, CreditMemo)]
                + [(charge, day + _ONE_DAY) for charge in charges if self._owner(charge.document_no) == owner],
                memos=[document for document in own if isinstance(document, CreditMemo)],
                voids=[void for void in voids if self._owner(void.document_no) == owner],
                write_offs=[one for one in write_offs if self._owner(one.document_no) == owner],
                money=brought[owner],
                returns=[one for one in returns if self._owner_of.get(one.of) == owner],
                decisions=[one for one in (*decisions, *anew) if self._owner_of.get(one.of) == owner],
                arrivals=arrivals[owner],
                for_others=for_others,
            )
            for invoice, _ in today.invoices:
                self._exchange.value_document(owner, invoice.document_no, invoice.amount_minor, invoice.issued_on)
            account = self.accounts.setdefault(owner, Account(owner))
            self.postings += settle(account, today)
            self._exchange.settle(owner, account.moves)
        self._charges = [*self._fees(returns), *self._billed_anew(anew)]
        self._remember([entry for entry in entries if isinstance(entry, Customer)])
        self._exchange.tell(entry for entry in entries if isinstance(entry, Rate))

    def _fees(self, returns: Sequence[Return]) -> list[DebitMemo]:
        """What banks ask for today's returns: billed two days later, which the ledger of payments has a day earlier."""
        return [
            DebitMemo(f"{FEE}{one.of}", self._owner_of[one.of][0], one.currency, one.value_on, one.value_on, one.fee_minor, None)
            for one in returns
            if one.fee_minor and one.of in self._owner_of
        ]

    def _billed_anew(self, anew: Sequence[BillAnew]) -> list[DebitMemo]:
        """The money itself that was taken back and left where it is: billed like a fee."""
        receipts = [(one, self._money(one.of).receipt) for one in anew]
        return [
            DebitMemo(f"{ANEW}{one.of}", self._owner_of[one.of][0], of.currency, one.decided_on, one.decided_on, of.amount_minor, None)
            for one, of in receipts
        ]

    def _is_wholly_applied(self, bank_ref: str) -> bool:
        """Whether all of a receipt is on items as the day opens."""
        if bank_ref not in self._owner_of:
            return False
        money = self._money(bank_ref)
        return not money.unapplied_minor and not money.on_account_minor

    def _money(self, bank_ref: str) -> Money:
        money = self.accounts[self._owner_of[bank_ref]].of(bank_ref)
        assert money is not None, "an account has the receipts it owns"
        return money

    def _spread(self, day: date) -> tuple[defaultdict[Owner, list[Money]], set[str]]:
        """
        Move what is free as the day begins, of money that names open documents of other accounts, there; return it by its new owner.

        Also return the references of the receipts it leaves: what is left of them waits today.
        """
        arrivals: defaultdict[Owner, list[Money]] = defaultdict(list)
        free = [(money, owner) for owner, account in self.accounts.items() for money in account.money if money.left_minor]
        free = [(money, owner) for money, owner in free if not money.arrived_on and not money.receipt.deposit_for]
        naming = [(money, owner, self._open_of_others(money.receipt, owner)) for money, owner in free]
        naming = [one for one in naming if one[2]]
        for money, owner, found in sorted(naming, key=lambda one: one[0].receipt.bank_ref):
            parts: dict[Owner, int] = {}
            for document_no, open_minor in found.items():
                to, left_minor = self._owner_of_document[document_no], money.left_minor - sum(parts.values())
                if part := min(left_minor, open_minor):
                    parts[to] = parts.get(to, 0) + part
            for to, minor in parts.items():
                arrivals[to].append(self._transfer(money, owner, to, minor, day))
        return arrivals, {money.receipt.bank_ref for money, _, _ in naming}

    def _open_of_others(self, receipt: Receipt, owner: Owner) -> dict[str, int]:
        """What is open of the documents of other accounts that a receipt names, in its order."""
        named = [(number, self._owner_of_document.get(number, owner)) for number in numbers_in(receipt.remittance)]
        numbers = [number for number, other in named if other != owner and other[1] == owner[1]]
        accounts = [(number, self.accounts.get(self._owner_of_document[number])) for number in numbers]
        items = [(number, account.items.get(number)) for number, account in accounts if account]
        return {number: item.open_minor for number, item in items if item and item.open_minor}

    def _transfer(self, money: Money, owner: Owner, to: Owner, minor: int, day: date) -> Money:
        """Let money leave a receipt, what is unapplied first, for one of its own with the same value date."""
        source, on = money.receipt, max(money.receipt.value_on, money.given_on)
        unapplied_minor = min(minor, money.unapplied_minor)
        money.unapplied_minor -= unapplied_minor
        money.on_account_minor -= minor - unapplied_minor
        money.parts += 1
        arrived = replace(source, bank_ref=f"{source.bank_ref}/to/{to[0]}/{money.parts}", amount_minor=minor)
        self._owner_of[arrived.bank_ref] = to
        self._exchange.transfer(source.currency, source.bank_ref, arrived.bank_ref, minor)
        self.postings += [
            Posting(owner, "unapplied", -unapplied_minor, on, day),
            Posting(owner, "on_account", unapplied_minor - minor, on, day),
            Posting(owner, "left", -minor, on, day, cause="transferred"),
            Posting(to, "unapplied", minor, on, day),
        ]
        return Money(arrived, minor, arrived_on=on)

    def _bring(self, day: date, came: Sequence[Receipt]) -> defaultdict[Owner, list[Receipt]]:
        """Find the payers of money that came today, or that nobody was found for yet."""
        brought: defaultdict[Owner, list[Receipt]] = defaultdict(list)
        still_unknown = []
        for receipt in came:
            self._exchange.value_money(("", receipt.currency), receipt.bank_ref, receipt.amount_minor, receipt.value_on)
        for receipt in (*self._unidentified, *came):
            customer = self._payer(receipt)
            self.postings += self._received(receipt, customer, day)
            if customer is None:
                still_unknown.append(receipt)
            else:
                self._owner_of[receipt.bank_ref] = (customer, receipt.currency)
                brought[customer, receipt.currency].append(receipt)
        self._unidentified = still_unknown
        return brought

    def _owner(self, document_no: str) -> Owner:
        return self._owner_of_document[document_no.casefold()]

    def _place(self, document: Document) -> Owner:
        """Whose account a document is on for good: that of the one it names, if it came on an earlier day; else by the parents in force."""
        names = None if isinstance(document, Invoice) else document.ref_document_no
        owner = self._owner_of_document.get((names or "").casefold())
        return (owner[0] if owner else self._account_of(document.customer)), document.currency

    def _account_of(self, customer: str) -> str:
        """The topmost parent of a customer, or itself; where parents go in a circle, the first of that is its own."""
        above = [customer]
        while (parent := self._parent_of.get(above[-1])) is not None:
            if parent in above:
                return parent
            above.append(parent)
        return above[-1]

    def _voids_to_carry_out(self, came: Sequence[Void]) -> list[Void]:
        """A void waits for its document."""
        waiting = [*self._voids, *came]
        self._voids = [void for void in waiting if void.document_no.casefold() not in self._owner_of_document]
        return [void for void in waiting if void.document_no.casefold() in self._owner_of_document]

    def _remember(self, customers: Sequence[Customer]) -> None:
        """What is told of a customer replaces what was; it counts from tomorrow."""
        told = {entry.customer for entry in customers}
        self._payer_of = {account: customer for account, customer in self._payer_of.items() if customer not in told}
        self._parent_of = {customer: parent for customer, parent in self._parent_of.items() if customer not in told}
        self._parent_of |= {entry.customer: entry.parent for entry in customers if entry.parent}
        self._payer_of |= {bank_account_as_compared(entry.bank_account): entry.customer for entry in customers if entry.bank_account}

    def _payer(self, receipt: Receipt) -> str | None:
        """Whose money it is: of the first document it names, else of whom its bank account belongs to, else as the bank says."""
        named = [self._owner_of_document[number] for number in numbers_in(receipt.remittance) if number in self._owner_of_document]
        if named:
            return named[0][0]
        customer = self._payer_of.get(bank_account_as_compared(receipt.bank_account)) or receipt.customer
        return self._account_of(customer) if customer else None

    def _received(self, receipt: Receipt, customer: str | None, day: date) -> Iterator[Posting]:
        """Money without a known payer belongs to nobody; once known it is the payer's as of its value date."""
        nobody, minor, value_on = ("", receipt.currency), receipt.amount_minor, receipt.value_on
        if customer is None and value_on == day:
            yield Posting(nobody, "unidentified", minor, value_on, day)
        if customer is not None:
            yield Posting((customer, receipt.currency), "unapplied", minor, value_on, day)
            if value_on < day:
                yield Posting(nobody, "unidentified", -minor, value_on, day)
