"""Money keeps every digit, rounds half-even once, and refuses what it cannot hold."""

import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import accumulate, pairwise
from typing import Protocol

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import BadUserInput
from gateway.money import (
    MAX_NANOS,
    MAX_TEXT,
    MINOR_DIGITS,
    NANOS,
    amounts_as_written,
    checked,
    divide_half_even,
    divide_up,
    format_amount,
    format_amounts,
    format_column,
    format_nanos,
    format_quantity,
    from_minor_units,
    minor_digits,
    parse_exact_nanos,
    parse_nanos,
    pro_rata,
    ratio,
)

quick = settings(max_examples=200, deadline=None)
nanos = st.integers(-MAX_NANOS, MAX_NANOS) | st.integers(-(10**4), 10**4)
decimals = st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,30})?", fullmatch=True, alphabet="-.0123456789")


class Parse(Protocol):
    def __call__(self, text: str, *, argument: str | None = None) -> int: ...


def exact(text: str, places: int) -> Decimal:
    """Round a decimal string half-even by the standard library's decimal arithmetic."""
    with localcontext(prec=200, rounding=ROUND_HALF_EVEN):
        return Decimal(text).quantize(Decimal(1).scaleb(-places))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-0.00", 0),
        ("12.30", 12_300_000_000),
        ("-0.50", -500_000_000),
        ("0.0000008", 800),
        ("0007", 7 * NANOS),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("0.00000000250000000000000000001", 3),
        ("-0.0000000015", -2),
        ("-0.0000000025", -2),
        ("9223372036.854775807", MAX_NANOS),
        ("-9223372036.854775807", -MAX_NANOS),
        ("9223372036.8547758074", MAX_NANOS),
    ],
)
def test_decimal_strings_become_nanos(text: str, expected: int) -> None:
    assert parse_nanos(text) == expected


@pytest.mark.parametrize("parse", [parse_nanos, parse_exact_nanos])
@pytest.mark.parametrize(
    "text",
    [
        *("", "-", ".", ".5", "5.", "+1", "1e3", "1E3", "1,5", "1_000", " 1", "1 ", "1\n", "--1"),
        *("0x10", "NaN", "nan", "Infinity", "-inf", "١", "１", "1.٥", "−1", "1.2.3", "1\x00"),
        "0." + "0" * (MAX_TEXT - 1),
        "1" * 5_000,
    ],
)
def test_anything_else_is_refused_and_names_the_argument(parse: Parse, text: str) -> None:
    with pytest.raises(BadUserInput, match="decimal must be a string") as refusal:
        parse(text, argument="amount")
    assert refusal.value.argument == "amount"


@pytest.mark.parametrize("parse", [parse_nanos, parse_exact_nanos])
@pytest.mark.parametrize("text", ["9223372036.854775808", "-9223372036.854775808", "9" * 60])
def test_what_does_not_fit_64_bits_is_refused_with_the_limits(parse: Parse, text: str) -> None:
    with pytest.raises(BadUserInput, match=r"from -9223372036\.854775807 to 9223372036\.85"):
        parse(text)


def test_rounding_can_leave_the_range() -> None:
    with pytest.raises(BadUserInput, match="must be from"):
        parse_nanos("9223372036.8547758075")


def test_longest_text_is_read() -> None:
    assert parse_nanos("1." + "0" * (MAX_TEXT - 2)) == NANOS


@pytest.mark.parametrize("text", ["0.0000000001", "1.0000000000"])
def test_a_tenth_decimal_is_refused_where_values_must_be_exact(text: str) -> None:
    with pytest.raises(BadUserInput, match="at most 9 decimal places"):
        parse_exact_nanos(text)
    assert parse_exact_nanos(text[:-1]) == parse_nanos(text[:-1])


@quick
@given(decimals)
def test_parsing_agrees_with_decimal_arithmetic(text: str) -> None:
    assert parse_nanos(text) == int(exact(text, 9).scaleb(9))


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (12_300_000_000, 2, "12.30"),
        (800_000, 2, "0.0008"),
        (0, 2, "0.00"),
        (3 * NANOS, 3, "3.000"),
        (120 * NANOS, 0, "120"),
        (-500_000_000, 2, "-0.50"),
        (-1, 2, "-0.000000001"),
        (1, 0, "0.000000001"),
        (-10 * NANOS, 0, "-10"),
        (100 * NANOS, 4, "100.0000"),
        (MAX_NANOS, 2, "9223372036.854775807"),
        (-MAX_NANOS, 2, "-9223372036.854775807"),
    ],
)
def test_nanos_become_decimal_strings(value: int, digits: int, expected: str) -> None:
    assert format_nanos(value, digits) == expected


