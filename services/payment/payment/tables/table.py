"""What the tables of this service have in common: their metadata, and the columns most of them have."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Text
from sqlmodel import SQLModel


class Table(SQLModel):
    """What the tables of this service share: metadata of their own."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ck": "%(table_name)s_%(constraint_name)s",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        }
    )


def id_column() -> Column[int]:
    """A number given by the database, the primary key."""
    return Column(BigInteger, Identity(always=True), primary_key=True)


def text_column(*, nullable: bool = False) -> Column[str]:
    """Text of any length."""
    return Column(Text, nullable=nullable)


def minor_column() -> Column[int]:
    """An amount in minor units."""
    return Column(BigInteger, nullable=False)


def reference_to(target: str, *, nullable: bool = False) -> Column[int]:
    """The id of a row of another table, as in `"receipt.id"`."""
    return Column(BigInteger, ForeignKey(target), nullable=nullable)
