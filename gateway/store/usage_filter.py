"""Filters of usage: the values that usage must have, by dimension."""

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement

from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression


class UsageDimension(StrEnum):
    """The dimensions by which usage is filtered and grouped."""

    DEPLOYMENT = "DEPLOYMENT"
    PROVIDER = "PROVIDER"
    GPU_MODEL = "GPU_MODEL"
    PROJECT = "PROJECT"
    RESOURCE = "RESOURCE"


NO_VALUE: Final[Mapping[UsageDimension, int | str]] = {
    UsageDimension.DEPLOYMENT: 0,
    UsageDimension.PROVIDER: "",
    UsageDimension.GPU_MODEL: "",
    UsageDimension.PROJECT: "",
    UsageDimension.RESOURCE: "",
}
"""The value of usage without one, in roll-ups and in filters."""

COLUMNS: Final[Mapping[UsageDimension, str]] = {
    UsageDimension.DEPLOYMENT: "deployment_id",
    UsageDimension.PROVIDER: "provider",
    UsageDimension.GPU_MODEL: "gpu_model",
    UsageDimension.PROJECT: "project",
    UsageDimension.RESOURCE: "resource",
}
"""Each dimension's column, in roll-ups and events."""


class UsageFilter(NamedTuple):
    """The usage that has any of the values of each dimension that has some; None selects all, an
    empty tuple nothing. The values are in order; see `NO_VALUE` for usage without one.
    """

    deployments: tuple[int, ...] | None = None
    providers: tuple[str, ...] | None = None
    gpu_models: tuple[str, ...] | None = None
    projects: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None

    @property
    def dimensions(self) -> frozenset[UsageDimension]:
        """The dimensions that the filter looks at."""
        pairs = zip(_ORDER, self, strict=True)
        return frozenset(dimension for dimension, values in pairs if values is not None)

    def parameters(self) -> dict[str, list[int | str]]:
        """Return the parameters of `conditions`."""
        pairs = zip(_ORDER, self, strict=True)
        return {
            _parameter(dimension): [*values] for dimension, values in pairs if values is not None
        }


EVERYTHING: Final = UsageFilter()
"""The filter that selects all usage."""

_ORDER: Final = (
    UsageDimension.DEPLOYMENT,
    UsageDimension.PROVIDER,
    UsageDimension.GPU_MODEL,
    UsageDimension.PROJECT,
    UsageDimension.RESOURCE,
)
"""The dimensions of a `UsageFilter`'s parts."""


def conditions(
    dimensions: Collection[UsageDimension], column: Callable[[UsageDimension], Expression]
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of a filter that looks at these dimensions, over their columns."""
    for dimension in _ORDER:
        if dimension in dimensions:
            yield any_of(column(dimension), _parameter(dimension))


def _parameter(dimension: UsageDimension) -> str:
    return f"{COLUMNS[dimension]}s"
