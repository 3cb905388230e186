"""What an ERP published, read as drafts of documents and requests to void them."""

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

from chassis.entities import Entities
from events import erp
from events.envelope import Envelope
from events.ingress import check_identifier
from events.invoice import Reason

from invoice import domain
from invoice.domain import Document, Draft, Fault
from invoice.domain.components import Line
from invoice.domain.documents import STANDARD, InForce
from invoice.domain.drafts import Opening, opening_draft
from invoice.domain.faults import as_code, check_day
from invoice.domain.tags import Assignment, Project, References, identifiers
from invoice.domain.valuation import Rate
from invoice.domain.voids import VoidRequest

ErpDocument: TypeAlias = erp.InvoiceIssued | erp.DebitMemoIssued | erp.CreditMemoIssued | erp.OpeningBalanceLoaded


def draft_of(data: ErpDocument) -> Draft:
    """Read what an ERP or a migration published as a draft."""
    if isinstance(data, erp.CreditMemoIssued):
        return _draft_of_memo(data)
    if isinstance(data, erp.OpeningBalanceLoaded):
        return _draft_of_opening(data)
    return Draft(
        kind="invoice" if isinstance(data, erp.InvoiceIssued) else "debit_memo",
        entity=data.entity,
        document_no=data.document_no,
        customer=data.customer,
        currency=data.currency,
        issued_on=data.issued_on,
        total=data.total,
        type=data.type,
        terms=data.terms,
        instalments=[(part.due_on, part.amount) for part in data.instalments or ()],
        lines=[Line(line.amount, line.kind, line.tax) for line in data.lines or ()],
        tax=data.tax,
        discounts=[(tier.percent, tier.days) for tier in data.discounts or ()],
        ref_document_no=data.ref_document_no,
        reason=data.reason,
        references=_references(data.references),
        fx=_rate(data.fx),
        project=_project(data.project),
        assignment=_assignment(data.assignment),
    )


def _draft_of_memo(data: erp.CreditMemoIssued) -> Draft:
    return Draft(
        kind="credit_memo",
        entity=data.entity,
        document_no=data.document_no,
        customer=data.customer,
        currency=data.currency,
        issued_on=data.issued_on,
        total=data.total,
        type=data.type,
        lines=[Line(line.amount, line.kind, line.tax) for line in data.lines or ()],
        tax=data.tax,
        ref_document_no=data.ref_document_no,
        reason=data.reason,
        references=_references(data.references),
        fx=_rate(data.fx),
    )


def _draft_of_opening(data: erp.OpeningBalanceLoaded) -> Draft:
    return opening_draft(
        entity=data.entity,
        document_no=data.document_no,
        customer=data.customer,
        currency=data.currency,
        issued_on=data.issued_on,
        opening=Opening(data.as_of, data.original_total),
        open_=data.open,
        type_=data.type,
        terms=data.terms,
        due_on=data.due_on,
        references=_references(data.references),
        fx=_rate(data.fx),
    )


def _references(data: erp.References | None) -> References | None:
    if data is None:
        return None
    return References(data.order_no, data.purchase_order_no, data.delivery_no, data.customer_reference, data.contract_no, data.payment)


def _rate(data: erp.Fx | None) -> Rate | None:
    return None if data is None else Rate(data.rate, data.rate_on, data.type)


def _project(data: erp.Project | None) -> Project | None:
    return None if data is None else Project(data.project, data.milestone, data.retention_percent, data.retention_due_on)


def _assignment(data: erp.Assignment | None) -> Assignment | None:
    return None if data is None else Assignment(data.factor, data.insurer, data.insured_percent)


def examine(draft: Draft, entities: Entities, envelope: Envelope | None = None, in_force: InForce = STANDARD) -> Document | list[Reason]:
    """
    Make a document of a draft, or return every reason against it; `envelope` is that of the fact it came in, where it came in one.

    The same for facts and for HTTP, except that who may speak over HTTP is decided by roles and not by the sources of the entities file.
    """
    reasons = entities.reasons_against(draft.entity, envelope)
    reasons += _reasons_of_identifiers(
        [
            ("document_no", draft.document_no),
            ("customer", draft.customer),
            ("ref_document_no", draft.ref_document_no),
            ("dispute_id", draft.dispute),
            ("fx.type", None if draft.fx is None else draft.fx.type),
            *identifiers(draft.references, draft.project, draft.assignment),
        ]
    )
    document = domain.examine(draft, in_force)
    if isinstance(document, Document):
        return reasons or document
    return reasons + reasons_of(document)


def examine_void(data: erp.InvoiceVoided, booked_on: date, envelope: Envelope, entities: Entities) -> VoidRequest | list[Reason]:
    """Read a void that an ERP published as a request, or return every reason against it."""
    request = VoidRequest(
        entity=data.entity,
        document_no=data.document_no,
        customer=data.customer,
        booked_on=booked_on,
        reason=as_code(data.reason),
        effective_on=data.effective_on,
        source=envelope.source,
        source_id=envelope.id,
        source_type=envelope.type,
    )
    return reasons_against_void(request, entities, envelope) or request


def reasons_against_void(request: VoidRequest, entities: Entities, envelope: Envelope | None = None) -> list[Reason]:
    """Return every reason against a request to void a document, as far as it can be judged without the document."""
    faults: list[Fault] = []
    if request.effective_on is not None:
        check_day(request.effective_on, "effective_on", faults)
    named = [("document_no", request.document_no), ("customer", request.customer)]
    return [*entities.reasons_against(request.entity, envelope), *_reasons_of_identifiers(named), *reasons_of(faults)]


def reasons_of(faults: list[Fault]) -> list[Reason]:
    """Write faults as they travel."""
    return [Reason(code=fault.code, field=fault.field) for fault in faults]


def _reasons_of_identifiers(named: Iterable[tuple[str, str | None]]) -> list[Reason]:
    return [reason for field, value in named if value is not None and (reason := check_identifier(field, value)) is not None]
