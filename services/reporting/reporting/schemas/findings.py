"""What was found about items and payments."""

from datetime import date
from typing import Self

from money import format_minor
from pydantic import BaseModel, Field

from reporting.queries.findings import ListedFinding


class FindingRow(BaseModel):
    """One finding, as of the day that closed; `open` is what is open of the item by now."""

    kind: str
    found_on: date
    receipt: str
    customer: str = Field(description="The account the customer settles under.")
    currency: str
    amount: str = Field(description="What was open of the item, or left over of the receipt, when the day closed.")
    item: str | None
    invoice: str | None
    due_on: date | None
    open: str | None = Field(description="Null for an overpayment, and while nothing has been heard of the item.")
    until_on: date | None = Field(description="Of an unearned discount: the last day on which it would have been earned.")
    deduction_code: str | None = Field(description="Of a short payment: what the payer gave as the reason.")
    references: list[str] = Field(description="Of an overpayment: the document numbers the receipt names.")

    @classmethod
    def of(cls, listed: ListedFinding) -> Self:
        """Write a finding for the people who work it off."""
        found = listed.finding
        return cls(
            kind=found.kind,
            found_on=found.found_on,
            receipt=found.receipt,
            customer=found.account,
            currency=found.currency,
            amount=format_minor(found.amount_minor, found.currency),
            item=found.item,
            invoice=found.invoice,
            due_on=found.due_on,
            open=None if listed.open_minor is None else format_minor(listed.open_minor, found.currency),
            until_on=found.until_on,
            deduction_code=found.deduction_code,
            references=list(found.named),
        )


class FindingsOut(BaseModel):
    """Findings by day, the oldest first; `next_cursor` is null on the last page."""

    entity: str
    complete_up_to: date | None
    findings: list[FindingRow]
    next_cursor: str | None
