"""HTTP bodies of adjustments and write-offs: what may be asked for, and how it is shown."""

from collections.abc import Sequence
from datetime import date

from money import format_minor
from pydantic import BaseModel, Field

from invoice.domain import document_id, item_id
from invoice.domain.adjustments import Ask, Standing, Status, gross_and_recovered
from invoice.domain.approvals import AdjustmentKind
from invoice.queries.adjustments import StoredAdjustment
from invoice.queries.steps import StoredStep
from invoice.schemas.decisions import REASON, StepOut
from invoice.schemas.values import Amount, Body


class AdjustmentBody(Body):
    """An amount to take off an item; `amount` is left out for all that is open, `n` where the document has one instalment."""

    entity: str = Field(examples=["US01"])
    document_no: str = Field(examples=["INV-8"])
    n: int | None = Field(default=None, examples=[1])
    kind: str = Field(examples=["bad_debt"], description="small_balance, bad_debt, rounding, discount_exception, fee_waiver or settlement.")
    reason: str = Field(examples=["INSOLVENT"], description=REASON)
    amount: Amount | None = None

    def to_ask(self) -> Ask:
        """Return what the body asks for."""
        return Ask(self.entity, self.document_no, self.kind, self.reason, self.n, self.amount)


class ApprovalBody(Body):
    """An approval: of all that was asked for, or of a smaller `amount`."""

    amount: Amount | None = None


class AdjustmentOut(BaseModel):
    """
    An adjustment as it stands.

    `amount` and its part `tax` are what was approved, null before. `posted` is what the settlement ledger took off the item, whatever of it
    came in later, which is `recovered`.
    """

    adjustment: str
    entity: str
    document_no: str
    invoice: str
    item: str
    customer: str
    account: str
    currency: str
    kind: AdjustmentKind
    reason: str
    status: Status
    asked: str
    amount: str | None
    tax: str | None
    posted: str
    posted_tax: str
    recovered: str
    recovered_tax: str
    requested_by: str
    requested_on: date
    expires_on: date
    decided_by: str | None
    decided_on: date | None

    @classmethod
    def of(cls, stored: StoredAdjustment) -> "AdjustmentOut":
        """Show an adjustment."""
        return cls(**_shown(stored))


class AdjustmentDetailOut(AdjustmentOut):
    """An adjustment with the history of its decisions."""

    history: list[StepOut]

    @classmethod
    def with_history(cls, stored: StoredAdjustment, steps: Sequence[StoredStep]) -> "AdjustmentDetailOut":
        """Show an adjustment and its steps, first step first."""
        return cls(**_shown(stored), history=[StepOut.of(one, stored.currency) for one in steps])


class AdjustmentsOut(BaseModel):
    """A page of adjustments in the order they were asked for; `next_cursor` is null on the last one."""

    adjustments: list[AdjustmentOut]
    next_cursor: str | None


class BadDebtOut(BaseModel):
    """
    The bad debt of a customer in one currency: `written_off` in all, whatever of it came in later, which is `recovered`.

    `outstanding` is the one less the other; each amount contains its `_tax`.
    """

    currency: str
    written_off: str
    written_off_tax: str
    recovered: str
    recovered_tax: str
    outstanding: str
    adjustments: int


class BadDebtsOut(BaseModel):
    """The bad debts of a customer, by currency."""

    entity: str
    customer: str
    bad_debts: list[BadDebtOut]

    @classmethod
    def of(cls, entity: str, customer: str, stored: Sequence[StoredAdjustment]) -> "BadDebtsOut":
        """Add up what was posted of these adjustments, by currency."""
        currencies = sorted({one.currency for one in stored})
        by_currency = {currency: [one for one in stored if one.currency == currency] for currency in currencies}
        return cls(entity=entity, customer=customer, bad_debts=[_bad_debt(currency, found) for currency, found in by_currency.items()])


def _shown(stored: StoredAdjustment) -> dict[str, object]:
    gross, recovered = gross_and_recovered(stored.approved, stored.posted, stored.taken_back)
    invoice = document_id(stored.entity, stored.document_no)
    is_approved = stored.approved.minor > 0
    amounts = {
        "asked": stored.asked_minor,
        "amount": stored.approved.minor if is_approved else None,
        "tax": stored.approved.tax_minor if is_approved else None,
        "posted": gross.minor,
        "posted_tax": gross.tax_minor,
        "recovered": recovered.minor,
        "recovered_tax": recovered.tax_minor,
    }
    return {
        "adjustment": stored.id,
        "entity": stored.entity,
        "document_no": stored.document_no,
        "invoice": invoice,
        "item": item_id(invoice, stored.n),
        "customer": stored.customer,
        "account": stored.account,
        "currency": stored.currency,
        "kind": stored.kind,
        "reason": stored.reason,
        "status": stored.status,
        "requested_by": stored.requested_by,
        "requested_on": stored.requested_on,
        "expires_on": stored.expires_on,
        "decided_by": stored.decided_by,
        "decided_on": stored.decided_on,
        **{name: None if minor is None else format_minor(minor, stored.currency) for name, minor in amounts.items()},
    }


def _bad_debt(currency: str, stored: Sequence[StoredAdjustment]) -> BadDebtOut:
    posted = [gross_and_recovered(one.approved, one.posted, one.taken_back) for one in stored]
    gross, recovered = _sum([gross for gross, _ in posted]), _sum([back for _, back in posted])
    return BadDebtOut(
        currency=currency,
        written_off=format_minor(gross.minor, currency),
        written_off_tax=format_minor(gross.tax_minor, currency),
        recovered=format_minor(recovered.minor, currency),
        recovered_tax=format_minor(recovered.tax_minor, currency),
        outstanding=format_minor(gross.minor - recovered.minor, currency),
        adjustments=sum(one.minor > 0 for one, _ in posted),
    )


def _sum(standings: Sequence[Standing]) -> Standing:
    return Standing(sum(one.minor for one in standings), sum(one.tax_minor for one in standings))
