"""
The tables of the read model, for the migration check and for reading by hand. The worker does not import this module.

Keys are the natural ones, without a number of their own: nothing refers to these rows, they are only summed, and a rebuild in another order
must give the same rows. Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, MetaData, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import CHAR, TIMESTAMP
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_NAMES = {"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"}
_ITEM_ISSUED_AT_ONCE = "(issued_on IS NULL) = (booked_on IS NULL) AND (issued_on IS NULL) = (folded_at IS NULL)"
_OF_ACCOUNTS = "'invoiced', 'credited', 'settled', 'unapplied', 'on_account', 'memo'"


class Table(SQLModel, registry=registry(metadata=MetaData(naming_convention=_NAMES))):
    """What is stored by the reporting service, apart from the tables of the delivery protocol."""


class Item(Table, table=True):
    """
    One instalment as it stands now, over everything folded.

    `issued_on`, `booked_on`, `folded_at` (the instant it became visible) are null while only applications to it have come.
    """

    __table_args__ = (
        CheckConstraint(_ITEM_ISSUED_AT_ONCE, name="issued_at_once"),
        Index("item_open_by_account", "entity", "account", "item", postgresql_where=text("is_open")),
    )

    item: str = Field(sa_column=Column(Text, primary_key=True))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    customer: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    due_on: date
    issued_on: date | None
    booked_on: date | None
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    is_open: bool
    folded_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))


class Cube(Table, table=True):
    """What was added to a measure of an entity, by due date, effective date and booked date."""

    __table_args__ = (
        PrimaryKeyConstraint("entity", "currency", "measure", "due_on", "effective_on", "booked_on"),
        CheckConstraint(f"measure IN ({_OF_ACCOUNTS}, 'unidentified')", name="measure"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    measure: str = Field(sa_column=Column(Text, nullable=False))
    due_on: date = Field(sa_column=Column(Date, nullable=False))
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    booked_on: date = Field(sa_column=Column(Date, nullable=False))
    delta_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class AccountDelta(Table, table=True):
    """The cube once more, by account."""

    __tablename__ = "account_delta"
    __table_args__ = (
        PrimaryKeyConstraint("entity", "account", "currency", "measure", "due_on", "effective_on", "booked_on"),
        CheckConstraint(f"measure IN ({_OF_ACCOUNTS})", name="measure"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    measure: str = Field(sa_column=Column(Text, nullable=False))
    due_on: date = Field(sa_column=Column(Date, nullable=False))
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    booked_on: date = Field(sa_column=Column(Date, nullable=False))
    delta_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Notice(Table, table=True):
    """A dunning notice that was sent: which level the account had reached by the noticed day."""

    __table_args__ = (
        PrimaryKeyConstraint("entity", "account", "currency", "noticed_on", "notice"),
        CheckConstraint("level >= 1", name="level"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    noticed_on: date = Field(sa_column=Column(Date, nullable=False))
    notice: str = Field(sa_column=Column(Text, nullable=False))
    level: int = Field(sa_column=Column(Integer, nullable=False))
    booked_on: date = Field(sa_column=Column(Date, nullable=False))


class Customer(Table, table=True):
    """The name of a customer: personal data, in a table of its own that a rebuild of the money keeps."""

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
