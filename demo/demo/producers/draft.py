"""What all systems say of a document, in our units, and the facts it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from events import erp
from events.ingress import check_identifier
from money import MINOR_MAX, format_minor

from demo.producers.fields import Unusable

VOIDED: Final = "VOIDED"
"""The reason of a void: the systems say that something is void, not why."""
_TAKEN_BACK: Final = "CREDIT_MEMO_VOIDED"
_TAKEN_BACK_SUFFIX: Final = "-VOID"

_UTC: Final = ZoneInfo("UTC")

LineKind = Literal["goods", "freight", "charges"]


@dataclass(frozen=True, slots=True)
class Books:
    """
    Whose books a document goes into.

    `currency` is that of documents that state none, where there is one; in `zone` instants become days.
    """

    entity: str
    currency: str | None = None
    zone: ZoneInfo = _UTC


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it comes to without tax, in minor units, less than zero for a deduction, and what it is for."""

    minor: int
    kind: LineKind = "goods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """
    A document of some system. Amounts are minor units; `total_minor` is what is owed or, of a credit, what it credits: never turned round.

    Whether lines and tax come to the total is for the invoice service to say: it refuses what does not add up.
    """

    books: Books
    number: str
    customer: str
    currency: str
    issued_on: date
    total_minor: int
    tax_minor: int | None = None
    lines: Sequence[Line] = ()
    due: Sequence[tuple[date, int]] = ()
    discounts: Sequence[erp.Discount] = ()
    references: erp.References | None = None
    ref_document_no: str | None = None

    def invoice(self) -> erp.InvoiceIssued:
        """Return the fact of an invoice."""
        return erp.InvoiceIssued(**self._said(), **self._owed())

    def debit_memo(self) -> erp.DebitMemoIssued:
        """Return the fact of a debit memo, about `ref_document_no` where that is known."""
        return erp.DebitMemoIssued(**self._said(), **self._owed())

    def credit_memo(self) -> erp.CreditMemoIssued:
        """Return the fact of a credit memo."""
        return erp.CreditMemoIssued(**self._said())

    def taken_back(self) -> erp.DebitMemoIssued:
        """
        Return what voids this credit memo: a debit memo over the same, of the same day and due on it, `<number>-VOID`.

        Credit memos cannot be voided with us. The day is that of the credit because it is the one day that every system states for good:
        the fact stays the same however often it is told.
        """
        return erp.DebitMemoIssued(
            **self._said() | {"document_no": f"{self.number}{_TAKEN_BACK_SUFFIX}", "reason": _TAKEN_BACK},
            instalments=[erp.Instalment(due_on=self.issued_on, amount=self._written(self.total_minor))],
        )

    def _said(self) -> dict[str, Any]:
        return {
            "entity": self.books.entity,
            "document_no": self.number,
            "customer": self.customer,
            "currency": self.currency,
            "issued_on": self.issued_on,
            "total": self._written(self.total_minor),
            "tax": None if self.tax_minor is None else self._written(self.tax_minor),
            "lines": [erp.Line(amount=self._written(line.minor), kind=line.kind) for line in self.lines] or None,
            "references": self.references,
            "ref_document_no": self.ref_document_no,
        }

    def _owed(self) -> dict[str, Any]:
        """Instalments of nothing are left out, unless it is a document of nothing."""
        due = [(due_on, minor) for due_on, minor in self.due if minor or not self.total_minor]
        return {
            "instalments": [erp.Instalment(due_on=due_on, amount=self._written(minor)) for due_on, minor in due],
            "discounts": list(self.discounts) or None,
        }

    def _written(self, minor: int) -> str:
        if abs(minor) > MINOR_MAX:
            raise Unusable("an amount is larger than any that we keep")
        return format_minor(minor, self.currency)


def void(books: Books, number: str, customer: str, effective_on: date | None = None) -> erp.InvoiceVoided:
    """Return the fact of a void, from the day it was told where the system does not say a day."""
    return erp.InvoiceVoided(entity=books.entity, document_no=number, customer=customer, reason=VOIDED, effective_on=effective_on)


def customer(books: Books, number: str, name: str, bank_accounts: Sequence[str] = ()) -> erp.CustomerUpserted:
    """
    Return the fact of a customer.

    Only for a customer's own record: the latest fact counts as a whole, and one made from an invoice, where no bank accounts stand, would
    wipe out those that are known.
    """
    return erp.CustomerUpserted(entity=books.entity, customer=number, name=name, bank_accounts=list(bank_accounts))


def references(**named: str | None) -> erp.References | None:
    """
    Return what else the customer may name, None where the document states nothing of it.

    Such fields are free text in every system. What cannot be a reference with us is left out: the whole invoice would be refused for it.
    """
    usable = {name: value for name, value in named.items() if value is not None and check_identifier(name, value) is None}
    return erp.References(**usable) if usable else None
