"""
What a document has to be before it is ours, and what may be said about it afterwards. Pure: values in, values out.

A `Draft` is what somebody sent; `examine` makes it a `Document` or says every reason why it cannot be one. Amounts become minor units here,
once, and nowhere else.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from money import AmountRefused, CurrencyUnknown, parse_minor, scale

Kind: TypeAlias = Literal["invoice", "credit_memo"]
SettlementStatus: TypeAlias = Literal["open", "partially_settled", "settled"]

TYPES: Final[Mapping[Kind, str]] = {"invoice": "380", "credit_memo": "381"}
"""The UNTDID 1001 code each kind is accepted under."""
NET_DAYS_MAX: Final = 365
INSTALMENTS_MAX: Final = 360  # Thirty years of months.
ISSUED_ON_MIN: Final = date(1970, 1, 1)

_MOST_DECIMALS: Final = "CLF"  # Four: reads every amount that some currency could have.
_terms = re.compile(r"NET(0|[1-9]\d{0,2})", re.ASCII).fullmatch
_reason_code = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII).fullmatch


class Fault(NamedTuple):
    """One reason against a draft: a stable code and the field it is about, `instalments[1].amount` counted from 0."""

    code: str
    field: str


@dataclass(frozen=True, slots=True)
class Draft:
    """
    A document as its sender wrote it: amounts are text, instalments are (due date, amount), lines are net amounts.

    `reason` (of a credit memo) is a code; a longer text is left with the sender, for it may name people.
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
    lines: Sequence[str] = ()
    tax: str | None = None
    ref_document_no: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    """One part of an invoice, numbered from 1; it is the item `entity|document_no|n`."""

    n: int
    due_on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Document:
    """An issued invoice or credit memo. Only an invoice has instalments, and they sum to the total."""

    kind: Kind
    entity: str
    document_no: str
    type: str
    customer: str
    currency: str
    issued_on: date
    total_minor: int
    tax_minor: int | None
    instalments: tuple[Instalment, ...]
    ref_document_no: str | None
    reason: str | None
    content_hash: bytes

    @property
    def id(self) -> str:
        return document_id(self.entity, self.document_no)

    @property
    def account(self) -> str:
        """The credit account: the customer itself as long as there are no hierarchies."""
        return self.customer

    @property
    def key(self) -> str:
        return f"{self.entity}|{self.account}"


def document_id(entity: str, document_no: str) -> str:
    """The id of a document everywhere outside this service's tables."""
    return f"{entity}|{document_no}"


def item_id(document: str, n: int) -> str:
    """The id of an instalment as an open item."""
    return f"{document}|{n}"


def examine(draft: Draft) -> Document | list[Fault]:
    """
    Make a document of a draft, or return every fault it has (INV-01, INV-02).

    Identifiers and the entity are the caller's to check. Where the currency is unknown, amounts are read with as many decimals as any
    currency has, so that what is wrong with them is said as well.
    """
    faults: list[Fault] = []
    currency = draft.currency
    try:
        scale(currency)
    except CurrencyUnknown as error:
        faults.append(Fault(error.code, "currency"))
        currency = _MOST_DECIMALS
    if draft.type != TYPES[draft.kind]:
        faults.append(Fault("TYPE_NOT_SUPPORTED", "type"))
    if draft.issued_on < ISSUED_ON_MIN:
        faults.append(Fault("DATE_OUT_OF_RANGE", "issued_on"))
    total_minor = _positive(draft.total, currency, "total", faults)
    tax_minor = None if draft.tax is None else _amount(draft.tax, currency, "tax", faults)
    lines_minor = [_amount(line, currency, f"lines[{index}].amount", faults) for index, line in enumerate(draft.lines)]
    if lines_minor:
        _check_sum("LINES_SUM", "lines", [*lines_minor, 0 if draft.tax is None else tax_minor], total_minor, faults)
    instalments = _schedule(draft, currency, total_minor, faults) if draft.kind == "invoice" else ()
    if faults or total_minor is None:
        return faults
    reason = draft.reason if draft.reason is not None and _reason_code(draft.reason) else None
    return Document(
        kind=draft.kind,
        entity=draft.entity,
        document_no=draft.document_no,
        type=draft.type,
        customer=draft.customer,
        currency=draft.currency,
        issued_on=draft.issued_on,
        total_minor=total_minor,
        tax_minor=tax_minor,
        instalments=instalments,
        ref_document_no=draft.ref_document_no,
        reason=reason,
        content_hash=_content_hash(draft, total_minor, tax_minor, lines_minor, instalments, reason),
    )


