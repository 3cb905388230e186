"""What the settlement ledger did to each item and memo: one row a fact, and their sums."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class MovementRow(Table, table=True):
    """
    What one settlement fact did to one subject: an item `entity|document_no|n`, or a memo `entity|document_no`.

    `amount_minor` is what it took off the open amount, negative where it gave something back; `kind` says with what. `act` is the
    application, discount or adjustment, `counterpart` the receipt or memo an item took from, or the item a memo went to. `rule` is why an
    application was made, or the kind of a discount or an adjustment; `reason` why it was taken back. `tax_minor` is the tax stated of a
    discount or an adjustment.
    """

    __tablename__ = "movement"
    __table_args__ = (
        PrimaryKeyConstraint("subject", "fact_id"),
        CheckConstraint("kind IN ('applied', 'credited', 'discounted', 'adjusted')", name="kind"),
    )

    subject: str = Field(sa_type=Text)
    fact_id: str = Field(sa_type=Text)
    fact_type: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    tax_minor: int | None = Field(sa_type=BigInteger)
    act: str = Field(sa_type=Text)
    counterpart: str | None = Field(sa_type=Text)
    rule: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    effective_on: date
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    causation_id: str | None = Field(sa_type=Text)
    traceparent: str | None = Field(sa_type=Text)


class SettledRow(Table, table=True):
    """
    The sums of what the settlement ledger has taken off an item, or used of a memo: with money, credit, discount, adjustment.

    A row of its own rather than a column of the item, so that a settlement fact counts whether or not its item is here yet.
    """

    __tablename__ = "settled"
    __table_args__ = (PrimaryKeyConstraint("subject"),)

    subject: str = Field(sa_type=Text)
    settled_minor: int = Field(sa_type=BigInteger)
    credited_minor: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    adjusted_minor: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    discounted_minor: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
