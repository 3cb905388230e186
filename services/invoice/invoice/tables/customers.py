"""Who settles under whose account."""

from datetime import date

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, Text
from sqlmodel import Field

from invoice.tables.table import Table


class CustomerParentRow(Table, table=True):
    """
    The customer under whose account another settles, as booked on a day; none: its own. The latest before a day counts on it.

    Of a customer that never had a parent there is no row.
    """

    __tablename__ = "customer_parent"
    __table_args__ = (PrimaryKeyConstraint("entity", "customer", "booked_on"), CheckConstraint("parent <> customer", name="another"))

    entity: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    booked_on: date
    parent: str | None = Field(sa_type=Text)
