"""The facts that say what became of documents."""

from typing import Any

from chassis.service import Fact
from events import erp
from events.envelope import Envelope
from events.invoice import (
    Components,
    CreditMemoIssued,
    DebitMemoIssued,
    DiscountTerms,
    DiscountTier,
    Instalment,
    InvoiceIssued,
    InvoiceVoided,
    Valuation,
)
from money import format_minor

from invoice import domain
from invoice.domain import Document, discounts
from invoice.domain.voids import Void


def issued(document: Document, cause: Envelope | None = None) -> Fact:
    """Say that a document was accepted; effective on the day it was issued, amounts with all decimals of their currency."""
    data: InvoiceIssued | DebitMemoIssued | CreditMemoIssued
    if document.kind == "credit_memo":
        data = _memo_issued(document)
    elif document.kind == "debit_memo":
        data = DebitMemoIssued(**_billed(document))
    else:
        data = InvoiceIssued(**_billed(document))
    return Fact(data, document.entity, document.key, effective_on=document.issued_on, cause=cause)


def _billed(document: Document) -> dict[str, Any]:
    """Return the fields that invoices and debit memos have in common; what only few documents have is looked at only where it is there."""
    currency = document.currency
    fields = {
        "entity": document.entity,
        "invoice": document.id,
        "document_no": document.document_no,
        "type": document.type,
        "customer": document.customer,
        "account": document.account,
        "currency": currency,
        "issued_on": document.issued_on,
        "total": format_minor(document.total_minor, currency),
        "instalments": [Instalment(n=i.n, due_on=i.due_on, amount=format_minor(i.amount_minor, currency)) for i in document.instalments],
        "terms": document.terms,
        "policy_version": document.policy_version,
    }
    if document.has_components:
        fields |= {"tax": _tax(document), "components": _components(document)}
    if document.ref_document_no is not None or document.reason is not None:
        fields |= {"ref_invoice": _ref(document), "reason": document.reason}
    if document.origin is not None:
        fields |= {"origin": document.origin, "origin_id": document.origin_id}
    if document.discount is not None:
        fields["discount"] = _discount(document.discount, currency)
    if document.references is not None:
        fields["references"] = _references(document)
    if document.valuation is not None:
        fields["valuation"] = _valuation(document)
    if (project := document.project) is not None:
        fields["project"] = erp.Project(
            project=project.project,
            milestone=project.milestone,
            retention_percent=project.retention_percent,
            retention_due_on=project.retention_due_on,
        )
    if (assignment := document.assignment) is not None:
        fields["assignment"] = erp.Assignment(
            factor=assignment.factor, insurer=assignment.insurer, insured_percent=assignment.insured_percent
        )
    return fields


def _memo_issued(document: Document) -> CreditMemoIssued:
    return CreditMemoIssued(
        entity=document.entity,
        memo=document.id,
        document_no=document.document_no,
        type=document.type,
        customer=document.customer,
        account=document.account,
        currency=document.currency,
        issued_on=document.issued_on,
        total=format_minor(document.total_minor, document.currency),
        ref_invoice=_ref(document),
        reason=document.reason,
        tax=_tax(document),
        components=_components(document),
        references=_references(document),
        valuation=_valuation(document),
        origin=document.origin,
        origin_id=document.origin_id,
        dispute=document.dispute,
    )


def _ref(document: Document) -> str | None:
    ref = document.ref_document_no
    return None if ref is None else domain.document_id(document.entity, ref)


def _tax(document: Document) -> str | None:
    return None if document.tax_minor is None else format_minor(document.tax_minor, document.currency)


def _components(document: Document) -> Components | None:
    """Return what the total is made of, where its sender said anything of it."""
    if not document.has_components:
        return None
    parts, currency = document.components, document.currency
    return Components(
        goods=format_minor(parts.goods_minor, currency),
        tax=format_minor(parts.tax_minor, currency),
        freight=format_minor(parts.freight_minor, currency),
        charges=format_minor(parts.charges_minor, currency),
    )


def _discount(discount: discounts.DiscountTerms, currency: str) -> DiscountTerms:
    return DiscountTerms(
        tiers=[
            DiscountTier(
                percent=tier.percent,
                until_on=tier.until_on,
                amount=format_minor(tier.amount_minor, currency),
                tax=format_minor(tier.tax_minor, currency),
            )
            for tier in discount.tiers
        ],
        grace_days=discount.grace_days,
        tax_choice=discount.tax_choice,
        base=discount.base,
        partial=discount.partial,
    )


def _references(document: Document) -> erp.References | None:
    references = document.references
    if references is None:
        return None
    return erp.References(
        order_no=references.order_no,
        purchase_order_no=references.purchase_order_no,
        delivery_no=references.delivery_no,
        customer_reference=references.customer_reference,
        contract_no=references.contract_no,
        payment=references.payment,
    )


def _valuation(document: Document) -> Valuation | None:
    value = document.valuation
    if value is None:
        return None
    return Valuation(
        currency=value.currency,
        rate=value.rate.rate,
        rate_on=value.rate.rate_on,
        type=value.rate.type,
        total=format_minor(value.total_minor, value.currency),
    )


def voided(void: Void, cause: Envelope | None = None) -> Fact:
    """Say that a document became void: what each of its items is billed less."""
    target, request = void.target, void.request
    replaced_by = request.replaced_by
    data = InvoiceVoided(
        entity=target.entity,
        invoice=request.document,
        document_no=target.document_no,
        customer=target.customer,
        account=target.account,
        currency=target.currency,
        total=format_minor(target.total_minor, target.currency),
        instalments=[
            Instalment(n=part.n, due_on=part.due_on, amount=format_minor(part.amount_minor, target.currency)) for part in target.instalments
        ],
        reason=request.reason,
        replaced_by=None if replaced_by is None else domain.document_id(target.entity, replaced_by),
        origin=target.origin,
    )
    return Fact(data, target.entity, f"{target.entity}|{target.account}", effective_on=void.effective_on, cause=cause)
