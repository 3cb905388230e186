"""HTTP bodies of suggestions, of receipts without a payer, and of aliases."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

from money import format_minor
from pydantic import BaseModel, Field

from payment.domain.scores import Scoring, format_score
from payment.domain.suggestions import Found, Part, Suggestion
from payment.handlers.identification import Recommendation
from payment.queries.identification import StoredAlias
from payment.queries.made import StoredSuggestion
from payment.queries.suggestions import FreeReceipt
from payment.schemas.values import Body

ITEMS_MAX: Final = 100
_CODE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$"
Reason = Annotated[
    str, Field(pattern=_CODE, examples=["CONFIRMED"], description="A code of at most 40 characters: letters, digits, `_`, `.` and `-`.")
]


class TakenBody(Body):
    """So much of an item of a suggestion."""

    item: str = Field(examples=["US01|INV-1|1"])
    amount: str = Field(examples=["5000.00"])


class AcceptanceBody(Body):
    """A suggestion is taken: whole, or, with `items`, in part."""

    reason: Reason
    items: list[TakenBody] | None = Field(default=None, min_length=1, max_length=ITEMS_MAX)


class SuggestionRejectionBody(Body):
    """A suggestion is refused, and not made again."""

    reason: Reason


class PayerBody(Body):
    """Who paid a receipt, by a person; with `learn` the debtor's bank account and name are remembered, for somebody else to look at."""

    entity: str = Field(examples=["US01"])
    customer: str = Field(examples=["C-1"])
    reason: Reason
    learn: bool = False


class ReviewBody(Body):
    """A look at an alias."""

    reason: Reason


class CandidateOut(BaseModel):
    """An item of a suggestion, or credit of a memo with a negative amount; `reasons` are codes with figures."""

    item: str
    amount: str
    score: str
    reasons: list[str]

    @classmethod
    def of(cls, part: Part, currency: str) -> "CandidateOut":
        """Show a part of a suggestion."""
        amount, score = format_minor(part.amount_minor, currency), format_score(part.score_bps)
        return cls(item=part.item, amount=amount, score=score, reasons=list(part.reasons))


class SuggestionOut(BaseModel):
    """
    What money of a receipt may be for, all candidates together; `account` is whose items they are.

    `state` is `open` while nobody has decided about it. `free` is what of the receipt nothing had placed.
    """

    suggestion: str
    receipt: str
    account: str
    currency: str
    free: str
    rule: str
    score: str
    candidates: list[CandidateOut]
    policy_version: str
    state: str
    decided_by: str | None = None
    decided_on: date | None = None
    reason: str | None = None

    @classmethod
    def of(cls, suggestion: Suggestion, currency: str, free_minor: int, policy_version: str) -> "SuggestionOut":
        """Show a suggestion that was computed just now."""
        return cls(
            suggestion=suggestion.id,
            receipt=suggestion.receipt,
            account=suggestion.account,
            currency=currency,
            free=format_minor(free_minor, currency),
            rule=suggestion.rule,
            score=format_score(suggestion.score_bps),
            candidates=[CandidateOut.of(one, currency) for one in suggestion.parts],
            policy_version=policy_version,
            state="open",
        )

    @classmethod
    def of_stored(cls, stored: StoredSuggestion) -> "SuggestionOut":
        """Show a suggestion that was told or decided about."""
        shown = cls.of(stored.suggestion, stored.currency, stored.free_minor, stored.policy_version)
        decided = {"decided_by": stored.decided_by, "decided_on": stored.decided_on, "reason": stored.reason}
        return shown.model_copy(update={"state": "open" if stored.state == "made" else stored.state, **decided})


class ThresholdsOut(BaseModel):
    """What scores are held against, and the weights they are made of, as decimal strings from 0 to 1."""

    customer: str
    minimum: str
    auto_apply: str | None
    customer_weight: str
    transaction_weight: str
    amount_weight: str
    policy_version: str

    @classmethod
    def of(cls, scoring: Scoring) -> "ThresholdsOut":
        """Show how an entity scores matches."""
        return cls(
            customer=format_score(scoring.recommended_bps),
            minimum=format_score(scoring.minimum_bps),
            auto_apply=None if scoring.auto_apply_bps is None else format_score(scoring.auto_apply_bps),
            customer_weight=format_score(scoring.customer_weight_bps),
            transaction_weight=format_score(scoring.transaction_weight_bps),
            amount_weight=format_score(scoring.amount_weight_bps),
            policy_version=scoring.version,
        )


