"""HTTP bodies of refunds, and of money that banks took back."""

from datetime import date, datetime

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel, Field

from payment.domain.returns import DEBIT_MEMO
from payment.queries.refunds import Status, StoredRefund
from payment.schemas.applications import REASON
from payment.schemas.values import Body


class RefundBody(Body):
    """Money of a receipt to be paid back; `amount` is left out for all that is on no item."""

    entity: str = Field(examples=["US01"])
    receipt: str = Field(examples=["BR-1"], description="The bank reference of the receipt.")
    amount: str | None = Field(default=None, examples=["150.00"])
    reason: str = Field(examples=["OVERPAID"], description=REASON)


class RefundApprovalBody(Body):
    """An approval of a refund, which is all of it or nothing."""


class RefundRejectionBody(Body):
    """A rejection and its reason."""

    reason: str = Field(examples=["NEXT_INVOICE_SOON"], description=REASON)


class RefundWithdrawalBody(Body):
    """A withdrawal says nothing more."""


class RefundOut(BaseModel):
    """
    A refund as it stands. `limit` is what allowed it, under `policy_version`; `decided_by` is null where nobody decided in time.
    """

    refund: str
    entity: str
    receipt: str
    account: str
    currency: str
    amount: str
    reason: str
    status: Status
    requested_by: str
    requested_on: date
    requested_at: datetime
    expires_on: date
    decided_by: str | None
    decided_on: date | None
    decided_at: datetime | None
    rejected_because: str | None
    policy_version: str | None
    limit: str | None

    @classmethod
    def of(cls, stored: StoredRefund) -> "RefundOut":
        """Show a request."""
        return cls(
            refund=stored.refund,
            entity=stored.entity,
            receipt=stored.receipt,
            account=stored.account,
            currency=stored.currency,
            amount=format_minor(stored.amount_minor, stored.currency),
            reason=stored.reason,
            status=stored.status,
            requested_by=stored.requested_by,
            requested_on=stored.requested_on,
            requested_at=stored.requested_at,
            expires_on=stored.expires_on,
            decided_by=stored.decided_by,
            decided_on=stored.decided_on,
            decided_at=stored.decided_at,
            rejected_because=stored.decided_why,
            policy_version=stored.policy_version,
            limit=None if stored.limit_minor is None else format_minor(stored.limit_minor, stored.currency),
        )


class RefundsOut(BaseModel):
    """A page of refunds in the order they were asked for; `next_cursor` is null on the last."""

    refunds: list[RefundOut]
    next_cursor: str | None


class ReturnOut(BaseModel):
    """
    Money that was taken back, under a reference of its own; `returned` is the bank reference of the receipt.

    While `is_matched` is false that has not come, or what it says does not fit it. `reversed_by` and `reason` are given where a person said
    so in the bank's place. `reversed_as` is `standard` where the money left what it paid, `debit_memo` where it is billed anew.
    """

    bank_ref: str
    entity: str
    returned: str
    is_matched: bool
    reversed_as: str | None
    kind: str
    reason_code: str | None
    currency: str
    amount: str
    fee: str | None
    value_on: date
    booked_on: date
    reason: str | None
    reversed_by: str | None

    @classmethod
    def of(cls, row: Record) -> "ReturnOut":
        """Write one row of `queries.returns.list_returns`."""
        currency = row["currency"]
        return cls(
            bank_ref=row["bank_ref"],
            entity=row["entity"],
            returned=row["returned_bank_ref"],
            is_matched=row["receipt_id"] is not None,
            reversed_as=None if row["receipt_id"] is None else "standard" if row["debited_on"] is None else DEBIT_MEMO,
            kind=row["kind"],
            reason_code=row["reason_code"],
            currency=currency,
            amount=format_minor(row["amount_minor"], currency),
            fee=None if row["fee_minor"] is None else format_minor(row["fee_minor"], currency),
            value_on=row["value_on"],
            booked_on=row["booked_on"],
            reason=row["reason"],
            reversed_by=row["reversed_by"],
        )


class ReturnsOut(BaseModel):
    """A page of returns in the order they came; `next_cursor` is null on the last."""

    returns: list[ReturnOut]
    next_cursor: str | None
