"""What documents come to: how many of each kind, what was invoiced and credited, who is billed most: of a file or of the books."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from events import erp, invoice
from money import format_minor

from demo.migration.answers import Issued
from demo.migration.documents import Document
from demo.migration.mapping import DocumentKind

_TOP: Final = 5
Sort = Literal["invoice", "debit_memo", "credit_memo"]
_SORTS: Final[Mapping[type, Sort]] = {
    erp.InvoiceIssued: "invoice",
    erp.DebitMemoIssued: "debit_memo",
    erp.CreditMemoIssued: "credit_memo",
    invoice.InvoiceIssued: "invoice",
    invoice.DebitMemoIssued: "debit_memo",
    invoice.CreditMemoIssued: "credit_memo",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """One document for a summary; `kind` is what its number says, `sort` what it is."""

    kind: DocumentKind
    sort: Sort
    customer: str
    currency: str
    minor: int

    @classmethod
    def told(cls, document: Document, kind: DocumentKind) -> Self:
        """A document as the file has it."""
        return cls(kind, _SORTS[type(document.fact)], document.fact.customer, document.fact.currency, document.minor)

    @classmethod
    def taken_in(cls, issued: Issued, kind: DocumentKind) -> Self:
        """A document as the service took it in."""
        return cls(kind, _SORTS[issued.kind], issued.customer, issued.currency, issued.minor)


def summary(documents: Iterable[Counted], nobody: str | None) -> dict[str, Any]:
    """
    Sum documents up by currency, for machines; credit is less than zero.

    :param nobody: the customer that stands for none; it is left out of `customers` and of `top5_net`.
    """
    by_currency: dict[str, list[Counted]] = {}
    for document in documents:
        by_currency.setdefault(document.currency, []).append(document)
    return {currency: _of_one(found, currency, nobody) for currency, found in sorted(by_currency.items())}


def _of_one(documents: list[Counted], currency: str, nobody: str | None) -> dict[str, Any]:
    count, total, net = Counter[str](), Counter[str](), Counter[str]()
    for document in documents:
        count[document.kind] += 1
        total[document.kind] += document.minor
        count[f"{document.kind} {document.sort}"] += 1
        if document.customer != nobody:
            net[document.customer] += document.minor
    top = sorted(net.items(), key=lambda one: (-one[1], one[0]))[:_TOP]
    return {
        "invoices": count["invoice"],
        "credit_memos": count["credit_memo"],
        "adjustments": count["adjustment"],
        "adjustments_owed": count["adjustment debit_memo"],
        "zero_value_invoices": sum(document.kind == "invoice" and document.minor == 0 for document in documents),
        "gross_invoiced": format_minor(total["invoice"], currency),
        "credited": format_minor(total["credit_memo"], currency),
        "adjusted": format_minor(total["adjustment"], currency),
        "net": format_minor(sum(document.minor for document in documents), currency),
        "customers": len(net),
        "top5_net": [[customer, format_minor(minor, currency)] for customer, minor in top],
    }
