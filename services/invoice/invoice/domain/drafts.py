"""Documents as their senders write them, and what identifies one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

import msgspec

from invoice.domain.components import Line
from invoice.domain.tags import Assignment, Project, References
from invoice.domain.valuation import Rate

Kind: TypeAlias = Literal["invoice", "debit_memo", "credit_memo"]
Origin: TypeAlias = Literal["opening_balance", "correction", "schedule", "late_charge", "return_fee", "returned_payment"]

CORRECTED: Final = "384"
"""The UNTDID 1001 code of an invoice that takes the place of another."""
DEBIT_MEMO: Final = "383"
CREDIT_NOTE: Final = "381"


@dataclass(frozen=True, slots=True)
class Opening:
    """Says that a draft was open in the books before ours: what was left of it on `as_of`, and what it once came to."""

    as_of: date
    original_total: str | None = None


class Draft(msgspec.Struct, frozen=True, gc=False):  # Made by the thousand: a dataclass of this size takes ten times as long.
    """
    A document as its sender wrote it: amounts are text, instalments are (due date, amount), discounts (percent, days).

    A credit memo over an invoice may say its `net` amount; `total` and `tax` are then what was made of it. `reason` is a code; longer text
    is left with the sender, for it may name people. `origin` and `origin_id` say what made a document that nobody sent: no content, so
    that an ERP may send the same document back. `dispute` is what a credit memo answers. `account` is whose account it is for where that is
    known; else it follows from the customer.
    """

    kind: Kind
    entity: str
    document_no: str
    customer: str
    currency: str
    issued_on: date
    total: str
    type: str
    terms: str | None = None
    instalments: Sequence[tuple[date, str]] = ()
    lines: Sequence[Line] = ()
    tax: str | None = None
    discounts: Sequence[tuple[str, int]] = ()
    ref_document_no: str | None = None
    reason: str | None = None
    references: References | None = None
    fx: Rate | None = None
    project: Project | None = None
    assignment: Assignment | None = None
    opening: Opening | None = None
    net: str | None = None
    origin: Origin | None = None
    origin_id: str | None = None
    dispute: str | None = None
    account: str | None = None


def opening_draft(
    entity: str,
    document_no: str,
    customer: str,
    currency: str,
    issued_on: date,
    opening: Opening,
    open_: str,
    type_: str,
    terms: str | None,
    due_on: date | None,
    references: References | None = None,
    fx: Rate | None = None,
) -> Draft:
    """Make a draft of what was open in the books before ours: below zero it is credit of the customer, else it is owed to us."""
    kind: Kind = "credit_memo" if open_.startswith("-") else "debit_memo" if type_ == DEBIT_MEMO else "invoice"
    total = open_.removeprefix("-")
    instalments = () if due_on is None else ((due_on, total),)
    return Draft(
        kind,
        entity,
        document_no,
        customer,
        currency,
        issued_on,
        total,
        type_,
        terms,
        instalments,
        references=references,
        fx=fx,
        opening=opening,
        origin="opening_balance",
        origin_id=opening.as_of.isoformat(),
    )


def document_id(entity: str, document_no: str) -> str:
    """The id of a document everywhere outside this service's tables."""
    return f"{entity}|{document_no}"


def item_id(document: str, n: int) -> str:
    """The id of an instalment as an open item."""
    return f"{document}|{n}"
