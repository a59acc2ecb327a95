"""The custom scalars: one canonical output format each, and strict input.

Malformed input raises BadUserInput and never reaches a database driver: text with NUL or lone
surrogates, instants without an offset, exponents, digits of other alphabets.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NewType
from urllib.parse import urlsplit

import strawberry
from strawberry.types.scalar import ScalarDefinition

from gateway.errors import BadUserInput
from gateway.instants import parse_instant, serialize_instant, serialize_instants
from gateway.money import format_quantity, minor_digits, parse_exact_nanos
from gateway.windows import checked_day, zone

Decimal = NewType("Decimal", str)
TimeZone = NewType("TimeZone", str)
CurrencyCode = NewType("CurrencyCode", str)
Url = NewType("Url", str)

MAX_URL: Final = 2_000
LENGTHS: Final = {
    "Date": 10,
    "DateTime": 27,
    "Decimal": 30,
    "TimeZone": 40,
    "CurrencyCode": 3,
    "URL": MAX_URL,
}
"""Greatest number of characters of each scalar's values."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_URL: Final = re.compile(r"https?://[!-~]+", re.ASCII)


def parse_date(value: Any) -> date:
    """Return the calendar date of `YYYY-MM-DD`, from 2000-01-01 to 2100-12-31."""
    try:
        day = date.fromisoformat(_matched(_DATE, value))
    except ValueError:
        raise BadUserInput(
            "A date must be a day of the calendar, YYYY-MM-DD, such as 2026-11-01."
        ) from None
    return checked_day(day, argument="")


def parse_decimal(value: Any) -> Decimal:
    """Return the shortest form of a decimal string. JSON numbers are refused: they may have lost
    digits.
    """
    return Decimal(format_quantity(parse_exact_nanos(_text(value))))


def parse_time_zone(value: Any) -> TimeZone:
    """Return the IANA name."""
    return TimeZone(zone(_text(value), argument="").key)


def parse_currency(value: Any) -> CurrencyCode:
    """Return the ISO 4217 code."""
    minor_digits(code := _text(value))
    return CurrencyCode(code)


def parse_url(value: Any) -> Url:
    """Return an absolute http(s) URL of printable ASCII, unchanged."""
    try:
        text = _matched(_URL, value)
        if len(text) <= MAX_URL and urlsplit(text).hostname:
            return Url(text)
    except ValueError:
        pass
    raise BadUserInput(
        f"A URL must be absolute, start with http:// or https://, and have at most {MAX_URL:,} "
        "characters."
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadUserInput("This value must be a string in quotation marks.")
    return value


def _matched(pattern: re.Pattern[str], value: Any) -> str:
    if pattern.fullmatch(text := _text(value)) is None:
        raise ValueError
    return text


class InstantSerializer:
    """Serializes one instant, or a column of them in one call."""

    def __call__(self, value: datetime) -> str:
        return serialize_instant(value)

    def column(self, values: list[datetime]) -> list[str]:
        return serialize_instants(values)


SCALARS: Final[Mapping[object, ScalarDefinition]] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An RFC 3339 timestamp in UTC, such as `2026-11-01T00:00:00Z`; fractional "
        "seconds have six digits and are omitted if zero. Arguments may use another "
        "offset than `Z`; their years are 2000 to 2100.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=InstantSerializer(),
        parse_value=parse_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar date, `YYYY-MM-DD`, from 2000-01-01 to 2100-12-31.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date.html",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string, such as `"12.30"` or `"-0.0008"`: at '
        "most 9 decimals, no exponent, never NaN. Parse with a decimal type, never "
        "as a float.",
        specified_by_url="https://www.w3.org/TR/xmlschema11-2/#decimal",
        serialize=str,
        parse_value=parse_decimal,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="An IANA time zone name, such as `Europe/Berlin` or `UTC`.",
        specified_by_url="https://www.iana.org/time-zones",
        serialize=str,
        parse_value=parse_time_zone,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="An ISO 4217 currency code: three capital letters, such as `USD`.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
        serialize=str,
        parse_value=parse_currency,
    ),
    Url: strawberry.scalar(
        name="URL",
        description="An absolute URL, http or https, of at most 2,000 characters.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=parse_url,
    ),
}
