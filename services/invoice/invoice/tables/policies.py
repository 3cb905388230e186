"""Policies, and the reference data that is published from outside: calendars and exchange rates."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Identity, Index, Integer, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, CHAR, JSONB, TIMESTAMP
from sqlmodel import Field

from invoice.tables.table import Table


class PolicyRow(Table, table=True):
    """
    A policy as it was proposed, and what became of it. `version` is its number within entity and kind, given when it is approved.

    `proposed_on` and `decided_on` are booked days: it is in force from the opening after `decided_on`, for what is dated from `valid_from`.
    A proposal nobody has decided about in time stays `proposed` here; that it has expired follows from the day it is asked on.
    """

    __tablename__ = "policy"
    __table_args__ = (
        PrimaryKeyConstraint("id"),
        UniqueConstraint("entity", "kind", "version"),
        CheckConstraint("status IN ('proposed', 'approved', 'rejected')", name="status"),
        CheckConstraint("(status = 'approved') = (version IS NOT NULL)", name="version"),
        CheckConstraint(
            "(status = 'proposed') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_on IS NULL) "
            "AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        CheckConstraint("decided_by <> proposed_by", name="four_eyes"),
        Index("ix_policy_entity", "entity", "id"),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=True)))
    entity: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    version: int | None
    valid_from: date
    body: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    proposed_by: str = Field(sa_type=Text)
    proposed_on: date
    proposed_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
    decided_by: str | None = Field(sa_type=Text)
    decided_on: date | None
    decided_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    reason: str | None = Field(sa_type=Text)


class CalendarRow(Table, table=True):
    """
    The days of a year an entity does not work, as published on a booked day: of several on one day the one said last.

    `said_at` is the time its sender gave it, `source` and `source_id` name the fact it came from (none over HTTP).
    """

    __tablename__ = "calendar"
    __table_args__ = (PrimaryKeyConstraint("entity", "year", "booked_on"),)

    entity: str = Field(sa_type=Text)
    year: int
    booked_on: date
    holidays: list[date] = Field(sa_column=Column(ARRAY(Date), nullable=False))
    weekend: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    said_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    source: str | None = Field(sa_type=Text)
    source_id: str | None = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))


class FxRateRow(Table, table=True):
    """A rate to the entity's currency for a day, as published on a booked day; `rate` is exact text. The rest as in `CalendarRow`."""

    __tablename__ = "fx_rate"
    __table_args__ = (PrimaryKeyConstraint("entity", "currency", "type", "rate_on", "booked_on"),)

    entity: str = Field(sa_type=Text)
    currency: str = Field(sa_column=Column(CHAR(3), nullable=False))
    type: str = Field(sa_type=Text)
    rate_on: date
    booked_on: date
    rate: str = Field(sa_type=Text)
    said_at: datetime | None = Field(sa_column=Column(TIMESTAMP(timezone=True)))
    source: str | None = Field(sa_type=Text)
    source_id: str | None = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=Column(TIMESTAMP(timezone=True), nullable=False))
