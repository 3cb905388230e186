"""Tables of the payment service: columns and constraints; the migrations say the same in SQL."""

from datetime import date

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
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
            "ck": "%(table_name)s_%(constraint_name)s",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        }
    )


def _id() -> Column[int]:
    return Column(BigInteger, Identity(always=True), primary_key=True)


def _text(*, nullable: bool = False) -> Column[str]:
    return Column(Text, nullable=nullable)


def _minor() -> Column[int]:
    return Column(BigInteger, nullable=False)


def _of(target: str, *, nullable: bool = False) -> Column[int]:
    return Column(BigInteger, ForeignKey(target), nullable=nullable)


class Account(Table, table=True):
    """The row to lock before an account's books are read to be changed. A receipt without a payer has one too: `receipt:<bank_ref>`."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("entity", "account", name="account_name_key"),)

    id: int = Field(sa_column=_id())
    entity: str = Field(sa_column=_text())
    account: str = Field(sa_column=_text())


class Document(Table, table=True):
    """
    An invoice, debit memo or credit memo; `digest` stands for its number, caseless, where remittances are searched for it.

    `voided_on` is the date a void counts from, `void_booked_on` the day it was booked.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("entity", "document_no", name="document_number_key"),
        CheckConstraint("kind IN ('invoice', 'debit_memo', 'memo')", name="kind_known"),
        CheckConstraint("(voided_on IS NULL) = (void_booked_on IS NULL) AND (voided_on IS NULL OR kind <> 'memo')", name="voided_once"),
        Index("document_by_digest", "digest"),
    )

    id: int = Field(sa_column=_id())
    entity: str = Field(sa_column=_text())
    document_no: str = Field(sa_column=_text())
    kind: str = Field(sa_column=_text())
    account: str = Field(sa_column=_text())
    customer: str = Field(sa_column=_text())
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    issued_on: date
    booked_on: date
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    voided_on: date | None
    void_booked_on: date | None


class Item(Table, table=True):
    """
    An instalment: open is total less settled (by money), credited (by memos), adjusted (written off, net) and voided (all or nothing).

    No index contains these amounts: `is_open` changes seldom, they often.
    """

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("document_id", "n", name="item_instalment_key"),
        CheckConstraint(
            "least(settled_minor, credited_minor, adjusted_minor) >= 0 AND voided_minor IN (0, total_minor)"
            " AND settled_minor + credited_minor + adjusted_minor + voided_minor <= total_minor",
            name="never_overapplied",
        ),
        CheckConstraint(
            "is_open = (settled_minor + credited_minor + adjusted_minor + voided_minor < total_minor)", name="open_is_what_is_left"
        ),
        Index("item_open", "account_id", postgresql_where=text("is_open")),
        Index("item_by_account", "account_id", "id"),
    )

    id: int = Field(sa_column=_id())
    document_id: int = Field(sa_column=_of("document.id"))
    account_id: int = Field(sa_column=_of("account.id"))
    n: int
    due_on: date
    total_minor: int = Field(sa_column=_minor())
    settled_minor: int = Field(sa_column=_minor())
    credited_minor: int = Field(sa_column=_minor())
    is_open: bool
    adjusted_minor: int = Field(sa_column=_minor())
    voided_minor: int = Field(sa_column=_minor())


class Memo(Table, table=True):
    """The open credit of a credit memo, and the number of the invoice it names."""

    __tablename__ = "memo"
    __table_args__ = (
        CheckConstraint("applied_minor BETWEEN 0 AND total_minor", name="never_overspent"),
        CheckConstraint("is_open = (applied_minor < total_minor)", name="open_is_what_is_left"),
        Index("memo_open", "account_id", postgresql_where=text("is_open")),
    )

    document_id: int = Field(sa_column=Column(BigInteger, ForeignKey("document.id"), primary_key=True, autoincrement=False))
    account_id: int = Field(sa_column=_of("account.id"))
    names: str | None = Field(sa_column=_text(nullable=True))
    total_minor: int = Field(sa_column=_minor())
    applied_minor: int = Field(sa_column=_minor())
    is_open: bool


class Adjustment(Table, table=True):
    """
    An approved adjustment or write-off of an item: how much of it stands posted, net of what was taken back or recovered.

    `adjustment` is the id of the request; `tax_minor` is the tax in `approved_minor`.
    """

    __tablename__ = "adjustment"
    __table_args__ = (
        UniqueConstraint("adjustment", name="adjustment_name_key"),
        CheckConstraint(
            "approved_minor > 0 AND posted_minor BETWEEN 0 AND approved_minor AND tax_minor BETWEEN 0 AND approved_minor",
            name="never_above_approval",
        ),
    )

    id: int = Field(sa_column=_id())
    adjustment: str = Field(sa_column=_text())
    account_id: int = Field(sa_column=_of("account.id"))
    item_id: int = Field(sa_column=_of("item.id"))
    kind: str = Field(sa_column=_text())
    approved_minor: int = Field(sa_column=_minor())
    tax_minor: int = Field(sa_column=_minor())
    posted_minor: int = Field(sa_column=_minor())
    effective_on: date
    booked_on: date


