"""Paths of values in the response, and the `info` of their resolvers: made only if read."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from graphql import FieldNode, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.pyutils import Path

from gateway.execution.plan.object_plan import FieldPlan


class Places(Protocol):
    """The places of many values of one field, in the order of the values."""

    @property
    def nodes(self) -> list[FieldNode]:
        """The field in the document."""
        ...

    def paths(self) -> Sequence[Path | None]:
        """Return each value's path; None for the root's."""
        ...

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        """Return the `info` of each value's resolver."""
        ...

    def path(self) -> Path | None:
        """Return the path of any one value."""
        ...

    def info(self) -> GraphQLResolveInfo[Any]:
        """Return the `info` of any one value's resolver."""
        ...


class RootPlace:
    """The place of the root value: it belongs to no field."""

    nodes: Final[list[FieldNode]] = []

    def paths(self) -> Sequence[Path | None]:
        return [None]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        raise NotImplementedError  # the root's type is known

    def path(self) -> None:
        return None

    def info(self) -> GraphQLResolveInfo[Any]:
        raise NotImplementedError


class FieldPlaces:
    """The places of one field's values in objects."""

    __slots__ = ("_executor", "_field", "_infos", "_objects")

    def __init__(self, executor: Executor[Any], objects: Places, planned: FieldPlan) -> None:
        self._executor = executor
        self._objects = objects
        self._field = planned
        self._infos: list[GraphQLResolveInfo[Any]] | None = None

    @property
    def nodes(self) -> list[FieldNode]:
        return self._field.nodes

    def paths(self) -> Sequence[Path]:
        key, typename = self._field.key, self._field.parent.name
        return [Path(path, key, typename) for path in self._objects.paths()]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        if self._infos is None:
            planned, build = self._field, self._executor.build_resolve_info
            self._infos = [
                build(planned.field, planned.nodes, planned.parent, path) for path in self.paths()
            ]
        return self._infos

    def path(self) -> Path:
        return Path(self._objects.path(), self._field.key, self._field.parent.name)

    def info(self) -> GraphQLResolveInfo[Any]:
        planned, build = self._field, self._executor.build_resolve_info
        return build(planned.field, planned.nodes, planned.parent, self.path())


class Subset:
    """Subset of other places, by position."""

    __slots__ = ("_all", "_positions")

    def __init__(self, places: Places, positions: Sequence[int]) -> None:
        self._all = places
        self._positions = positions

    @property
    def nodes(self) -> list[FieldNode]:
        return self._all.nodes

    def paths(self) -> Sequence[Path | None]:
        paths = self._all.paths()
        return [paths[position] for position in self._positions]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        infos = self._all.infos()
        return [infos[position] for position in self._positions]

    def path(self) -> Path | None:
        return self._all.path()

    def info(self) -> GraphQLResolveInfo[Any]:
        return self._all.info()


class ItemPlaces:
    """The places of lists' items: the path of the list and the index of the item."""

    __slots__ = ("_lengths", "_lists")

    def __init__(self, lists: Places, lengths: Sequence[int]) -> None:
        self._lists = lists
        self._lengths = lengths

    @property
    def nodes(self) -> list[FieldNode]:
        return self._lists.nodes

    def paths(self) -> Sequence[Path]:
        return [
            Path(path, index, None)
            for path, length in zip(self._lists.paths(), self._lengths, strict=True)
            for index in range(length)
        ]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        return [
            info
            for info, length in zip(self._lists.infos(), self._lengths, strict=True)
            for _ in range(length)
        ]

    def path(self) -> Path:
        return Path(self._lists.path(), 0, None)

    def info(self) -> GraphQLResolveInfo[Any]:
        return self._lists.info()
