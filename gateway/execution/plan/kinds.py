"""Kinds of values, by their types."""

from functools import lru_cache
from types import CoroutineType, GeneratorType
from typing import Final

from graphql.pyutils import UndefinedType

ABSENT: Final = frozenset({type(None), UndefinedType})
"""The types of no value."""


@lru_cache(maxsize=1_000)
def may_be_awaitable(kind: type) -> bool:
    """Say whether a value of a type may be awaited."""
    return hasattr(kind, "__await__") or issubclass(kind, CoroutineType | GeneratorType)


@lru_cache(maxsize=1_000)
def is_plain(kind: type) -> bool:
    """Say whether every value of a type is neither absent nor an exception nor awaitable."""
    is_other = may_be_awaitable(kind) or kind in ABSENT or issubclass(kind, BaseException)
    return not is_other
