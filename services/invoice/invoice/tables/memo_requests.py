"""Credit memos that wait for a second person, and every step of deciding about them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import CHAR, JSONB, TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class CreditMemoRequestRow(Table, table=True):
    """
    A credit memo above its maker's limit as it stands: it becomes a document when somebody else approves it.

    `number` counts all requests in the order they came. `draft` is the memo as `domain.Draft`, its reason a code or null, and
    `content_hash` is that of the document it makes. `total_minor` is what the memo came to when it was asked for; its steps say what was
    approved. Only one request waits for each document number. `expires_on` is the last day on which it may be approved.
    """

    __tablename__ = "credit_memo_request"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        CheckConstraint("status IN ('pending', 'approved', 'rejected', 'expired', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'pending') = (decided_on IS NULL)", name="decided"),
        CheckConstraint("status NOT IN ('approved', 'rejected') OR decided_by <> requested_by", name="checker"),
        CheckConstraint("octet_length(content_hash) = 32", name="hash"),
        Index("ix_credit_memo_request_status", "entity", "status", "number"),
        Index("ix_credit_memo_request_expiry", "entity", "account", "expires_on", postgresql_where=text("status = 'pending'")),
        Index("ix_credit_memo_request_document", "entity", "document_no"),
        Index("uq_credit_memo_request_pending", "entity", "document_no", unique=True, postgresql_where=text("status = 'pending'")),
    )

    id: str = Field(sa_type=Text)
    number: int = Field(sa_column=Column(BigInteger, Identity(always=True), nullable=False))
    entity: str = Field(sa_type=Text)
    document_no: str = Field(sa_type=Text)
    customer: str = Field(sa_type=Text)
    account: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    total_minor: int = Field(sa_type=BigInteger)
    draft: dict[str, Any] = Field(sa_type=JSONB)
    content_hash: bytes = Field(sa_type=LargeBinary)
    status: str = Field(sa_type=Text)
    requested_by: str = Field(sa_type=Text)
    requested_on: date
    expires_on: date
    decided_by: str | None = Field(sa_type=Text)
    decided_on: date | None


class CreditMemoRequestStepRow(Table, table=True):
    """One step of a request, like those of adjustments: who did what, by which policy version and limit."""

    __tablename__ = "credit_memo_request_step"
    __table_args__ = (
        PrimaryKeyConstraint("credit_memo_request_id", "n"),
        ForeignKeyConstraint(["credit_memo_request_id"], ["credit_memo_request.id"], name="fk_credit_memo_request_step_request"),
        CheckConstraint("action IN ('requested', 'approved', 'rejected', 'expired', 'withdrawn')", name="action"),
    )

    credit_memo_request_id: str = Field(sa_type=Text)
    n: int
    action: str = Field(sa_type=Text)
    by: str | None = Field(sa_type=Text)
    amount_minor: int = Field(sa_type=BigInteger)
    policy_version: str | None = Field(sa_type=Text)
    limit_minor: int | None = Field(sa_type=BigInteger)
    reason: str | None = Field(sa_type=Text)
    booked_on: date
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
