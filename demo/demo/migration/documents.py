"""What is told of an extract: documents as facts of an ERP, each under an id made of its number and of what it says."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec
from events import erp
from money import format_minor

from demo.facts import Record, record_of
from demo.migration.extract import RefusedRow, Row

SOURCE: Final = "/erp/migration"
_HASH_DIGITS: Final = 16
ErpDocument: TypeAlias = erp.OpeningBalanceLoaded | erp.InvoiceIssued | erp.DebitMemoIssued | erp.CreditMemoIssued


@dataclass(frozen=True, slots=True)
class Document:
    """
    One document to be told, and the rows it was read from.

    `minor` is what it adds to what the customer owes: a credit is less than zero. `exact` is the same before it was rounded. `due_on` is
    None for credit, and where terms say when.
    """

    fact: ErpDocument
    rows: tuple[Row, ...]
    minor: int
    exact: Fraction
    due_on: date | None

    @property
    def number(self) -> str:
        """Its number, as the other system gave it."""
        return self.fact.document_no

    @property
    def source_id(self) -> str:
        """
        The id of its fact: the number, and a hash of all that the fact says.

        Told again it is the same fact; corrected it is another one, so that an answer always is about what was said last.
        """
        digest = hashlib.sha256(msgspec.json.encode(self.fact)).hexdigest()
        return f"{self.fact.entity}|{self.number}|{digest[:_HASH_DIGITS]}"

    def record(self) -> Record:
        """Return the record to publish."""
        fact = self.fact
        return record_of(fact, fact.issued_on, self.source_id, SOURCE, f"{fact.entity}|{fact.customer}")


@dataclass(slots=True)
class Sheet:
    """
    What reading an extract came to. Every row is in one of `documents`, `refused`, or counted in `duplicates` or `nothing_open`.

    `exact` and `refused_exact` are sums by currency in minor units: of what is told or rounds to nothing, and of refused rows whose amount
    could be read.
    """

    rows: int
    documents: list[Document] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    duplicates: int = 0
    nothing_open: int = 0
    exact: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    refused_exact: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))

    @property
    def currencies(self) -> list[str]:
        """The currencies of all rows that have a readable amount."""
        return sorted(self.exact.keys() | self.refused_exact.keys())


def opening_balance(
    entity: str,
    number: str,
    customer: str,
    currency: str,
    issued_on: date,
    minor: int,
    *,
    as_of: date,
    due_on: date | None,
    terms: str | None,
    original_total: str | None,
) -> erp.OpeningBalanceLoaded:
    """Return the fact of an open item; credit has neither due date nor terms."""
    owed = minor > 0
    return erp.OpeningBalanceLoaded(
        entity=entity,
        document_no=number,
        customer=customer,
        currency=currency,
        issued_on=issued_on,
        as_of=as_of,
        open=format_minor(minor, currency),
        type="380" if owed else "381",
        due_on=due_on if owed else None,
        terms=terms if owed and due_on is None else None,
        original_total=original_total,
    )


def billed(
    kind: type[erp.InvoiceIssued] | type[erp.DebitMemoIssued],
    entity: str,
    number: str,
    customer: str,
    currency: str,
    issued_on: date,
    lines_minor: Sequence[int],
    *,
    terms: str,
) -> erp.InvoiceIssued | erp.DebitMemoIssued:
    """Return the fact of a document to be paid: its total is the sum of its lines."""
    return kind(
        entity=entity,
        document_no=number,
        customer=customer,
        currency=currency,
        issued_on=issued_on,
        total=format_minor(sum(lines_minor), currency),
        terms=terms,
        lines=[erp.Line(amount=format_minor(minor, currency)) for minor in lines_minor],
    )


def credited(entity: str, number: str, customer: str, currency: str, issued_on: date, lines_minor: Sequence[int]) -> erp.CreditMemoIssued:
    """Return the fact of credit on the account; `lines_minor` are what it credits, so they and the total are turned round already."""
    return erp.CreditMemoIssued(
        entity=entity,
        document_no=number,
        customer=customer,
        currency=currency,
        issued_on=issued_on,
        total=format_minor(sum(lines_minor), currency),
        lines=[erp.Line(amount=format_minor(minor, currency)) for minor in lines_minor],
    )
