"""HTTP bodies of the settlement ledger: receipts as they may be sent, and the ledger as it is shown."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
from asyncpg import Record
from events.bank import EntryBooked
from money import format_minor
from pydantic import BaseModel, Field

from payment.handlers import BANK_TRANSFER
from payment.schemas.values import Body, Day


class DeductionBody(Body):
    """What the payer kept back, and a code for why."""

    code: str = Field(examples=["BANK"])
    amount: str = Field(examples=["12.50"])


class LineBody(Body):
    """What the payer says it pays of one document, or of its instalment `n`; see `bank.RemittanceLine`."""

    document_no: str = Field(examples=["INV-1"])
    n: int | None = Field(default=None, examples=[1])
    amount: str | None = Field(default=None, examples=["1176.00"])
    gross: str | None = Field(default=None, examples=["1200.00"])
    discount: str | None = Field(default=None, examples=["24.00"])
    deductions: list[DeductionBody] = Field(default_factory=list)


class ExchangeBody(Body):
    """What the money settles, where that is another currency than was booked."""

    currency: str = Field(examples=["EUR"])
    amount: str = Field(examples=["4000.00"])


class ReceiptBody(Body):
    """
    Money received, as `bank.EntryBooked` says it; `remittance`, `lines` and `customer` tell whose it is.

    `rate` is what one unit of `currency` is worth in the entity's currency. A deposit is bound to its order or contract until somebody
    releases it.
    """

    entity: str = Field(examples=["US01"])
    bank_ref: str = Field(examples=["BR-1"])
    value_on: Day
    amount: str = Field(examples=["5000.00"], description="A positive decimal string with at most the decimals of the currency.")
    currency: str = Field(examples=["USD"])
    customer: str | None = Field(default=None, examples=["C-1"])
    remittance: str | None = Field(default=None, examples=["INV-1"], description="What the payer wrote; searched for document numbers.")
    method: str = Field(default=BANK_TRANSFER, examples=["check"])
    payment_ref: str | None = Field(default=None, examples=["E2E-4711"], description="The payer's own reference; an advice finds it by it.")
    rate: str | None = Field(default=None, examples=["1.14"])
    exchange: ExchangeBody | None = None
    lines: list[LineBody] = Field(default_factory=list)
    deposit_for: str | None = Field(default=None, examples=["PO-4711"], description="The order or contract it is a deposit for.")

    def to_entry(self) -> EntryBooked:
        """Say the same as a bank would."""
        return msgspec.convert({"account_ref": "", **self.model_dump(exclude={"method"})}, EntryBooked)


class ApplicationOut(BaseModel):
    """So much of a receipt stands applied to an item; `effective_on` is the date of the first application."""

    application: str
    item: str
    invoice: str
    amount: str
    rule: str
    booked_on: date
    effective_on: date

    @classmethod
    def of(cls, row: Record, currency: str) -> "ApplicationOut":
        """Write one row of `queries.reads.read_applications`."""
        invoice = f"{row['entity']}|{row['document_no']}"
        return cls(
            application=row["application"],
            item=f"{invoice}|{row['n']}",
            invoice=invoice,
            amount=format_minor(row["amount_minor"], currency),
            rule=row["rule"],
            booked_on=row["applied_on"],
            effective_on=row["effective_on"],
        )


class AllowanceOut(BaseModel):
    """So much of an item the receipt was allowed to keep back: `earned` or `unearned` discount, `tolerance`, `bank_charge`, …"""

    allowance: str
    kind: str
    item: str
    amount: str
    booked_on: date
    effective_on: date

    @classmethod
    def of(cls, row: Record, currency: str) -> "AllowanceOut":
        """Write one row of `queries.reads.read_allowances`."""
        return cls(
            allowance=row["application"],
            kind=row["rule"],
            item=f"{row['entity']}|{row['document_no']}|{row['n']}",
            amount=format_minor(row["amount_minor"], currency),
            booked_on=row["applied_on"],
            effective_on=row["effective_on"],
        )


_PARTS: Final = ("amount", "on_account", "pinned", "applied", "refunded", "returned", "transferred")


class CameFromOut(BaseModel):
    """The receipt of another account that money was transferred from, and the date from which it is here."""

    receipt: str
    account: str
    transfer: str
    arrived_on: date

    @classmethod
    def of(cls, row: Record) -> "CameFromOut":
        """Write what `queries.reads` says of it."""
        return cls(receipt=row["from_receipt"], account=row["from_account"], transfer=row["transfer"], arrived_on=row["arrived_on"])


class ReceiptLineOut(BaseModel):
    """
    A receipt: amount = unidentified + unapplied + on_account + applied + refunded + returned + transferred. Without a payer `account` is
    null.

    `pinned` of the on-account money only a person may use. While it `is_bound` a deposit is for what bears the number `deposit_for` only.
    `debited_on` is when it was taken back and billed anew: what it paid stays paid. `came_from` is given of money of another account's
    receipt.
    """

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
    pinned: str
    applied: str
    refunded: str
    returned: str
    transferred: str
    value_on: date
    booked_on: date
    returned_on: date | None
    came_from: CameFromOut | None
    deposit_for: str | None
    is_bound: bool
    debited_on: date | None

    @staticmethod
    def shown(row: Record) -> dict[str, Any]:
        """Write one row of `queries.reads` about a receipt."""
        currency, is_known = row["currency"], row["identified_on"] is not None
        gone = sum(row[f"{part}_minor"] for part in ("applied", "on_account", "refunded", "returned", "transferred"))
        left = row["amount_minor"] - gone
        parts = {"unidentified": 0 if is_known else left, "unapplied": left if is_known else 0}
        parts |= {part: row[f"{part}_minor"] for part in _PARTS}
        return {
            "receipt": f"{row['entity']}|{row['bank_ref']}",
            "entity": row["entity"],
            "bank_ref": row["bank_ref"],
            "account": row["account"] if is_known else None,
            "identified_by": row["identified_by"],
            "method": row["method"],
            "currency": currency,
            **{part: format_minor(minor, currency) for part, minor in parts.items()},
            "value_on": row["value_on"],
            "booked_on": row["booked_on"],
            "came_from": None if row["from_receipt"] is None else CameFromOut.of(row),
            **{name: row[name] for name in ("returned_on", "deposit_for", "is_bound", "debited_on")},
        }

    @classmethod
    def line(cls, row: Record) -> "ReceiptLineOut":
        """Write one line of a list."""
        return cls(**cls.shown(row))


class TransferOut(BaseModel):
    """So much went to another account, where it is the receipt `to_receipt`; `transferred_by` is `remittance` where no person did it."""

    transfer: str
    to_account: str
    to_receipt: str
    amount: str
    effective_on: date
    booked_on: date
    reason: str
    transferred_by: str

    @classmethod
    def of(cls, row: Record) -> "TransferOut":
        """Write one row of `queries.transfers.read_transfers`."""
        return cls(
            transfer=row["transfer"],
            to_account=row["account"],
            to_receipt=f"{row['entity']}|{row['bank_ref']}",
            amount=format_minor(row["amount_minor"], row["currency"]),
            effective_on=row["arrived_on"],
            booked_on=row["booked_on"],
            reason=row["reason"],
            transferred_by=row["decided_by"],
        )


class ReceiptOut(ReceiptLineOut):
    """A receipt with what stands of its applications, and of what it was allowed to keep back, and where else money of it went."""

    applications: list[ApplicationOut]
    allowances: list[AllowanceOut]
    transfers: list[TransferOut]

    @classmethod
    def of(cls, row: Record, applications: Sequence[Record], allowances: Sequence[Record], transfers: Sequence[Record]) -> "ReceiptOut":
        """Write what `queries.reads` and `queries.transfers` found."""
        currency = row["currency"]
        return cls(
            **cls.shown(row),
            applications=[ApplicationOut.of(one, currency) for one in applications],
            allowances=[AllowanceOut.of(one, currency) for one in allowances],
            transfers=[TransferOut.of(one) for one in transfers],
        )


class ReceiptsOut(BaseModel):
    """A page of receipts in the order they came; `next_cursor` is null on the last."""

    receipts: list[ReceiptLineOut]
    next_cursor: str | None


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
