"""Where values stand in an answer: their paths and what resolvers get as `info`, made if read."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from graphql import FieldNode, GraphQLResolveInfo
from graphql.execution import Executor
from graphql.pyutils import Path

from gateway.execution.plan.selections import Selected


class Places(Protocol):
    """Places of many values of one field, in the values' order."""

    @property
    def nodes(self) -> list[FieldNode]:
        """The field in the document."""
        ...

    def paths(self) -> Sequence[Path | None]:
        """Return each value's path; None for the root's."""
        ...

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        """Return what the resolver of each value's field gets."""
        ...


class RootPlace:
    """The place of the root value, which no field has resolved."""

    nodes: Final[list[FieldNode]] = []

    def paths(self) -> Sequence[Path | None]:
        return [None]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        raise NotImplementedError  # the root's type is never asked for


class FieldPlaces:
    """The places of one field's values in objects."""

    __slots__ = ("_executor", "_infos", "_objects", "_selected")

    def __init__(self, executor: Executor[Any], objects: Places, selected: Selected) -> None:
        self._executor = executor
        self._objects = objects
        self._selected = selected
        self._infos: list[GraphQLResolveInfo[Any]] | None = None

    @property
    def nodes(self) -> list[FieldNode]:
        return self._selected.nodes

    def paths(self) -> Sequence[Path]:
        key, typename = self._selected.key, self._selected.parent.name
        return [Path(path, key, typename) for path in self._objects.paths()]

    def infos(self) -> Sequence[GraphQLResolveInfo[Any]]:
        if self._infos is None:
            selected, build = self._selected, self._executor.build_resolve_info
            self._infos = [
                build(selected.field, selected.nodes, selected.parent, path)
                for path in self.paths()
            ]
        return self._infos


class Some:
    """Some of other places, by position."""

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


class ItemPlaces:
    """The places of lists' items: a list's own, with the item's index behind it."""

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
