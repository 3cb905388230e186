"""What was found when days turned."""

from datetime import date

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, ForeignKey, Index, Text, text
from sqlmodel import Field

from payment.tables.table import Table, id_column, minor_column, reference_to, text_column


class Finding(Table, table=True):
    """
    What was found when the day after `found_on` started, by `kind`. Only ever added to.

    `short_payment` and `unearned_discount` are about an item and a receipt that left `amount_minor` of it open, once for the two;
    `overpayment` is about what was left over of a receipt on a day, `named` are the documents that it names. `rate_missing` is about an
    item in another currency that could not be valued at the end of a period.
    """

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint("kind IN ('short_payment', 'unearned_discount', 'overpayment', 'rate_missing')", name="kind_known"),
        CheckConstraint("(receipt_id IS NULL) = (kind = 'rate_missing')", name="about_a_receipt"),
        CheckConstraint("(item_id IS NULL) = (kind = 'overpayment')", name="about_an_item"),
        CheckConstraint("(until_on IS NOT NULL) = (kind = 'unearned_discount')", name="unearned_since_a_day"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("finding_once_of_payment", "item_id", "receipt_id", unique=True, postgresql_where=text("kind <> 'rate_missing'")),
        Index("finding_once_of_left_over", "receipt_id", "found_on", unique=True, postgresql_where=text("kind = 'overpayment'")),
        Index("finding_once_of_period", "item_id", "found_on", unique=True, postgresql_where=text("kind = 'rate_missing'")),
        Index("finding_of_entity", "entity", "id"),
        Index("finding_of_account", "account_id", "id"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    kind: str = Field(sa_column=text_column())
    account_id: int = Field(sa_column=reference_to("account.id"))
    receipt_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    item_id: int | None = Field(sa_column=reference_to("item.id", nullable=True))
    amount_minor: int = Field(sa_column=minor_column())
    found_on: date
    until_on: date | None
    deduction_code: str | None = Field(sa_column=text_column(nullable=True))
    named: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class DiscountWindow(Table, table=True):
    """An item that was paid in part while it can earn a discount, up to `until_on`: looked at again when that is over, and deleted."""

    __tablename__ = "discount_window"
    __table_args__ = (Index("discount_window_by_end", "until_on"),)

    item_id: int = Field(sa_column=Column(BigInteger, ForeignKey("item.id"), primary_key=True, autoincrement=False))
    account_id: int = Field(sa_column=reference_to("account.id"))
    until_on: date


class Revaluation(Table, table=True):
    """
    An open item in another currency than the entity's as it was valued when a period ended; reversed on the next day.

    `open_minor` is in its own currency, the others in the entity's; `rate` is a decimal string. Only ever added to.
    """

    __tablename__ = "revaluation"
    __table_args__ = (CheckConstraint("least(open_minor, carrying_minor, revalued_minor) >= 0", name="never_negative"),)

    item_id: int = Field(sa_column=Column(BigInteger, ForeignKey("item.id"), primary_key=True, autoincrement=False))
    period_end_on: date = Field(primary_key=True)
    open_minor: int = Field(sa_column=minor_column())
    carrying_minor: int = Field(sa_column=minor_column())
    revalued_minor: int = Field(sa_column=minor_column())
    rate: str = Field(sa_column=text_column())
    rate_on: date
