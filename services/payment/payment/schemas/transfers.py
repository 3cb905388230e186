"""HTTP bodies of money that goes from one account to another."""

from pydantic import Field

from payment.schemas.applications import REASON
from payment.schemas.values import Body, Day


class TransferBody(Body):
    """
    Money of a receipt that is on no item, for the account that a customer settles under; `amount` is left out for all of it.

    It counts from `effective_on`, but never before the money was free; left out: from the open day, which it is not ahead of.
    """

    entity: str = Field(examples=["US01"])
    to_customer: str = Field(examples=["C-2"])
    amount: str | None = Field(default=None, examples=["100.00"])
    effective_on: Day | None = None
    reason: str = Field(examples=["PAID_FOR_ANOTHER"], description=REASON)
