"""HTTP bodies of billing schedules."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from invoice.domain import billing
from invoice.domain.billing import Content, Every, Milestone, Numbering, Occurrence, Plan, Recurrence, Schedule
from invoice.domain.components import Line
from invoice.domain.faults import Fault
from invoice.queries.billing import StoredOutcome, StoredSchedule
from invoice.schemas.documents import LineBody
from invoice.schemas.values import Amount, Body, Day

BILLING_CODE = "1 to 40 letters, digits, dots, underscores and hyphens."


class MilestoneBody(Body):
    """A milestone of a project and what it bills, on `bill_on` or when it is released."""

    milestone: str = Field(examples=["design"], description=BILLING_CODE)
    total: Amount
    lines: list[LineBody] = Field(default_factory=list)
    tax: Amount | None = None
    bill_on: Day | None = None


class ScheduleChangeBody(Body):
    """What a schedule bills from the next business day on. Its days stay; what was billed stays."""

    entity: str = Field(examples=["US01"])
    number_prefix: str = Field(examples=["RENT-"])
    numbering: Numbering | None = Field(
        default=None,
        description="Numbers end in the day (`date`: 20260131) or in the count of the invoice (`count`, always of milestones).",
    )
    terms: str | None = Field(default=None, examples=["NET30"], description="The entity's default terms where left out.")
    total: Amount | None = None
    lines: list[LineBody] = Field(default_factory=list)
    tax: Amount | None = None
    ends_on: Day | None = Field(default=None, description="No invoice is issued after this day.")
    count: int | None = Field(default=None, description="The schedule ends after so many invoices.", examples=[12])
    milestones: list[MilestoneBody] = Field(default_factory=list)
    project: str | None = Field(default=None, examples=["P-1"])
    retention_percent: str | None = Field(default=None, examples=["5"], description="This part of every invoice is its last instalment.")
    retention_due_on: Day | None = None

    def misplaced(self) -> list[Fault]:
        """Name the fields that say nothing of milestones."""
        given = ("ends_on", "count", "starts_on", "day") if self.milestones else ()
        return [Fault("NOT_FOR_MILESTONES", name) for name in given if getattr(self, name, None) is not None]

    def plan_with(self, recurrence: Recurrence | None) -> Plan:
        """Return the plan that the body describes, on the days of `recurrence`."""
        return Plan(
            number_prefix=self.number_prefix,
            numbering=self.numbering or ("count" if self.milestones else "date"),
            terms=self.terms,
            recurrence=recurrence,
            content=None if self.total is None else Content(self.total, _lines(self.lines), self.tax),
            milestones=tuple(
                Milestone(one.milestone, Content(one.total, _lines(one.lines), one.tax), one.bill_on) for one in self.milestones
            ),
            project=self.project,
            retention_percent=self.retention_percent,
            retention_due_on=self.retention_due_on,
        )


class ScheduleBody(ScheduleChangeBody):
    """
    A billing schedule: `every`, `starts_on`, `day` and `total` for one that recurs, or the `milestones` of a `project`.

    It bills the first `day` on or after `starts_on`, then every `interval` weeks, months or quarters. `day` is an ISO weekday (1 is
    Monday) for weeks, else a day of the month, of a shorter month the last one.
    """

    schedule_no: str = Field(examples=["RENT-1"], description=BILLING_CODE)
    customer: str = Field(examples=["C-1"])
    currency: str = Field(examples=["USD"])
    every: Every | None = None
    interval: int = 1
    starts_on: Day | None = None
    day: int | None = Field(default=None, description="The weekday or day of `starts_on` where left out.")

    def to_schedule(self) -> Schedule:
        """Return the schedule that the body describes, in its first version."""
        recurrence = None
        if self.every is not None and self.starts_on is not None:
            own_day = self.starts_on.isoweekday() if self.every == "weekly" else self.starts_on.day
            day = own_day if self.day is None else self.day
            recurrence = Recurrence(self.starts_on, self.every, self.interval, day, self.ends_on, self.count)
        return Schedule(self.entity, self.schedule_no, self.customer, self.currency, 1, self.plan_with(recurrence))


class ScheduleActBody(Body):
    """Which entity's schedule is meant."""

    entity: str = Field(examples=["US01"])


class ContentOut(BaseModel):
    """What an invoice comes to."""

    total: str
    lines: list[LineBody]
    tax: str | None

    @classmethod
    def of(cls, content: Content) -> "ContentOut":
        """Show what was sent."""
        return cls(
            total=content.total,
            lines=[LineBody(amount=line.amount, kind=line.kind, tax=line.tax) for line in content.lines],
            tax=content.tax,
        )


