"""How long things took, in buckets that grow by a fiftieth: any percentile to 2 %, whatever the range, in a few hundred counts."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

_GROWTH: Final = 1.02
_UNIT_SECONDS: Final = 1e-6  # What is shorter counts as this.
_SHARES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99_9", 0.999), ("max", 1.0))


class Histogram:
    """Durations, counted; the longest one is kept as it was."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self.n = 0
        self._counts: Counter[int] = Counter()
        self._longest = 0.0
        for one in seconds:
            self.add(one)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.n += 1
        self._counts[_bucket_of(seconds)] += 1
        self._longest = max(self._longest, seconds)

    def percentile(self, share: float) -> float:
        """Return the seconds that so large a share did not exceed (nearest rank, upper end of its bucket); 0 when nothing was counted."""
        left = math.ceil(share * self.n)
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return min(_UNIT_SECONDS * _GROWTH**bucket, self._longest)
        return self._longest

    def percentiles_ms(self) -> dict[str, float]:
        """Return p50, p90, p99, p99.9 (as `p99_9`) and the longest, in milliseconds."""
        return {name: round(self.percentile(share) * 1000, 3) for name, share in _SHARES}

    def for_machines(self) -> dict[str, Any]:
        """Return the percentiles in milliseconds, and the buckets as pairs of upper end and count."""
        buckets = [[round(_UNIT_SECONDS * _GROWTH**bucket * 1000, 4), self._counts[bucket]] for bucket in sorted(self._counts)]
        return {"n": self.n, **self.percentiles_ms(), "buckets_ms": buckets}


def _bucket_of(seconds: float) -> int:
    return max(0, math.ceil(math.log(max(seconds, _UNIT_SECONDS) / _UNIT_SECONDS) / math.log(_GROWTH)))
