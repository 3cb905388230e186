"""HTTP bodies of consolidated bills."""

from datetime import date

from money import format_minor
from pydantic import BaseModel, Field

from invoice.domain.bills import BillRequest
from invoice.domain.creditor_references import ReferenceForm
from invoice.queries.bills import StoredBill
from invoice.schemas.values import Body, Day


class BillBody(Body):
    """
    What to bill together: the `invoices` named (document numbers, debit memos included), or all that are open, were issued by
    `through_on` and are on no live bill.

    `carry_forward` adds what is open of the account's live bills in this currency; the new bill replaces those.
    """

    entity: str = Field(examples=["US01"])
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    through_on: Day | None = Field(default=None, description="The open day where left out.")
    invoices: list[str] | None = Field(default=None, examples=[["INV-1", "INV-2"]])
    bill_no: str | None = Field(default=None, examples=["B20260131-0001"], description="The next running number where left out.")
    due_on: Day | None = Field(default=None, description="The earliest due date of what is open where left out; items keep their own.")
    reference: ReferenceForm = Field(
        default="rf", description="The payable reference: `rf` (ISO 11649), `qr` (Swiss QR-reference) or `ocr` (digits and a Luhn digit)."
    )
    carry_forward: bool = False

    def to_request(self) -> BillRequest:
        """Return what the body asks for."""
        return BillRequest(
            entity=self.entity,
            customer=self.customer,
            currency=self.currency,
            through_on=self.through_on,
            invoices=None if self.invoices is None else tuple(self.invoices),
            bill_no=self.bill_no,
            due_on=self.due_on,
            reference=self.reference,
            carries_forward=self.carry_forward,
        )


class BilledDocumentOut(BaseModel):
    """A document on a bill: what was `billed` of it, and what is `open` of it now."""

    document_no: str
    document_status: str
    billed: str
    open: str


class BillOut(BaseModel):
    """
    A bill as it stands. `total` is what was open when it was issued, `open` what is now; later changes of its documents count.

    `replaced_by` is the bill that took over what was open of it.
    """

    entity: str
    bill: str
    bill_no: str
    customer: str
    account: str
    currency: str
    issued_on: date
    through_on: date
    due_on: date | None
    total: str
    open: str
    payment_reference: str
    replaced_by: str | None
    documents: list[BilledDocumentOut]

    @classmethod
    def of(cls, stored: StoredBill) -> "BillOut":
        """Show a bill."""
        currency = stored.currency
        return cls(
            entity=stored.entity,
            bill=stored.id,
            bill_no=stored.bill_no,
            customer=stored.customer,
            account=stored.account,
            currency=currency,
            issued_on=stored.issued_on,
            through_on=stored.through_on,
            due_on=stored.due_on,
            total=format_minor(stored.total_minor, currency),
            open=format_minor(stored.open_minor, currency),
            payment_reference=stored.payment_reference,
            replaced_by=stored.replaced_by,
            documents=[
                BilledDocumentOut(
                    document_no=document.document_no,
                    document_status=document.document_status,
                    billed=format_minor(document.billed_minor, currency),
                    open=format_minor(document.open_minor, currency),
                )
                for document in stored.documents
            ],
        )


class BillsOut(BaseModel):
    """A page of bills by number; `next_cursor` is null on the last one."""

    bills: list[BillOut]
    next_cursor: str | None
