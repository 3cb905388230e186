"""
The tables of this service, for the migration check and for reading by hand. The worker does not import this module.

Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import CHAR, TIMESTAMP
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
}


class Table(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """What is stored by the invoice service, apart from the tables of the delivery protocol."""


class DocumentRow(Table, table=True):
    """
    A document as it was accepted, never changed again.

    `source` and `source_id` name the fact it came from; a document given over HTTP has none. `booked_on` is the business day it entered
    the books on, `recorded_at` the instant it was written.
    """

    __tablename__ = "document"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("entity", "document_no"),
        CheckConstraint("kind IN ('invoice', 'credit_memo')", name="kind"),
        CheckConstraint("document_status IN ('issued')", name="status"),
        CheckConstraint("total_minor > 0", name="total"),
        CheckConstraint("octet_length(content_hash) = 32", name="hash"),
        Index("ix_document_account", "entity", "account", "document_no"),
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


class InstalmentRow(Table, table=True):
    """A part of an invoice and the day it is due: the item `entity|document_no|n`."""

    __tablename__ = "instalment"
    __table_args__ = (
        PrimaryKeyConstraint("document_id", "n"),
        ForeignKeyConstraint(["document_id"], ["document.id"]),
        CheckConstraint("n >= 1", name="n"),
        CheckConstraint("amount_minor > 0", name="amount"),
    )

    document_id: int = Field(sa_type=BigInteger)
    n: int
    due_on: date
    amount_minor: int = Field(sa_type=BigInteger)


class SettledRow(Table, table=True):
    """
    How much of an item, or of a memo's credit, the settlement ledger has used: a projection of `receivables.payment`.

    A row of its own rather than a column of the item, so that a payment fact counts whether or not its item is here yet.
    """

    __tablename__ = "settled"
    __table_args__ = (PrimaryKeyConstraint("subject"),)

    subject: str = Field(sa_type=Text)
    settled_minor: int = Field(sa_type=BigInteger)
