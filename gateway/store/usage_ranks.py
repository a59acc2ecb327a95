"""Ranks values of a dimension by their spend. Pure."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from gateway.store.usage_filter import NO_VALUE, UsageDimension

Value: TypeAlias = int | str
"""A value of a dimension as it is stored: a deployment's key or a text; see `NO_VALUE`."""


def ranked(
    totals: Mapping[Value, int], dimension: UsageDimension, is_active: Callable[[Value], bool]
) -> list[Value]:
    """Return values by their spend, descending, then by key; none comes last of equals. Values
    without spend that are not active are left out.
    """
    none = NO_VALUE[dimension]

    def place(value: Value) -> tuple[int, bool, int, bytes]:
        number, text = (value, b"") if isinstance(value, int) else (0, value.encode())
        return -totals[value], value == none, number, text

    shown = (value for value, spent in totals.items() if spent or is_active(value))
    return sorted(shown, key=place)
