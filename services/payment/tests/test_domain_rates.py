"""What money is worth in the entity's currency: as the bank booked it, at the rate it stated, or at a published one (PAY-13)."""

from datetime import date

import pytest
from money import MINOR_MAX
from payment.domain.rates import Cash, ExchangeRate, Valued, examine_rate, value_cash

DAY = date(2026, 1, 5)
BEFORE = date(2026, 1, 2)


def a_rate(currency: str, rate: str, type_: str = "spot") -> ExchangeRate:
    return ExchangeRate(currency, rate, BEFORE, type_)


def test_a10_money_is_worth_what_it_is_at_its_rate() -> None:
    """A10: EUR 4,000.00 at 1.14 are USD 4,560.00, EUR 6,000.00 at 1.06 are USD 6,360.00."""
    first, second = Cash("EUR", 4_000_00), Cash("EUR", 6_000_00)
    assert value_cash(first, first, "USD", DAY, a_rate("EUR", "1.14")) == Valued(4_560_00, "1.14", BEFORE, "spot")
    assert value_cash(second, second, "USD", DAY, a_rate("EUR", "1.06", "bank")) == Valued(6_360_00, "1.06", BEFORE, "bank")


def test_money_booked_in_the_own_currency_is_worth_what_was_booked_to_the_cent() -> None:
    """PAY-13: USD 4,559.99 for EUR 4,000.00, whatever the published rate is; the rate follows from the two."""
    valued = value_cash(Cash("USD", 4_559_99), Cash("EUR", 4_000_00), "USD", DAY, None)
    assert valued == Valued(4_559_99, "1.1399975", DAY, "bank")
    assert value_cash(Cash("USD", 1_00), Cash("JPY", 149), "USD", DAY, None) == Valued(1_00, "0.0067114094", DAY, "bank")


def test_money_booked_in_a_third_currency_is_worth_what_that_is() -> None:
    """PAY-13: GBP 3,500.00 at 1.30 settle EUR 4,000.00: USD 4,550.00, which is 1.1375 for a euro."""
    valued = value_cash(Cash("GBP", 3_500_00), Cash("EUR", 4_000_00), "USD", DAY, a_rate("GBP", "1.3"))
    assert valued == Valued(4_550_00, "1.1375", BEFORE, "spot")


def test_what_nobody_has_a_rate_for_is_not_valued() -> None:
    """PAY-13: nothing is realised then, and nothing is guessed."""
    cash = Cash("EUR", 4_000_00)
    assert value_cash(cash, cash, "USD", DAY, None) is None


def test_what_would_be_more_than_any_amount_is_not_valued() -> None:
    cash = Cash("EUR", MINOR_MAX)
    assert value_cash(cash, cash, "USD", DAY, a_rate("EUR", "1.01")) is None


@pytest.mark.parametrize(
    ("currency", "rate", "faults"),
    [
        ("EUR", "1.1400", []),
        ("EUR", "0", ["rate"]),
        ("EUR", "-1", ["rate"]),
        ("EUR", "1e3", ["rate"]),
        ("EUR", "1.12345678901", ["rate"]),
        ("USD", "1", ["currency"]),
        ("XXX", "x", ["currency", "rate"]),
    ],
)
def test_a_published_rate_is_a_plain_number_of_another_currency(currency: str, rate: str, faults: list[str]) -> None:
    examined = examine_rate(ExchangeRate(currency, rate, DAY), "USD")
    if isinstance(examined, ExchangeRate):
        assert (examined.rate, faults) == ("1.14", [])
    else:
        assert [fault.field for fault in examined] == faults
