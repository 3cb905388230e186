"""
The tables of the read model, for the migration check and for reading by hand. The worker does not import this module.

Keys are the natural ones, without a number of their own: nothing refers to these rows, they are only summed, and a rebuild in another order
must give the same rows. Columns and constraints are those of `migrations/versions`; a test compares the two.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, MetaData, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, CHAR, TIMESTAMP
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_NAMES = {"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"}
_ITEM_ISSUED_AT_ONCE = "(issued_on IS NULL) = (booked_on IS NULL) AND (issued_on IS NULL) = (folded_at IS NULL)"
_OF_ITEMS = "'invoiced', 'charged', 'credited', 'settled', 'discounted', 'written_off', 'voided'"
_OF_ACCOUNTS = f"{_OF_ITEMS}, 'unapplied', 'on_account', 'memo', 'reversed', 'refunded', 'transferred'"
_MADE_AT_ONCE = "(made_on IS NULL) = (currency IS NULL) AND (made_on IS NULL) = (amount_minor IS NULL)"
_KNOWN_ON = text("greatest(effective_on, booked_on)")
_OVERDUE = "to_30_minor + to_60_minor + to_90_minor + over_90_minor"


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
        Index("item_by_due", "entity", "due_on"),
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
        Index("cube_by_day", "entity", _KNOWN_ON, "effective_on"),
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
        Index("account_delta_by_day", "entity", _KNOWN_ON),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    measure: str = Field(sa_column=Column(Text, nullable=False))
    due_on: date = Field(sa_column=Column(Date, nullable=False))
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    booked_on: date = Field(sa_column=Column(Date, nullable=False))
    delta_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Closing(Table, table=True):
    """
    What an entity stood at when a day had closed, in what was effective and booked by then: months' ends and the last day.

    Open items by due date, where anything is open; what has no due date, `unapplied` even at zero: it stands for its currency.
    """

    __table_args__ = (
        PrimaryKeyConstraint("entity", "closed_on", "currency", "measure", "due_on"),
        CheckConstraint("measure IN ('open', 'unapplied', 'on_account', 'memo', 'unidentified')", name="measure"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    closed_on: date = Field(sa_column=Column(Date, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    measure: str = Field(sa_column=Column(Text, nullable=False))
    due_on: date = Field(sa_column=Column(Date, nullable=False))
    sum_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class AccountClosing(Table, table=True):
    """
    What every account stood at when the entity's last closed day had closed, by days past due on that day.

    Accounts that are all zero are left out.
    """

    __tablename__ = "account_closing"
    __table_args__ = (
        PrimaryKeyConstraint("entity", "currency", "account"),
        Index("account_closing_by_open", "entity", "currency", text(f"(current_minor + {_OVERDUE}) DESC"), "account"),
        Index("account_closing_by_overdue", "entity", "currency", text(f"({_OVERDUE}) DESC"), "account"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    account: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    current_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    to_30_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    to_60_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    to_90_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    over_90_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    unapplied_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    on_account_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    memo_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


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


class ReceiptDay(Table, table=True):
    """
    What a booked day's facts did to a receipt: what came, what was applied without a person and by one, what is left free.

    `value_on` is that of the receipt, on the day it came only.
    """

    __tablename__ = "receipt_day"
    __table_args__ = (
        PrimaryKeyConstraint("receipt", "booked_on"),
        Index("receipt_day_came", "entity", "booked_on", postgresql_where=text("value_on IS NOT NULL")),
        Index("receipt_day_free", "entity", "booked_on", postgresql_where=text("free_minor <> 0")),
    )

    receipt: str = Field(sa_column=Column(Text, nullable=False))
    booked_on: date
    entity: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    value_on: date | None
    received_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    automatic_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    by_person_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    free_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Suggestion(Table, table=True):
    """A match that was suggested, and when a person took or refused it; all days are booked days. A decision may come first."""

    __table_args__ = (CheckConstraint(_MADE_AT_ONCE, name="made_at_once"), Index("suggestion_made", "entity", "made_on"))

    suggestion: str = Field(sa_column=Column(Text, primary_key=True))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    currency: str | None = Field(sa_column=Column(CHAR(3)))
    amount_minor: int | None = Field(sa_column=Column(BigInteger))
    made_on: date | None
    accepted_on: date | None
    rejected_on: date | None


class Finding(Table, table=True):
    """What was found about a receipt and an item, or the documents it named, on a day that closed."""

    __table_args__ = (
        PrimaryKeyConstraint("entity", "finding"),
        CheckConstraint("kind IN ('short_payment', 'unearned_discount', 'overpayment')", name="kind"),
    )

    finding: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    found_on: date
    booked_on: date
    receipt: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    item: str | None = Field(sa_column=Column(Text))
    invoice: str | None = Field(sa_column=Column(Text))
    customer: str | None = Field(sa_column=Column(Text))
    due_on: date | None
    until_on: date | None
    deduction_code: str | None = Field(sa_column=Column(Text))
    named: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class ExchangeDelta(Table, table=True):
    """Exchange differences in the entity's currency, gain less loss: realised by settlement, unrealised at a period's end and back."""

    __tablename__ = "exchange_delta"
    __table_args__ = (
        PrimaryKeyConstraint("entity", "effective_on", "account", "currency", "measure", "booked_on"),
        CheckConstraint("measure IN ('realised', 'unrealised')", name="measure"),
    )

    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    measure: str = Field(sa_column=Column(Text, nullable=False))
    effective_on: date = Field(sa_column=Column(Date, nullable=False))
    booked_on: date = Field(sa_column=Column(Date, nullable=False))
    delta_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Revaluation(Table, table=True):
    """What an open item in another currency was worth in the entity's when a period ended."""

    __table_args__ = (PrimaryKeyConstraint("item", "period_end_on"), Index("revaluation_by_period", "entity", "period_end_on"))

    item: str = Field(sa_column=Column(Text, nullable=False))
    period_end_on: date = Field(sa_column=Column(Date, nullable=False))
    entity: str = Field(sa_column=Column(Text, nullable=False))
    account: str = Field(sa_column=Column(Text, nullable=False))
    item_currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    open_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    carrying_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    revalued_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    rate: str = Field(sa_column=Column(Text, nullable=False))
    rate_on: date
    booked_on: date


class Customer(Table, table=True):
    """The name of a customer: personal data, in a table of its own that a rebuild of the money keeps."""

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
