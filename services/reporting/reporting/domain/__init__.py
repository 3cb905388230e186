"""
The arithmetic of the read model: what a fact adds, the aging buckets, the roll-forward, the KPIs, how well money was matched.

Money is signed minor units. A figure for (`as_of`, `known_at`) is the sum of the deltas effective on or before the one and booked on or
before the other, so any past date is exact and a correction is one more delta.
"""

from reporting.domain.aging import BUCKETS, Standing, Valued, bucket_of, bucket_starts, due_dates_that_age
from reporting.domain.cash import CASH_DEFINITIONS
from reporting.domain.deltas import AccountKey, CubeKey, Deltas, ExchangeKey, ItemDelta, Posting, ReceiptDelta, ReceiptKey, Revaluation
from reporting.domain.kpis import DEFINITIONS, NO_SALES, Kpis, kpis
from reporting.domain.matching import MATCH_DEFINITIONS, Matched, MatchQuality, match_quality
from reporting.domain.measures import (
    CHARGED,
    CREDITED,
    DISCOUNTED,
    INVOICED,
    ITEM_MEASURES,
    LEFT,
    MEMO,
    NO_DUE_ON,
    ON_ACCOUNT,
    OPEN,
    REALISED,
    REFUNDED,
    REVERSED,
    SETTLED,
    TRANSFERRED,
    UNAPPLIED,
    UNIDENTIFIED,
    UNREALISED,
    VOIDED,
    WRITTEN_OFF,
)
from reporting.domain.periods import RollForward, is_month_end, month_bounds, month_end, next_month_end
from reporting.domain.writing import per_mille, written_tenths

__all__ = [
    "BUCKETS",
    "CASH_DEFINITIONS",
    "CHARGED",
    "CREDITED",
    "DEFINITIONS",
    "DISCOUNTED",
    "INVOICED",
    "ITEM_MEASURES",
    "LEFT",
    "MATCH_DEFINITIONS",
    "MEMO",
    "NO_DUE_ON",
    "NO_SALES",
    "ON_ACCOUNT",
    "OPEN",
    "REALISED",
    "REFUNDED",
    "REVERSED",
    "SETTLED",
    "TRANSFERRED",
    "UNAPPLIED",
    "UNIDENTIFIED",
    "UNREALISED",
    "VOIDED",
    "WRITTEN_OFF",
    "AccountKey",
    "CubeKey",
    "Deltas",
    "ExchangeKey",
    "ItemDelta",
    "Kpis",
    "MatchQuality",
    "Matched",
    "Posting",
    "ReceiptDelta",
    "ReceiptKey",
    "Revaluation",
    "RollForward",
    "Standing",
    "Valued",
    "bucket_of",
    "bucket_starts",
    "due_dates_that_age",
    "is_month_end",
    "kpis",
    "match_quality",
    "month_bounds",
    "month_end",
    "next_month_end",
    "per_mille",
    "written_tenths",
]
