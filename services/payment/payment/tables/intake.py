"""What comes with the money or beside it: advices, references that stand for documents, exchange rates."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, CHAR, Column, Index, LargeBinary, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlmodel import Field

from payment.tables.table import Table, id_column, reference_to, text_column


class Advice(Table, table=True):
    """
    What a payer says of a payment apart from the money, found by `payment_ref`, a digest of what the advice calls it.

    `stated` is as in `Receipt`; `clues` are digests of the documents it names, in their order. `taken_on` is the first booked day on which
    it and money of that name were both here: money of later days has no part in it. `content` is a digest of all it says.
    """

    __tablename__ = "advice"
    __table_args__ = (
        UniqueConstraint("entity", "advice_no", name="advice_number_key"),
        Index("advice_by_payment_ref", "payment_ref"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    advice_no: str = Field(sa_column=text_column())
    payment_ref: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    customer: str | None = Field(sa_column=text_column(nullable=True))
    stated: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    clues: list[bytes] = Field(sa_column=Column(ARRAY(LargeBinary), nullable=False))
    booked_on: date
    taken_on: date | None
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DocumentReference(Table, table=True):
    """
    What else stands for a document, as a digest like that of its number: a bill it is on, its payment reference, its order.

    `is_weak` where it may stand for other things as well: it counts where a remittance has nothing better. `position` orders the documents
    that one reference stands for.
    """

    __tablename__ = "document_reference"
    __table_args__ = (PrimaryKeyConstraint("digest", "document_id", name="document_reference_pkey"),)

    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    document_id: int = Field(sa_column=reference_to("document.id"))
    position: int
    is_weak: bool


class FxRate(Table, table=True):
    """
    A rate to the entity's currency for a day, as published on a booked day; `rate` is exact text.

    Of several the one said last (`said_at`) is kept, with the fact it came in.
    """

    __tablename__ = "fx_rate"
    __table_args__ = (PrimaryKeyConstraint("entity", "currency", "type", "rate_on", "booked_on", name="fx_rate_pkey"),)

    entity: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    type: str = Field(sa_type=Text)
    rate_on: date
    booked_on: date
    rate: str = Field(sa_type=Text)
    said_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    source: str = Field(sa_type=Text)
    source_id: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
