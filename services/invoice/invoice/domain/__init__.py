"""The rules of documents: values in, values out."""

from invoice.domain.documents import (
    INSTALMENTS_MAX,
    ISSUED_ON_MIN,
    Document,
    Draft,
    Fault,
    Instalment,
    Kind,
    document_id,
    examine,
    item_id,
)
from invoice.domain.status import (
    DocumentStatus,
    Movement,
    MovementKind,
    Settled,
    SettlementStatus,
    Told,
    last_closed,
    overdue_days,
    settlement_status,
    sum_by_subject,
)

__all__ = [
    "INSTALMENTS_MAX",
    "ISSUED_ON_MIN",
    "Document",
    "DocumentStatus",
    "Draft",
    "Fault",
    "Instalment",
    "Kind",
    "Movement",
    "MovementKind",
    "Settled",
    "SettlementStatus",
    "Told",
    "document_id",
    "examine",
    "item_id",
    "last_closed",
    "overdue_days",
    "settlement_status",
    "sum_by_subject",
]
