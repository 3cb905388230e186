"""HTTP bodies of late charges."""

from collections.abc import Sequence
from datetime import date

from events.invoice import ChargeRange
from money import format_minor
from pydantic import BaseModel

from invoice.domain.charges import Assessment, LateItem
from invoice.domain.drafts import document_id
from invoice.handlers.charges import ranges_of
from invoice.queries.charges import StoredCharge


class RangeOut(BaseModel):
    """A run of days, both included, with one principal and one rate; `interest` is exact to ten decimals, only the sum is rounded."""

    from_on: date
    through_on: date
    days: int
    principal: str
    rate_percent: str
    interest: str

    @classmethod
    def all_of(cls, ranges: Sequence[ChargeRange]) -> "list[RangeOut]":
        """Show ranges as they are published."""
        return [
            cls(
                from_on=one.from_on,
                through_on=one.through_on,
                days=one.days,
                principal=one.principal,
                rate_percent=one.rate_percent,
                interest=one.interest,
            )
            for one in ranges
        ]


class LateChargeOut(BaseModel):
    """
    A late charge: `amount` = interest accrued through `through_on`, as bounded by the policy (`limited_by`), less the interest charged
    before, plus the fixed sum. Below zero it gives back.

    `document` is the debit memo or credit memo that was posted; `posted` its amount, below zero for a credit memo.
    """

    charge: str
    charge_no: str
    entity: str
    document_no: str
    item: str
    n: int
    customer: str
    account: str
    currency: str
    amount: str
    accrued: str
    charged_before: str
    fixed: str
    limited_by: str | None
    through_on: date
    booked_on: date
    day_count: str
    ranges: list[RangeOut]
    policy_version: str
    posting: str
    posted: str
    document: str | None

    @classmethod
    def of(cls, stored: StoredCharge) -> "LateChargeOut":
        """Show a charge."""
        posted = stored.posted_document_no
        return cls(
            charge=document_id(stored.entity, stored.charge_no),
            charge_no=stored.charge_no,
            entity=stored.entity,
            document_no=stored.document_no,
            item=stored.item,
            n=stored.n,
            customer=stored.customer,
            account=stored.account,
            currency=stored.currency,
            amount=format_minor(stored.amount_minor, stored.currency),
            accrued=format_minor(stored.accrued_minor, stored.currency),
            charged_before=format_minor(stored.charged_before_minor, stored.currency),
            fixed=format_minor(stored.fixed_minor, stored.currency),
            limited_by=stored.limited_by,
            through_on=stored.through_on,
            booked_on=stored.booked_on,
            day_count=stored.day_count,
            ranges=RangeOut.all_of(stored.ranges),
            policy_version=stored.policy_version,
            posting=stored.posting,
            posted=format_minor(stored.posted_minor, stored.currency),
            document=None if posted is None else document_id(stored.entity, posted),
        )


class LateChargesOut(BaseModel):
    """A page of late charges by number; `next_cursor` is null on the last one."""

    late_charges: list[LateChargeOut]
    next_cursor: str | None


class LateItemOut(BaseModel):
    """
    What one instalment owes for being late: `interest` is `accrued` as bounded by the policy, `fixed` a fixed sum, `charged` what it was
    charged of both so far, and `to_charge` the rest, below zero where it is to be given back.
    """

    item: str
    n: int
    owed_on: date
    accrued: str
    interest: str
    fixed: str
    charged: str
    to_charge: str
    limited_by: str | None
    day_count: str
    policy_version: str
    ranges: list[RangeOut]

    @classmethod
    def of(cls, item: LateItem, assessment: Assessment) -> "LateItemOut":
        """Show what an instalment owes."""
        owed = assessment.interest_minor + assessment.fixed_minor
        charged = item.charged.interest_minor + item.charged.fixed_minor
        return cls(
            item=item.item,
            n=item.n,
            owed_on=item.owed_on,
            accrued=format_minor(assessment.accrued_minor, item.currency),
            interest=format_minor(assessment.interest_minor, item.currency),
            fixed=format_minor(assessment.fixed_minor, item.currency),
            charged=format_minor(charged, item.currency),
            to_charge=format_minor(owed - charged, item.currency),
            limited_by=assessment.limited_by,
            day_count=assessment.day_count,
            policy_version=assessment.policy_version,
            ranges=RangeOut.all_of(ranges_of(assessment, item.currency)),
        )


class PreviewOut(BaseModel):
    """What a document owes for being late through the end of `as_of`, by what was booked on or before `known_at`."""

    entity: str
    document_no: str
    currency: str
    as_of: date
    known_at: date
    interest: str
    fixed: str
    items: list[LateItemOut]

    @classmethod
    def of(cls, assessed: Sequence[tuple[LateItem, Assessment]], as_of: date, known_at: date) -> "PreviewOut":
        """Show a document by its instalments, of which there is at least one."""
        first = assessed[0][0]
        return cls(
            entity=first.entity,
            document_no=first.document_no,
            currency=first.currency,
            as_of=as_of,
            known_at=known_at,
            interest=format_minor(sum(one.interest_minor for _, one in assessed), first.currency),
            fixed=format_minor(sum(one.fixed_minor for _, one in assessed), first.currency),
            items=[LateItemOut.of(item, one) for item, one in assessed],
        )
