"""
What a document has to be before it is ours. Pure: values in, values out.

A `Draft` is what somebody sent; `examine` makes it a `Document` or says every reason why it cannot be one. Amounts become minor units here,
once, and nowhere else. What was decided (due dates, discounts, the value in the entity's currency) is kept: no later policy changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
from money import CurrencyUnknown, scale

from invoice.domain.components import Components, LineMinor, check_amounts, components_of, read_lines
from invoice.domain.content import content_hash
from invoice.domain.discounts import DiscountTerms, discount_terms
from invoice.domain.drafts import CORRECTED, CREDIT_NOTE, Draft, Kind, Opening, document_id, item_id
from invoice.domain.due_rules import NET_DAYS_MAX
from invoice.domain.faults import ISSUED_ON_MIN, Fault, as_code, check_day, check_sum, read_amount, read_owed, read_percent
from invoice.domain.schedules import INSTALMENTS_MAX, Instalment, Retention, RollDay, instalments_by_terms, retained
from invoice.domain.tags import Assignment, Project, References, check_tags
from invoice.domain.terms import NO_CHOICES, TIERS_MAX, DiscountRules, TermsVersion, Tier, are_ordered, find_terms
from invoice.domain.valuation import Rate, Valuation, check_rate, valuation_of

__all__ = [
    "INSTALMENTS_MAX",
    "ISSUED_ON_MIN",
    "STANDARD",
    "TYPES",
    "Document",
    "Draft",
    "Fault",
    "InForce",
    "Instalment",
    "Kind",
    "document_id",
    "examine",
    "item_id",
]

TYPES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "invoice": ("380", "384", "386", "389", "393"),
    "debit_memo": ("383",),
    "credit_memo": ("381", "261", "396"),
}
"""
The codes of UNTDID 1001 that each kind is accepted under (INV-02).

