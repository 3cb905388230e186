"""Tables of the dunning service: columns and constraints; the migrations say the same in SQL."""

from datetime import date, datetime

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """What the tables of this service share: metadata of their own."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "uq": "%(table_name)s_%(column_0_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        }
    )


class Item(Table, table=True):
    """
    Our copy of an item: what is open of it by the facts heard, its level, and the day of its last notice.

    `open_minor` is negative while an application is here before its item. No index contains it: `is_open` changes seldom, it often.
    """

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("item"),
        CheckConstraint("is_open = (open_minor > 0)", name="open_is_positive"),
        CheckConstraint("level >= 0 AND (level = 0) = (last_noticed_on IS NULL)", name="level_by_notice"),
        Index("item_due", "entity", "level", "due_on", postgresql_where=text("is_open")),
        Index("item_by_account", "entity", "account", "id", postgresql_where=text("is_open")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    item: str = Field(sa_column=Column(Text, nullable=False))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    due_on: date
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    is_open: bool
    level: int = Field(sa_column_kwargs={"server_default": text("0")})
    last_noticed_on: date | None


class Notice(Table, table=True):
    """A letter that was sent, by which procedure, when it was decided."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("notice"),
        CheckConstraint("level >= 1 AND total_minor > 0", name="worth_sending"),
        Index("notice_by_entity", "entity", "id"),
        Index("notice_by_account", "entity", "account", "id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice: str = Field(sa_column=Column(Text, nullable=False))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    noticed_on: date
    level: int
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    procedure_version: str = Field(sa_column=Column(Text, nullable=False))
    channel: str = Field(sa_column=Column(Text, nullable=False))
    decided_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class NoticeItem(Table, table=True):
    """An item on a letter: the level it reached with it, and what was open of it then."""

    __tablename__ = "notice_item"
    __table_args__ = (CheckConstraint("level >= 1 AND open_minor > 0", name="worth_sending"),)

    notice_id: int = Field(sa_column=Column(BigInteger, ForeignKey("notice.id"), primary_key=True, autoincrement=False))
    item_id: int = Field(sa_column=Column(BigInteger, ForeignKey("item.id"), primary_key=True, autoincrement=False))
    level: int
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
