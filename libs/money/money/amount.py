"""Money: a whole number of minor units of one currency."""

from dataclasses import dataclass

from money.currency import scale
from money.text import format_minor, parse_minor


class CurrencyMismatch(ValueError):
    """Two currencies met in a sum or a comparison. They never add and have no order: convert first, at a stated rate."""

    code = "CURRENCY_MISMATCH"

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} do not add or compare")


@dataclass(frozen=True, slots=True)
class Money:
    """
    An amount in minor units (cents, fils, whole yen), exact, positive or negative.

    Equal to money of the same currency and amount only; ordered, added and subtracted within one currency only; false when zero.

    :raises CurrencyUnknown: see `money.scale`.
    :raises TypeError: `minor` is not an int.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # A bool is an int to isinstance; a float is how cents get lost.
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__}")
        scale(self.currency)

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.currency)} {self.currency}"

    def _same(self, other: "Money") -> int:
        """Return the other's minor units, if it is money of our currency."""
        if not isinstance(other, Money):
            raise TypeError(f"money and {type(other).__name__} have no order")
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.minor


def parse(text: str, currency: str) -> Money:
    """Read a plain decimal string as money; refuses like `money.parse_minor`."""
    return Money(parse_minor(text, currency), currency)
