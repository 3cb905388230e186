"""Facts of the invoice service (topic `receivables.invoice`)."""

from datetime import date
from typing import Any

import msgspec

from events.erp import Assignment, Project, References
from events.fact import Amount, Event, fact


class Instalment(msgspec.Struct, frozen=True, kw_only=True):
    """One instalment of a document: its number from 1, due date and amount. It becomes the item `entity|document_no|n`."""

    n: int
    due_on: date
    amount: Amount


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was refused: a stable code and the field it is about. No values, no free text."""

    code: str
    field: str


class Components(msgspec.Struct, frozen=True, kw_only=True):
    """What a total is made of; the parts sum to it. `goods`, `freight` and `charges` are net of `tax`."""

    goods: Amount
    tax: Amount
    freight: Amount
    charges: Amount


class DiscountTier(msgspec.Struct, frozen=True, kw_only=True):
    """
    One tier of an early-payment discount: `amount` is the full discount of the document, tax part included, for a value date up to
    `until_on` (grace days not counted in); `tax` is that part.
    """

    percent: str
    until_on: date
    amount: Amount
    tax: Amount


class DiscountTerms(msgspec.Struct, frozen=True, kw_only=True):
    """
    Under which terms a document may be paid early for less (INV-04).

    `tax_choice` is `included` (base and tax discounted), `excluded` (base only) or `mixed` (the tax was computed on the discounted base
    from the start). `base` is `gross` or `goods` (freight and charges not discounted). `partial` is `prorate` or `full_payment_only`.
    """

    tiers: list[DiscountTier]
    grace_days: int
    tax_choice: str
    base: str
    partial: str
    unearned_allowed: bool = False


class Valuation(msgspec.Struct, frozen=True, kw_only=True):
    """The document in the entity's currency: the rate (units of it for one unit of the document's), its day and type, and the total."""

    currency: str
    rate: str
    rate_on: date
    type: str
    total: Amount


class Billed(Event, frozen=True, kw_only=True):
    """What invoices and debit memos have in common: instalments, each of which is an open item."""

    entity: str
    invoice: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total: Amount
    instalments: list[Instalment]
    tax: Amount | None = None
    terms: str | None = None
    policy_version: str | None = None
    components: Components | None = None
    discount: DiscountTerms | None = None
    references: References | None = None
    ref_invoice: str | None = None
    reason: str | None = None
    valuation: Valuation | None = None
    project: Project | None = None
    assignment: Assignment | None = None
    origin: str | None = None
    origin_id: str | None = None


@fact("receivables.InvoiceIssued.v1", topic="receivables.invoice")
class InvoiceIssued(Billed, frozen=True, kw_only=True):
    """
    Published once for every invoice accepted from an ERP or over HTTP, or made by a billing schedule; effective on `issued_on`.

    Each instalment is one open item. `account` is the credit account the customer settles under, fixed for the item's life. `type` is its
    UNTDID 1001 code. `origin` is left out for what came as such, else `opening_balance`, `schedule` or `correction`; `origin_id` says which
    one. `policy_version` names the terms policy its due dates were made by.

    Does not imply delivery to the customer, nor that anything is due yet. An instalment of zero is settled from the start.
    """


@fact("receivables.DebitMemoIssued.v1", topic="receivables.invoice")
class DebitMemoIssued(Billed, frozen=True, kw_only=True):
    """
    Published once for every debit memo accepted, for every late charge that is posted (`origin` `late_charge`, `origin_id` the charge), and
    for the fee of a payment that a bank took back (`return_fee`, the receipt), or for that payment itself (`returned_payment`).

    Payable like an invoice: its instalments are open items, and `invoice` is its own id. `ref_invoice` is the document it is about.

    Does not imply that the referenced invoice is open, or known.
    """


@fact("receivables.CreditMemoIssued.v1", topic="receivables.invoice")
class CreditMemoIssued(Event, frozen=True, kw_only=True):
    """
    Published once for every credit memo accepted; effective on `issued_on`.

    `total` is open credit of the account until the payment service says where it went (`CreditApplied`).

    `dispute` names the dispute that it ends or answers, if any.

    Does not imply that the referenced invoice (`ref_invoice`) has been reduced, or is known.
    """

    entity: str
    memo: str
    document_no: str
    type: str
    customer: str
    account: str
    currency: str
    issued_on: date
    total: Amount
    ref_invoice: str | None = None
    reason: str | None = None
    tax: Amount | None = None
    components: Components | None = None
    references: References | None = None
    valuation: Valuation | None = None
    origin: str | None = None
    origin_id: str | None = None
    dispute: str | None = None


@fact("receivables.InvoiceVoided.v1", topic="receivables.invoice")
class InvoiceVoided(Event, frozen=True, kw_only=True):
    """
    Published once when an invoice or debit memo became worth nothing: each of its items is billed `amount` less, which is all of it.

    Effective on the day the void counts from, never before the document. `replaced_by` is the corrected invoice, if one replaced it;
    `origin` is that of the document: a voided late charge is no less sold.

    Does not imply that nothing was paid: what was applied comes back with `ApplicationReversed`.
    """

    entity: str
    invoice: str
    document_no: str
    customer: str
    account: str
    currency: str
    total: Amount
    instalments: list[Instalment]
    reason: str | None = None
    replaced_by: str | None = None
    origin: str | None = None


@fact("receivables.InstalmentFellDue.v1", topic="receivables.invoice")
class InstalmentFellDue(Event, frozen=True, kw_only=True):
    """
    Published once for every instalment of a document that was not voided, when the day it is due has started; effective on `due_on`.

    One that was due before its document came is told when the next day starts.

    Does not imply that anything of it is open: the payment service knows (`InstalmentOverdue`).
    """

    entity: str
    invoice: str
    item: str
    n: int
    customer: str
    account: str
    currency: str
    due_on: date
    amount: Amount


class ChargeRange(msgspec.Struct, frozen=True, kw_only=True):
    """
    A run of days with one principal and one rate: both days included, `days` counted by the convention. `interest` is exact to ten
    decimals of a unit of the currency; only the sum is rounded.
    """

    from_on: date
    through_on: date
    days: int
    principal: Amount
    rate_percent: str
    interest: str


@fact("receivables.LateChargeAssessed.v1", topic="receivables.invoice")
class LateChargeAssessed(Event, frozen=True, kw_only=True):
    """
    Published when interest or a fixed sum was charged on a late item (INV-09): how it was computed, day range by day range.

    `accrued` is all interest of the item from its due date through `through_on`, rounded once; `charged_before` the interest that earlier
    charges came to; `fixed` a fixed sum for the claim, charged once. `amount` is what this one charges: `accrued`, or what the policy makes
    of it where it is `limited_by` `minimum` or `cap`, less `charged_before`, plus `fixed`; below zero where a payment booked late or a void
    corrects earlier charges. `posting` is `debit_memo`, `credit_memo` for what is given back of posted charges (`document` is the memo), or
    `memo_only` (nothing is owed by it). `policy_version` names every version that was used, joined by commas.

    Does not imply an open item: only the `DebitMemoIssued` of a posted charge makes one.
    """

    entity: str
    charge: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    amount: Amount
    accrued: Amount
    charged_before: Amount
    fixed: Amount
    through_on: date
    day_count: str
    ranges: list[ChargeRange]
    posting: str
    policy_version: str
    document: str | None = None
    limited_by: str | None = None


@fact("receivables.WriteOffApproved.v1", topic="receivables.invoice")
class WriteOffApproved(Event, frozen=True, kw_only=True):
    """
    Published when an adjustment or write-off of an item was decided: by a second person, or by policy where `approved_by` is left out.

    `kind` is `small_balance`, `bad_debt`, `rounding`, `discount_exception`, `fee_waiver` or `settlement`; `tax` the part of `amount` that
    is tax. `requested_by` and `approved_by` are principals, `limit` the approval limit that allowed it.

    Does not imply that so much was open: `AdjustmentPosted` says what was taken off the item.
    """

    entity: str
    request: str
    item: str
    invoice: str
    customer: str
    account: str
    currency: str
    amount: Amount
    tax: Amount
    kind: str
    requested_by: str
    policy_version: str
    reason: str | None = None
    approved_by: str | None = None
    limit: Amount | None = None


@fact("receivables.WriteOffRejected.v1", topic="receivables.invoice")
class WriteOffRejected(Event, frozen=True, kw_only=True):
    """
    Published when a request to adjust or write off an item came to nothing: `outcome` is `rejected`, `expired` or `withdrawn`.

    Does not imply anything about the item.
    """

    entity: str
    request: str
    item: str
    account: str
    currency: str
    amount: Amount
    kind: str
    outcome: str
    requested_by: str
    decided_by: str | None = None
    reason: str | None = None


@fact("receivables.ConsolidatedBillIssued.v1", topic="receivables.invoice")
class ConsolidatedBillIssued(Event, frozen=True, kw_only=True):
    """
    Published when invoices of one account and currency were put together under one payable reference (INV-12).

    `total` is what was open of the invoices when they were billed together. A payment that names `bill_no` or `payment_reference` means all
    of them. `replaces` are earlier bills whose open invoices are on this one now.

    Does not imply a new debt: only its invoices are items.
    """

    entity: str
    bill: str
    bill_no: str
    customer: str
    account: str
    currency: str
    issued_on: date
    through_on: date
    total: Amount
    invoices: list[str]
    payment_reference: str
    due_on: date | None = None
    replaces: list[str] = msgspec.field(default_factory=list)


@fact("receivables.InvoicePolicyPublished.v1", topic="receivables.invoice")
class InvoicePolicyPublished(Event, frozen=True, kw_only=True):
    """
    Published when a policy of the invoice service was approved: in force from the opening of the next business day, for what it dates
    from `valid_from` on. Key `entity|policy`.

    `kind` is `terms`, `late_charges`, `approval_limits`, `tolerances`, `split` or `documents`; `version` is counted from 1 by kind.

    Does not imply that anything decided before changes.
    """

    entity: str
    kind: str
    version: str
    valid_from: date
    body: dict[str, Any]
    proposed_by: str
    approved_by: str


@fact("receivables.DocumentRejected.v1", topic="receivables.invoice")
class DocumentRejected(Event, frozen=True, kw_only=True):
    """
    Published when a document from an ERP was refused: every reason at once, and where the refused record is kept for redrive. Also when a
    billing schedule could not bill (`source_type` `billing_schedule`, `source_id` the occurrence), which is tried again day by day.

    Key `entity|customer` as its sender names it, or `?|<topic>|<partition>` where none could be read.

    Does not imply that a document of the same number is not there: with code `CONFLICT` one is, and it stays as it was.
    """

    source: str
    source_id: str
    source_type: str
    reasons: list[Reason]
    entity: str | None = None
    document_no: str | None = None