def _content_hash(
    draft: Draft,
    total_minor: int,
    tax_minor: int | None,
    lines_minor: Sequence[int | None],
    instalments: Sequence[Instalment],
    reason: str | None,
) -> bytes:
    """
    Fingerprint what a document says, however it is written: "10.0" is "10.00", and NET30 is the same day written as an instalment.

    Stored with the document and compared for ever: another order or spelling of this list needs a migration.
    """
    content = [
        *(draft.kind, draft.type, draft.entity, draft.document_no, draft.customer, draft.currency, draft.issued_on.isoformat()),
        *(total_minor, tax_minor, list(lines_minor), [(part.due_on.isoformat(), part.amount_minor) for part in instalments]),
        *(draft.ref_document_no, reason),
    ]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).digest()


def _schedule(draft: Draft, currency: str, total_minor: int | None, faults: list[Fault]) -> tuple[Instalment, ...]:
    """Read when an invoice is due: `NET<n>` calendar days after it was issued, or its own instalments, one of the two."""
    if draft.terms is not None and draft.instalments:
        faults.append(Fault("TERMS_AND_INSTALMENTS", "terms"))
    elif draft.terms is None and not draft.instalments:
        faults.append(Fault("TERMS_MISSING", "terms"))
    due_on = _due_on(draft.terms, draft.issued_on, faults) if draft.terms is not None else None
    if not draft.instalments:
        return () if due_on is None or total_minor is None else (Instalment(1, due_on, total_minor),)
    if len(draft.instalments) > INSTALMENTS_MAX:
        faults.append(Fault("INSTALMENTS_TOO_MANY", "instalments"))
        return ()
    parts: list[int | None] = []
    for index, (part_due_on, amount) in enumerate(draft.instalments):
        if part_due_on < ISSUED_ON_MIN:
            faults.append(Fault("DATE_OUT_OF_RANGE", f"instalments[{index}].due_on"))
        parts.append(_positive(amount, currency, f"instalments[{index}].amount", faults))
    _check_sum("INSTALMENTS_SUM", "instalments", parts, total_minor, faults)
    dated = zip(draft.instalments, parts, strict=True)
    return tuple(Instalment(n, due, minor) for n, ((due, _), minor) in enumerate(dated, start=1) if minor is not None)


def _due_on(terms: str, issued_on: date, faults: list[Fault]) -> date | None:
    match = _terms(terms)
    if match is None or int(match[1]) > NET_DAYS_MAX:
        faults.append(Fault("TERMS_UNKNOWN", "terms"))
        return None
    try:
        return issued_on + timedelta(days=int(match[1]))
    except OverflowError:
        faults.append(Fault("DATE_OUT_OF_RANGE", "terms"))
        return None


def _amount(text: str, currency: str, field: str, faults: list[Fault]) -> int | None:
    try:
        return parse_minor(text, currency)
    except AmountRefused as error:
        faults.append(Fault(error.code, field))
        return None


def _positive(text: str, currency: str, field: str, faults: list[Fault]) -> int | None:
    minor = _amount(text, currency, field, faults)
    if minor is not None and minor <= 0:
        faults.append(Fault("AMOUNT_NOT_POSITIVE", field))
    return minor


def _check_sum(code: str, field: str, parts: Iterable[int | None], total_minor: int | None, faults: list[Fault]) -> None:
    """Say that the parts do not add up; where one of them could not be read, that has been said already."""
    read = list(parts)
    known = [minor for minor in read if minor is not None]
    if total_minor is not None and len(known) == len(read) and sum(known) != total_minor:
        faults.append(Fault(code, field))


def settlement_status(total_minor: int, open_minor: int) -> SettlementStatus:
    """How much of a document has been settled, by what the settlement ledger has said so far (INV-05)."""
    if open_minor >= total_minor:
        return "open"
    return "partially_settled" if open_minor > 0 else "settled"


def overdue_days(owed: Iterable[tuple[date, int]], as_of: date) -> int:
    """Count the days the oldest open part is past its due date on `as_of`; 0 when none is. `owed` is (due date, open minor units)."""
    return max((0, *((as_of - due_on).days for due_on, open_minor in owed if open_minor > 0)))
