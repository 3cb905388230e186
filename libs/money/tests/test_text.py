"""Amounts on the wire (XC-01): what is read comes back as it was, what is not plain is refused with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money import (
    MINOR_MAX,
    AmountNotPlain,
    AmountRefused,
    AmountTooLarge,
    AmountTooPrecise,
    CurrencyUnknown,
    Money,
    format_minor,
    parse,
    parse_minor,
    scale,
)

CURRENCIES = ["JPY", "USD", "KWD", "CLF"]  # 0, 2, 3 and 4 decimals.
minors = st.integers(-MINOR_MAX, MINOR_MAX)
currencies = st.sampled_from(CURRENCIES)

# fmt: off
NOT_PLAIN = [  # The hostile amounts of the threat model, and their relatives.
    "1e3", "0.1+0.2", "-0", "NaN", "nan", "Infinity", "-inf", "１００", "１", "٣", "1.５", "½", "−1", "1,000.00", "1.000,00", "1_000",
    "1'000", "+1", "$1", "1USD", ".", ".5", "5.", "-", "-.", "01", "00", "-01", "--1", "1-", "1.2.3", "0x10", "0b1", "1/3",
    "1.00000",
    "", " ", " 1", "1 ", "1\n", "\t1", "1 000", "1\u00a0000", "1\x00", "\ud800", "9" * 19, "1" * 1_000_000,
]
# fmt: on
NOT_TEXT: list[object] = [True, False, None, [], {}, 1, 0, 1.5, b"1"]


@pytest.mark.parametrize("text", NOT_PLAIN, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("currency", CURRENCIES)
def test_anything_but_plain_digits_is_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountNotPlain) as refused:
        parse_minor(text, currency)
    assert len(str(refused.value)) < 300, "a hostile value is not echoed in full"


@pytest.mark.parametrize("value", NOT_TEXT, ids=repr)
def test_anything_but_text_is_refused(value: object) -> None:
    with pytest.raises(AmountNotPlain):
        parse_minor(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "currency"), [("1.005", "USD"), ("0.5", "JPY"), ("5.0", "JPY"), ("0.0001", "KWD"), ("1.000", "EUR")])
def test_more_decimals_than_the_currency_has_are_refused_even_zeros(text: str, currency: str) -> None:
    with pytest.raises(AmountTooPrecise):
        parse_minor(text, currency)


@pytest.mark.parametrize(("text", "currency"), [("-0", "JPY"), ("-0.00", "USD"), ("-0", "USD"), ("-0.000", "KWD")])
def test_a_zero_has_no_sign(text: str, currency: str) -> None:
    with pytest.raises(AmountNotPlain):
        parse_minor(text, currency)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("currency", CURRENCIES)
def test_the_largest_amount_is_ten_to_the_fifteenth_minor_units(currency: str, sign: str) -> None:
    largest = sign + format_minor(MINOR_MAX, currency)
    assert parse_minor(largest, currency) == int(sign + str(MINOR_MAX))
    with pytest.raises(AmountTooLarge):
        parse_minor(sign + format_minor(MINOR_MAX + 1, currency), currency)


@pytest.mark.parametrize("currency", ["usd", "US", "USDX", "", "XXX", "XAU", "ZZZ", " USD", "ＵＳＤ", None, [], 840])
def test_an_unknown_currency_is_named(currency: object) -> None:
    with pytest.raises(CurrencyUnknown):
        parse_minor("1", currency)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.50", "USD", 123450),
        ("1234.5", "USD", 123450),
        ("1234", "USD", 123400),
        ("-0.05", "USD", -5),
        ("0", "USD", 0),
        ("0.0", "USD", 0),
        ("7", "JPY", 7),
        ("-1.5", "KWD", -1500),
        ("0.0001", "CLF", 1),
    ],
)
def test_decimal_strings_are_read_as_minor_units(text: str, currency: str, minor: int) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123450, "USD", "1234.50"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (-7, "JPY", "-7"),
        (1, "KWD", "0.001"),
        (-12345, "CLF", "-1.2345"),
    ],
)
def test_minor_units_are_written_with_all_decimals_of_the_currency(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text


@given(minors, currencies)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    assert parse_minor(format_minor(minor, currency), currency) == minor
    assert str(parse(format_minor(minor, currency), currency)) == f"{format_minor(minor, currency)} {currency}"


@given(st.text("0123456789.-+eE_, ١１", max_size=22), currencies)
def test_what_is_accepted_is_written_back_up_to_trailing_zeros(text: str, currency: str) -> None:
    try:
        minor = parse_minor(text, currency)
    except AmountRefused:
        return
    written = format_minor(minor, currency)
    point = "" if "." in text or not scale(currency) else "."
    assert written == text + point + "0" * (len(written) - len(text) - len(point))


def test_money_and_the_fast_functions_agree() -> None:
    assert parse("12.3", "KWD") == Money(parse_minor("12.3", "KWD"), "KWD") == Money(12300, "KWD")
