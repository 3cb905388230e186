"""What people decided about money, and what banks took back."""

from datetime import date

from sqlalchemy import CHAR, BigInteger, CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from payment.tables.table import Table, id_column, minor_column, reference_to, text_column


class Decision(Table, table=True):
    """A person's decision about a receipt or memo, see `domain.Decision`: only ever added to, numbered as they were recorded."""

    __tablename__ = "decision"
    __table_args__ = (
        UniqueConstraint("decision", name="decision_name_key"),
        CheckConstraint("kind IN ('apply', 'unapply', 'release', 'refund', 'transfer')", name="kind_known"),
        CheckConstraint("num_nonnulls(receipt_id, memo_id) = 1", name="about_one_source"),
        CheckConstraint("(item_id IS NOT NULL) = (kind IN ('apply', 'unapply'))", name="about_an_item"),
        CheckConstraint("(amount_minor > 0) = (kind <> 'release')", name="amount_where_it_moves"),
        Index("decision_of_day", "account_id", "booked_on"),
        Index("decision_by_receipt", "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
        Index("decision_by_memo", "memo_id", postgresql_where=text("memo_id IS NOT NULL")),
    )

    id: int = Field(sa_column=id_column())
    decision: str = Field(sa_column=text_column())
    account_id: int = Field(sa_column=reference_to("account.id"))
    receipt_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    memo_id: int | None = Field(sa_column=reference_to("memo.document_id", nullable=True))
    item_id: int | None = Field(sa_column=reference_to("item.id", nullable=True))
    kind: str = Field(sa_column=text_column())
    amount_minor: int = Field(sa_column=minor_column())
    effective_on: date
    booked_on: date
    reason: str = Field(sa_column=text_column())
    decided_by: str = Field(sa_column=text_column())


class BankReturn(Table, table=True):
    """
    Money that a bank took back, by its own reference; `returned_bank_ref` is the receipt it came with, which may be still to come:
    `receipt_id` is given once it is undone. `reason` and `reversed_by` are given where a person said so in the bank's place.

    `content` is a digest of what it said: another content under the same reference is a conflict.
    """

    __tablename__ = "bank_return"
    __table_args__ = (
        UniqueConstraint("entity", "bank_ref", name="bank_return_reference_key"),
        CheckConstraint("kind IN ('nsf', 'return', 'chargeback', 'error')", name="kind_known"),
        CheckConstraint("amount_minor > 0 AND (fee_minor IS NULL OR fee_minor > 0)", name="amounts_positive"),
        UniqueConstraint("receipt_id", name="bank_return_of_receipt_key"),
        CheckConstraint("(reason IS NULL) = (reversed_by IS NULL)", name="said_by_somebody"),
        Index("bank_return_of", "entity", "returned_bank_ref"),
        Index("bank_return_by_entity", "entity", "id"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    bank_ref: str = Field(sa_column=text_column())
    returned_bank_ref: str = Field(sa_column=text_column())
    value_on: date
    amount_minor: int = Field(sa_column=minor_column())
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    kind: str = Field(sa_column=text_column())
    reason_code: str | None = Field(sa_column=text_column(nullable=True))
    fee_minor: int | None = Field(sa_column=Column(BigInteger))
    booked_on: date
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    receipt_id: int | None = Field(sa_column=reference_to("receipt.id", nullable=True))
    reason: str | None = Field(sa_column=text_column(nullable=True))
    reversed_by: str | None = Field(sa_column=text_column(nullable=True))
