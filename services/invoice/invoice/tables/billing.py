"""Billing schedules with what they billed, and consolidated bills."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class ScheduleRow(Table, table=True):
    """
    A billing schedule as it stands: `version` is that of its plan.

    `next_on` is the earliest day on which it has something to bill, kept so that a day that turns finds the schedules due by an index;
    none when it was stopped or has ended. Two that bill under the same numbers would take each other's invoices for their own, so a prefix
    is that of one schedule until it is stopped.
    """

    __tablename__ = "billing_schedule"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("entity", "schedule_no"),
        CheckConstraint("kind IN ('recurring', 'milestones')", name="kind"),
        CheckConstraint("stopped_on IS NULL OR next_on IS NULL", name="stopped"),
        Index("ix_billing_schedule_due", "entity", "next_on"),
        Index("uq_billing_schedule_prefix", "entity", "number_prefix", unique=True, postgresql_where=text("stopped_on IS NULL")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True)))
    entity: str = Field(sa_type=Text)
    schedule_no: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    number_prefix: str = Field(sa_type=Text)
    version: int
    judged_through: date | None
    next_on: date | None
    stopped_on: date | None
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class ScheduleVersionRow(Table, table=True):
    """What a schedule billed from some day on, never changed: a change is the next version. `plan` is `domain.billing.Plan`."""

    __tablename__ = "billing_version"
    __table_args__ = (
        PrimaryKeyConstraint("schedule_id", "version"),
        ForeignKeyConstraint(["schedule_id"], ["billing_schedule.id"]),
        CheckConstraint("version >= 1", name="version"),
    )

    schedule_id: int = Field(sa_type=BigInteger)
    version: int
    plan: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    decided_by: str = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class OccurrenceRow(Table, table=True):
    """
    One time a schedule billed or could not: the key is what keeps an occurrence from being billed twice.

    One that is `refused`, with its reasons, is tried again whenever a day turns, and becomes `billed` or stays.
    """

    __tablename__ = "billing_occurrence"
    __table_args__ = (
        PrimaryKeyConstraint("schedule_id", "n"),
        ForeignKeyConstraint(["schedule_id", "version"], ["billing_version.schedule_id", "billing_version.version"]),
        CheckConstraint("n >= 1", name="n"),
        CheckConstraint("status IN ('billed', 'refused')", name="status"),
        CheckConstraint("(status = 'refused') = (reasons IS NOT NULL)", name="reasons"),
    )

    schedule_id: int = Field(sa_type=BigInteger)
    n: int
    occurrence_on: date
    version: int
    document_no: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    reasons: list[Any] | None = Field(sa_column=Column(JSONB))
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class BillRow(Table, table=True):
    """A consolidated bill as it was issued. `replaced_by` is the later bill that took over what was open of it; without one it is live."""

    __tablename__ = "bill"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("entity", "bill_no"),
        UniqueConstraint("entity", "payment_reference", name="uq_bill_payment_reference"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("octet_length(content_hash) = 32", name="hash"),
        Index("ix_bill_account", "entity", "account", "bill_no"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True)))
    entity: str = Field(sa_type=Text)
    bill_no: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    issued_on: date
    through_on: date
    due_on: date | None
    total_minor: int = Field(sa_type=BigInteger)
    payment_reference: str = Field(sa_type=Text)
    replaced_by: str | None = Field(sa_type=Text)
    content_hash: bytes = Field(sa_type=LargeBinary)
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class BilledInvoiceRow(Table, table=True):
    """
    A document on a bill, and what was open of it then. A document is on at most one live bill: the unique index says so.

    `is_live` is that of the bill.
    """

    __tablename__ = "bill_document"
    __table_args__ = (
        PrimaryKeyConstraint("bill_id", "document_id"),
        ForeignKeyConstraint(["bill_id"], ["bill.id"]),
        ForeignKeyConstraint(["document_id"], ["document.id"]),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("uq_bill_document_live", "document_id", unique=True, postgresql_where=text("is_live")),
    )

    bill_id: int = Field(sa_type=BigInteger)
    document_id: int = Field(sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    is_live: bool
