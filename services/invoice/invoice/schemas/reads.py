"""Documents as they are shown over HTTP."""

from datetime import date
from typing import Any

from money import format_minor
from pydantic import BaseModel

from invoice.domain import DocumentStatus, Settled, SettlementStatus, document_id, item_id, overdue_days, settlement_status
from invoice.domain.discounts import DiscountTerms
from invoice.domain.tags import Assignment, Project, References
from invoice.domain.terms import DiscountBase, Partial, TaxChoice
from invoice.domain.valuation import Valuation
from invoice.queries.reads import LATEST, Asked, OwedInstalment, StoredDocument


class SettledOut(BaseModel):
    """What was taken off: `applied` by money, `credited` by credit memos, `discounted`, and `adjusted` by adjustments and write-offs."""

    applied: str
    credited: str
    discounted: str
    adjusted: str

    @classmethod
    def of(cls, settled: Settled, currency: str) -> "SettledOut":
        """Show sums of movements."""
        return cls(
            applied=format_minor(settled.applied_minor, currency),
            credited=format_minor(settled.credited_minor, currency),
            discounted=format_minor(settled.discounted_minor, currency),
            adjusted=format_minor(settled.adjusted_minor, currency),
        )


class InstalmentOut(BaseModel):
    """An instalment, which is the open item `item`."""

    n: int
    item: str
    due_on: date
    amount: str
    open: str
    settled: SettledOut
    overdue: bool

    @classmethod
    def of(cls, invoice: str, part: OwedInstalment, currency: str, overdue_on: date) -> "InstalmentOut":
        """Show an instalment, overdue or not on a day."""
        return cls(
            n=part.n,
            item=item_id(invoice, part.n),
            due_on=part.due_on,
            amount=format_minor(part.total_minor, currency),
            open=format_minor(part.open_minor, currency),
            settled=SettledOut.of(part.settled, currency),
            overdue=overdue_days([(part.due_on, part.open_minor)], overdue_on) > 0,
        )


class CauseOut(BaseModel):
    """The fact a document came from: the `source` and `id` of its CloudEvent."""

    source: str
    id: str


class ComponentsOut(BaseModel):
    """What a total is made of: net goods, freight and charges, and tax."""

    goods: str
    tax: str
    freight: str
    charges: str


class DiscountTierOut(BaseModel):
    """The full discount, and its tax part, for money whose value date is not after `until_on` (grace days not counted in)."""

    percent: str
    until_on: date
    amount: str
    tax: str


class DiscountOut(BaseModel):
    """Under which terms a document may be paid early for less (INV-04)."""

    tiers: list[DiscountTierOut]
    grace_days: int
    tax_choice: TaxChoice
    base: DiscountBase
    partial: Partial

    @classmethod
    def of(cls, terms: DiscountTerms, currency: str) -> "DiscountOut":
        """Show discount terms."""
        return cls(
            tiers=[
                DiscountTierOut(
                    percent=tier.percent,
                    until_on=tier.until_on,
                    amount=format_minor(tier.amount_minor, currency),
                    tax=format_minor(tier.tax_minor, currency),
                )
                for tier in terms.tiers
            ],
            grace_days=terms.grace_days,
            tax_choice=terms.tax_choice,
            base=terms.base,
            partial=terms.partial,
        )


class ValuationOut(BaseModel):
    """The total in the entity's currency, at a rate of a day (INV-13)."""

    currency: str
    rate: str
    rate_on: date
    type: str
    total: str

    @classmethod
    def of(cls, valuation: Valuation) -> "ValuationOut":
        """Show a valuation."""
        rate = valuation.rate
        total = format_minor(valuation.total_minor, valuation.currency)
        return cls(currency=valuation.currency, rate=rate.rate, rate_on=rate.rate_on, type=rate.type, total=total)


class DocumentOut(BaseModel):
    """
    What invoices, debit memos and credit memos have in common.

    `document_status` and `settlement_status` are two fields, and for what is payable `overdue` is a third: none follows from another.
    What is open counts what was effective on or before `as_of` and booked on or before `known_at`; where those were not asked for, it is
    the latest known, and `as_of` is the day `overdue` is judged on.

    `origin` and `origin_id` say what a document was made from, where it did not come as such. `replaced_by` is the document that took
    the place of a voided one.
    """

    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    booked_on: date
    total: str
    tax: str | None
    components: ComponentsOut
    open: str
    settled: SettledOut
    document_status: DocumentStatus
    voided_on: date | None
    replaced_by: str | None
    settlement_status: SettlementStatus
    ref_document_no: str | None
    reason: str | None
    references: References | None
    project: Project | None
    assignment: Assignment | None
    valuation: ValuationOut | None
    origin: str | None
    origin_id: str | None
    as_of: date
    known_at: date | None
    came_from: CauseOut | None


