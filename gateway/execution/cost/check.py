"""Refuses operations that would cost too much."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.errors import TooComplex
from gateway.execution.cost.tree import Figures, Selected, Variables, dearest
from gateway.execution.limits import DocumentLimits

_HOLDERS: Final = (dict, list)


class _Limit(NamedTuple):
    """The limit of one figure: its setting, and the sentence for an operation beyond it."""

    figure: str
    setting: str
    sentence: str


_LIMITS: Final = (
    _Limit(
        "points",
        "operation_points",
        "The operation costs {cost:,} points; at most {limit:,} are allowed.",
    ),
    _Limit(
        "values",
        "answer_values",
        "The answer may have {cost:,} values; at most {limit:,} are allowed.",
    ),
    _Limit(
        "length",
        "answer_bytes",
        "The answer may have {cost:,} bytes; at most {limit:,} are allowed.",
    ),
    _Limit(
        "rows",
        "operation_rows",
        "The operation may load {cost:,} rows; at most {limit:,} are allowed.",
    ),
)


def checked_figures(selected: Selected, variables: Variables, limits: DocumentLimits) -> Figures:
    """Return the greatest cost of an operation. Raises TooComplex beyond a limit, with the cost,
    the limit and the list to request less of.
    """
    figures = selected.figures(variables)
    if (
        figures.points <= limits.operation_points
        and figures.values <= limits.answer_values
        and figures.length <= limits.answer_bytes
        and figures.rows <= limits.operation_rows
    ):
        return figures
    for each in _LIMITS:
        cost, limit = getattr(figures, each.figure), getattr(limits, each.setting)
        if cost > limit:
            place = dearest(selected, variables, Figures._fields.index(each.figure))
            sentence = each.sentence.format(cost=cost, limit=limit)
            raise TooComplex(f"{sentence} Request fewer items or days at once{_at(place)}.")
    raise AssertionError(figures)


def check_variables(variables: Variables, limits: DocumentLimits) -> None:
    """Raise TooComplex for variables with too many values: each is coerced before it is used."""
    left = limits.variable_values
    pending: list[Mapping[str, object] | list[object]] = [variables]
    while pending:
        values = pending.pop()
        left -= len(values)
        if left < 0:
            raise TooComplex(
                f"The variables hold more than {limits.variable_values:,} values; send fewer."
            )
        inside = values if isinstance(values, list) else values.values()
        pending += [value for value in inside if isinstance(value, _HOLDERS)]


def _at(place: str) -> str:
    return f": most of the cost is in `{place}`" if place else ""
