"""Requests to take something off an item that nobody paid, and every step of deciding about them."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class AdjustmentRow(Table, table=True):
    """
    An adjustment as it stands: asked for, decided, and what the settlement ledger has posted and recovered of it.

    `number` counts all requests in the order they came, `n` is the instalment and `seq` counts the requests for it. `asked_minor` was asked
    for, `amount_minor` and `tax_minor` were approved. `expires_on` is the last day on which it may be approved. The four sums are a
    projection of `receivables.payment`: what was posted, less what was taken back as never having been right, and what came in later.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("document_id", "n", "seq"),
        ForeignKeyConstraint(["document_id", "n"], ["instalment.document_id", "instalment.n"]),
        CheckConstraint("kind IN ('small_balance', 'bad_debt', 'rounding', 'discount_exception', 'fee_waiver', 'settlement')", name="kind"),
        CheckConstraint("status IN ('pending', 'approved', 'posted', 'recovered', 'rejected', 'expired', 'withdrawn')", name="status"),
        CheckConstraint("asked_minor > 0 AND amount_minor > 0 AND amount_minor <= asked_minor", name="amount"),
        CheckConstraint(
            "(status IN ('approved', 'posted', 'recovered')) = (amount_minor IS NOT NULL AND tax_minor IS NOT NULL)", name="approved"
        ),
        CheckConstraint("(status = 'pending') = (decided_on IS NULL)", name="decided"),
        Index("ix_adjustment_account", "entity", "account", "number"),
        Index("ix_adjustment_bad_debt", "entity", "customer", "number", postgresql_where=text("kind = 'bad_debt'")),
        Index("ix_adjustment_status", "entity", "status", "number"),
    )

    id: str = Field(sa_type=Text)
    number: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    entity: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    document_id: int = Field(sa_type=BigInteger)
    n: int
    seq: int
    kind: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    asked_minor: int = Field(sa_type=BigInteger)
    amount_minor: int | None = Field(sa_type=BigInteger)
    tax_minor: int | None = Field(sa_type=BigInteger)
    status: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_on: date
    expires_on: date
    decided_by: str | None = Field(sa_type=Text)
    decided_on: date | None
    posted_minor: int = Field(sa_type=BigInteger)
    posted_tax_minor: int = Field(sa_type=BigInteger)
    recovered_minor: int = Field(sa_type=BigInteger)
    recovered_tax_minor: int = Field(sa_type=BigInteger)


class AdjustmentStepRow(Table, table=True):
    """
    One step of an adjustment: who did what, by which policy version and limit.

    `by` is null where a policy, or the day that turned, has decided. `amount_minor` is what the step was about.
    """

    __tablename__ = "adjustment_step"
    __table_args__ = (
        PrimaryKeyConstraint("adjustment_id", "n"),
        ForeignKeyConstraint(["adjustment_id"], ["adjustment.id"]),
        CheckConstraint("action IN ('requested', 'approved', 'rejected', 'expired', 'withdrawn')", name="action"),
    )

    adjustment_id: str = Field(sa_type=Text)
    n: int
    action: str = Field(sa_type=Text)
    by: str | None = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    policy_version: str | None = Field(sa_type=Text)
    limit_minor: int | None = Field(sa_type=BigInteger)
    reason: str | None = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
