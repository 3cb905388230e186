"""What a document says about its surroundings: references, project and retention, assignment (INV-14, INV-15)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from stdnum import iso11649

from invoice.domain.faults import Fault, check_day, read_percent

_CREDITOR_REFERENCE: Final = "RF"


@dataclass(frozen=True, slots=True)
class References:
    """What else the customer may name when it pays; `payment` is a structured creditor reference or an OCR number."""

    order_no: str | None = None
    purchase_order_no: str | None = None
    delivery_no: str | None = None
    customer_reference: str | None = None
    contract_no: str | None = None
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """The project and milestone a document bills; `retention_percent` of it is due on `retention_due_on`."""

    project: str
    milestone: str | None = None
    retention_percent: str | None = None
    retention_due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who owns the receivable where it was assigned, and which part of it is insured, in percent."""

    factor: str | None = None
    insurer: str | None = None
    insured_percent: str | None = None


def identifiers(references: References | None, project: Project | None, assignment: Assignment | None) -> Iterator[tuple[str, str]]:
    """List the fields that hold identifiers, with what they hold."""
    if references is not None:
        yield from ((f"references.{name}", value) for name, value in asdict(references).items() if value is not None)
    if project is not None:
        yield "project.project", project.project
        if project.milestone is not None:
            yield "project.milestone", project.milestone
    if assignment is not None:
        if assignment.factor is not None:
            yield "assignment.factor", assignment.factor
        if assignment.insurer is not None:
            yield "assignment.insurer", assignment.insurer


def check_tags(references: References | None, project: Project | None, assignment: Assignment | None, faults: list[Fault]) -> None:
    """Check what is more than an identifier: the check digits of a creditor reference (ISO 11649), percentages, the retention's date."""
    payment = references.payment if references is not None else None
    if payment is not None and payment[:2].upper() == _CREDITOR_REFERENCE and not iso11649.is_valid(payment):
        faults.append(Fault("REFERENCE_CHECK_DIGITS", "references.payment"))
    if project is not None:
        if (project.retention_percent is None) != (project.retention_due_on is None):
            missing = "retention_percent" if project.retention_percent is None else "retention_due_on"
            faults.append(Fault("MISSING", f"project.{missing}"))
        if project.retention_percent is not None:
            read_percent(project.retention_percent, "project.retention_percent", faults)
        if project.retention_due_on is not None:
            check_day(project.retention_due_on, "project.retention_due_on", faults)
    if assignment is not None and assignment.insured_percent is not None:
        read_percent(assignment.insured_percent, "assignment.insured_percent", faults)
