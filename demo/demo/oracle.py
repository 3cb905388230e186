"""
What the books must say, computed from the ledger alone, one business day after the other.

Imports nothing of the services and shares no code with them, so that a mistake of theirs is not repeated here. The rules (PAY-02, PAY-04,
PAY-07 to PAY-10, INV-04, INV-06 to INV-08): money that a bank took back leaves what it paid first; then comes what makes an invoice worth
less (voids, memos that name it, write-offs), then what people decided, then money that names an invoice, less its discount where it was
early, which also recovers what was written off; what is left pays the oldest invoice first, a whole day at a time. Not computed here: the
discount of an invoice that a memo names.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from demo.account import Account, Today, settle
from demo.billing import billed_on
from demo.clues import bank_account_as_compared, numbers_in
from demo.exchange import Exchange, Gained
from demo.ledger import (
    CreditMemo,
    Customer,
    DebitMemo,
    Document,
    Entry,
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
from demo.postings import FEE, Owner, Posting

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """All that the ledger comes to: every change of every figure, in the order of the days, and what rates gained."""

    postings: list[Posting]
    gained: Gained


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
    return Told(books.postings, books.gained)


class _Books:
    """All accounts, who pays from where, and the money nobody could be found for yet."""

    def __init__(self, own_currency: str) -> None:
        self.postings: list[Posting] = []
        self._exchange = Exchange(own_currency)
        self._accounts: dict[Owner, Account] = {}
        self._debtor_of: dict[str, Document] = {}
        self._schedules: list[Schedule] = []
        self._voids: list[Void] = []
        self._payer_of: dict[str, str] = {}
        self._unidentified: list[Receipt] = []
        self._owner_of: dict[str, Owner] = {}
        self._returned: list[Return] = []

    @property
    def gained(self) -> Gained:
        """What rates gained."""
        return self._exchange.gained

    def close(self, day: date, entries: Sequence[Entry]) -> None:
        """Take a whole day at once: order within it must not matter."""
        documents = [*billed_on(self._schedules, day), *(entry for entry in entries if isinstance(entry, Document))]
        fees = self._fees()
        self._debtor_of |= {document.document_no.casefold(): document for document in (*documents, *fees)}
        self._schedules += [entry for entry in entries if isinstance(entry, Schedule)]
        voids = self._voids_to_carry_out([entry for entry in entries if isinstance(entry, Void)])
        write_offs = [entry for entry in entries if isinstance(entry, WriteOff)]
        returns = [entry for entry in entries if isinstance(entry, Return)]
        decisions = [entry for entry in entries if isinstance(entry, TakeOff | Refund)]
        brought = self._bring(day, [entry for entry in entries if isinstance(entry, Receipt)])
        owners = {self._owner(one.document_no) for one in (*documents, *fees, *voids, *write_offs)} | brought.keys()
        owners |= {self._owner_of[one.of] for one in (*returns, *decisions) if one.of in self._owner_of}
        for owner in sorted(owners):
            own = [document for document in documents if (document.customer, document.currency) == owner]
            today = Today(
                day,
                invoices=[(document, day) for document in own if not isinstance(document, CreditMemo)]
                + [(fee, day + _ONE_DAY) for fee in fees if (fee.customer, fee.currency) == owner],
                memos=[document for document in own if isinstance(document, CreditMemo)],
                voids=[void for void in voids if self._owner(void.document_no) == owner],
                write_offs=[one for one in write_offs if self._owner(one.document_no) == owner],
                money=brought[owner],
                returns=[one for one in returns if self._owner_of.get(one.of) == owner],
                decisions=[one for one in decisions if self._owner_of.get(one.of) == owner],
            )
            for invoice, _ in today.invoices:
                self._exchange.value_document(owner, invoice.document_no, invoice.amount_minor, invoice.issued_on)
            account = self._accounts.setdefault(owner, Account(owner))
            self.postings += settle(account, today)
            self._exchange.settle(owner, account.moves)
        self._returned = returns
        self._remember_bank_accounts([entry for entry in entries if isinstance(entry, Customer)])
        self._exchange.tell(entry for entry in entries if isinstance(entry, Rate))

    def _fees(self) -> list[DebitMemo]:
        """What banks asked for yesterday's returns: billed two days later, which the ledger of payments has a day earlier."""
        return [
            DebitMemo(f"{FEE}{one.of}", self._owner_of[one.of][0], one.currency, one.value_on, one.value_on, one.fee_minor, None)
            for one in self._returned
            if one.fee_minor and one.of in self._owner_of
        ]

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
        document = self._debtor_of[document_no.casefold()]
        return document.customer, document.currency

    def _voids_to_carry_out(self, came: Sequence[Void]) -> list[Void]:
        """A void waits for its document."""
        waiting = [*self._voids, *came]
        self._voids = [void for void in waiting if void.document_no.casefold() not in self._debtor_of]
        return [void for void in waiting if void.document_no.casefold() in self._debtor_of]

    def _remember_bank_accounts(self, customers: Sequence[Customer]) -> None:
        """What is told of a customer replaces what was; it counts from tomorrow."""
        told = {entry.customer for entry in customers}
        self._payer_of = {account: customer for account, customer in self._payer_of.items() if customer not in told}
        self._payer_of |= {bank_account_as_compared(entry.bank_account): entry.customer for entry in customers if entry.bank_account}

    def _payer(self, receipt: Receipt) -> str | None:
        """Whose money it is: of the first document it names, else of whom its bank account belongs to, else as the bank says."""
        named = [self._debtor_of[number] for number in numbers_in(receipt.remittance) if number in self._debtor_of]
        if named:
            return named[0].customer
        return self._payer_of.get(bank_account_as_compared(receipt.bank_account)) or receipt.customer

    def _received(self, receipt: Receipt, customer: str | None, day: date) -> Iterator[Posting]:
        """Money without a known payer belongs to nobody; once known it is the payer's as of its value date."""
        nobody, minor, value_on = ("", receipt.currency), receipt.amount_minor, receipt.value_on
        if customer is None and value_on == day:
            yield Posting(nobody, "unidentified", minor, value_on, day)
        if customer is not None:
            yield Posting((customer, receipt.currency), "unapplied", minor, value_on, day)
            if value_on < day:
                yield Posting(nobody, "unidentified", -minor, value_on, day)
