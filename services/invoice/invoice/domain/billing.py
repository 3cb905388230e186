"""
Billing schedules: on which days they bill, under which number, and what is wrong with one. Pure: values in, values out.

A schedule is recurring (every so many weeks, months or quarters) or goes by the milestones of a project. What it bills at one time is an
occurrence, counted from 1: for a recurring schedule the n-th day, for a project the n-th milestone. An occurrence is billed once.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice, takewhile
from typing import Final, Literal, NamedTuple, TypeAlias

from invoice.domain.components import Line
from invoice.domain.drafts import Draft
from invoice.domain.faults import Fault, as_code, check_day
from invoice.domain.tags import Project

Every: TypeAlias = Literal["weekly", "monthly", "quarterly"]
Numbering: TypeAlias = Literal["date", "count"]

INTERVAL_MAX: Final = 100
OCCURRENCES_MAX: Final = 10_000
BACKLOG_MAX: Final = 400
"""How many occurrences a new schedule may have behind it: more are a mistyped year rather than something to bill."""
MILESTONES_MAX: Final = 360
PREFIX_LENGTH_MAX: Final = 40
COMMERCIAL_INVOICE: Final = "380"
"""The UNTDID 1001 code of what a schedule bills."""

_MONTHS: Final = {"monthly": 1, "quarterly": 3}


_FIELDS: Final = {
    "document_no": "number_prefix",
    "project.project": "project",
    "project.retention_percent": "retention_percent",
    "project.retention_due_on": "retention_due_on",
}
"""Where a schedule has what its invoices say."""


class Occurrence(NamedTuple):
    """One time a schedule bills: its number from 1 and the day its invoice is issued on."""

    n: int
    on: date


@dataclass(frozen=True, slots=True)
class Recurrence:
    """
    The days of a recurring schedule: the first `day` on or after `starts_on`, then every `interval` weeks, months or quarters.

    `day` is an ISO weekday (1 is Monday) for weeks, else a day of the month; in a shorter month it is the last one, so that 31 is always
    the last. It ends with the last day on or before `ends_on`, or after `occurrences` of them, whichever comes first.
    """

    starts_on: date
    every: Every
    interval: int
    day: int
    ends_on: date | None = None
    occurrences: int | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What one invoice comes to, in decimal strings as they were sent."""

    total: str
    lines: tuple[Line, ...] = ()
    tax: str | None = None


@dataclass(frozen=True, slots=True)
class Milestone:
    """A milestone of a project: billed on `bill_on`, or when it is released; a release is never too early."""

    milestone: str
    content: Content
    bill_on: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """
    One version of what a schedule bills: `recurrence` and `content`, or `milestones`.

    Numbers are `number_prefix` and the day (`date`: 20260131) or the occurrence (`count`). `retention_percent` of every invoice is due on
    `retention_due_on`, as its last instalment (INV-14).
    """

    number_prefix: str
    numbering: Numbering
    terms: str | None
    recurrence: Recurrence | None = None
    content: Content | None = None
    milestones: tuple[Milestone, ...] = ()
    project: str | None = None
    retention_percent: str | None = None
    retention_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    A schedule as it stands. Every occurrence of a recurring one up to `judged_through` was billed, but for those in `refused`.

    `billed` are the milestones that were billed.
    """

    entity: str
    schedule_no: str
    customer: str
    currency: str
    version: int
    plan: Plan
    judged_through: date | None = None
    billed: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()
    stopped_on: date | None = None

    @property
    def id(self) -> str:
        return f"{self.entity}|schedule|{self.schedule_no}"


def occurrences(recurrence: Recurrence, after: date, through: date) -> list[Occurrence]:
    """List the occurrences later than `after` and not later than `through`, in order."""
    return list(takewhile(lambda one: one.on <= through, _from(recurrence, after)))


def upcoming(schedule: Schedule, limit: int) -> list[Occurrence]:
    """List the next occurrences that were never judged, at most `limit`, by date; milestones without a day are not among them."""
    if schedule.stopped_on is not None:
        return []
    recurrence = schedule.plan.recurrence
    if recurrence is None:
        return sorted(_dated_milestones(schedule), key=lambda one: (one.on, one.n))[:limit]
    return list(islice(_from(recurrence, schedule.judged_through or _before(recurrence)), limit))


def due(schedule: Schedule, day: date) -> list[Occurrence]:
    """List what a schedule has to bill when `day` starts: all that fell on it or before and was not billed, by number."""
    if schedule.stopped_on is not None:
        return []
    recurrence = schedule.plan.recurrence
    if recurrence is None:
        return [one for one in _dated_milestones(schedule) if one.on <= day]
    return _again(schedule, recurrence) + occurrences(recurrence, schedule.judged_through or _before(recurrence), day)


def next_on(schedule: Schedule) -> date | None:
    """Return the earliest day on which a schedule has something to bill, which may have passed; None when nothing dated is left."""
    again = () if schedule.stopped_on or schedule.plan.recurrence is None else _again(schedule, schedule.plan.recurrence)
    return min((one.on for one in (*again, *upcoming(schedule, 1))), default=None)


def nth(recurrence: Recurrence, n: int) -> date | None:
    """Return the day of the n-th occurrence, counted from 1; None behind the end of the schedule or of the calendar."""
    if recurrence.occurrences is not None and n > recurrence.occurrences:
        return None
    try:
        on = _nth(recurrence, n)
    except (OverflowError, ValueError):  # Behind the year 9999.
        return None
    return None if recurrence.ends_on is not None and on > recurrence.ends_on else on


def document_no(plan: Plan, occurrence: Occurrence) -> str:
    """Return the number of the invoice of an occurrence."""
    return f"{plan.number_prefix}{occurrence.on:%Y%m%d}" if plan.numbering == "date" else f"{plan.number_prefix}{occurrence.n}"


def occurrence_id(schedule: Schedule, n: int) -> str:
    """The id of an occurrence everywhere outside this service's tables."""
    return f"{schedule.id}|{n}"


