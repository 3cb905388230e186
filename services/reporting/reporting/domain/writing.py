"""How figures are written and drawn."""

from collections.abc import Sequence


def written_tenths(tenths: int) -> str:
    """Write tenths with one decimal: 350 is "35.0", -5 is "-0.5"."""
    sign = "-" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def per_mille(parts_minor: Sequence[int]) -> list[int]:
    """Scale parts to the largest of them, which is 1000; negative parts and a largest of zero give 0. For bars, never for figures."""
    largest = max(parts_minor, default=0)
    return [max(0, part) * 1000 // largest if largest > 0 else 0 for part in parts_minor]
