"""Documents, their instalments, and what became void."""

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


class DocumentRow(Table, table=True):
    """
    A document as it was accepted; all that ever changes is `document_status`, once, when it is voided.

    `source` and `source_id` name the fact it came from; a document given over HTTP has none. `booked_on` is the business day it entered
    the books on, `recorded_at` the instant it was written. Of the total, `goods_minor`, `freight_minor` and `charges_minor` are net and
    `tax_minor` (null: nobody said) is the rest. `terms` and `policy_version` are what its due dates were made by, `discount`, `refs`,
    `project` and `assignment` the values of `domain` as JSON, amounts in minor units. `valued_…` and `fx_…` are its total in the entity's
    currency and the rate that made it so. `dispute` is what a credit memo answers.
    """

    __tablename__ = "document"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("entity", "document_no"),
        CheckConstraint("kind IN ('invoice', 'debit_memo', 'credit_memo')", name="kind"),
        CheckConstraint("document_status IN ('issued', 'voided')", name="status"),
        CheckConstraint("total_minor >= 0", name="total"),
        CheckConstraint("goods_minor + freight_minor + charges_minor + coalesce(tax_minor, 0) = total_minor", name="components"),
        CheckConstraint("octet_length(content_hash) = 32", name="hash"),
        Index("ix_document_account", "entity", "account", "document_no"),
        Index("ix_document_ref", "entity", "ref_document_no", postgresql_where=text("ref_document_no IS NOT NULL")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True)))
    entity: str = Field(sa_type=Text)
    document_no: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    issued_on: date
    total_minor: int = Field(sa_type=BigInteger)
    tax_minor: int | None = Field(sa_type=BigInteger)
    ref_document_no: str | None = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    document_status: str = Field(sa_type=Text)
    content_hash: bytes = Field(sa_type=LargeBinary)
    source: str | None = Field(sa_type=Text)
    source_id: str | None = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    goods_minor: int = Field(sa_type=BigInteger)
    freight_minor: int = Field(sa_type=BigInteger)
    charges_minor: int = Field(sa_type=BigInteger)
    terms: str | None = Field(sa_type=Text)
    policy_version: str | None = Field(sa_type=Text)
    discount: dict[str, Any] | None = Field(sa_type=JSONB)
    refs: dict[str, Any] | None = Field(sa_type=JSONB)
    project: dict[str, Any] | None = Field(sa_type=JSONB)
    assignment: dict[str, Any] | None = Field(sa_type=JSONB)
    valued_currency: str | None = Field(sa_type=CHAR(3))
    valued_minor: int | None = Field(sa_type=BigInteger)
    fx_rate: str | None = Field(sa_type=Text)
    fx_rate_on: date | None
    fx_type: str | None = Field(sa_type=Text)
    origin: str | None = Field(sa_type=Text)
    origin_id: str | None = Field(sa_type=Text)
    dispute: str | None = Field(sa_type=Text)


class InstalmentRow(Table, table=True):
    """
    A part of an invoice and the day it is due: the item `entity|document_no|n`.

    `entity` and `account` are those of its document, here for the index of what is still to fall due; `judged_due_on` is the business day
    at whose start it had fallen due.
    """

    __tablename__ = "instalment"
    __table_args__ = (
        PrimaryKeyConstraint("document_id", "n"),
        ForeignKeyConstraint(["document_id"], ["document.id"]),
        CheckConstraint("n >= 1", name="n"),
        CheckConstraint("amount_minor >= 0", name="amount"),
        Index("ix_instalment_due", "entity", "due_on", "account", postgresql_where=text("judged_due_on IS NULL")),
    )

    document_id: int = Field(sa_type=BigInteger)
    n: int
    due_on: date
    amount_minor: int = Field(sa_type=BigInteger)
    entity: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    judged_due_on: date | None


class VoidRow(Table, table=True):
    """
    Says that a document became void: each of its items is billed nothing from `effective_on` on.

    `replaced_by` is the number of the invoice that corrects it; `source` and `source_id` name the fact that asked for it.
    """

    __tablename__ = "void"
    __table_args__ = (
        PrimaryKeyConstraint("document_id"),
        ForeignKeyConstraint(["document_id"], ["document.id"]),
    )

    document_id: int = Field(sa_type=BigInteger)
    reason: str | None = Field(sa_type=Text)
    replaced_by: str | None = Field(sa_type=Text)
    effective_on: date
    booked_on: date
    source: str | None = Field(sa_type=Text)
    source_id: str | None = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class EarlyVoidRow(Table, table=True):
    """A void that was told before its document; taken out when the document comes. One of each customer that was named."""

    __tablename__ = "early_void"
    __table_args__ = (PrimaryKeyConstraint("entity", "document_no", "customer"),)

    entity: str = Field(sa_type=Text)
    document_no: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    effective_on: date | None
    replaced_by: str | None = Field(sa_type=Text)
    source: str | None = Field(sa_type=Text)
    source_id: str | None = Field(sa_type=Text)
    source_type: str | None = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
