"""Money in integer nanos (10⁻⁹ of a currency's unit), currencies, and the one place that rounds.

Nanos count quantities too, of which many more fit. Nothing is computed in floats; rounding is
always half-even.
"""

import re
from collections.abc import Sequence
from decimal import MAX_PREC, Context, Decimal
from typing import Final

import orjson

from gateway.errors import BadUserInput, OutOfRange

NANOS: Final = 10**9
MAX_NANOS: Final = 2**63 - 1
MAX_QUANTITY: Final = 10**38 - 1
"""Nanos of a quantity or a sum of quantities: 38 digits."""
MAX_TEXT: Final = 64

_SCALE: Final = 9
_EXACT_NANOS: Final = 10**15
"""A float holds every decimal of at most 15 digits: no two of them are the same float."""
_EXACT: Final = Context(prec=MAX_PREC)
_DECIMAL: Final = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?")
_GROUP: Final = 3
# A currency is three letters, or a sign with at most three letters before it: `EUR`, `CA$`, `€`.
_CURRENCY: Final = (
    "(?:[A-Za-z]{3}|[A-Za-z]{0,3}[$\u00a2-\u00a5\u060b\u09f3\u0e3f\u17db\u20a0-\u20cf])?"
)
_WRITTEN: Final = re.compile(rf"-?{_CURRENCY}-?(\d[\d.,]*){_CURRENCY}")
# What groups and marks in other scripts; spaces and apostrophes only group.
_SEPARATORS: Final = {
    **dict.fromkeys(map(ord, " \u00a0\u202f\u2009'\u2019")),
    **str.maketrans("\u2212\u066b\u066c", "-.,"),
}

# ISO 4217 list one of 2026 by minor unit, without the codes that have none (metals, XDR, XXX, …).
_CODES: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
        CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
        GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK
        LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO
        NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS
        SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST
        XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
# Withdrawn since 2021: bills of those years still carry them.
_WITHDRAWN: Final = "ANG BGN CUC HRK SLL ZWL"

MINOR_DIGITS: Final[dict[str, int]] = {
    code: digits for digits, codes in _CODES.items() for code in codes.split()
} | dict.fromkeys(_WITHDRAWN.split(), 2)


def minor_digits(currency: str, *, argument: str | None = None) -> int:
    """Return how many decimals ISO 4217 gives a currency's minor unit: 2 for USD, 0 for JPY.

    Raises BadUserInput for a code that is unknown or, like gold's, has no minor unit.
    """
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise BadUserInput(
            "A currency must be an ISO 4217 code of three capital letters, such as USD.",
            argument=argument,
        ) from None


def parse_nanos(text: str, *, argument: str | None = None) -> int:
    """Return the nanos of a decimal string; beyond nine decimals rounded half-even, once.

    Raises BadUserInput for anything but ASCII digits with an optional `-` before and an optional
    fraction after them, and for more than MAX_TEXT characters; OutOfRange for what does not fit 64
    bits.
    """
    return checked(_rounded(text, argument), argument=argument)


def parse_quantity(text: str, *, argument: str | None = None) -> int:
    """Return the nanos of a quantity like `parse_nanos`, but of up to 38 digits."""
    return checked_quantity(_rounded(text, argument), argument=argument)


def _rounded(text: str, argument: str | None) -> int:
    if len(text) <= MAX_TEXT and text.isascii():
        whole, point, fraction = text.partition(".")
        # Nearly all are such; it takes half of what the pattern does.
        if whole.isdecimal() and len(fraction) <= _SCALE and (fraction.isdecimal() or not point):
            return int(whole + fraction.ljust(_SCALE, "0"))
    whole, fraction = _split(text, argument)
    digits = int(whole + fraction.ljust(_SCALE, "0"))
    excess = len(fraction) - _SCALE
    return digits if excess <= 0 else divide_half_even(digits, 10**excess)


def parse_exact_nanos(text: str, *, argument: str | None = None) -> int:
    """Return the nanos of a decimal string like `parse_nanos`, but refuse a tenth decimal."""
    whole, fraction = _split(text, argument)
    if len(fraction) > _SCALE:
        raise BadUserInput("A decimal must have at most 9 decimal places.", argument=argument)
    return checked(int(whole + fraction.ljust(_SCALE, "0")), argument=argument)


def _split(text: str, argument: str | None) -> tuple[str, str]:
    match = _DECIMAL.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise BadUserInput(
            'A decimal must be a string such as "12.30" or "-0.0008": no exponent, no plus sign, '
            f"no spaces, at most {MAX_TEXT} characters.",
            argument=argument,
        )
    return match[1], match[2] or ""


def amounts_as_written(text: str) -> frozenset[int]:
    """Return the nanos above 0 that a person may mean by a text, none where it is no amount.

    The currency's sign or code may stand before or after it, a minus before it. Points and commas
    are read in both ways, so that `1,234.50`, `1.234,50` and `1234.5` are the same, and `1.234` is
    two amounts. Digits of every script are digits.
    """
    match = _WRITTEN.fullmatch(text.translate(_SEPARATORS))
    if match is None:
        return frozenset()
    digits = "".join(str(int(each)) if each.isdecimal() else each for each in match[1])
    readings = (_read(digits, point, "," if point == "." else ".") for point in ".,")
    return frozenset(nanos for nanos in readings if nanos and nanos <= MAX_NANOS)


