"""HTTP bodies of what was open on a day."""

from datetime import date

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel


class OpenItemOut(BaseModel):
    """An instalment and what was open of it on the day asked about; `kind` is `invoice` or `debit_memo`."""

    item: str
    invoice: str
    kind: str
    customer: str
    currency: str
    issued_on: date
    due_on: date
    total: str
    open: str
    booked_on: date

    @classmethod
    def of(cls, row: Record) -> "OpenItemOut":
        """Write one row of `queries.ledger_reads.list_open_items`."""
        invoice = f"{row['entity']}|{row['document_no']}"
        return cls(
            item=f"{invoice}|{row['n']}",
            invoice=invoice,
            kind=row["kind"],
            customer=row["customer"],
            currency=row["currency"],
            issued_on=row["issued_on"],
            due_on=row["due_on"],
            total=format_minor(row["total_minor"], row["currency"]),
            open=format_minor(row["open_minor"], row["currency"]),
            booked_on=row["booked_on"],
        )


class TotalOut(BaseModel):
    """An account in one currency on the day asked about: `balance` is `open` less the money and credit that was on no item."""

    currency: str
    open: str
    unapplied: str
    on_account: str
    memo_credit: str
    balance: str

    @classmethod
    def of(cls, row: Record) -> "TotalOut":
        """Write one row of `queries.ledger_reads.read_totals`."""
        currency = row["currency"]
        parts = {part: row[f"{part}_minor"] for part in ("open", "unapplied", "on_account", "memo_credit")}
        balance = parts["open"] - parts["unapplied"] - parts["on_account"] - parts["memo_credit"]
        return cls(
            currency=currency,
            **{part: format_minor(minor, currency) for part, minor in parts.items()},
            balance=format_minor(balance, currency),
        )


class OpenItemsOut(BaseModel):
    """
    A page of an account's open items by due date, with the totals of all of them; `next_cursor` is null on the last page.

    `as_of` and `known_at` are null where all that is known was asked for. `complete_up_to` is the last closed day of the entity.
    """

    entity: str
    account: str
    as_of: date | None
    known_at: date | None
    complete_up_to: date
    totals: list[TotalOut]
    items: list[OpenItemOut]
    next_cursor: str | None