class Receipt(Table, table=True):
    """
    A receipt and its dispositions: unidentified while `identified_on` is null, then applied, on-account and, as the rest, unapplied.

    `content` is a digest of what the entry said: another content under the same reference is a conflict.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("entity", "bank_ref", name="receipt_reference_key"),
        CheckConstraint(
            "amount_minor > 0 AND applied_minor >= 0 AND on_account_minor >= 0 AND applied_minor + on_account_minor <= amount_minor",
            name="never_overspent",
        ),
        CheckConstraint("is_live = (applied_minor < amount_minor)", name="live_while_something_is_left"),
        CheckConstraint(
            "(identified_on IS NULL) = (identified_by IS NULL) AND (identified_on IS NOT NULL OR applied_minor + on_account_minor = 0)",
            name="spent_by_a_known_payer",
        ),
        Index("receipt_live", "account_id", postgresql_where=text("is_live")),
        Index("receipt_unidentified", "entity", "bank_ref", postgresql_where=text("identified_on IS NULL")),
    )

    id: int = Field(sa_column=_id())
    entity: str = Field(sa_column=_text())
    bank_ref: str = Field(sa_column=_text())
    account_id: int = Field(sa_column=_of("account.id"))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    amount_minor: int = Field(sa_column=_minor())
    applied_minor: int = Field(sa_column=_minor())
    on_account_minor: int = Field(sa_column=_minor())
    is_live: bool
    value_on: date
    booked_on: date
    identified_on: date | None
    identified_by: str | None = Field(sa_column=_text(nullable=True))
    method: str = Field(sa_column=_text())
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Clue(Table, table=True):
    """
    What a receipt says about its payer, as digests: possible document numbers by their place from 1, the debtor's bank account at 0.

    Made from personal data: stays in this table, for as long as the receipt needs it.
    """

    __tablename__ = "clue"
    __table_args__ = (Index("clue_by_digest", "digest"),)

    receipt_id: int = Field(sa_column=Column(BigInteger, ForeignKey("receipt.id"), primary_key=True, autoincrement=False))
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class BankAccount(Table, table=True):
    """
    A customer's list of bank accounts as booked on a day, one row each, as digests; one row with an empty digest stands for an empty list.

    `content` is the digest of the whole list: of several lists of one customer and day the greatest counts.
    """

    __tablename__ = "bank_account"
    __table_args__ = (Index("bank_account_by_digest", "digest"),)

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    booked_on: date = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))


class Entry(Table, table=True):
    """
    The settlement ledger, only ever added to: so much of a receipt or memo applied to an item, of an adjustment or of its document's void
    (`void_id`) taken off it, or of a receipt moved on-account.

    Negative amounts take back. `applied_on` is the booked day of the application that an entry belongs to. `is_finished` saves work on the
    open day and means nothing afterwards: see `domain.finished`.
    """

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="moves_something"),
        CheckConstraint("num_nonnulls(receipt_id, memo_id, adjustment_id, void_id) = 1", name="from_one_source"),
        CheckConstraint("void_id IS NULL OR amount_minor > 0", name="void_stays"),
        CheckConstraint(
            "(item_id IS NULL) = (application IS NULL) AND (item_id IS NOT NULL OR receipt_id IS NOT NULL)", name="to_an_item_or_on_account"
        ),
        CheckConstraint("(reason IS NOT NULL) = (amount_minor < 0 AND item_id IS NOT NULL)", name="reversal_has_a_reason"),
        Index("entry_of_day", "account_id", "booked_on", "is_finished"),
        Index("entry_by_item", "item_id", postgresql_where=text("item_id IS NOT NULL")),
        Index("entry_by_receipt", "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
        Index("entry_by_memo", "memo_id", postgresql_where=text("memo_id IS NOT NULL")),
    )

    id: int = Field(sa_column=_id())
    account_id: int = Field(sa_column=_of("account.id"))
    receipt_id: int | None = Field(sa_column=_of("receipt.id", nullable=True))
    memo_id: int | None = Field(sa_column=_of("memo.document_id", nullable=True))
    item_id: int | None = Field(sa_column=_of("item.id", nullable=True))
    application: str | None = Field(sa_column=_text(nullable=True))
    rule: str = Field(sa_column=_text())
    reason: str | None = Field(sa_column=_text(nullable=True))
    amount_minor: int = Field(sa_column=_minor())
    applied_on: date
    booked_on: date
    effective_on: date
    is_finished: bool
    adjustment_id: int | None = Field(sa_column=_of("adjustment.id", nullable=True))
    void_id: int | None = Field(sa_column=_of("document.id", nullable=True))
