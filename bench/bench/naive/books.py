"""What the naive payment service keeps: customers, their open items, receipts, and a ledger of where money went; indexes as ours."""

from datetime import date

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text, text
from sqlmodel import Field, Relationship

from bench.naive.tables import SCHEMA, Table


def _key() -> "Column[int]":
    return Column(BigInteger, primary_key=True, autoincrement=True)


def _minor() -> "Column[int]":
    return Column(BigInteger, nullable=False)


def _to(table: str, *, nullable: bool = False) -> "Column[int]":
    return Column(BigInteger, ForeignKey(f"{SCHEMA}.{table}.id"), nullable=nullable, index=True)


class Customer(Table, table=True):
    """Who owes, by number."""

    __tablename__ = "customer"

    id: int | None = Field(default=None, sa_column=_key())
    number: str = Field(sa_column=Column(Text, nullable=False, unique=True))


class OpenItem(Table, table=True):
    """An invoice and what is open of it."""

    __tablename__ = "open_item"
    __table_args__ = (Index("naive_open_items", "customer_id", postgresql_where=text("is_open")),)

    id: int | None = Field(default=None, sa_column=_key())
    item: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    document_no: str = Field(sa_column=Column(Text, nullable=False, index=True))
    customer_id: int = Field(sa_column=_to("customer"))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    issued_on: date
    due_on: date
    total_minor: int = Field(sa_column=_minor())
    open_minor: int = Field(sa_column=_minor())
    is_open: bool


class Receipt(Table, table=True):
    """A payment, whose it is and by what that was found, and what became of it; without a customer it is nobody's yet."""

    __tablename__ = "receipt"

    id: int | None = Field(default=None, sa_column=_key())
    bank_ref: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    customer_id: int | None = Field(sa_column=_to("customer", nullable=True))
    identified_by: str | None = Field(sa_column=Column(Text))
    remittance: str | None = Field(sa_column=Column(Text))
    currency: str = Field(sa_column=Column(Text, nullable=False))
    amount_minor: int = Field(sa_column=_minor())
    applied_minor: int = Field(sa_column=_minor())
    on_account_minor: int = Field(sa_column=_minor())
    value_on: date
    booked_on: date


class LedgerEntry(Table, table=True):
    """So much of a receipt applied to an item, or, without one, put on-account: by which rule, why, and as of when."""

    __tablename__ = "ledger_entry"

    id: int | None = Field(default=None, sa_column=_key())
    receipt_id: int | None = Field(default=None, sa_column=_to("receipt"))
    item_id: int | None = Field(sa_column=_to("open_item", nullable=True))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    amount_minor: int = Field(sa_column=_minor())
    effective_on: date
    booked_on: date
    receipt: Receipt = Relationship()
