"""HTTP bodies of the payment service: what may be sent, and the ledger as it is shown."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from asyncpg import Record
from events.bank import EntryBooked
from money import format_minor
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from payment.handlers import BANK_TRANSFER

_written_as_day = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch


def _only_days(value: object) -> object:
    """Refuse what pydantic would take for a date besides `YYYY-MM-DD`: numbers, instants, other spellings."""
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "A string is expected")
    if not _written_as_day(value):
        raise PydanticCustomError("bad_date", "A day of the calendar written YYYY-MM-DD is expected")
    return value


Day = Annotated[date, BeforeValidator(_only_days, json_schema_input_type=date)]


class ReceiptBody(BaseModel):
    """Money received, as `bank.EntryBooked` says it; `remittance` and `customer` tell whose it is."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(examples=["US01"])
    bank_ref: str = Field(examples=["BR-1"])
    value_on: Day
    amount: str = Field(examples=["5000.00"], description="A positive decimal string with at most the decimals of the currency.")
    currency: str = Field(examples=["USD"])
    customer: str | None = Field(default=None, examples=["C-1"])
    remittance: str | None = Field(default=None, examples=["INV-1"], description="What the payer wrote; searched for document numbers.")
    method: str = Field(default=BANK_TRANSFER, examples=["check"])

    def to_entry(self) -> EntryBooked:
        """Say the same as a bank would."""
        return EntryBooked(account_ref="", **self.model_dump(exclude={"method"}))


class ApplicationOut(BaseModel):
    """So much of a receipt stands applied to an item; `effective_on` is the date of the first application."""

    application: str
    item: str
    invoice: str
    amount: str
    rule: str
    booked_on: date
    effective_on: date


class ReceiptOut(BaseModel):
    """A receipt: amount = unidentified + unapplied + on_account + applied. Without a payer `account` is null."""

    receipt: str
    entity: str
    bank_ref: str
    account: str | None
    identified_by: str | None
    method: str
    currency: str
    amount: str
    unidentified: str
    unapplied: str
    on_account: str
    applied: str
    value_on: date
    booked_on: date
    applications: list[ApplicationOut]

    @classmethod
    def of(cls, row: Record, applications: Sequence[Record]) -> "ReceiptOut":
        """Write what `queries.reads` found."""
        currency, is_known = row["currency"], row["identified_on"] is not None
        left = row["amount_minor"] - row["applied_minor"] - row["on_account_minor"]
        return cls(
            receipt=f"{row['entity']}|{row['bank_ref']}",
            entity=row["entity"],
            bank_ref=row["bank_ref"],
            account=row["account"] if is_known else None,
            identified_by=row["identified_by"],
            method=row["method"],
            currency=currency,
            amount=format_minor(row["amount_minor"], currency),
            unidentified=format_minor(0 if is_known else left, currency),
            unapplied=format_minor(left if is_known else 0, currency),
            on_account=format_minor(row["on_account_minor"], currency),
            applied=format_minor(row["applied_minor"], currency),
            value_on=row["value_on"],
            booked_on=row["booked_on"],
            applications=[
                ApplicationOut(
                    application=one["application"],
                    item=f"{one['entity']}|{one['document_no']}|{one['n']}",
                    invoice=f"{one['entity']}|{one['document_no']}",
                    amount=format_minor(one["amount_minor"], currency),
                    rule=one["rule"],
                    booked_on=one["applied_on"],
                    effective_on=one["effective_on"],
                )
                for one in applications
            ],
        )


class ItemOut(BaseModel):
    """An instalment of an invoice or debit memo and what is open of it; `written_off` is net of what was recovered."""

    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    due_on: date
    total: str
    open: str
    written_off: str
    is_voided: bool
    booked_on: date

    @classmethod
    def of(cls, row: Record) -> "ItemOut":
        """Write one row of `queries.reads.read_items`."""
        invoice = f"{row['entity']}|{row['document_no']}"
        return cls(
            item=f"{invoice}|{row['n']}",
            invoice=invoice,
            customer=row["customer"],
            account=row["account"],
            currency=row["currency"],
            due_on=row["due_on"],
            total=format_minor(row["total_minor"], row["currency"]),
            open=format_minor(row["open_minor"], row["currency"]),
            written_off=format_minor(row["adjusted_minor"], row["currency"]),
            is_voided=row["is_voided"],
            booked_on=row["booked_on"],
        )


class ItemsOut(BaseModel):
    """A page of items; `next_cursor` is null on the last."""

    items: list[ItemOut]
    next_cursor: str | None


class BalanceOut(BaseModel):
    """An account in one currency: what it owes, and what it has with us."""

    currency: str
    open: str
    unapplied: str
    on_account: str
    memo_credit: str

    @classmethod
    def of(cls, row: Record) -> "BalanceOut":
        """Write one row of `queries.reads.read_balances`."""
        currency = row["currency"]
        return cls(
            currency=currency,
            open=format_minor(row["open_minor"], currency),
            unapplied=format_minor(row["unapplied_minor"], currency),
            on_account=format_minor(row["on_account_minor"], currency),
            memo_credit=format_minor(row["memo_credit_minor"], currency),
        )


class AccountOut(BaseModel):
    """An account's balances by currency; `complete_up_to` is the last closed day of the entity."""

    entity: str
    account: str
    complete_up_to: date
    balances: list[BalanceOut]