class MilestoneOut(ContentOut):
    """A milestone; `billed` says whether it has its invoice."""

    milestone: str
    bill_on: date | None
    billed: bool


class ReasonOut(BaseModel):
    """Why an occurrence could not be billed."""

    code: str
    field: str


class OccurrenceOut(BaseModel):
    """
    An occurrence that was judged: `billed` as `document_no`, or `refused` for `reasons` and tried again whenever a day turns.

    `booked_on` is the business day that happened on, `version` what it was billed by.
    """

    n: int
    occurrence_on: date
    document_no: str
    status: Literal["billed", "refused"]
    reasons: list[ReasonOut]
    version: int
    booked_on: date

    @classmethod
    def of(cls, stored: StoredOutcome) -> "OccurrenceOut":
        """Show an outcome."""
        outcome = stored.outcome
        return cls(
            n=outcome.occurrence.n,
            occurrence_on=outcome.occurrence.on,
            document_no=outcome.document_no,
            status=outcome.status,
            reasons=[ReasonOut(code=reason.code, field=reason.field) for reason in outcome.reasons],
            version=outcome.version,
            booked_on=stored.booked_on,
        )


class UpcomingOut(BaseModel):
    """An occurrence to come, and the number its invoice will have by the present version."""

    n: int
    occurrence_on: date
    document_no: str


class ScheduleOut(BaseModel):
    """
    A schedule as it stands, in its present version.

    `next_on` is the earliest day with something to bill; one that has passed is billed when the next day starts.
    """

    entity: str
    schedule_no: str
    customer: str
    currency: str
    version: int
    decided_on: date
    decided_by: str
    number_prefix: str
    numbering: Numbering
    terms: str | None
    every: Every | None
    interval: int | None
    starts_on: date | None
    day: int | None
    ends_on: date | None
    count: int | None
    content: ContentOut | None
    milestones: list[MilestoneOut]
    project: str | None
    retention_percent: str | None
    retention_due_on: date | None
    stopped_on: date | None
    next_on: date | None
    booked_on: date

    @classmethod
    def of(cls, stored: StoredSchedule) -> "ScheduleOut":
        """Show a schedule."""
        return cls(**_shown(stored))


class ScheduleDetailOut(ScheduleOut):
    """A schedule with what it billed lately, the latest first, and what comes next."""

    billed: list[OccurrenceOut]
    upcoming: list[UpcomingOut]

    @classmethod
    def with_occurrences(
        cls, stored: StoredSchedule, outcomes: Sequence[StoredOutcome], coming: Sequence[Occurrence]
    ) -> "ScheduleDetailOut":
        """Show a schedule with its occurrences."""
        return cls(
            **_shown(stored),
            billed=[OccurrenceOut.of(one) for one in outcomes],
            upcoming=[
                UpcomingOut(n=one.n, occurrence_on=one.on, document_no=billing.document_no(stored.schedule.plan, one)) for one in coming
            ],
        )


class SchedulesOut(BaseModel):
    """A page of schedules by number; `next_cursor` is null on the last one."""

    schedules: list[ScheduleOut]
    next_cursor: str | None


def _shown(stored: StoredSchedule) -> dict[str, object]:
    schedule = stored.schedule
    plan = schedule.plan
    recurrence = plan.recurrence
    return {
        "entity": schedule.entity,
        "schedule_no": schedule.schedule_no,
        "customer": schedule.customer,
        "currency": schedule.currency,
        "version": schedule.version,
        "decided_on": stored.decided_on,
        "decided_by": stored.decided_by,
        "number_prefix": plan.number_prefix,
        "numbering": plan.numbering,
        "terms": plan.terms,
        "every": recurrence and recurrence.every,
        "interval": recurrence and recurrence.interval,
        "starts_on": recurrence and recurrence.starts_on,
        "day": recurrence and recurrence.day,
        "ends_on": recurrence and recurrence.ends_on,
        "count": recurrence and recurrence.occurrences,
        "content": None if plan.content is None else ContentOut.of(plan.content),
        "milestones": [
            MilestoneOut(
                **ContentOut.of(one.content).model_dump(), milestone=one.milestone, bill_on=one.bill_on, billed=n in schedule.billed
            )
            for n, one in enumerate(plan.milestones, start=1)
        ],
        "project": plan.project,
        "retention_percent": plan.retention_percent,
        "retention_due_on": plan.retention_due_on,
        "stopped_on": schedule.stopped_on,
        "next_on": billing.next_on(schedule),
        "booked_on": stored.booked_on,
    }


def _lines(bodies: Sequence[LineBody]) -> tuple[Line, ...]:
    return tuple(body.to_line() for body in bodies)
