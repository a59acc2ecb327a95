"""Stripe's minor units, each special case."""

import pytest

from gateway.errors import BadUserInput
from gateway.money import MINOR_DIGITS, format_amount
from gateway.providers.stripe.amounts import currency_of, digits_of, nanos_of

ZERO = [
    *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
    *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
]
THREE = ["BHD", "JOD", "KWD", "OMR", "TND"]


@pytest.mark.parametrize("currency", ZERO)
def test_currencies_without_decimals(currency: str) -> None:
    assert nanos_of(500, currency) == 500 * 10**9


@pytest.mark.parametrize("currency", THREE)
def test_currencies_with_three_decimals(currency: str) -> None:
    assert format_amount(nanos_of(5_120, currency), currency) == "5.120"


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [
        ("USD", 1_999, "19.99"),
        ("ISK", 50_000, "500"),
        ("UGX", 50_000, "500"),
        ("HUF", 50_000, "500.00"),
        ("TWD", 80_045, "800.45"),
        ("MGA", 500, "500.00"),
        ("USD", -1, "-0.01"),
    ],
)
def test_special_cases(currency: str, amount: int, shown: str) -> None:
    assert format_amount(nanos_of(amount, currency), currency) == shown


def test_all_others_have_two() -> None:
    others = set(MINOR_DIGITS) - {*ZERO, *THREE}
    assert {digits_of(currency) for currency in others} == {2}


@pytest.mark.parametrize("amount", [None, "100", 1.5, True, 2**63])
def test_an_amount_that_is_none_is_refused(amount: object) -> None:
    with pytest.raises(BadUserInput):
        nanos_of(amount, "USD")


@pytest.mark.parametrize("code", [None, "", "usdt", "xau", 840])
def test_a_currency_that_is_none_is_refused(code: object) -> None:
    with pytest.raises(BadUserInput):
        currency_of(code)


def test_codes_come_in_small_letters() -> None:
    assert currency_of("usd") == "USD"