Invoice, corrected invoice, prepayment, self-billed, factored; debit note; credit note, self-billed credit note, factored credit note.
"""

_MOST_DECIMALS: Final = "CLF"  # Four: reads every amount that some currency could have.
_FIELDS_OF_OPENING: Final = {"total": "open", "instalments[0].amount": "open", "instalments[0].due_on": "due_on", "instalments": "open"}


def _stay(day: date, convention: str) -> date:
    return day


@dataclass(frozen=True, slots=True)
class InForce:
    """
    What counts for the documents of one entity on its open day: everything in it was booked before that day.

    `terms` and `default_terms` (first day, code or None) ascend; `rates` are by currency and day of issue. `accounts` are by customer, who
    is its own where it has none; `placed` are customer and account of documents that are here, by number.
    """

    currency: str | None = None
    terms: Sequence[TermsVersion] = ()
    default_terms: Sequence[tuple[date, str | None]] = ()
    roll: RollDay = _stay
    rates: Mapping[tuple[str, date], Rate] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)
    placed: Mapping[str, tuple[str, str]] = field(default_factory=dict)


STANDARD: Final = InForce()
"""No policy, no calendar, no rate: the built-in grammar of terms alone."""


class Document(msgspec.Struct, frozen=True, gc=False):  # As `Draft`.
    """
    An issued document. Invoices and debit memos have instalments, which sum to the total; credit memos have none.

    `account` is the credit account: the customer itself or whom it settles under, fixed when the document comes.
    `tax_minor` is None where nobody said what of the total is tax; `components` then take it for goods.
    """

    kind: Kind
    entity: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total_minor: int
    tax_minor: int | None
    instalments: tuple[Instalment, ...]
    ref_document_no: str | None
    reason: str | None
    content_hash: bytes
    components: Components
    has_components: bool
    terms: str | None = None
    policy_version: str | None = None
    discount: DiscountTerms | None = None
    references: References | None = None
    valuation: Valuation | None = None
    project: Project | None = None
    assignment: Assignment | None = None
    origin: str | None = None
    origin_id: str | None = None
    dispute: str | None = None

    @property
    def id(self) -> str:
        return document_id(self.entity, self.document_no)

    @property
    def key(self) -> str:
        return f"{self.entity}|{self.account}"

    @property
    def corrects(self) -> str | None:
        """The number of the invoice that this one takes the place of."""
        return self.ref_document_no if self.origin == "correction" else None

    def with_tax(self, tax_minor: int) -> "Document":
        """Return the document with its tax stated, where its sender left it to us."""
        return msgspec.structs.replace(
            self, tax_minor=tax_minor, components=components_of(self.total_minor, tax_minor, ()), has_components=True
        )


class _Plan(NamedTuple):
    """When and under which terms a document is to be paid."""

    instalments: tuple[Instalment, ...] = ()
    terms: str | None = None
    version: str | None = None
    tiers: tuple[Tier, ...] = ()
    rules: DiscountRules = NO_CHOICES


class _Amounts(NamedTuple):
    """The amounts of a draft in minor units; None is one that could not be read, and for a tax also one that nobody stated."""

    currency: str
    total: int | None
    stated_tax: int | None
    tax: int | None
    lines: list[LineMinor | None]
    parts: list[int | None]


def examine(draft: Draft, in_force: InForce = STANDARD) -> Document | list[Fault]:
    """
    Make a document of a draft, or return every fault it has (INV-01, INV-02).

    Identifiers and the entity are the caller's to check. Where the currency is unknown, amounts are read with as many decimals as any
    currency has, so that what is wrong with them is said as well.
    """
    faults: list[Fault] = []
    amounts = _read_amounts(draft, faults)
    check_tags(draft.references, draft.project, draft.assignment, faults)
    plan = _plan(draft, in_force, amounts, faults)
    if draft.opening is not None:
        _check_opening(draft, draft.opening, amounts, plan, faults)
    valuation = _valuation(draft, in_force, amounts, faults)
    if not faults and amounts.total is not None:
        components = components_of(amounts.total, amounts.tax, amounts.lines)
        discount = _discount(draft, plan, components, faults)
        if not faults:
            return _made(draft, in_force, amounts, amounts.total, plan, components, discount, valuation)
    return faults if draft.opening is None else _of_opening(faults)


def account_for(draft: Draft, in_force: InForce) -> str:
    """
    Return the account a document settles under, for good: that of its customer, whatever parent this one gets later (PAY-11).

    What is about a document of the same customer that is here from an earlier day goes where that one is.
    """
    if draft.account is not None:
        return draft.account
    customer, account = in_force.placed.get(draft.ref_document_no or "", (None, None))
    if account is not None and customer == draft.customer:
        return account
    return in_force.accounts.get(draft.customer, draft.customer)


def _made(
    draft: Draft,
    in_force: InForce,
    amounts: _Amounts,
    total_minor: int,
    plan: _Plan,
    components: Components,
    discount: DiscountTerms | None,
    valuation: Valuation | None,
) -> Document:
    reason = as_code(draft.reason)
    origin, origin_id = draft.origin, draft.origin_id
    if draft.type == CORRECTED and draft.opening is None and draft.ref_document_no is not None:
        origin, origin_id = "correction", document_id(draft.entity, draft.ref_document_no)
    return Document(
        kind=draft.kind,
        entity=draft.entity,
        document_no=draft.document_no,
        type=CREDIT_NOTE if draft.kind == "credit_memo" and draft.type not in TYPES["credit_memo"] else draft.type,
        customer=draft.customer,
        account=account_for(draft, in_force),
        currency=draft.currency,
        issued_on=draft.issued_on,
        total_minor=total_minor,
        tax_minor=amounts.tax,
        instalments=plan.instalments,
        ref_document_no=draft.ref_document_no,
        reason=reason,
        content_hash=content_hash(draft, total_minor, amounts.stated_tax, amounts.lines, amounts.parts, reason),
        components=components,
        has_components=amounts.tax is not None or bool(amounts.lines),
        terms=plan.terms,
        policy_version=plan.version,
        discount=discount,
        references=draft.references,
        valuation=valuation,
        project=draft.project,
        assignment=draft.assignment,
        origin=origin,
        origin_id=origin_id,
        dispute=draft.dispute,
    )


def _read_amounts(draft: Draft, faults: list[Fault]) -> _Amounts:
    """Read every amount, and check what stands at the head of the document beside them."""
    currency = draft.currency
    try:
        scale(currency)
    except CurrencyUnknown as error:
        faults.append(Fault(error.code, "currency"))
        currency = _MOST_DECIMALS
    _check_head(draft, faults)
    total = read_owed(draft.total, currency, "total", faults)
    stated_tax = None if draft.tax is None else read_amount(draft.tax, currency, "tax", faults)
    lines = read_lines(draft.lines, currency, faults)
    tax = check_amounts(total, stated_tax, draft.tax is not None, lines, faults)
    return _Amounts(currency, total, stated_tax, tax, lines, _parts(draft, currency, total, faults))


def _check_head(draft: Draft, faults: list[Fault]) -> None:
    is_credit_of_another = draft.opening is not None and draft.kind == "credit_memo"  # It was overpaid: its type tells what it was.
    allowed = [code for codes in TYPES.values() for code in codes] if is_credit_of_another else TYPES[draft.kind]
    if draft.type not in allowed:
        faults.append(Fault("TYPE_NOT_SUPPORTED", "type"))
    check_day(draft.issued_on, "issued_on", faults)
    if draft.type == CORRECTED and draft.opening is None and draft.ref_document_no is None:
        faults.append(Fault("MISSING", "ref_document_no"))
    if draft.ref_document_no is not None and draft.ref_document_no == draft.document_no:
        faults.append(Fault("REFERENCE_TO_ITSELF", "ref_document_no"))


def _parts(draft: Draft, currency: str, total_minor: int | None, faults: list[Fault]) -> list[int | None]:
    """Read the amounts of a draft's own instalments; only a document of nothing has instalments of nothing."""
    if len(draft.instalments) > INSTALMENTS_MAX:
        faults.append(Fault("INSTALMENTS_TOO_MANY", "instalments"))
        return []
    parts: list[int | None] = []
    for index, (due_on, amount) in enumerate(draft.instalments):
        check_day(due_on, f"instalments[{index}].due_on", faults)
        minor = read_amount(amount, currency, f"instalments[{index}].amount", faults)
        if minor is not None and minor <= 0 and (minor or total_minor):
            faults.append(Fault("AMOUNT_NOT_POSITIVE", f"instalments[{index}].amount"))
        parts.append(minor)
    if parts:
        check_sum("INSTALMENTS_SUM", "instalments", parts, total_minor, faults)
    return parts


