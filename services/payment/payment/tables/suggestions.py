"""What suggestions are made from, and what became of them."""

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from payment.tables.table import Table, id_column, minor_column, reference_to, text_column


class ReceiptText(Table, table=True):
    """
    What the bank says of a payer and the payer of a payment; `name_digest` stands for the name as it is compared.

    Personal data: stays in this table, and is deleted when a day turns after all money of the receipt was placed.
    """

    __tablename__ = "receipt_text"

    receipt_id: int = Field(sa_column=Column(BigInteger, ForeignKey("receipt.id"), primary_key=True, autoincrement=False))
    debtor_name: str | None = Field(sa_column=text_column(nullable=True))
    remittance: str | None = Field(sa_column=text_column(nullable=True))
    name_digest: bytes | None = Field(sa_column=Column(LargeBinary))


class CustomerName(Table, table=True):
    """A customer's name as it is compared, as booked on a day; the latest before a day counts on it. Personal data: stays in this table."""

    __tablename__ = "customer_name"
    __table_args__ = (Index("customer_name_by_length", "entity", "name_length"),)

    entity: str = Field(sa_column=Column(Text, primary_key=True))
    customer: str = Field(sa_column=Column(Text, primary_key=True))
    booked_on: date = Field(primary_key=True)
    name: str = Field(sa_column=text_column())
    name_length: int


class Identification(Table, table=True):
    """That a person said who paid a receipt, and why. Only ever added to."""

    __tablename__ = "identification"
    __table_args__ = (Index("identification_of", "receipt_id"),)

    id: int = Field(sa_column=id_column())
    receipt_id: int = Field(sa_column=reference_to("receipt.id"))
    account: str = Field(sa_column=text_column())
    reason: str = Field(sa_column=text_column())
    decided_by: str = Field(sa_column=text_column())
    booked_on: date


class Alias(Table, table=True):
    """
    By what a payer was recognised once: a bank account or a name, as a digest. `shown` is the name for people: personal data.

    `account` is the customer whom a person named; the money goes to the account under which that one settles by then.
    """

    __tablename__ = "alias"
    __table_args__ = (
        UniqueConstraint("entity", "kind", "digest", "account", name="alias_taught_once"),
        CheckConstraint("kind IN ('bank_account', 'name')", name="kind_known"),
        Index("alias_by_digest", "digest"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    kind: str = Field(sa_column=text_column())
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    account: str = Field(sa_column=text_column())
    shown: str | None = Field(sa_column=text_column(nullable=True))
    receipt_id: int = Field(sa_column=reference_to("receipt.id"))
    learned_by: str = Field(sa_column=text_column())
    learned_on: date


class AliasReview(Table, table=True):
    """A look at an alias: the latest one before a day counts on it. Only ever added to."""

    __tablename__ = "alias_review"
    __table_args__ = (Index("alias_review_of", "alias_id", "id"),)

    id: int = Field(sa_column=id_column())
    alias_id: int = Field(sa_column=reference_to("alias.id"))
    is_linked: bool
    decided_by: str = Field(sa_column=text_column())
    reason: str = Field(sa_column=text_column())
    booked_on: date


class SuggestionRow(Table, table=True):
    """
    A suggestion that was told or decided about: see `domain.suggestions`. What nobody was told and nobody decided about is not kept.

    `parts` is a list of (item, amount in minor units, score, reasons); `items` are theirs, by which a rejected one is not made again.
    """

    __tablename__ = "suggestion"
    __table_args__ = (
        UniqueConstraint("suggestion", name="suggestion_name_key"),
        CheckConstraint("state IN ('made', 'accepted', 'rejected')", name="state_known"),
        CheckConstraint("score_bps BETWEEN 0 AND 10000", name="score_is_a_part"),
        CheckConstraint(
            "(state = 'made') = (decided_on IS NULL) AND (decided_on IS NULL) = (decided_by IS NULL)"
            " AND (decided_by IS NULL) = (reason IS NULL)",
            name="decided_by_somebody",
        ),
        Index("suggestion_of_receipt", "receipt_id"),
        Index("suggestion_by_state", "entity", "state", "number"),
    )

    number: int = Field(sa_column=id_column())
    suggestion: str = Field(sa_column=text_column())
    entity: str = Field(sa_column=text_column())
    receipt_id: int = Field(sa_column=reference_to("receipt.id"))
    account: str = Field(sa_column=text_column())
    rule: str = Field(sa_column=text_column())
    score_bps: int
    items: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    parts: list[Any] = Field(sa_column=Column(JSONB, nullable=False))
    free_minor: int = Field(sa_column=minor_column())
    policy_version: str = Field(sa_column=text_column())
    state: str = Field(sa_column=text_column())
    made_on: date
    decided_on: date | None
    decided_by: str | None = Field(sa_column=text_column(nullable=True))
    reason: str | None = Field(sa_column=text_column(nullable=True))
