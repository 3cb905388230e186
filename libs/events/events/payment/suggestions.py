"""Facts about matches that people decide, and about the policies that decide the others."""

from datetime import date
from typing import Any

import msgspec

from events.fact import Amount, Event, fact


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An item that money may be for: how much of it, and how the figure came about."""

    item: str
    amount: Amount
    score: str
    reasons: list[str]


@fact("receivables.MatchSuggested.v1", topic="receivables.payment")
class MatchSuggested(Event, frozen=True, kw_only=True):
    """
    Published when a day turned and a receipt with free money was found to fit open items, not surely enough to apply it (PAY-06, PAY-18).

    `rule` is `exact_amount` (one item needs just this), `exact_cover` (just one set of items does), `similar` (customer, number and amount
    together) or `already_paid` (similar to an item that other money has settled: paid twice, nothing is to be applied). The candidates are
    one proposal together; credit of a memo that goes with the money has a negative amount. `amount` is the free money. `score` is between 0
    and 1, as a decimal string. Key `entity|account`, or the receipt's own while its payer is unknown.

    Does not imply that anything was applied: a person accepts or rejects it.
    """

    entity: str
    suggestion: str
    receipt: str
    currency: str
    amount: Amount
    score: str
    rule: str
    candidates: list[Candidate]
    account: str | None = None
    policy_version: str | None = None


@fact("receivables.SuggestionAccepted.v1", topic="receivables.payment")
class SuggestionAccepted(Event, frozen=True, kw_only=True):
    """
    Published when a person took a suggestion, whole or in part.

    Does not imply how much was applied: `PaymentApplied` with rule `person` says it.
    """

    entity: str
    suggestion: str
    receipt: str
    account: str
    accepted_by: str
    items: list[str]


@fact("receivables.SuggestionRejected.v1", topic="receivables.payment")
class SuggestionRejected(Event, frozen=True, kw_only=True):
    """
    Published when a person refused a suggestion: it is not made again.

    Does not imply that the money was placed elsewhere.
    """

    entity: str
    suggestion: str
    receipt: str
    rejected_by: str
    reason: str
    account: str | None = None


@fact("receivables.PaymentPolicyPublished.v1", topic="receivables.payment")
class PaymentPolicyPublished(Event, frozen=True, kw_only=True):
    """
    Published when a policy of the payment service was approved: in force from the opening of the next business day on. Key `entity|policy`.

    `kind` is `cash_application`, `tolerances`, `refund_limits` or `revaluation`; `version` is counted from 1 by kind.

    Does not imply that anything decided before changes.
    """

    entity: str
    kind: str
    version: str
    valid_from: date
    body: dict[str, Any]
    proposed_by: str
    approved_by: str
