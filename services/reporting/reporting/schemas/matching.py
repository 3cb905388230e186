"""How well money was matched (PAY-17)."""

from datetime import date
from typing import Self

from money import format_minor
from pydantic import BaseModel, Field

from reporting.domain import MATCH_DEFINITIONS, MatchQuality, written_tenths


class MatchQualityRow(BaseModel):
    """The figures of one currency; `definitions` beside the rows says what each means, `not_defined` why one is null."""

    currency: str
    receipts: int
    received: str
    automatic_receipts: int
    applied_automatically: str
    applied_by_person: str
    auto_applied_percent: str | None
    touchless_amount_percent: str | None
    suggestions: int
    accepted: int
    rejected: int
    suggested_accepted_percent: str | None
    unapplied: str
    unapplied_age_days: str | None
    not_defined: dict[str, str]

    @classmethod
    def of(cls, quality: MatchQuality) -> Self:
        """Write counts as they are, amounts in their currency, percentages and days with one decimal."""
        matched, currency = quality.matched, quality.matched.currency
        tenths = {
            "auto_applied_percent": quality.auto_applied_tenths,
            "touchless_amount_percent": quality.touchless_amount_tenths,
            "suggested_accepted_percent": quality.suggested_accepted_tenths,
            "unapplied_age_days": quality.unapplied_age_tenths,
        }
        return cls(
            currency=currency,
            receipts=matched.receipts,
            received=format_minor(matched.received_minor, currency),
            automatic_receipts=matched.automatic_receipts,
            applied_automatically=format_minor(matched.automatic_minor, currency),
            applied_by_person=format_minor(matched.by_person_minor, currency),
            suggestions=matched.suggestions,
            accepted=matched.accepted,
            rejected=matched.rejected,
            unapplied=format_minor(matched.free_minor, currency),
            **{name: None if figure is None else written_tenths(figure) for name, figure in tenths.items()},
            not_defined=quality.not_defined,
        )


class MatchQualityOut(BaseModel):
    """What became, by what was booked up to `as_of`, of the receipts and suggestions booked from `from` through `until`."""

    entity: str
    from_on: date = Field(serialization_alias="from")
    until: date
    as_of: date
    complete_up_to: date | None = Field(description="The last closed business day; figures for later days may still change.")
    rows: list[MatchQualityRow]
    definitions: dict[str, str] = MATCH_DEFINITIONS
