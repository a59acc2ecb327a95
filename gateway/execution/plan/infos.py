"""The `info` of a field's function."""

from collections.abc import Sequence
from typing import Any, Protocol

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.types.field import StrawberryField


class Infos(Protocol):
    """The values of one field, as `gateway.execution.plan.places` knows them."""

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        """Return graphql-core's `info` for each value's resolver."""
        ...


class OneInfo(Protocol):
    """The values of one field."""

    def info(self) -> GraphQLResolveInfo[Any]:
        """Return graphql-core's `info` for any one value's resolver."""
        ...


class _LaterInfo:
    """The `info` of any one value's resolver, made when something of it is read."""

    __slots__ = ("_places",)

    def __init__(self, places: OneInfo) -> None:
        self._places = places

    def __getattr__(self, name: str) -> object:
        return getattr(self._places.info(), name)


def type_info(places: OneInfo) -> GraphQLResolveInfo[Any]:
    """Return the `info` for the type of a field's values, which seldom depends on it."""
    return _LaterInfo(places)  # type: ignore[return-value]  # which it is like


class PlannedInfo(strawberry.Info[Any, Any]):
    """Strawberry's `info` for the value at a position. Most functions read the context alone:
    graphql-core's own `info` is made when something else is read.
    """

    context: Any = None

    def __init__(
        self, field: StrawberryField, context: object, places: Infos, position: int
    ) -> None:
        self._field = field
        self.context = context
        self._places = places
        self._position = position

    @property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]  # see above
        return self._places.infos()[self._position]
