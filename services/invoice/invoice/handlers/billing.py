"""Billing schedules: made, changed, stopped, and billed when a day starts or a milestone is released."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import DocumentRejected, Reason
from policies.customers import load_accounts

from invoice.domain import billing
from invoice.domain.billing import Occurrence, Plan, Schedule
from invoice.domain.documents import Document
from invoice.domain.drafts import Draft
from invoice.domain.faults import Fault
from invoice.handlers.drafts import examine
from invoice.handlers.in_force import load_in_force
from invoice.handlers.intake import CONFLICT, issue_made
from invoice.queries import billing as queries
from invoice.queries.billing import Outcome, StoredSchedule
from invoice.queries.documents import load_hashes

SOURCE: Final = "/receivables/invoice"
"""Whose the occurrence is that is refused: where an ERP's document has its CloudEvents source, ours has our own."""
SOURCE_TYPE: Final = "billing_schedule"


class ScheduleNumberTaken(Exception):
    """The entity has a schedule of this number that was made otherwise. Change that one, or take another number."""


class ScheduleUnknown(Exception):
    """The entity has no schedule of this number."""


class ScheduleRefused(Exception):
    """The schedule is not acceptable; `reasons` are all there are."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__()
        self.reasons = list(reasons)


async def define_schedule(db: Connection, schedule: Schedule, decided_by: str, batch: Batch) -> StoredSchedule:
    """
    Make a billing schedule; it bills from the next business day on, what lies behind it included. The same once more changes nothing.

    :raises ScheduleRefused: with every reason, those against its documents included.
    :raises ScheduleNumberTaken: another schedule has its number.
    """
    there = await queries.find_schedule(db, schedule.entity, schedule.schedule_no)
    if there is None:
        open_on = batch.open_on[schedule.entity]
        await _refuse_bad(db, schedule, _faults_of_new(schedule, open_on), batch)
        row_id = await queries.insert_schedule(db, schedule, open_on, batch.now)
        if row_id is not None:
            await queries.insert_version(db, row_id, 1, schedule.plan, decided_by, open_on, batch.now)
        there = await _find(db, schedule.entity, schedule.schedule_no)
    as_made = (there.schedule.customer, there.schedule.currency, await queries.find_first_plan(db, there.row_id))
    if as_made != (schedule.customer, schedule.currency, schedule.plan):
        raise ScheduleNumberTaken
    return there


async def change_schedule(db: Connection, entity: str, schedule_no: str, plan: Plan, decided_by: str, batch: Batch) -> StoredSchedule:
    """
    Let a schedule bill something else from the next business day on, as its next version. The same plan once more is no version.

    The days of a recurring schedule stay as they are: the recurrence of `plan` is taken from it, but for its end.

    :raises ScheduleUnknown: there is none.
    :raises ScheduleRefused: with every reason.
    """
    stored = await _lock(db, entity, schedule_no)
    schedule = stored.schedule
    changed = replace(schedule, version=schedule.version + 1, plan=plan)
    if plan == schedule.plan:
        return stored
    await _refuse_bad(db, changed, billing.faults_of_change(schedule, plan) + billing.faults_of(plan), batch)
    await queries.insert_version(db, stored.row_id, changed.version, plan, decided_by, batch.open_on[entity], batch.now)
    await queries.update_schedules(db, {stored.row_id: changed})
    return await _find(db, entity, schedule_no)


async def stop_schedule(db: Connection, entity: str, schedule_no: str, batch: Batch) -> StoredSchedule:
    """
    Bill nothing more by a schedule, not even what it was to bill before and has not yet. Stopping it again changes nothing.

    :raises ScheduleUnknown: there is none.
    """
    stored = await _lock(db, entity, schedule_no)
    if stored.schedule.stopped_on is None:
        stopped = replace(stored.schedule, stopped_on=batch.open_on[entity])
        await queries.update_schedules(db, {stored.row_id: stopped})
    return await _find(db, entity, schedule_no)


async def release_milestone(
    db: Connection, entity: str, schedule_no: str, milestone: str, batch: Batch
) -> tuple[list[Fact], StoredSchedule]:
    """
    Bill a milestone on the open day, whatever day it was to be billed on; no facts when it was billed before.

    :raises ScheduleUnknown: there is no such schedule.
    :raises ScheduleRefused: it has no such milestone, it was stopped, or the invoice cannot be issued.
    """
    stored = await _lock(db, entity, schedule_no)
    schedule = stored.schedule
    n = billing.milestone_n(schedule.plan, milestone)
    if n is None:
        raise ScheduleRefused([Reason(code="MILESTONE_UNKNOWN", field="milestone")])
    if n in schedule.billed:
        return [], stored
    if schedule.stopped_on is not None:
        raise ScheduleRefused([Reason(code="SCHEDULE_STOPPED", field="schedule_no")])
    facts, outcomes = await _bill(db, [(stored, Occurrence(n, batch.open_on[entity]))], batch)
    if outcomes[0].reasons:
        raise ScheduleRefused(outcomes[0].reasons)
    await queries.save_outcomes(db, outcomes, batch.open_on[entity], batch.now)
    await queries.update_schedules(db, {stored.row_id: replace(schedule, billed=schedule.billed | {n})})
    return facts, await _find(db, entity, schedule_no)


async def find_accounts_due(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts, sorted and greater than `after`, that some schedule has something to bill to when `day` starts."""
    accounts = set((await _accounts_due(db, entity, day)).values())
    return sorted(account for account in accounts if account > after)[:limit]


