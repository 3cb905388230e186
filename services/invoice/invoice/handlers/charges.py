"""Late items are charged when a day turns, and shown what they would be charged when somebody asks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from chassis.database import Connection
from chassis.service import Batch, DayWork, Fact
from events.invoice import ChargeRange, LateChargeAssessed
from money import format_minor
from policies.queries import load_in_force

from invoice.domain.charge_terms import ChargeTerms
from invoice.domain.charges import Assessment, Charge, LateItem, Policies, assess, charge, charge_no, is_due
from invoice.domain.drafts import CREDIT_NOTE, DEBIT_MEMO, Draft, document_id
from invoice.domain.faults import percent_text
from invoice.domain.interest import ONE_DAY, ten_decimals
from invoice.domain.policy_kinds import LATE_CHARGES
from invoice.handlers.intake import issue_made
from invoice.queries import charges as queries
from invoice.queries.charges import StoredCharge

FEEDBACK_DAYS: Final = timedelta(days=2)
"""Settlement is heard as feedback: only what was booked up to two days before the day that turns is here for certain (INV-09)."""


async def find_accounts_to_charge(db: Connection, entity: str, day: date, after: str, limit: int) -> list[str]:
    """Return the next accounts to judge for late charges when `day` starts; none on a day that charges nothing."""
    if _charging(await load_policies(db, entity, day), day) is None:
        return []
    return await queries.find_accounts(db, entity, after, limit)


async def assess_late_charges(db: Connection, entity: str, day: date, accounts: Sequence[str], batch: Batch) -> list[Fact]:
    """
    Charge what these accounts owe for being late through the day before `day`, beyond what they were charged before (INV-09).

    Done twice it charges nothing more. What is posted becomes a document of the same number as the charge.
    """
    policies = await load_policies(db, entity, day)
    terms = _charging(policies, day)
    if terms is None:
        return []
    through_on, known_through = day - ONE_DAY, day - FEEDBACK_DAYS
    late = await queries.load_late_items(db, entity, accounts, through_on, known_through)
    items = await complete(db, late, known_through, day)
    charges = [one for item in items if (one := charge(item, policies, through_on, terms.posting)) is not None]
    await queries.note_run(db, entity, accounts, known_through)
    if not charges:
        return []
    stored = [_stored(one, day) for one in charges]
    await queries.insert_charges(db, stored, batch.now)
    posted = await issue_made(db, [_memo(one, terms, day) for one in charges if one.posted_minor], batch)
    return [*(_assessed(one) for one in stored), *posted]


CHARGING: Final = DayWork(find_accounts_to_charge, assess_late_charges)


async def preview(
    db: Connection, entity: str, document_no: str, as_of: date, known_at: date, before: date
) -> list[tuple[LateItem, Assessment]]:
    """
    Say what each instalment of a document owes for being late through `as_of`, by what was booked on or before `known_at`.

    Under the policies in force on the business day `before`. Nothing is charged by it. No instalments: there was no such document then, or
    it is one that bears no interest.
    """
    policies = await load_policies(db, entity, before)
    found = await queries.load_document_items(db, entity, document_no, known_at)
    return [(item, assess(item, policies, as_of)) for item in await complete(db, found, known_at, known_at)]


async def load_policies(db: Connection, entity: str, before: date) -> Policies:
    """Read the late-charge policies of an entity that were booked before a day."""
    in_force = await load_in_force(db, LATE_CHARGES.name, [entity], {entity: before})
    return Policies(in_force.get(entity, []))


async def complete(db: Connection, items: Sequence[LateItem], settled_through: date, charged_through: date) -> list[LateItem]:
    """Add to items what was taken off them, and what they were charged, of what was booked through two days."""
    if not items:
        return []
    names = [item.item for item in items]
    reductions = await queries.load_reductions(db, names, settled_through)
    before = await queries.load_charged(db, names, charged_through, settled_through)
    return [
        replace(
            item,
            reductions=reductions.get(item.item, ()),
            charged=before[item.item].charged if item.item in before else item.charged,
            charged_document=before[item.item].document_no if item.item in before else None,
        )
        for item in items
    ]


def _charging(policies: Policies, day: date) -> ChargeTerms | None:
    """Return the terms in force on a day, if it is one to charge on."""
    terms = policies.in_force(day)
    return terms if terms is not None and is_due(terms.cycle, day) else None


def ranges_of(assessment: Assessment, currency: str) -> list[ChargeRange]:
    """Write how interest was computed, day range by day range."""
    return [
        ChargeRange(
            from_on=run.from_on,
            through_on=run.through_on,
            days=run.days,
            principal=format_minor(run.principal_minor, currency),
            rate_percent=percent_text(run.percent),
            interest=ten_decimals(run.interest, currency),
        )
        for run in assessment.runs
    ]


def _stored(made: Charge, day: date) -> StoredCharge:
    item, assessment = made.item, made.assessment
    number = charge_no(item.document_no, item.n, day)
    return StoredCharge(
        entity=item.entity,
        charge_no=number,
        item=item.item,
        document_no=item.document_no,
        n=item.n,
        customer=item.customer,
        account=item.account,
        currency=item.currency,
        amount_minor=made.amount_minor,
        fixed_minor=made.fixed_minor,
        accrued_minor=assessment.accrued_minor,
        charged_before_minor=item.charged.interest_minor,
        through_on=made.through_on,
        day_count=assessment.day_count,
        ranges=ranges_of(assessment, item.currency),
        limited_by=assessment.limited_by,
        policy_version=assessment.policy_version,
        posting=made.posting,
        posted_minor=made.posted_minor,
        posted_document_no=number if made.posted_minor else None,
        booked_on=day,
    )


def _memo(made: Charge, terms: ChargeTerms, day: date) -> Draft:
    """
    Write the document of a charge: a debit memo about the invoice, or a credit memo about the last debit memo of the item that stands.

    It bears no interest itself: what is made of a late charge is never late in this sense.
    """
    item = made.item
    number = charge_no(item.document_no, item.n, day)
    total = format_minor(abs(made.posted_minor), item.currency)
    owed = made.posted_minor > 0
    return Draft(
        kind="debit_memo" if owed else "credit_memo",
        entity=item.entity,
        document_no=number,
        customer=item.customer,
        currency=item.currency,
        issued_on=day,
        total=total,
        type=DEBIT_MEMO if owed else CREDIT_NOTE,
        instalments=((day + timedelta(days=terms.memo_due_days), total),) if owed else (),
        ref_document_no=item.document_no if owed else item.charged_document,
        reason="LATE_CHARGE",
        origin="late_charge",
        origin_id=document_id(item.entity, number),
        account=item.account,
    )


def _assessed(stored: StoredCharge) -> Fact:
    entity, currency, posted = stored.entity, stored.currency, stored.posted_document_no
    data = LateChargeAssessed(
        entity=entity,
        charge=document_id(entity, stored.charge_no),
        item=stored.item,
        invoice=document_id(entity, stored.document_no),
        customer=stored.customer,
        account=stored.account,
        currency=currency,
        amount=format_minor(stored.amount_minor, currency),
        accrued=format_minor(stored.accrued_minor, currency),
        charged_before=format_minor(stored.charged_before_minor, currency),
        fixed=format_minor(stored.fixed_minor, currency),
        through_on=stored.through_on,
        day_count=stored.day_count,
        ranges=list(stored.ranges),
        posting=stored.posting,
        policy_version=stored.policy_version,
        document=None if posted is None else document_id(entity, posted),
        limited_by=stored.limited_by,
    )
    return Fact(data, entity, f"{entity}|{stored.account}", effective_on=stored.booked_on)