def _plan(draft: Draft, in_force: InForce, amounts: _Amounts, faults: list[Fault]) -> _Plan:
    """Say when a document is due: by its terms or by its own instalments, one of the two; credit is never due."""
    if draft.kind == "credit_memo":
        if draft.terms is not None or draft.instalments:
            faults.append(Fault("TERMS_OF_CREDIT", "terms"))
        return _Plan()
    code = draft.terms
    if code is not None and draft.instalments:
        faults.append(Fault("TERMS_AND_INSTALMENTS", "terms"))
    elif code is None and not draft.instalments:
        code = next((terms for begins_on, terms in reversed(in_force.default_terms) if begins_on <= draft.issued_on), None)
        if code is None:
            faults.append(Fault("TERMS_MISSING", "terms"))
    found = None if code is None else find_terms(code, draft.issued_on, in_force.terms)
    if code is not None and found is None:
        faults.append(Fault("TERMS_UNKNOWN", "terms"))
    tiers = _tiers(draft, found[0].tiers if found else (), faults)
    retention = _retention(draft, amounts.total)
    if found is None:
        return _Plan(_own_instalments(draft, amounts.parts, retention, faults), tiers=tiers)
    definition, version = found
    try:
        spread = instalments_by_terms(amounts.total or 0, draft.issued_on, definition, in_force.roll, retention)
    except OverflowError:
        faults.append(Fault("DATE_OUT_OF_RANGE", "terms"))
        return _Plan()
    return _Plan(spread, code, version, tiers, definition.discount)


