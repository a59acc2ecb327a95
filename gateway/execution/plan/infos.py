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
