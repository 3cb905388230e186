"""Who settles under whose account."""

from datetime import date

from sqlalchemy import CheckConstraint, Column, Text
from sqlmodel import Field

from payment.tables.table import Table, text_column


class CustomerParent(Table, table=True):
    """
    The customer under whose account another settles, as booked on a day; none: its own. The latest before a day counts on it.

    Of a customer that never had a parent there is no row.
    """

    __tablename__ = "customer_parent"
    __table_args__ = (CheckConstraint("parent <> customer", name="another"),)

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    booked_on: date = Field(primary_key=True)
    parent: str | None = Field(sa_column=text_column(nullable=True))