class InvoiceOut(DocumentOut):
    """An invoice or debit memo as it stood."""

    invoice: str
    terms: str | None
    policy_version: str | None
    discount: DiscountOut | None
    instalments: list[InstalmentOut]
    overdue: bool
    overdue_days: int

    @classmethod
    def of(cls, stored: StoredDocument, overdue_on: date, asked: Asked = LATEST) -> "InvoiceOut":
        """Show an invoice or debit memo, overdue or not on `overdue_on`."""
        id_ = document_id(stored.entity, stored.document_no)
        late_days = overdue_days([(part.due_on, part.open_minor) for part in stored.instalments], overdue_on)
        return cls(
            **_common(stored, overdue_on, asked),
            invoice=id_,
            terms=stored.terms,
            policy_version=stored.policy_version,
            discount=DiscountOut.of(stored.discount, stored.currency) if stored.discount else None,
            instalments=[InstalmentOut.of(id_, part, stored.currency, overdue_on) for part in stored.instalments],
            overdue=late_days > 0,
            overdue_days=late_days,
        )


class CreditMemoOut(DocumentOut):
    """A credit memo as it stood: `open` is the credit that was not used yet; `dispute_id` what it answers, if anything."""

    memo: str
    dispute_id: str | None

    @classmethod
    def of(cls, stored: StoredDocument, as_of: date, asked: Asked = LATEST) -> "CreditMemoOut":
        """Show a credit memo."""
        memo = document_id(stored.entity, stored.document_no)
        return cls(**_common(stored, as_of, asked), memo=memo, dispute_id=stored.dispute)


def _common(stored: StoredDocument, as_of: date, asked: Asked) -> dict[str, Any]:
    has_cause = stored.source is not None and stored.source_id is not None
    parts, void = stored.parts, stored.void if stored.document_status == "voided" else None
    return {
        "entity": stored.entity,
        "document_no": stored.document_no,
        "type": stored.type,
        "customer": stored.customer,
        "account": stored.account,
        "currency": stored.currency,
        "issued_on": stored.issued_on,
        "booked_on": stored.booked_on,
        "total": format_minor(stored.total_minor, stored.currency),
        "tax": None if stored.tax_minor is None else format_minor(stored.tax_minor, stored.currency),
        "components": {
            "goods": format_minor(parts.goods_minor, stored.currency),
            "tax": format_minor(parts.tax_minor, stored.currency),
            "freight": format_minor(parts.freight_minor, stored.currency),
            "charges": format_minor(parts.charges_minor, stored.currency),
        },
        "open": format_minor(stored.open_minor, stored.currency),
        "settled": SettledOut.of(stored.settled, stored.currency),
        "document_status": stored.document_status,
        "voided_on": void and void.effective_on,
        "replaced_by": void and void.replaced_by,
        "settlement_status": settlement_status(stored.billed_minor, stored.settled),
        "ref_document_no": stored.ref_document_no,
        "reason": stored.reason,
        "references": stored.references,
        "project": stored.project,
        "assignment": stored.assignment,
        "valuation": stored.valuation and ValuationOut.of(stored.valuation),
        "origin": stored.origin,
        "origin_id": stored.origin_id,
        "as_of": as_of,
        "known_at": asked.known_at,
        "came_from": {"source": stored.source, "id": stored.source_id} if has_cause else None,
    }


class InvoicesOut(BaseModel):
    """A page of invoices by number; `next_cursor` is null on the last one."""

    invoices: list[InvoiceOut]
    next_cursor: str | None


class DebitMemosOut(BaseModel):
    """A page of debit memos by number; `next_cursor` is null on the last one."""

    debit_memos: list[InvoiceOut]
    next_cursor: str | None


class CreditMemosOut(BaseModel):
    """A page of credit memos by number; `next_cursor` is null on the last one."""

    credit_memos: list[CreditMemoOut]
    next_cursor: str | None
