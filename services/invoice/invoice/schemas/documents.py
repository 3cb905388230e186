"""HTTP bodies of the invoice service: what may be sent."""

from datetime import date
from typing import Annotated, Self

import msgspec
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from invoice.domain import Draft, Kind
from invoice.domain.components import Line
from invoice.domain.drafts import Opening, opening_draft
from invoice.domain.faults import as_code
from invoice.domain.tags import Assignment, Project, References
from invoice.domain.valuation import Rate
from invoice.domain.voids import VoidRequest
from invoice.schemas.values import Amount, Body, Day

Percent = Annotated[str, Field(examples=["2", "2.5"], description="A decimal string above 0 and up to 100, at most four decimals.")]


class InstalmentBody(Body):
    """One part of the total and the day it is due."""

    due_on: Day
    amount: Amount


class LineBody(Body):
    """One line: its net amount, negative for a deduction, what it is for, and its tax where that is known by line."""

    amount: Amount
    kind: str = Field(default="goods", description="`goods`, `freight` or `charges`.")
    tax: Amount | None = None

    def to_line(self) -> Line:
        """Return the line that the body describes."""
        return Line(self.amount, self.kind, self.tax)


class DiscountBody(Body):
    """One tier of an early-payment discount: so many percent when paid within so many days of issue."""

    percent: Percent
    days: int


class FxBody(Body):
    """The rate to the entity's currency: units of that for one unit of the document's."""

    rate: str = Field(examples=["1.10"])
    rate_on: Day
    type: str = "spot"

    def to_rate(self) -> Rate:
        """Return the rate that the body describes."""
        return Rate(self.rate, self.rate_on, self.type)


class ReferencesBody(Body):
    """What else the customer may name when it pays; `payment` is a creditor reference (RF, ISO 11649) or an OCR number."""

    order_no: str | None = None
    purchase_order_no: str | None = None
    delivery_no: str | None = None
    customer_reference: str | None = None
    contract_no: str | None = None
    payment: str | None = Field(default=None, examples=["RF18539007547034"])

    def to_references(self) -> References:
        """Return the references that the body describes."""
        return References(**self.model_dump())


class ProjectBody(Body):
    """The project and milestone that are billed; `retention_percent` of the total is due on `retention_due_on`, as its last instalment."""

    project: str
    milestone: str | None = None
    retention_percent: Percent | None = None
    retention_due_on: Day | None = None

    def to_project(self) -> Project:
        """Return the project that the body describes."""
        return Project(**self.model_dump())


class AssignmentBody(Body):
    """Who owns the receivable, where it was assigned, and which part of it is insured."""

    factor: str | None = None
    insurer: str | None = None
    insured_percent: Percent | None = None

    def to_assignment(self) -> Assignment:
        """Return the assignment that the body describes."""
        return Assignment(**self.model_dump())


class DocumentBody(Body):
    """What every document has."""

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["INV-1"])
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    issued_on: Day
    lines: list[LineBody] | None = None
    tax: Amount | None = None
    ref_document_no: str | None = Field(default=None, examples=["INV-1"])
    reason: str | None = Field(default=None, examples=["PRICE"], description="A code of at most 40 characters; other text is not kept.")
    references: ReferencesBody | None = None
    fx: FxBody | None = None

    def _draft(
        self,
        kind: Kind,
        type_: str,
        total: str,
        terms: str | None = None,
        instalments: list[tuple[date, str]] | None = None,
        discounts: list[tuple[str, int]] | None = None,
        project: Project | None = None,
        assignment: Assignment | None = None,
    ) -> Draft:
        return Draft(
            kind=kind,
            entity=self.entity,
            document_no=self.document_no,
            customer=self.customer,
            currency=self.currency,
            issued_on=self.issued_on,
            total=total,
            type=type_,
            terms=terms,
            instalments=instalments or (),
            lines=[line.to_line() for line in self.lines or ()],
            tax=self.tax,
            discounts=discounts or (),
            ref_document_no=self.ref_document_no,
            reason=self.reason,
            references=None if self.references is None else self.references.to_references(),
            fx=None if self.fx is None else self.fx.to_rate(),
            project=project,
            assignment=assignment,
        )