@quick
@given(nanos, st.integers(0, 9))
@example(0, 0)
@example(-1, 9)
def test_formatting_is_exact_canonical_and_parsed_back(value: int, digits: int) -> None:
    text = format_nanos(value, digits)
    fraction = text.partition(".")[2]
    assert parse_nanos(text) == parse_exact_nanos(text) == value
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]{1,9})?", text)
    assert len(fraction) >= digits
    assert len(fraction) == digits or not fraction.endswith("0")
    assert (value < 0) == text.startswith("-")


around_15_digits = st.integers(10**15 - 10**6, 10**15 + 10**6)
few = st.integers(-20_000, 20_000)


@quick
@given(st.lists(nanos | few | around_15_digits), st.integers(0, 9))
@example([], 2)
@example([10**15 - 1, 1 - 10**15, 999_999_999_999_999 - 10**9], 0)
@example([1, 9_999, 10_000, -1, 0, 10**9, 12 * 10**8], 2)
@example([10**9, 10**10, -(10**9)], 0)
def test_a_column_is_written_as_each_of_its_amounts(values: list[int], digits: int) -> None:
    assert format_column(values, digits) == [format_nanos(value, digits) for value in values]


@quick
@given(st.lists(st.integers(1 - 10**15, 10**15 - 1), min_size=100), st.integers(0, 9))
def test_a_column_of_up_to_15_digits_is_exact(values: list[int], digits: int) -> None:
    assert format_column(values, digits) == [format_nanos(value, digits) for value in values]


@pytest.mark.parametrize(
    ("currency", "text"),
    [("USD", "12.00"), ("JPY", "12"), ("KWD", "12.000"), ("CLF", "12.0000"), ("HUF", "12.00")],
)
def test_amounts_have_at_least_the_minor_digits_of_their_currency(currency: str, text: str) -> None:
    assert format_amount(12 * NANOS, currency) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1_500_000_000, "1.5"), (0, "0"), (12 * NANOS, "12"), (-NANOS, "-1")]
)
def test_quantities_are_as_short_as_possible(value: int, text: str) -> None:
    assert format_quantity(value) == text


def test_minor_digits_are_those_of_iso_4217() -> None:
    expected = {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }
    found = {
        digits: " ".join(sorted(code for code, d in MINOR_DIGITS.items() if d == digits))
        for digits in set(MINOR_DIGITS.values())
    }
    assert found.keys() == {0, 2, 3, 4}
    assert {digits: found[digits] for digits in expected} == expected
    assert all(code in found[2] for code in ("USD", "HUF", "MGA", "MRU", "TWD", "XCG", "ZWG"))
    # 165 codes of list one have a minor unit; six were withdrawn since 2021.
    assert len(MINOR_DIGITS) == 165 + 6
    assert all(re.fullmatch("[A-Z]{3}", code) for code in MINOR_DIGITS)


@pytest.mark.parametrize("code", ["", "usd", "US", "USDX", "XAU", "XXX", "DEM", "ＵＳＤ"])
def test_unknown_currencies_are_refused(code: str) -> None:
    with pytest.raises(BadUserInput, match="ISO 4217") as refusal:
        minor_digits(code, argument="currency")
    assert refusal.value.argument == "currency"


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (5, 2, 2),
        (7, 2, 4),
        (-5, 2, -2),
        (-7, 2, -4),
        (5, -2, -2),
        (-7, -2, 4),
        (1, 3, 0),
        (2, 3, 1),
    ],
)
def test_ties_go_to_the_even_neighbour(numerator: int, denominator: int, quotient: int) -> None:
    assert divide_half_even(numerator, denominator) == quotient


@quick
@given(st.integers(-(10**30), 10**30), st.integers(-(10**12), 10**12).filter(bool))
def test_quotients_are_nearest(numerator: int, denominator: int) -> None:
    quotient = divide_half_even(numerator, denominator)
    error = 2 * abs(numerator - quotient * denominator)
    assert error <= abs(denominator)
    assert error != abs(denominator) or quotient % 2 == 0


@quick
@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_quotients_are_rounded_up(numerator: int, denominator: int) -> None:
    assert 0 <= divide_up(numerator, denominator) * denominator - numerator < denominator


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        divide_half_even(1, 0)


