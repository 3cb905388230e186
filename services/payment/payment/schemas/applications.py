"""HTTP bodies of what people do by hand with money, credit and applications."""

from collections.abc import Sequence
from datetime import date

from asyncpg import Record
from events.bank import EntryReturned
from money import format_minor
from pydantic import BaseModel, Field

from payment.domain.returns import Way
from payment.schemas.ledger import ApplicationOut
from payment.schemas.values import Body, Day

REASON = "A code of at most 40 characters: letters, digits, `_`, `.` and `-`."


class ApplyBody(Body):
    """
    Money or credit to be applied to an item by hand; `amount` is left out for what fits.

    It counts from `effective_on`, but never before the money and the document were there, nor, held since an earlier day, before the open
    day (PAY-08); left out: as early as can be. That day is not ahead of the open one.
    """

    entity: str = Field(examples=["US01"])
    item: str = Field(examples=["US01|INV-1|1"])
    amount: str | None = Field(default=None, examples=["100.00"])
    effective_on: Day | None = None
    reason: str = Field(examples=["CUSTOMER_SAID_SO"], description=REASON)


class TakeOffBody(Body):
    """
    An application to be taken off its item again from a date of its own on, which is not before the application nor ahead of the open day;
    `amount` is left out for all of it.
    """

    entity: str = Field(examples=["US01"])
    amount: str | None = Field(default=None, examples=["100.00"])
    effective_on: Day
    reason: str = Field(examples=["WRONG_INVOICE"], description=REASON)


class ReleaseBody(Body):
    """What a person took off items may be used by rules again."""

    entity: str = Field(examples=["US01"])
    reason: str = Field(examples=["CLEARED_UP"], description=REASON)


class ReverseBody(Body):
    """
    Money that the bank took back, or that was never there: as `bank.EntryReturned` says it, of the whole receipt.

    `fee` is in the currency of what the bank booked, and is billed to the customer. As `standard` what the money paid is open again; as
    `debit_memo`, of money that is all on items since an earlier day, that stays paid, and the customer is billed the amount anew.
    """

    entity: str = Field(examples=["US01"])
    kind: str = Field(examples=["nsf"], description="`nsf`, `return`, `chargeback` or `error`.")
    value_on: Day
    reason_code: str | None = Field(default=None, examples=["R01"])
    fee: str | None = Field(default=None, examples=["35.00"])
    reason: str = Field(examples=["CHECK_BOUNCED"], description=REASON)
    way: Way = Field(default="standard", alias="as")

    def to_return(self, bank_ref: str, returned_bank_ref: str, amount: str, currency: str) -> EntryReturned:
        """Say the same as a bank would."""
        return EntryReturned(
            entity=self.entity,
            account_ref="",
            bank_ref=bank_ref,
            returned_bank_ref=returned_bank_ref,
            value_on=self.value_on,
            amount=amount,
            currency=currency,
            kind=self.kind,
            reason_code=self.reason_code,
            fee=self.fee,
        )


class MemoOut(BaseModel):
    """A credit memo: total = open + applied. `pinned` of what is open only a person may use; `names` is the invoice it is about."""

    memo: str
    entity: str
    document_no: str
    account: str
    currency: str
    total: str
    open: str
    pinned: str
    applied: str
    names: str | None
    issued_on: date
    booked_on: date
    applications: list[ApplicationOut]

    @classmethod
    def of(cls, row: Record, applications: Sequence[Record]) -> "MemoOut":
        """Write what `queries.ledger_reads` found."""
        currency = row["currency"]
        return cls(
            memo=f"{row['entity']}|{row['document_no']}",
            entity=row["entity"],
            document_no=row["document_no"],
            account=row["account"],
            currency=currency,
            total=format_minor(row["total_minor"], currency),
            open=format_minor(row["total_minor"] - row["applied_minor"], currency),
            pinned=format_minor(row["pinned_minor"], currency),
            applied=format_minor(row["applied_minor"], currency),
            names=row["names"],
            issued_on=row["issued_on"],
            booked_on=row["booked_on"],
            applications=[ApplicationOut.of(one, currency) for one in applications],
        )