def _own_instalments(draft: Draft, parts: Sequence[int | None], retention: Retention | None, faults: list[Fault]) -> tuple[Instalment, ...]:
    """Take the instalments as the draft says them; where part of the total is retained, the last of them is that part."""
    dated = enumerate(zip(draft.instalments, parts, strict=False), start=1)
    instalments = tuple(Instalment(n, due_on, minor) for n, ((due_on, _), minor) in dated if minor is not None)
    if retention is not None and instalments:
        last = instalments[-1]
        if (last.amount_minor, last.due_on) != (retention.amount_minor, retention.due_on):
            faults.append(Fault("RETENTION_NOT_LAST", "instalments"))
    return instalments


def _tiers(draft: Draft, of_terms: tuple[Tier, ...], faults: list[Fault]) -> tuple[Tier, ...]:
    """Return the discount tiers of the terms or of the draft; both may say them only where both say the same."""
    if not draft.discounts:
        return of_terms
    before, tiers = len(faults), []
    for index, (text, days) in enumerate(draft.discounts):
        percent = read_percent(text, f"discounts[{index}].percent", faults)
        if not 0 <= days <= NET_DAYS_MAX:
            faults.append(Fault("OUT_OF_RANGE", f"discounts[{index}].days"))
        if percent is not None:
            tiers.append(Tier(percent, days))
    if len(faults) > before:
        return ()
    if not are_ordered(tiers) or len(tiers) > TIERS_MAX:
        faults.append(Fault("DISCOUNTS_ORDER", "discounts"))
    if of_terms and list(of_terms) != tiers:
        faults.append(Fault("TERMS_AND_DISCOUNTS", "discounts"))
    return tuple(tiers)


def _retention(draft: Draft, total_minor: int | None) -> Retention | None:
    """Return what of the total is retained; one that is wrong was told by `check_tags`."""
    project = draft.project
    if project is None or project.retention_percent is None or project.retention_due_on is None or total_minor is None:
        return None
    percent = read_percent(project.retention_percent, "", [])
    return None if percent is None else Retention(retained(total_minor, percent), project.retention_due_on)


def _valuation(draft: Draft, in_force: InForce, amounts: _Amounts, faults: list[Fault]) -> Valuation | None:
    """Value the total in the entity's currency, where both currencies are known."""
    before = len(faults)
    if draft.fx is not None:
        check_rate(draft.fx, faults)
    if len(faults) > before or amounts.total is None or amounts.currency != draft.currency or in_force.currency is None:
        return None
    published = in_force.rates.get((draft.currency, draft.issued_on))
    return valuation_of(amounts.total, draft.currency, in_force.currency, draft.fx, published, faults)


def _discount(draft: Draft, plan: _Plan, components: Components, faults: list[Fault]) -> DiscountTerms | None:
    """State the discount in money; what is left of an old document has none, because nobody knows what of it is left."""
    opening = draft.opening
    if opening is not None and opening.original_total is not None and Decimal(draft.total) != Decimal(opening.original_total):
        return None
    try:
        return discount_terms(plan.tiers, plan.rules, components, draft.issued_on)
    except OverflowError:
        faults.append(Fault("DATE_OUT_OF_RANGE", "discounts"))
        return None


def _check_opening(draft: Draft, opening: Opening, amounts: _Amounts, plan: _Plan, faults: list[Fault]) -> None:
    """Check what only an opening balance has: something is open, not more than there was, and one due date."""
    check_day(opening.as_of, "as_of", faults)
    if opening.as_of < draft.issued_on:
        faults.append(Fault("AS_OF_BEFORE_ISSUE", "as_of"))
    if amounts.total == 0:
        faults.append(Fault("NOTHING_OPEN", "open"))
    if len(plan.instalments) > 1:
        faults.append(Fault("INSTALMENTS_OF_OPENING", "terms"))  # Which of them are left is not known: `due_on` says it.
    if opening.original_total is not None:
        original = read_amount(opening.original_total, amounts.currency, "original_total", faults)
        if original is not None and amounts.total is not None and abs(original) < amounts.total:
            faults.append(Fault("OPEN_EXCEEDS_TOTAL", "open"))


def _of_opening(faults: Sequence[Fault]) -> list[Fault]:
    """Tell the faults of an opening balance by the fields its sender wrote."""
    return list(dict.fromkeys(Fault(fault.code, _FIELDS_OF_OPENING.get(fault.field, fault.field)) for fault in faults))
