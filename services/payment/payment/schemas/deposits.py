"""HTTP bodies of deposits."""

from datetime import date

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel


class DepositOut(BaseModel):
    """
    A deposit that is bound to the order or contract `deposit_for`: amount = drawn + refunded + transferred + left.

    Without a payer `account` is null.
    """

    receipt: str
    bank_ref: str
    account: str | None
    deposit_for: str
    currency: str
    amount: str
    drawn: str
    refunded: str
    transferred: str
    left: str
    value_on: date
    booked_on: date

    @classmethod
    def of(cls, row: Record) -> "DepositOut":
        """Write one row of `queries.deposits.list_open`."""
        currency = row["currency"]
        left_minor = row["amount_minor"] - row["applied_minor"] - row["refunded_minor"] - row["transferred_minor"]
        return cls(
            receipt=f"{row['entity']}|{row['bank_ref']}",
            bank_ref=row["bank_ref"],
            account=row["account"] if row["identified_on"] is not None else None,
            deposit_for=row["deposit_for"],
            currency=currency,
            amount=format_minor(row["amount_minor"], currency),
            drawn=format_minor(row["applied_minor"], currency),
            refunded=format_minor(row["refunded_minor"], currency),
            transferred=format_minor(row["transferred_minor"], currency),
            left=format_minor(left_minor, currency),
            value_on=row["value_on"],
            booked_on=row["booked_on"],
        )


class DepositsOut(BaseModel):
    """A page of deposits in the order they came; `next_cursor` is null on the last."""

    deposits: list[DepositOut]
    next_cursor: str | None
