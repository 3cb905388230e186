"""What the payment service found about items and payments when a day turned."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from chassis.database import Connection
from chassis.service import Batch, Fact, Received
from events.fact import Event
from events.payment import OverpaymentDetected, ShortPaymentDetected, UnearnedDiscountTaken
from money import parse_minor

from reporting.queries import findings
from reporting.queries.findings import Finding

Found: TypeAlias = ShortPaymentDetected | UnearnedDiscountTaken | OverpaymentDetected

FINDINGS: Final[Mapping[type[Event], str]] = {
    ShortPaymentDetected: "short_payment",
    UnearnedDiscountTaken: "unearned_discount",
    OverpaymentDetected: "overpayment",
}
"""The facts that are findings, by the kind they are listed under."""


async def record_findings(db: Connection, facts: Sequence[Received[Found]], batch: Batch) -> list[Fact]:
    """
    Keep findings for the people who work them off.

    :raises money.AmountRefused: an amount is not one of its currency; money.CurrencyUnknown likewise. Both park the fact.
    """
    await findings.save(db, [finding_of(fact) for fact in facts])
    return []


def finding_of(fact: Received[Any]) -> Finding:
    """Write a fact as a row; its id is made of what it is about, so that no order of the facts changes it."""
    data, kind = fact.data, FINDINGS[type(fact.data)]
    item = getattr(data, "item", None)
    return Finding(
        finding=f"{fact.effective_on}|{kind}|{data.receipt}|{item or ''}",
        entity=fact.entity,
        kind=kind,
        found_on=fact.effective_on,
        booked_on=fact.booked_on,
        receipt=data.receipt,
        account=data.account,
        currency=data.currency,
        amount_minor=parse_minor(data.amount, data.currency),
        item=item,
        invoice=getattr(data, "invoice", None),
        customer=getattr(data, "customer", None),
        due_on=getattr(data, "due_on", None),
        until_on=getattr(data, "until_on", None),
        deduction_code=getattr(data, "deduction_code", None),
        named=tuple(getattr(data, "references", ())),
    )
