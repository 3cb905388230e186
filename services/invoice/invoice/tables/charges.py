"""Late charges, and up to which day each account was judged for them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class LateChargeRow(Table, table=True):
    """
    What an item was charged on one business day, never changed again; below zero it gives back.

    `amount_minor` is interest and the fixed sum `fixed_minor`; `charged_before_minor` is earlier interest. `ranges` is how it was computed,
    as published. `posted_minor` is what of it became the document `posted_document_no`: a debit memo, below zero a credit memo.
    """

    __tablename__ = "late_charge"
    __table_args__ = (
        PrimaryKeyConstraint("entity", "charge_no"),
        CheckConstraint("amount_minor <> 0", name="amount"),
        CheckConstraint("posting IN ('memo_only', 'debit_memo', 'credit_memo')", name="posting"),
        CheckConstraint("(posted_document_no IS NULL) = (posted_minor = 0)", name="posted"),
        Index("ix_late_charge_item", "item"),
        Index("ix_late_charge_account", "entity", "account", "charge_no"),
    )

    entity: str = Field(sa_type=Text)
    charge_no: str = Field(sa_type=Text)
    item: str = Field(sa_type=Text)
    document_no: str = Field(sa_type=Text)
    n: int
    customer: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    amount_minor: int = Field(sa_type=BigInteger)
    fixed_minor: int = Field(sa_type=BigInteger)
    accrued_minor: int = Field(sa_type=BigInteger)
    charged_before_minor: int = Field(sa_type=BigInteger)
    through_on: date
    day_count: str = Field(sa_type=Text)
    ranges: str = Field(sa_column=Column(JSONB, nullable=False))
    limited_by: str | None = Field(sa_type=Text)
    policy_version: str = Field(sa_type=Text)
    posting: str = Field(sa_type=Text)
    posted_minor: int = Field(sa_type=BigInteger)
    posted_document_no: str | None = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class ChargeRunRow(Table, table=True):
    """The day through whose bookings an account's settlement was known when it was last judged; what was settled by then is done."""

    __tablename__ = "charge_run"
    __table_args__ = (PrimaryKeyConstraint("entity", "account"),)

    entity: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    known_through: date
