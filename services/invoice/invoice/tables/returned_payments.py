"""What is billed of payments that a bank took back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import CHAR, TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class ReturnChargeRow(Table, table=True):
    """
    What is to be billed because the money of a receipt was taken back on `effective_on`, as the ledger booked it on `booked_on`.

    `origin` is `return_fee` for what the bank asked for it, `returned_payment` for the money itself. `billed_on` is the business day whose
    start made a debit memo of it; null until then.
    """

    __tablename__ = "return_charge"
    __table_args__ = (
        PrimaryKeyConstraint("receipt", "origin"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("origin IN ('return_fee', 'returned_payment')", name="origin"),
        Index("ix_return_charge_unbilled", "entity", "account", "booked_on", postgresql_where=text("billed_on IS NULL")),
    )

    receipt: str = Field(sa_type=Text)
    origin: str = Field(sa_type=Text)
    entity: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    amount_minor: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=Text)
    effective_on: date
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    billed_on: date | None
