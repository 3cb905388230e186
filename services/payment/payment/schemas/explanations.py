"""HTTP bodies of why something is applied."""

from collections.abc import Sequence
from datetime import date

from asyncpg import Record
from money import format_minor
from pydantic import BaseModel

from payment.domain import RECEIPT
from payment.domain.scores import format_score
from payment.handlers.explanations import Explanation
from payment.queries.made import StoredSuggestion
from payment.schemas.ledger import CameFromOut


class StepOut(BaseModel):
    """So much more (negative: less) since `effective_on`, booked on `booked_on`; `reason` says why something was taken back."""

    amount: str
    reason: str | None
    effective_on: date
    booked_on: date

    @classmethod
    def of(cls, row: Record, currency: str) -> "StepOut":
        """Write an entry."""
        amount = format_minor(row["amount_minor"], currency)
        return cls(amount=amount, reason=row["reason"], effective_on=row["effective_on"], booked_on=row["booked_on"])


class SourceOut(BaseModel):
    """
    The receipt (`value_on` its value date, `identified_by` what told whose it is) or the memo (`value_on` its date) it is made of.

    `came_from` is given of money of another account's receipt.
    """

    kind: str
    id: str
    amount: str
    value_on: date
    identified_by: str | None
    method: str | None
    names: str | None
    came_from: CameFromOut | None

    @classmethod
    def of(cls, told: Explanation) -> "SourceOut":
        """Write the source of an application."""
        row, is_receipt = told.of, told.source.kind == RECEIPT
        return cls(
            kind=told.source.kind,
            id=told.source.id,
            amount=format_minor(row["amount_minor" if is_receipt else "total_minor"], row["currency"]),
            value_on=row["value_on" if is_receipt else "issued_on"],
            identified_by=row["identified_by"] if is_receipt else None,
            method=row["method"] if is_receipt else None,
            names=None if is_receipt else row["names"],
            came_from=CameFromOut.of(row) if is_receipt and row["from_receipt"] is not None else None,
        )


class PaidItemOut(BaseModel):
    """The item it pays, as it stands now."""

    item: str
    invoice: str
    customer: str
    due_on: date
    total: str
    open: str

    @classmethod
    def of(cls, row: Record) -> "PaidItemOut":
        """Write the item of an application."""
        invoice = f"{row['entity']}|{row['document_no']}"
        return cls(
            item=f"{invoice}|{row['n']}",
            invoice=invoice,
            customer=row["customer"],
            due_on=row["due_on"],
            total=format_minor(row["total_minor"], row["currency"]),
            open=format_minor(row["open_minor"], row["currency"]),
        )


class DecisionOut(BaseModel):
    """What a person decided about this money or credit and this item: who, when and why."""

    decision: str
    kind: str
    amount: str
    effective_on: date
    booked_on: date
    reason: str
    decided_by: str

    @classmethod
    def of(cls, row: Record, currency: str) -> "DecisionOut":
        """Write a decision."""
        return cls(**{**dict(row), "amount": format_minor(row["amount_minor"], currency)})


class TakenSuggestionOut(BaseModel):
    """The suggestion somebody accepted: by what rule it was made, how it scored, and why this item."""

    suggestion: str
    rule: str
    score: str
    reasons: list[str]
    policy_version: str

    @classmethod
    def of(cls, stored: StoredSuggestion, item: str) -> "TakenSuggestionOut":
        """Write what of a suggestion concerns an item."""
        made = stored.suggestion
        return cls(
            suggestion=made.id,
            rule=made.rule,
            score=format_score(made.score_bps),
            reasons=[reason for part in made.parts if part.item == item for reason in part.reasons],
            policy_version=stored.policy_version,
        )


class AllowedOut(BaseModel):
    """What the payment was allowed to keep back of the item, as it stands, and how it came to that."""

    allowance: str
    kind: str
    amount: str
    steps: list[StepOut]

    @classmethod
    def all_of(cls, rows: Sequence[Record], currency: str) -> list["AllowedOut"]:
        """Write entries by the allowance they belong to."""
        by_allowance: dict[tuple[str, str], list[Record]] = {}
        for row in rows:
            by_allowance.setdefault((row["application"], row["rule"]), []).append(row)
        return [
            cls(
                allowance=allowance,
                kind=kind,
                amount=format_minor(sum(row["amount_minor"] for row in steps), currency),
                steps=[StepOut.of(row, currency) for row in steps],
            )
            for (allowance, kind), steps in by_allowance.items()
        ]


class ApplicationExplanationOut(BaseModel):
    """
    An application, from what stands of it down to what made it so.

    `rule` made it, under `policy_version` where it is one of the entity's policy, or a person by `decision` where it is `person`.
    `decisions` are all that people decided about this money and this item. `gain` (negative: a loss) is in `gain_currency`, the entity's.
    """

    application: str
    entity: str
    account: str
    currency: str
    amount: str
    effective_on: date
    booked_on: date
    rule: str
    policy_version: str | None
    decision: DecisionOut | None
    suggestion: TakenSuggestionOut | None
    source: SourceOut
    item: PaidItemOut
    steps: list[StepOut]
    allowances: list[AllowedOut]
    gain: str | None
    gain_currency: str | None
    decisions: list[DecisionOut]

    @classmethod
    def of(cls, told: Explanation) -> "ApplicationExplanationOut":
        """Write an explanation."""
        currency, first, base = told.item["currency"], told.steps[0], told.item["base_currency"]
        paid = PaidItemOut.of(told.item)
        has_gain = bool(told.gains) and base is not None
        return cls(
            application=told.application,
            entity=told.item["entity"],
            account=told.item["account"],
            currency=currency,
            amount=format_minor(sum(row["amount_minor"] for row in told.steps), currency),
            effective_on=first["effective_on"],
            booked_on=first["applied_on"],
            rule=first["rule"],
            policy_version=told.policy_version,
            decision=DecisionOut.of(told.decision, currency) if told.decision is not None else None,
            suggestion=TakenSuggestionOut.of(told.suggestion, paid.item) if told.suggestion is not None else None,
            source=SourceOut.of(told),
            item=paid,
            steps=[StepOut.of(row, currency) for row in told.steps],
            allowances=AllowedOut.all_of(told.allowed, currency),
            gain=format_minor(sum(row["amount_minor"] for row in told.gains), base) if has_gain else None,
            gain_currency=base if has_gain else None,
            decisions=[DecisionOut.of(row, currency) for row in told.decisions],
        )
