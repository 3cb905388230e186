"""HTTP bodies of what was found when days turned, and of what is overdue."""

from datetime import date

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel


class FindingOut(BaseModel):
    """
    Something found when the day after `found_on` started.

    `amount` is what was open of the item then, or left over of the receipt; `open` is what is open of the item now. `until_on` is the last
    day on which a discount that was taken too late could be earned. `references` are the invoices that a receipt names of which something
    was left over.
    """

    kind: str
    found_on: date
    account: str
    currency: str
    amount: str
    receipt: str | None
    item: str | None
    invoice: str | None
    customer: str | None
    due_on: date | None
    open: str | None
    until_on: date | None
    deduction_code: str | None
    references: list[str]

    @classmethod
    def of(cls, row: Record) -> "FindingOut":
        """Write one row of `queries.findings.list_findings`."""
        entity, currency = row["entity"], row["currency"]
        invoice = None if row["document_no"] is None else f"{entity}|{row['document_no']}"
        return cls(
            kind=row["kind"],
            found_on=row["found_on"],
            account=row["account"],
            currency=currency,
            amount=format_minor(row["amount_minor"], currency),
            receipt=None if row["bank_ref"] is None else f"{entity}|{row['bank_ref']}",
            item=None if invoice is None else f"{invoice}|{row['n']}",
            invoice=invoice,
            customer=row["customer"],
            due_on=row["due_on"],
            open=None if row["open_minor"] is None else format_minor(row["open_minor"], currency),
            until_on=row["until_on"],
            deduction_code=row["deduction_code"],
            references=list(row["named"]),
        )


class FindingsOut(BaseModel):
    """A page of findings; `next_cursor` is null on the last."""

    findings: list[FindingOut]
    next_cursor: str | None


class OverdueOut(BaseModel):
    """An open item after its due date: `open` is what is open now, `days` counts on the open day, `told_on` is when it was told of."""

    item: str
    invoice: str
    n: int
    customer: str
    account: str
    currency: str
    due_on: date
    days: int
    open: str
    told_on: date

    @classmethod
    def of(cls, row: Record, open_on: date) -> "OverdueOut":
        """Write one row of `queries.overdue.list_overdue`."""
        invoice = f"{row['entity']}|{row['document_no']}"
        return cls(
            item=f"{invoice}|{row['n']}",
            invoice=invoice,
            n=row["n"],
            customer=row["customer"],
            account=row["account"],
            currency=row["currency"],
            due_on=row["due_on"],
            days=(open_on - row["due_on"]).days,
            open=format_minor(row["open_minor"], row["currency"]),
            told_on=row["overdue_on"],
        )


class OverduesOut(BaseModel):
    """A page of overdue items; `next_cursor` is null on the last."""

    items: list[OverdueOut]
    next_cursor: str | None