def _read(digits: str, point: str, comma: str) -> int | None:
    """Return the nanos of digits with these marks, None where they cannot be meant so."""
    whole, _, fraction = digits.partition(point)
    groups = whole.split(comma)
    is_grouped = len(groups[0]) <= _GROUP and all(len(each) == _GROUP for each in groups[1:])
    if not (len(groups) == 1 or is_grouped) or len(fraction) > _SCALE:
        return None
    if not all(groups) or (fraction and not fraction.isdecimal()):
        return None
    return int("".join(groups) + fraction.ljust(_SCALE, "0"))


def format_nanos(nanos: int, digits: int) -> str:
    """Return the decimal string with at least `digits` (0 to 9) decimals and no further zeros.

    The value is exact, without exponent: 12300000000 with 2 is "12.30", 800000 is "0.0008".
    """
    text = str(nanos).zfill(_SCALE + 1 if nanos >= 0 else _SCALE + 2)
    fraction = text[-_SCALE:].rstrip("0").ljust(digits, "0")
    return f"{text[:-_SCALE]}.{fraction}" if fraction else text[:-_SCALE]


def exact_decimal(nanos: int) -> Decimal:
    """Return the value of nanos of any number of digits."""
    return Decimal(nanos).scaleb(-_SCALE, _EXACT)


def significant_digits(nanos: int) -> int:
    """Return how many digits a value has from the first to the last that is not zero."""
    return len(str(abs(nanos)).rstrip("0"))


def format_column(values: Sequence[int], digits: int) -> list[str]:
    """Return the text of each of many nanos, as `format_nanos` does, in a third of the time.

    The quotient of a number below 10¹⁵ and 10⁹ is the float nearest to a decimal of at most 15
    digits. Its shortest text that reads back as the same float is that decimal.
    """
    if not values or max(values) >= _EXACT_NANOS or min(values) <= -_EXACT_NANOS:
        return [format_nanos(value, digits) for value in values]
    written = orjson.dumps([value / NANOS for value in values])[1:-1].decode()
    if digits:
        texts = written.split(",")
        step = 10 ** (_SCALE + 1 - digits)
        # Those that have fewer decimals: a price list has few different ones.
        if short := {value for value in values if not value % step}:
            padded = {value: format_nanos(value, digits) for value in short}
            texts = list(map(padded.get, values, texts))
    else:
        texts = written.replace(".0,", ",").removesuffix(".0").split(",")
    if "e" in written:  # an exponent, of some thousand nanos at most
        pairs = zip(texts, values, strict=True)
        return [format_nanos(value, digits) if "e" in text else text for text, value in pairs]
    return texts


def format_amount(nanos: int, currency: str) -> str:
    """Return an amount as it goes on the wire: at least the currency's minor digits."""
    return format_nanos(nanos, minor_digits(currency))


def format_amounts(nanos: Sequence[int], currencies: Sequence[str]) -> list[str]:
    """Return each amount as it goes on the wire, as `format_amount` does."""
    if len(set(currencies)) != 1:
        return list(map(format_amount, nanos, currencies))
    return format_column(nanos, minor_digits(currencies[0]))


def format_quantity(nanos: int) -> str:
    """Return a quantity in its shortest form: "1.5", "0", "12"."""
    return format_nanos(nanos, 0)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest integer, a tie to the even one.

    Raises ZeroDivisionError where `denominator` is 0.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def divide_up(numerator: int, denominator: int) -> int:
    """Return the quotient rounded up to an integer. `denominator` must be positive."""
    return -(-numerator // denominator)


def ratio(part: int, whole: int, places: int) -> str | None:
    """Return part ÷ whole as a decimal string of exactly `places` decimals, or None for whole 0."""
    if whole == 0:
        return None
    scaled = divide_half_even(part * 10**places, whole)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    point = len(digits) - places
    text = f"{digits[:point]}.{digits[point:]}" if places else digits
    return f"-{text}" if scaled < 0 else text


def pro_rata(part: int, whole: int, amount: int) -> int:
    """Return the share of `amount` that `part` is of `whole`, such as a refund's tax.

    Rounded shares need not add up to `amount`; the differences between the shares of running totals
    do. Raises ZeroDivisionError where `whole` is 0.
    """
    return divide_half_even(amount * part, whole)


def from_minor_units(amount: int, digits: int, *, argument: str | None = None) -> int:
    """Return the nanos of an amount in minor units (1999 with 2 digits is 19.99).

    Raises OutOfRange where they do not fit 64 bits.
    """
    return checked(amount * 10 ** (_SCALE - digits), argument=argument)


OUT_OF_RANGE: Final = (
    f"A decimal must be from -{format_quantity(MAX_NANOS)} to {format_quantity(MAX_NANOS)}."
)


QUANTITY_OUT_OF_RANGE: Final = (
    f"A quantity must be from -{format_quantity(MAX_QUANTITY)} to {format_quantity(MAX_QUANTITY)}."
)


def checked(nanos: int, *, argument: str | None = None) -> int:
    """Return `nanos`; raises OutOfRange where it or its negative does not fit 64 bits."""
    if -MAX_NANOS <= nanos <= MAX_NANOS:
        return nanos
    raise OutOfRange(OUT_OF_RANGE, argument=argument)


def checked_quantity(nanos: int, *, argument: str | None = None) -> int:
    """Return the nanos of a quantity; raises OutOfRange for more than 38 digits."""
    if -MAX_QUANTITY <= nanos <= MAX_QUANTITY:
        return nanos
    raise OutOfRange(QUANTITY_OUT_OF_RANGE, argument=argument)
