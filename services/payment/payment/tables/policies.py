"""Policies of payments."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlmodel import Field

from payment.tables.table import Table, id_column, text_column


class PolicyRow(Table, table=True):
    """
    A policy as it was proposed, and what became of it. `version` is its number within entity and kind, given when it is approved.

    `proposed_on` and `decided_on` are booked days: it is in force from the opening after `decided_on`, for what is dated from `valid_from`.
    A proposal nobody has decided about in time stays `proposed` here; that it has expired follows from the day it is asked on.
    """

    __tablename__ = "policy"
    __table_args__ = (
        UniqueConstraint("entity", "kind", "version", name="policy_version_key"),
        CheckConstraint("status IN ('proposed', 'approved', 'rejected')", name="status_known"),
        CheckConstraint("(status = 'approved') = (version IS NOT NULL)", name="version_when_approved"),
        CheckConstraint(
            "(status = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_on IS NULL) "
            "AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        Index("policy_by_entity", "entity", "id"),
    )

    id: int = Field(sa_column=id_column())
    entity: str = Field(sa_column=text_column())
    kind: str = Field(sa_column=text_column())
    status: str = Field(sa_column=text_column())
    version: int | None
    valid_from: date
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    proposed_by: str = Field(sa_column=text_column())
    proposed_on: date
    proposed_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    decided_by: str | None = Field(sa_column=text_column(nullable=True))
    decided_on: date | None
    decided_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    reason: str | None = Field(sa_column=text_column(nullable=True))