class SilenceOut(BaseModel):
    """A receipt with free money for which nothing is suggested, and why."""

    receipt: str
    account: str | None
    currency: str
    free: str
    reason: str


class SuggestionsOut(BaseModel):
    """A page of suggestions; `without` are the receipts of the page for which there is none. `next_cursor` is null on the last."""

    suggestions: list[SuggestionOut]
    without: list[SilenceOut]
    thresholds: ThresholdsOut
    next_cursor: str | None

    @classmethod
    def of(cls, receipts: Sequence[FreeReceipt], found: dict[int, Found], scoring: Scoring, next_cursor: str | None) -> "SuggestionsOut":
        """Show what was found for receipts."""
        made = [(one, suggestion) for one in receipts for suggestion in found[one.id].suggestions]
        without = [(one, silence) for one in receipts if (silence := found[one.id].silence) is not None]
        return cls(
            suggestions=[SuggestionOut.of(suggestion, one.currency, one.free_minor, scoring.version) for one, suggestion in made],
            without=[
                SilenceOut(
                    receipt=one.receipt,
                    account=one.account if one.is_identified else None,
                    currency=one.currency,
                    free=format_minor(one.free_minor, one.currency),
                    reason=silence,
                )
                for one, silence in without
            ],
            thresholds=ThresholdsOut.of(scoring),
            next_cursor=next_cursor,
        )


class RecommendationOut(BaseModel):
    """A customer who may have paid, and the account it settles under; `reasons` are codes with figures."""

    customer: str
    account: str
    score: str
    reasons: list[str]


class UnidentifiedOut(BaseModel):
    """A receipt without a payer, the days since it was booked, and who may have paid what. Names and remittances are personal data."""

    receipt: str
    bank_ref: str
    currency: str
    amount: str
    value_on: date
    booked_on: date
    age_days: int
    debtor_name: str | None
    remittance: str | None
    customers: list[RecommendationOut]
    suggestions: list[SuggestionOut]
    silence: str | None

    @classmethod
    def of(cls, receipt: FreeReceipt, found: Found, payers: Sequence[Recommendation], version: str, open_on: date) -> "UnidentifiedOut":
        """Show a receipt of the worklist."""
        return cls(
            receipt=receipt.receipt,
            bank_ref=receipt.bank_ref,
            currency=receipt.currency,
            amount=format_minor(receipt.free_minor, receipt.currency),
            value_on=receipt.value_on,
            booked_on=receipt.booked_on,
            age_days=(open_on - receipt.booked_on).days,
            debtor_name=receipt.debtor_name,
            remittance=receipt.remittance,
            customers=[
                RecommendationOut(customer=one.customer, account=one.account, score=format_score(one.score_bps), reasons=list(one.reasons))
                for one in payers
            ],
            suggestions=[SuggestionOut.of(one, receipt.currency, receipt.free_minor, version) for one in found.suggestions],
            silence=found.silence,
        )


class WorklistOut(BaseModel):
    """A page of receipts without a payer, in the order they came; `next_cursor` is null on the last."""

    receipts: list[UnidentifiedOut]
    next_cursor: str | None


class AliasOut(BaseModel):
    """
    By what a payer may be recognised (`bank_account` or `name`), learned from a receipt. It identifies by itself from the opening after it
    was LINKED. `name` is personal data; bank accounts are not kept in a form that can be shown.
    """

    alias: int
    entity: str
    kind: str
    customer: str
    name: str | None
    receipt: str
    state: str
    learned_by: str
    learned_on: date
    decided_by: str | None
    decided_on: date | None
    reason: str | None

    @classmethod
    def of(cls, stored: StoredAlias) -> "AliasOut":
        """Show an alias."""
        return cls(
            alias=stored.id,
            entity=stored.entity,
            kind=stored.kind,
            customer=stored.account,
            name=stored.shown,
            receipt=stored.receipt,
            state=stored.state,
            learned_by=stored.learned_by,
            learned_on=stored.learned_on,
            decided_by=stored.decided_by,
            decided_on=stored.decided_on,
            reason=stored.reason,
        )


class AliasesOut(BaseModel):
    """A page of aliases, in the order they were learned; `next_cursor` is null on the last."""

    aliases: list[AliasOut]
    next_cursor: str | None


class IdentifiedOut(BaseModel):
    """What became of a receipt whose payer a person named, and the aliases that were learned from it."""

    receipt: str
    account: str
    aliases: list[int]
