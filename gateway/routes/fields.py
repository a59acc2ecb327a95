"""Fields of a JSON body, read strictly."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from gateway.errors import BadUserInput
from gateway.money import parse_exact_nanos
from gateway.text import checked_text
from resolvers.scalars import parse_instant

_Choice = TypeVar("_Choice", bound=StrEnum)


def read_decimal(value: object, argument: str) -> int:
    """Return nanos; a JSON number is refused, because it may have lost digits already."""
    if not isinstance(value, str):
        raise BadUserInput(
            f'`{argument}` is a decimal string such as "10.00"; a number may have lost digits.',
            argument=argument,
        )
    return parse_exact_nanos(value, argument=argument)


def read_choice(value: object, argument: str, choices: type[_Choice]) -> _Choice:
    try:
        return choices(str(value))
    except ValueError:
        raise BadUserInput(
            f"`{argument}` is one of {', '.join(choices)}.", argument=argument
        ) from None


def read_optional_text(value: object, argument: str, *, limit: int) -> str | None:
    return None if value is None else checked_text(value, argument, limit=limit)


def read_optional_instant(value: object, argument: str) -> datetime | None:
    if value is None:
        return None
    try:
        return parse_instant(value)
    except BadUserInput as error:
        raise BadUserInput(f"`{argument}`: {error.message}", argument=argument) from None


def refuse_others(value: Mapping[str, Any], allowed: Collection[str], subject: str) -> None:
    """Refuse fields that nobody would read: a misspelt one is not lost in silence."""
    others = sorted(value.keys() - set(allowed))
    if others:
        raise BadUserInput(f"{subject} has no field {', '.join(others)[:200]}.")
