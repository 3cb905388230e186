"""A ledger as the demo sees it: what an ERP, a bank and people would say, dated. Amounts are integer minor units, always positive."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Customer:
    """
    Who somebody is and pays from, and under whom it settles: its `parent`, or itself without.

    Both count from the business day after `known_on`: bank accounts identify a payer, and a document goes to the topmost parent's account.
    """

    customer: str
    known_on: date
    name: str
    bank_account: str | None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    One invoice, due as a whole on `due_on`, for an `order` where it names one.

    With `discount`, less so many percent when paid within so many days of its issue.
    """

    document_no: str
    customer: str
    currency: str
    issued_on: date
    due_on: date
    amount_minor: int
    discount: tuple[int, int] | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class DebitMemo:
    """A fee or charge, owed like an invoice, for the invoice `ref_document_no` if it names one."""

    document_no: str
    customer: str
    currency: str
    issued_on: date
    due_on: date
    amount_minor: int
    ref_document_no: str | None


@dataclass(frozen=True, slots=True)
class Void:
    """An ERP makes an invoice or debit memo worth nothing, from `voided_on` on."""

    document_no: str
    customer: str
    voided_on: date


@dataclass(frozen=True, slots=True)
class CreditMemo:
    """A credit memo, for the invoice `ref_document_no` or, without, for the account."""

    document_no: str
    customer: str
    currency: str
    issued_on: date
    amount_minor: int
    ref_document_no: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    Money a bank has booked on `value_on`: `remittance` is the payer's text, `customer` a number where the bank knows one.

    With `deposit_for` it is a deposit for that order: for what names the order, and nothing else.
    """

    bank_ref: str
    currency: str
    value_on: date
    amount_minor: int
    remittance: str | None = None
    bank_account: str | None = None
    customer: str | None = None
    deposit_for: str | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """A bank takes back the money of a receipt, all of it, on `value_on`, and asks a fee for that (zero: nothing)."""

    bank_ref: str
    of: str
    currency: str
    value_on: date
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth in that of the books: of the day `told_on`, and known from the next business day on."""

    currency: str
    told_on: date
    rate: str


@dataclass(frozen=True, slots=True)
class TakeOff:
    """A clerk takes a receipt off all that it pays: it was not meant for us. Only people use it again."""

    of: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class Refund:
    """A clerk asks for what is free of a receipt when `decided_on` opens to be paid back; a manager approves."""

    of: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class BillAnew:
    """
    A clerk tells that a bank took a receipt back on `decided_on`, and has it billed anew: what it paid stays paid.

    Nothing is done where not all of it is on items when the day opens.
    """

    of: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A clerk asks for all that is open of an invoice when `decided_on` opens to be written off as bad debt; a manager approves."""

    document_no: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    A clerk has an invoice made every month, the first on `starts_on`, on that day of every month or its last; each is due `net_days` later.

    Its invoices are numbered `<schedule_no>-<yyyymmdd>`. The first is made when the day after `starts_on` begins.
    """

    schedule_no: str
    customer: str
    currency: str
    starts_on: date
    net_days: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class LateCharges:
    """
    One person proposes on `decided_on`, and another approves, interest of `percent` a year from then on, on the invoices that are late.

    It is computed when a month begins, and owed by nobody (memo-only).
    """

    decided_on: date
    percent: str


Document = Invoice | DebitMemo | CreditMemo
Act = WriteOff | Schedule | LateCharges | TakeOff | Refund | BillAnew
"""What people do over HTTP, where all else is told over Kafka."""
Entry = Customer | Document | Void | Receipt | Return | Rate | Act


@dataclass(frozen=True, slots=True)
class House:
    """Whose books they are: what the entities file of the services has to say about the legal entity."""

    entity: str
    currency: str
    time_zone: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """All entries of one legal entity, in the order of the file."""

    house: House
    entries: tuple[Entry, ...]

    def by_day(self) -> dict[date, list[Entry]]:
        """Entries by the business day they are told on, days ascending; days without entries are left out."""
        days: defaultdict[date, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            days[told_on(entry)].append(entry)
        return dict(sorted(days.items()))

    def first_days(self, days: int) -> "Ledger":
        """Return what the first so many calendar days of the ledger say."""
        opens_on = self.opens_on
        return Ledger(self.house, tuple(entry for entry in self.entries if (told_on(entry) - opens_on).days < days))

    @property
    def opens_on(self) -> date:
        """The first business day."""
        return min(map(told_on, self.entries))

    @property
    def ends_on(self) -> date:
        """The last business day that something is told on."""
        return max(map(told_on, self.entries))

    @property
    def currencies(self) -> list[str]:
        """The currencies money is owed or paid in, sorted."""
        return sorted({entry.currency for entry in self.entries if isinstance(entry, Document | Receipt | Schedule)})


def told_on(entry: Entry) -> date:
    """Return the business day on which an entry is told or done: its own date."""
    match entry:
        case Customer():
            return entry.known_on
        case Invoice() | DebitMemo() | CreditMemo():
            return entry.issued_on
        case Void():
            return entry.voided_on
        case Receipt() | Return():
            return entry.value_on
        case Rate():
            return entry.told_on
        case Schedule():
            return entry.starts_on
        case WriteOff() | LateCharges() | TakeOff() | Refund() | BillAnew():
            return entry.decided_on


def month_ends(first: date, last: date) -> Iterator[date]:
    """Yield the last days of the months that end from `first` to `last`, and `last` itself, ascending."""
    days = [date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 2)]
    for day, following in pairwise(days):
        if day.month != following.month or day == last:
            yield day
