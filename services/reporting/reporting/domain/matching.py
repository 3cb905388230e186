"""How well money was matched (PAY-17): what of it found its items without a person, what of the suggestions was taken."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from money import round_half_up

NO_RECEIPTS: Final = "not defined: no money was received in the days asked about"
NO_SUGGESTIONS: Final = "not defined: no match was suggested in the days asked about"
NOTHING_FREE: Final = "not defined: no money is unapplied or unidentified"
MATCH_DEFINITIONS: Final[dict[str, str]] = {
    "receipts": "Receipts booked from `from` through `until`, without those a bank took back whole.",
    "received": "Their amount, less what banks took back.",
    "automatic_receipts": "Of these, those of which something is applied, all of it by reference or rule.",
    "applied_automatically": "What of `received` is applied by reference or rule, net of what was taken back.",
    "applied_by_person": "What of `received` is applied because a person said so, net likewise.",
    "auto_applied_percent": "automatic_receipts / receipts. One decimal, half up.",
    "touchless_amount_percent": "applied_automatically / received. One decimal, half up.",
    "suggestions": "Matches suggested from `from` through `until`.",
    "accepted": "Of these, those a person took, whole or in part.",
    "rejected": "Of these, those a person refused.",
    "suggested_accepted_percent": "accepted / suggestions. One decimal, half up.",
    "unapplied": "All money that is not applied and not on account, whenever it came, its payer known or not.",
    "unapplied_age_days": "How long it has been here: days from its value date to as_of, weighted by amount. One decimal, half up.",
}
"""What each figure means, printed beside it. All of them by what was booked on or before `as_of`."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The counts and sums of one currency, minor units; `free_minor_days` is unapplied money times its days."""

    currency: str
    receipts: int = 0
    received_minor: int = 0
    automatic_receipts: int = 0
    automatic_minor: int = 0
    by_person_minor: int = 0
    suggestions: int = 0
    accepted: int = 0
    rejected: int = 0
    free_minor: int = 0
    free_minor_days: int = 0


@dataclass(frozen=True, slots=True)
class MatchQuality:
    """Percentages and days in tenths, None where there is nothing to divide by; `not_defined` says why, by the name of the figure."""

    matched: Matched
    auto_applied_tenths: int | None
    touchless_amount_tenths: int | None
    suggested_accepted_tenths: int | None
    unapplied_age_tenths: int | None

    @property
    def not_defined(self) -> dict[str, str]:
        reasons = {
            "auto_applied_percent": (self.auto_applied_tenths, NO_RECEIPTS),
            "touchless_amount_percent": (self.touchless_amount_tenths, NO_RECEIPTS),
            "suggested_accepted_percent": (self.suggested_accepted_tenths, NO_SUGGESTIONS),
            "unapplied_age_days": (self.unapplied_age_tenths, NOTHING_FREE),
        }
        return {name: reason for name, (tenths, reason) in reasons.items() if tenths is None}


def match_quality(matched: Matched) -> MatchQuality:
    """Divide what was counted (PAY-17)."""
    return MatchQuality(
        matched,
        auto_applied_tenths=_tenths(100 * matched.automatic_receipts, matched.receipts),
        touchless_amount_tenths=_tenths(100 * matched.automatic_minor, matched.received_minor),
        suggested_accepted_tenths=_tenths(100 * matched.accepted, matched.suggestions),
        unapplied_age_tenths=_tenths(matched.free_minor_days, matched.free_minor),
    )


def _tenths(part: int, whole: int) -> int | None:
    return round_half_up(Fraction(10 * part, whole)) if whole > 0 else None
