"""HTTP bodies of the invoice service: what may be sent, and documents as they are shown."""

import re
from datetime import date
from typing import Annotated, Any

from money import format_minor
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from invoice.domain import Draft, SettlementStatus, document_id, item_id, overdue_days, settlement_status
from invoice.queries import StoredDocument

_written_as_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


def _only_days(value: object) -> object:
    """Refuse what pydantic would take for a date besides `YYYY-MM-DD`: numbers, instants, other spellings."""
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "A string is expected")
    if not _written_as_day(value):
        raise PydanticCustomError("bad_date", "A day of the calendar written YYYY-MM-DD is expected")
    return value


Day = Annotated[date, BeforeValidator(_only_days, json_schema_input_type=date)]
Amount = Annotated[str, Field(examples=["12000.00"], description="A decimal string with at most the decimals of the currency.")]


class _Body(BaseModel):
    """Bodies take the fields they name and no others."""

    model_config = ConfigDict(extra="forbid")


class InstalmentBody(_Body):
    """One part of the total and the day it is due."""

    due_on: Day
    amount: Amount


class LineBody(_Body):
    """One line: its net amount, negative for a deduction."""

    amount: Amount


class InvoiceBody(_Body):
    """An invoice to issue: with `terms` (`NET0` to `NET365`) or `instalments`, one of the two."""

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["INV-1"])
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    issued_on: Day
    total: Amount
    type: str = "380"
    terms: str | None = Field(default=None, examples=["NET30"])
    instalments: list[InstalmentBody] | None = None
    lines: list[LineBody] | None = None
    tax: str | None = None

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return Draft(
            kind="invoice",
            entity=self.entity,
            document_no=self.document_no,
            customer=self.customer,
            currency=self.currency,
            issued_on=self.issued_on,
            total=self.total,
            type=self.type,
            terms=self.terms,
            instalments=[(part.due_on, part.amount) for part in self.instalments or ()],
            lines=[line.amount for line in self.lines or ()],
            tax=self.tax,
        )


class CreditMemoBody(_Body):
    """A credit memo to issue, as a positive total; `ref_document_no` names the invoice it makes worth less."""

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["CM-1"])
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    issued_on: Day
    total: Amount
    type: str = "381"
    ref_document_no: str | None = Field(default=None, examples=["INV-1"])
    reason: str | None = Field(default=None, examples=["PRICE"], description="A code of at most 40 characters; other text is not kept.")
    lines: list[LineBody] | None = None
    tax: str | None = None

    def to_draft(self) -> Draft:
        """Return the draft that the body describes."""
        return Draft(
            kind="credit_memo",
            entity=self.entity,
            document_no=self.document_no,
            customer=self.customer,
            currency=self.currency,
            issued_on=self.issued_on,
            total=self.total,
            type=self.type,
            lines=[line.amount for line in self.lines or ()],
            tax=self.tax,
            ref_document_no=self.ref_document_no,
            reason=self.reason,
        )


class InstalmentOut(BaseModel):
    """An instalment, which is the open item `item`."""

    n: int
    item: str
    due_on: date
    amount: str
    open: str
    overdue: bool


class CauseOut(BaseModel):
    """The fact a document came from: the `source` and `id` of its CloudEvent."""

    source: str
    id: str


class DocumentOut(BaseModel):
    """
    What invoices and credit memos have in common.

    `document_status` and `settlement_status` are two fields, and for an invoice `overdue` is a third: none follows from another.
    """

    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    booked_on: date
    total: str
    tax: str | None
    open: str
    document_status: str
    settlement_status: SettlementStatus
    came_from: CauseOut | None


class InvoiceOut(DocumentOut):
    """An invoice as it stands. What is open is the latest known; `overdue` judges it by the due dates on `as_of`."""

    invoice: str
    instalments: list[InstalmentOut]
    as_of: date
    overdue: bool
    overdue_days: int

    @classmethod
    def of(cls, stored: StoredDocument, as_of: date) -> "InvoiceOut":
        """Show an invoice, overdue or not on `as_of`."""
        id_ = document_id(stored.entity, stored.document_no)
        late_days = overdue_days([(part.due_on, part.open_minor) for part in stored.instalments], as_of)
        return cls(
            **_common(stored),
            invoice=id_,
            instalments=[
                InstalmentOut(
                    n=part.n,
                    item=item_id(id_, part.n),
                    due_on=part.due_on,
                    amount=format_minor(part.total_minor, stored.currency),
                    open=format_minor(part.open_minor, stored.currency),
                    overdue=overdue_days([(part.due_on, part.open_minor)], as_of) > 0,
                )
                for part in stored.instalments
            ],
            as_of=as_of,
            overdue=late_days > 0,
            overdue_days=late_days,
        )


class CreditMemoOut(DocumentOut):
    """A credit memo as it stands: `open` is the credit that was not used yet."""

    memo: str
    ref_document_no: str | None
    reason: str | None

    @classmethod
    def of(cls, stored: StoredDocument) -> "CreditMemoOut":
        """Show a credit memo."""
        return cls(
            **_common(stored),
            memo=document_id(stored.entity, stored.document_no),
            ref_document_no=stored.ref_document_no,
            reason=stored.reason,
        )


def _common(stored: StoredDocument) -> dict[str, Any]:
    has_cause = stored.source is not None and stored.source_id is not None
    return {
        "entity": stored.entity,
        "document_no": stored.document_no,
        "type": stored.type,
        "customer": stored.customer,
        "account": stored.account,
        "currency": stored.currency,
        "issued_on": stored.issued_on,
        "booked_on": stored.booked_on,
        "total": format_minor(stored.total_minor, stored.currency),
        "tax": None if stored.tax_minor is None else format_minor(stored.tax_minor, stored.currency),
        "open": format_minor(stored.open_minor, stored.currency),
        "document_status": stored.document_status,
        "settlement_status": settlement_status(stored.total_minor, stored.open_minor),
        "came_from": {"source": stored.source, "id": stored.source_id} if has_cause else None,
    }


class InvoicesOut(BaseModel):
    """A page of invoices by number; `next_cursor` is null on the last one."""

    invoices: list[InvoiceOut]
    next_cursor: str | None