def draft_of(schedule: Schedule, occurrence: Occurrence) -> Draft:
    """Write the invoice of an occurrence, issued on its own day, however late it is made."""
    plan = schedule.plan
    milestone = None if plan.recurrence is not None else plan.milestones[occurrence.n - 1]
    content = plan.content if milestone is None else milestone.content
    assert content is not None, "a recurring plan without content is refused"
    project = None
    if plan.project is not None:
        project = Project(plan.project, milestone.milestone if milestone else None, plan.retention_percent, plan.retention_due_on)
    return Draft(
        kind="invoice",
        entity=schedule.entity,
        document_no=document_no(plan, occurrence),
        customer=schedule.customer,
        currency=schedule.currency,
        issued_on=occurrence.on,
        total=content.total,
        type=COMMERCIAL_INVOICE,
        terms=plan.terms,
        lines=content.lines,
        tax=content.tax,
        project=project,
        origin="schedule",
        origin_id=occurrence_id(schedule, occurrence.n),
    )


def trials(schedule: Schedule, open_on: date) -> list[tuple[Draft, str]]:
    """
    Write invoices by which to try a schedule before it bills, each with what to put before the fields of its faults.

    One of a recurring schedule, all that are left of a project.
    """
    plan = schedule.plan
    if plan.recurrence is None:
        numbered = enumerate(plan.milestones, start=1)
        left = [(n, one) for n, one in numbered if n not in schedule.billed]
        return [(draft_of(schedule, Occurrence(n, one.bill_on or open_on)), f"milestones[{n - 1}].") for n, one in left]
    if plan.content is None:
        return []
    on = plan.recurrence.starts_on if schedule.version == 1 else open_on
    return [(draft_of(schedule, Occurrence(1, on)), "")]


def field_of(field: str, prefix: str) -> str:
    """Return the field of a schedule that a fault of its invoice is about; amounts and days are told by milestone."""
    if field == "issued_on":
        return f"{prefix}bill_on" if prefix else "starts_on"
    if field.partition("[")[0] in ("total", "tax", "lines"):
        return prefix + field
    return _FIELDS.get(field, field)


def faults_of(plan: Plan) -> list[Fault]:
    """Say what is wrong with a plan, apart from its documents, which are checked as documents are."""
    faults = []
    if (plan.recurrence is None) == (not plan.milestones):
        faults.append(Fault("EVERY_OR_MILESTONES", "every"))
    if (plan.recurrence is None) != (plan.content is None):
        faults.append(Fault("TOTAL_OR_MILESTONES", "total"))
    if plan.project is None and (plan.milestones or plan.retention_percent is not None):
        faults.append(Fault("PROJECT_MISSING", "project"))
    if len(plan.number_prefix) > PREFIX_LENGTH_MAX:
        faults.append(Fault("BAD_IDENTIFIER", "number_prefix"))
    if plan.recurrence is not None:
        faults += _faults_of_recurrence(plan.recurrence)
    elif plan.milestones:
        faults += _faults_of_milestones(plan)
    return faults


def is_long_ago(plan: Plan, open_on: date) -> bool:
    """Say whether a new plan would bill more than `BACKLOG_MAX` occurrences at once; `open_on` is the open business day."""
    if plan.recurrence is None:
        return False
    behind = nth(plan.recurrence, BACKLOG_MAX + 1)
    return behind is not None and behind <= open_on


