"""What the naive hop writes: an inbox, the document, an outbox, each with keys and indexes as ours."""

from datetime import date

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

SCHEMA = "naive"


class Table(SQLModel, registry=registry(metadata=MetaData(schema=SCHEMA))):
    """Everything of the naive hop lies in a schema of its own."""


class Inbox(Table, table=True):
    """An event that was seen."""

    __tablename__ = "inbox"

    source: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))


class Invoice(Table, table=True):
    """A document."""

    __tablename__ = "invoice"
    __table_args__ = (Index("naive_invoice_account", "entity", "account"),)

    id: str = Field(sa_column=Column(Text, primary_key=True))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    issued_on: date
    due_on: date
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Outbox(Table, table=True):
    """A fact that waits to be sent."""

    __tablename__ = "outbox"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    topic: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    value: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