class BilledBody(DocumentBody):
    """What invoices and debit memos have: `terms` (`NET30`, `EOM+45`, `2/10 NET30`, a code of a policy) or `instalments`, not both."""

    total: Amount
    terms: str | None = Field(default=None, examples=["NET30", "2/10 NET30"])
    instalments: list[InstalmentBody] | None = None
    discounts: list[DiscountBody] | None = None
    project: ProjectBody | None = None
    assignment: AssignmentBody | None = None

    def _billed_draft(self, kind: Kind, type_: str) -> Draft:
        return self._draft(
            kind,
            type_,
            self.total,
            self.terms,
            [(part.due_on, part.amount) for part in self.instalments or ()],
            [(tier.percent, tier.days) for tier in self.discounts or ()],
            None if self.project is None else self.project.to_project(),
            None if self.assignment is None else self.assignment.to_assignment(),
        )


class InvoiceBody(BilledBody):
    """An invoice to issue. Type 384 takes the place of the invoice that `ref_document_no` names."""

    type: str = Field(default="380", description="UNTDID 1001: 380, 384, 386, 389 or 393.")

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return self._billed_draft("invoice", self.type)


class DebitMemoBody(BilledBody):
    """A debit memo to issue, payable like an invoice; `ref_document_no` names the document it is about, if any."""

    type: str = Field(default="383", description="UNTDID 1001: 383.")

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return self._billed_draft("debit_memo", self.type)


class CreditMemoBody(DocumentBody):
    """
    A credit memo to issue, as a positive total; `ref_document_no` names the invoice it makes worth less.

    Where neither lines nor tax are given, its share of that invoice's tax is stated. In place of `total` it may say its `net` amount: the
    tax is rounded for itself then, and the total is the sum of both.
    """

    total: Amount | None = None
    net: Amount | None = None
    type: str = Field(default="381", description="UNTDID 1001: 381, 261 or 396.")
    dispute_id: str | None = Field(default=None, description="The dispute that it ends or answers.")

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return msgspec.structs.replace(self._draft("credit_memo", self.type, self.total or ""), net=self.net, dispute=self.dispute_id)

    @model_validator(mode="after")
    def _says_one_amount(self) -> Self:
        if (self.total is None) == (self.net is None) or (self.net is not None and (self.tax is not None or self.lines is not None)):
            raise PydanticCustomError("total_or_net", "Either a total, or a net amount without tax and lines, is expected")
        return self


class OpeningBalanceBody(Body):
    """
    What was open of an item in the books before ours: owed to us, or below zero credit of the customer.

    With `terms` or `due_on`, one of the two, where it is owed; with neither where it is credit.
    """

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["INV-1"])
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    issued_on: Day
    as_of: Day
    open: Amount
    type: str = Field(default="380", description="UNTDID 1001: what the document was.")
    terms: str | None = None
    due_on: Day | None = None
    original_total: Amount | None = None
    references: ReferencesBody | None = None
    fx: FxBody | None = None

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return opening_draft(
            entity=self.entity,
            document_no=self.document_no,
            customer=self.customer,
            currency=self.currency,
            issued_on=self.issued_on,
            opening=Opening(self.as_of, self.original_total),
            open_=self.open,
            type_=self.type,
            terms=self.terms,
            due_on=self.due_on,
            references=None if self.references is None else self.references.to_references(),
            fx=None if self.fx is None else self.fx.to_rate(),
        )


class VoidBody(Body):
    """A document to void as a whole, from `effective_on` on (the open day when left out), never from before its own date."""

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["INV-1"])
    customer: str = Field(examples=["C-1"])
    reason: str | None = Field(default=None, examples=["DUPLICATE"], description="A code of at most 40 characters; other text is not kept.")
    effective_on: Day | None = None

    def to_request(self, booked_on: date) -> VoidRequest:
        """Return the request that the body describes, made on `booked_on`."""
        return VoidRequest(
            self.entity, self.document_no, self.customer, booked_on, reason=as_code(self.reason), effective_on=self.effective_on
        )
