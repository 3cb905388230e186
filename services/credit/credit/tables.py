"""Tables of the credit service: columns and constraints; the migrations say the same in SQL."""

from datetime import date, datetime

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Column, DateTime, MetaData, Text
from sqlmodel import Field, SQLModel


class Table(SQLModel):
    """What the tables of this service share: metadata of their own."""

    metadata = MetaData(naming_convention={"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"})


class Exposure(Table, table=True):
    """The components of an exposure: sums of what facts moved, in minor units; each may be negative on the way."""

    __tablename__ = "exposure"

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    account: str = Field(sa_column=Column(Text, primary_key=True))
    currency: str = Field(sa_column=Column(CHAR(3), primary_key=True))
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    on_account_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    memo_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class CreditLimit(Table, table=True):
    """Every limit that was ever set; the highest version is in force."""

    __tablename__ = "credit_limit"
    __table_args__ = (
        CheckConstraint("version >= 1", name="version_from_one"),
        CheckConstraint("limit_minor >= 0", name="limit_not_negative"),
    )

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    account: str = Field(sa_column=Column(Text, primary_key=True))
    currency: str = Field(sa_column=Column(CHAR(3), primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    limit_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    set_by: str = Field(sa_column=Column(Text, nullable=False))
    booked_on: date
    set_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