def faults_of_change(schedule: Schedule, plan: Plan) -> list[Fault]:
    """Say why a schedule cannot become `plan`: its days stay as they are (other days are another schedule), and so does what was billed."""
    faults = []
    old, new = schedule.plan, plan
    if (old.recurrence is None) != (new.recurrence is None):
        return [Fault("EVERY_OR_MILESTONES", "every")]
    if schedule.stopped_on is not None:
        faults.append(Fault("SCHEDULE_STOPPED", "schedule_no"))
    for n in sorted(schedule.billed):
        if n > len(new.milestones) or new.milestones[n - 1] != old.milestones[n - 1]:
            faults.append(Fault("MILESTONE_BILLED", f"milestones[{n - 1}]"))
    return faults


def is_code(text: str) -> bool:
    """Say whether a text can name a schedule, a milestone or a bill: 1 to 40 letters, digits, dots, underscores and hyphens."""
    return as_code(text) is not None


def _faults_of_recurrence(recurrence: Recurrence) -> list[Fault]:
    faults = []
    if not 1 <= recurrence.interval <= INTERVAL_MAX:
        faults.append(Fault("OUT_OF_RANGE", "interval"))
    if not 1 <= recurrence.day <= (7 if recurrence.every == "weekly" else 31):
        faults.append(Fault("OUT_OF_RANGE", "day"))
    if recurrence.occurrences is not None and not 1 <= recurrence.occurrences <= OCCURRENCES_MAX:
        faults.append(Fault("OUT_OF_RANGE", "count"))
    check_day(recurrence.starts_on, "starts_on", faults)
    if not faults and nth(recurrence, 1) is None:
        faults.append(Fault("NO_OCCURRENCE", "ends_on"))
    return faults


def _faults_of_milestones(plan: Plan) -> list[Fault]:
    if len(plan.milestones) > MILESTONES_MAX:
        return [Fault("MILESTONES_TOO_MANY", "milestones")]
    faults = []
    if plan.numbering == "date":
        faults.append(Fault("NUMBERING_NOT_UNIQUE", "numbering"))  # Two milestones may be billed on one day.
    seen: set[str] = set()
    for index, one in enumerate(plan.milestones):
        if not is_code(one.milestone):
            faults.append(Fault("BAD_IDENTIFIER", f"milestones[{index}].milestone"))
        elif one.milestone in seen:
            faults.append(Fault("MILESTONE_TWICE", f"milestones[{index}].milestone"))
        seen.add(one.milestone)
        if one.bill_on is not None:
            check_day(one.bill_on, f"milestones[{index}].bill_on", faults)
    return faults


def milestone_n(plan: Plan, milestone: str) -> int | None:
    """Return the number of a milestone, or None for one that the plan does not have."""
    return next((n for n, one in enumerate(plan.milestones, start=1) if one.milestone == milestone), None)


def _dated_milestones(schedule: Schedule) -> list[Occurrence]:
    """The milestones with a day of their own that were not billed yet, by number."""
    numbered = enumerate(schedule.plan.milestones, start=1)
    return [Occurrence(n, one.bill_on) for n, one in numbered if one.bill_on is not None and n not in schedule.billed]


def _again(schedule: Schedule, recurrence: Recurrence) -> list[Occurrence]:
    """What was refused and is tried once more, as long as the schedule does not end before it."""
    return [Occurrence(n, on) for n in sorted(schedule.refused) if (on := nth(recurrence, n)) is not None]


def _from(recurrence: Recurrence, after: date) -> Iterator[Occurrence]:
    """The occurrences later than `after`, in order, to the end of the schedule."""
    for n in count(_close_before(recurrence, after)):
        on = nth(recurrence, n)
        if on is None:
            return
        if on > after:
            yield Occurrence(n, on)


def _before(recurrence: Recurrence) -> date:
    return recurrence.starts_on - timedelta(days=1)


def _nth(recurrence: Recurrence, n: int) -> date:
    """The n-th day by arithmetic alone, so that no occurrence depends on the one before: 31 January, 28 February, 31 March."""
    starts_on = recurrence.starts_on
    steps = recurrence.interval * (n - 1)
    if recurrence.every == "weekly":
        return starts_on + timedelta(days=(recurrence.day - starts_on.isoweekday()) % 7 + 7 * steps)
    month = starts_on.year * 12 + starts_on.month - 1
    if _day_of_month(month, recurrence.day) < starts_on:
        month += 1
    return _day_of_month(month + _MONTHS[recurrence.every] * steps, recurrence.day)


def _day_of_month(month: int, day: int) -> date:
    """The day of a month counted from January of year 0, or its last day where it is shorter."""
    year, january_is_0 = divmod(month, 12)
    last = monthrange(year, january_is_0 + 1)[1]
    return date(year, january_is_0 + 1, min(day, last))


def _close_before(recurrence: Recurrence, after: date) -> int:
    """Return a number whose occurrence is not later than the first one behind `after`, and not much earlier."""
    longest_days = recurrence.interval * (7 if recurrence.every == "weekly" else 31 * _MONTHS[recurrence.every])
    return max(1, (after - recurrence.starts_on).days // longest_days)
