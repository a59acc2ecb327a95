"""Types of the fields that bodies share, each with its rule and its JSON Schema."""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from pydantic import WithJsonSchema

from gateway.errors import BadUserInput
from gateway.http.json_models import check, limited
from gateway.instants import parse_instant
from gateway.money import MAX_TEXT, minor_digits, parse_exact_nanos
from gateway.text import checked_identifier, checked_name, checked_text
from gateway.windows import zone

DECIMAL_PATTERN: Final = r"^-?[0-9]+(\.[0-9]+)?$"
POSITIVE_PATTERN: Final = r"^[0-9]+(\.[0-9]+)?$"
_INSTANT_SCHEMA: Final = {
    "type": "string",
    "format": "date-time",
    "description": "RFC 3339 with `Z` or an offset, in the years 2000 to 2100.",
}


def text_schema(limit: int) -> WithJsonSchema:
    """Return the schema of a text of 1 to `limit` characters."""
    return WithJsonSchema({"type": "string", "minLength": 1, "maxLength": limit})


def decimal_schema(**keywords: object) -> WithJsonSchema:
    """Return the schema of a decimal string."""
    schema = {"type": "string", "pattern": DECIMAL_PATTERN, "maxLength": MAX_TEXT}
    return WithJsonSchema(schema | keywords)


def read_decimal(value: object, argument: str) -> int:
    """Return nanos; a JSON number is refused, because it may have lost digits already."""
    if not isinstance(value, str):
        raise BadUserInput(
            f'`{argument}` must be a decimal string such as "10.00"; a JSON number may have lost '
            "digits.",
            argument=argument,
        )
    return parse_exact_nanos(value, argument=argument)


def _read_currency(value: object, argument: str) -> str:
    currency = checked_text(value, argument, limit=3)
    minor_digits(currency, argument=argument)
    return currency


def _read_time_zone(value: object, argument: str) -> str:
    if value is None:
        raise BadUserInput(
            f"`{argument}` must not be null: send an IANA name such as Europe/Berlin, or omit "
            "the field."
        )
    return zone(checked_text(value, argument, limit=64), argument=argument).key


def read_instant(value: object, _argument: str) -> datetime:
    return parse_instant(value)


Identifier: TypeAlias = Annotated[str, limited(checked_identifier, 200), text_schema(200)]
Name: TypeAlias = Annotated[str, limited(checked_name, 200), text_schema(200)]
Description: TypeAlias = Annotated[str, limited(checked_text, 2000), text_schema(2000)]
Nanos: TypeAlias = Annotated[int, check(read_decimal), decimal_schema()]
Currency: TypeAlias = Annotated[
    str, check(_read_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
]
TimeZone: TypeAlias = Annotated[
    str,
    check(_read_time_zone, is_needed=False),
    WithJsonSchema({"type": "string", "maxLength": 64}),
]
Instant: TypeAlias = Annotated[datetime, check(read_instant), WithJsonSchema(_INSTANT_SCHEMA)]
