"""Refunds: asked for by one person, decided about by another."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlmodel import Field

from payment.tables.table import Table, id_column, minor_column, reference_to, text_column


class Refund(Table, table=True):
    """
    A request to pay so much of a receipt back to the payer, and what became of it; `refund` is its id in facts and that of the decision.

    `expires_on` is the last day on which it may be approved. `limit_minor` is the limit that allowed it, under `policy_version`.
    `decided_why` is the reason of a rejection. Nobody decides about their own request, but withdraw it they may.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("refund", name="refund_name_key"),
        CheckConstraint("amount_minor > 0", name="of_something"),
        CheckConstraint("status IN ('pending', 'approved', 'rejected', 'withdrawn', 'expired')", name="status_known"),
        CheckConstraint(
            "(status = 'pending') = (decided_on IS NULL) AND (decided_on IS NULL) = (decided_at IS NULL)"
            " AND (decided_by IS NOT NULL) = (status IN ('approved', 'rejected', 'withdrawn'))",
            name="decided_once",
        ),
        CheckConstraint("(decided_by = requested_by) = (status = 'withdrawn')", name="four_eyes"),
        CheckConstraint(
            "(status = 'approved') = (policy_version IS NOT NULL) AND (policy_version IS NULL) = (limit_minor IS NULL)",
            name="approved_by_a_limit",
        ),
        Index("refund_by_entity", "entity", "id"),
        Index("refund_by_receipt", "receipt_id"),
        Index("refund_pending", "entity", "expires_on", postgresql_where=text("status = 'pending'")),
    )

    id: int = Field(sa_column=id_column())
    refund: str = Field(sa_column=text_column())
    entity: str = Field(sa_column=text_column())
    receipt_id: int = Field(sa_column=reference_to("receipt.id"))
    amount_minor: int = Field(sa_column=minor_column())
    reason: str = Field(sa_column=text_column())
    status: str = Field(sa_column=text_column())
    requested_by: str = Field(sa_column=text_column())
    requested_on: date
    requested_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    expires_on: date
    decided_by: str | None = Field(sa_column=text_column(nullable=True))
    decided_on: date | None
    decided_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    decided_why: str | None = Field(sa_column=text_column(nullable=True))
    policy_version: str | None = Field(sa_column=text_column(nullable=True))
    limit_minor: int | None = Field(sa_column=Column(BigInteger))