async def _accounts_due(db: Connection, entity: str, day: date) -> dict[str, str]:
    """Return the accounts of the customers whom schedules have something to bill when `day` starts, by customer."""
    due = await queries.list_customers_due(db, entity, day)
    accounts = await load_accounts(db, [(entity, customer) for customer in due], {entity: day})
    return {customer: account for (_, customer), account in accounts.items()}


async def bill_due(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Bill what every schedule of these accounts has to bill when `day` starts, each invoice issued on its own day (INV-14).

    What cannot be billed is refused with every reason, said once, and tried again when the next day starts.
    """
    wanted, account_of = set(accounts), await _accounts_due(db, entity, day)
    stored = await queries.load_due(db, entity, day, [customer for customer, account in account_of.items() if account in wanted])
    if not stored:
        return []
    owed = [(one, occurrence) for one in stored for occurrence in billing.due(one.schedule, day)]
    facts, outcomes = await _bill(db, owed, batch)
    await queries.save_outcomes(db, outcomes, day, batch.now)
    by_row: dict[int, list[Outcome]] = {one.row_id: [] for one in stored}
    for outcome in outcomes:
        by_row[outcome.row_id].append(outcome)
    await queries.update_schedules(db, {one.row_id: _judged(one.schedule, by_row[one.row_id], day) for one in stored})
    told = {(one.row_id, n) for one in stored for n in one.schedule.refused}
    rejections = [
        _rejected(one.schedule, outcome)
        for (one, occurrence), outcome in zip(owed, outcomes, strict=True)
        if outcome.reasons and (one.row_id, occurrence.n) not in told
    ]
    return facts + rejections


WORK: Final = DayWork(find_accounts_due, bill_due)
"""The part of a starting day that bills."""


async def _bill(db: Connection, owed: Sequence[tuple[StoredSchedule, Occurrence]], batch: Batch) -> tuple[list[Fact], list[Outcome]]:
    """Issue the invoices of occurrences, and return what became of each in the order of `owed`."""
    drafts = [billing.draft_of(stored.schedule, occurrence) for stored, occurrence in owed]
    reasons = await _judge(db, drafts, batch)
    outcomes = [
        Outcome(stored.row_id, stored.schedule.version, occurrence, draft.document_no, against)
        for (stored, occurrence), draft, against in zip(owed, drafts, reasons, strict=True)
    ]
    return await issue_made(db, [draft for draft, against in zip(drafts, reasons, strict=True) if not against], batch), outcomes


async def _judge(db: Connection, drafts: Sequence[Draft], batch: Batch) -> list[list[Reason]]:
    """
    Return the reasons against each draft before any is issued, so that one that cannot be does not keep the others back.

    A number that another document has is one; where that says the same, as after an ERP has sent ours back, it is the invoice. Of two
    drafts with one number the first gets it.
    """
    in_force = await load_in_force(db, drafts, batch)
    examined = [examine(draft, batch.entities, in_force=in_force[draft.entity]) for draft in drafts]
    documents = [one for one in examined if isinstance(one, Document)]
    hashes = await load_hashes(db, documents) if documents else {}
    told: set[str] = set()
    reasons: list[list[Reason]] = []
    for one in examined:
        if not isinstance(one, Document):
            reasons.append(one)
            continue
        is_free = one.id not in told and hashes.get(one.id, one.content_hash) == one.content_hash
        reasons.append([] if is_free else [CONFLICT])
        told.add(one.id)
    return reasons


def _judged(schedule: Schedule, outcomes: Sequence[Outcome], day: date) -> Schedule:
    """Return a schedule as it is after its occurrences through `day` were billed or refused."""
    refused = frozenset(one.occurrence.n for one in outcomes if one.reasons)
    if schedule.plan.recurrence is not None:
        return replace(schedule, judged_through=day, refused=refused)
    return replace(schedule, billed=schedule.billed | {one.occurrence.n for one in outcomes if not one.reasons}, refused=refused)


def _rejected(schedule: Schedule, outcome: Outcome) -> Fact:
    """Say that an occurrence could not be billed."""
    data = DocumentRejected(
        source=SOURCE,
        source_id=billing.occurrence_id(schedule, outcome.occurrence.n),
        source_type=SOURCE_TYPE,
        reasons=list(outcome.reasons),
        entity=schedule.entity,
        document_no=outcome.document_no,
    )
    return Fact(data, schedule.entity, f"{schedule.entity}|{schedule.customer}", effective_on=outcome.occurrence.on)


def _faults_of_new(schedule: Schedule, open_on: date) -> list[Fault]:
    faults = billing.faults_of(schedule.plan)
    if not billing.is_code(schedule.schedule_no):
        faults.append(Fault("BAD_IDENTIFIER", "schedule_no"))
    if not faults and billing.is_long_ago(schedule.plan, open_on):
        faults.append(Fault("TOO_LONG_AGO", "starts_on"))
    return faults


async def _refuse_bad(db: Connection, schedule: Schedule, faults: Sequence[Fault], batch: Batch) -> None:
    """
    Try the documents that a schedule would bill, and refuse it for everything that is wrong with it or with them.

    :raises ScheduleRefused: when anything is.
    """
    reasons = [Reason(code=fault.code, field=fault.field) for fault in faults]
    trials = billing.trials(schedule, batch.open_on[schedule.entity])
    in_force = await load_in_force(db, [draft for draft, _ in trials], batch)
    for draft, prefix in trials:
        tried = examine(draft, batch.entities, in_force=in_force[draft.entity])
        if not isinstance(tried, Document):
            reasons += [Reason(code=one.code, field=billing.field_of(one.field, prefix)) for one in tried]
    if await queries.is_prefix_taken(db, schedule):
        reasons.append(Reason(code="PREFIX_TAKEN", field="number_prefix"))
    if reasons:
        raise ScheduleRefused(list(dict.fromkeys(reasons)))


async def _lock(db: Connection, entity: str, schedule_no: str) -> StoredSchedule:
    stored = await queries.lock_schedule(db, entity, schedule_no)
    if stored is None:
        raise ScheduleUnknown
    return stored


async def _find(db: Connection, entity: str, schedule_no: str) -> StoredSchedule:
    stored = await queries.find_schedule(db, entity, schedule_no)
    assert stored is not None, "it was just written, found or locked"
    return stored
