"""The arguments with which a field loads by its parent's key alone; see
`gateway.execution.plan.guesses`.
"""

from collections.abc import Mapping
from typing import Any


def always(_: Mapping[str, Any]) -> bool:
    """Whether a field that loads by its parent's key alone does so."""
    return True


def without_filter(arguments: Mapping[str, Any]) -> bool:
    """Whether a list has no filter, which may depend on the account's time zone."""
    return arguments.get("filter_") is None


def of_days(arguments: Mapping[str, Any]) -> bool:
    """Whether a window is one of days that the document names, in the account's own time zone:
    they are the same days in every zone.
    """
    named = arguments.get("from_") is not None and arguments.get("to") is not None
    return named and arguments.get("time_zone") is None and without_filter(arguments)