@pytest.mark.parametrize(
    ("part", "whole", "places", "text"),
    [
        (1, 3, 6, "0.333333"),
        (2, 3, 6, "0.666667"),
        (1, 1, 6, "1.000000"),
        (0, 5, 6, "0.000000"),
        (-1, 3, 2, "-0.33"),
        (-1, 10**9, 6, "0.000000"),
        (-1, -4, 2, "0.25"),
        (1, 8, 2, "0.12"),
        (3, 8, 2, "0.38"),
        (37, 10, 0, "4"),
        (1205, 100, 1, "12.0"),
        (1, 0, 6, None),
    ],
)
def test_ratios_have_exactly_the_places_asked_for(
    part: int, whole: int, places: int, text: str | None
) -> None:
    assert ratio(part, whole, places) == text


@quick
@given(nanos, nanos.filter(bool), st.integers(1, 9))
def test_ratios_agree_with_decimal_arithmetic(part: int, whole: int, places: int) -> None:
    with localcontext(prec=200):
        quotient = str(Decimal(part) / Decimal(whole))
    expected = f"{exact(quotient, places):f}"
    # Decimal keeps the sign of a negative zero; a ratio has none.
    assert ratio(part, whole, places) == (
        expected.removeprefix("-") if set(expected) <= set("-0.") else expected
    )


def test_a_share_is_rounded_half_even() -> None:
    assert pro_rata(1, 2, 5) == 2
    assert pro_rata(1, 2, 7) == 4
    assert pro_rata(25 * NANOS, 100 * NANOS, 19 * NANOS) == 4_750_000_000


@quick
@given(st.lists(st.integers(0, 10**12), min_size=1).filter(sum), st.integers(0, 10**12))
def test_differences_of_running_shares_add_up_to_the_amount(parts: list[int], amount: int) -> None:
    shares = [pro_rata(total, sum(parts), amount) for total in accumulate(parts, initial=0)]
    differences = [after - before for before, after in pairwise(shares)]
    assert sum(differences) == amount
    assert min(differences) >= 0


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [(1999, 2, "19.99"), (-5, 2, "-0.05"), (500, 0, "500"), (12345, 3, "12.345"), (0, 2, "0")],
)
def test_minor_units_become_nanos(amount: int, digits: int, text: str) -> None:
    assert from_minor_units(amount, digits) == parse_nanos(text)


def test_minor_units_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadUserInput, match="must be from") as refusal:
        from_minor_units(10**12, 2, argument="amount")
    assert refusal.value.argument == "amount"


@pytest.mark.parametrize("value", [MAX_NANOS + 1, -MAX_NANOS - 1])
def test_the_range_is_symmetric_so_that_every_amount_can_be_negated(value: int) -> None:
    with pytest.raises(BadUserInput, match="must be from") as refusal:
        checked(value, argument="amount")
    assert refusal.value.argument == "amount"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(
            (text, ["1234.5"])
            for text in ("1234.5", "1,234.50", "1.234,50", "1 234,50 €", "$1,234.5")
        ),
        *(
            (text, ["1200"])
            for text in ("CHF 1'200.00", "1200", "-$1,200.0", "1,200.000000000", "١٬٢٠٠٫٠")
        ),
        ("1.234", ["1.234", "1234"]),
        ("0,5", ["0.5"]),
        ("1,234,567", ["1234567"]),
        ("9223372036.854775807", ["9223372036.854775807"]),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, meant: list[str]) -> None:
    assert sorted(amounts_as_written(text)) == [parse_nanos(each) for each in meant]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "0",
            "0.00",
            "visa 4242",
            "a50",
            "pi_50",
            "1..2",
            ".5",
            "1,23,456",
            "2026-01-01",
            "50 %",
        ),
        *("9223372036.854775808", "1.0000000001", "1e3", "²"),
    ],
)
def test_other_texts_are_no_amounts(text: str) -> None:
    assert amounts_as_written(text) == frozenset()


@given(st.lists(st.tuples(st.integers(-MAX_NANOS, MAX_NANOS), st.sampled_from(["USD", "JPY"]))))
def test_amounts_of_many_currencies_are_those_of_each(amounts: list[tuple[int, str]]) -> None:
    nanos, currencies = [each for each, _ in amounts], [code for _, code in amounts]
    assert format_amounts(nanos, currencies) == list(map(format_amount, nanos, currencies))
