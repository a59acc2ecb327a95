"""Field descriptors: the `metadata` of a Strawberry field.

A descriptor may have a source under `SOURCE`: the value is read from the parent's row, computed
from it, or loaded by a key in it, without a resolver. It may have a policy under `POLICY`, see
`gateway.execution.policies`; a type has one in its attribute `POLICY`. The field of a subscription
has its `Events` under `EVENTS`. A field that loads its row by a key in the arguments may have a
`Guess` under `GUESS`, and a field of that row a `ByKey` under `BY_KEY`. A list, a field that loads
rows and a long text have a `Cost` under `COST`, see `gateway.execution.cost`; the points of one
object are in its type's attribute `POINTS`, 1 if it is missing. Every way of running an operation
reads the same descriptor.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from graphql import GraphQLField, GraphQLNamedType

from gateway.column_rows import Cells, ColumnRows, attribute, column, present

SOURCE: Final = "source"
POLICY: Final = "policy"
EVENTS: Final = "events"
GUESS: Final = "guess"
BY_KEY: Final = "by-key"
COST: Final = "cost"
_DEFINITION: Final = "strawberry-definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The value of one column, or the values of several columns as a tuple; then `convert` of
    them.

    For rows that are tuples, the names are positions. `convert_all` converts whole columns, where
    that is quicker than value by value.
    """

    names: tuple[str | int, ...]
    convert: Callable[..., Any] | None = None
    convert_all: Callable[..., list[Any]] | None = None

    def read(self, row: Any) -> Any:
        """Return the value of one row."""
        if self.convert is not None:
            return self.convert(*(row[name] for name in self.names))
        if len(self.names) == 1:
            return row[self.names[0]]
        return tuple(row[name] for name in self.names)

    def read_all(self, rows: Sequence[Any], _: object) -> Sequence[Any]:
        """Return the value of each row, in their order."""
        if len(self.names) == 1 and self.convert is None:
            return column(rows, self.names[0])
        cells = [column(rows, name) for name in self.names]
        if self.convert_all is not None:
            return self.convert_all(*cells)
        return _tuples(cells) if self.convert is None else list(map(self.convert, *cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The value of one attribute of an object, or several attributes' values as a tuple; then
    `convert` of them. A name may have dots.
    """

    names: tuple[str, ...]
    convert: Callable[..., Any] | None = None

    def read(self, value: Any) -> Any:
        """Return the value of one object."""
        (found,) = self.read_all([value], None)
        return found

    def read_all(self, values: Sequence[Any], _: object) -> Sequence[Any]:
        """Return the value of each object, in their order."""
        if len(self.names) == 1 and self.convert is None:
            return attribute(values, self.names[0])
        cells = [attribute(values, name) for name in self.names]
        return _tuples(cells) if self.convert is None else list(map(self.convert, *cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """The row itself, for an object of some of its columns; null if the column `when` is null."""

    when: str | None = None

    def read(self, row: Any) -> Any:
        """Return the row, or None."""
        return row if self.when is None or row[self.when] is not None else None

    def read_all(self, rows: Sequence[Any], _: object) -> Sequence[Any]:
        """Return the value of each row, in their order."""
        if self.when is None:
            return rows
        if type(rows) is ColumnRows:
            return present(rows, rows.column(self.when))
        return [self.read(row) for row in rows]


def _tuples(cells: Sequence[Cells]) -> ColumnRows[tuple[Any, ...]]:
    return ColumnRows(dict(enumerate(cells)), _tuple)


def _tuple(*cells: Any) -> tuple[Any, ...]:
    return cells


ColumnSource: TypeAlias = Columns | Attributes | Itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """`compute(context, *values)` of the columns; `compute_all` computes whole columns, where that
    is quicker than value by value.
    """

    names: tuple[str, ...]
    compute: Callable[..., Any]
    compute_all: Callable[..., list[Any]] | None = None

    def read(self, row: Any, context: Any) -> Any:
        """Return the value of one row."""
        return self.compute(context, *(row[name] for name in self.names))

    def read_all(self, rows: Sequence[Any], context: Any) -> Sequence[Any]:
        """Return the value of each row, in their order."""
        cells = [column(rows, name) for name in self.names]
        if self.compute_all is not None:
            return self.compute_all(context, *cells)
        return list(map(partial(self.compute, context), *cells))


class KeyLoader(Protocol):
    """Loads the values of keys of one operation, in batches."""

    def begin(self, key: Any, /) -> None:
        """Begin the load of one key's value."""
        ...

    def load(self, key: Any, /) -> Awaitable[Any]:
        """Return the value of one key."""
        ...

    def kept(self, keys: Sequence[Any], /) -> Sequence[Any] | None:
        """Return the values of keys that came with other rows, in their order; None where some have
        to be loaded.
        """
        ...

    def load_all(self, keys: Sequence[Any], /) -> Awaitable[Sequence[Any]]:
        """Return the value of each key, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Loaded by a key of the row: the columns' values as a tuple, or `key` of them. `relation` is
    the loader's name.

    A row in which a key column is null has no value: null.
    """

    names: tuple[str, ...]
    relation: str
    loader: Callable[[Any], KeyLoader]
    key: Callable[..., Any] | None = None

    def begin(self, row: Any, context: Any) -> None:
        """Begin the load of one row's value; an awaitable of the value finds the load begun."""
        if (key := self._key(row)) is not None:
            self.loader(context).begin(key)

    def load(self, row: Any, context: Any) -> Awaitable[Any] | None:
        """Return the value of one row, to await; None without a key."""
        key = self._key(row)
        return None if key is None else self.loader(context).load(key)

    def read_all(
        self, rows: Sequence[Any], context: Any
    ) -> Sequence[Any] | Awaitable[Sequence[Any]]:
        """Return the value of each row, in their order, where they came with the rows. Otherwise an
        awaitable of them; the loader has the keys at once.
        """
        columns = [column(rows, name) for name in self.names]
        loader = self.loader(context)
        if any(None in cells for cells in columns):
            keys = list(map(self._key, rows))
            return _spread(keys, loader.load_all([key for key in keys if key is not None]))
        keys = list(zip(*columns, strict=True) if self.key is None else map(self.key, *columns))
        kept = loader.kept(keys)
        return loader.load_all(keys) if kept is None else kept

    def _key(self, row: Any) -> Any:
        values = tuple([row[name] for name in self.names])
        if None in values:
            return None
        return values if self.key is None else self.key(*values)


async def _spread(keys: Sequence[Any], loading: Awaitable[Sequence[Any]]) -> Sequence[Any]:
    present = iter(await loading)
    return [None if key is None else next(present) for key in keys]


Source: TypeAlias = ColumnSource | Computed | Related


@dataclass(frozen=True, slots=True, kw_only=True)
class FromArguments:
    """A number that follows from a field's arguments: `count` of the values of `names`, by their
    names in the schema. An argument that is omitted, null or not allowed has no value; a list's
    items and an object's values may be placeholders.
    """

    names: tuple[str, ...]
    count: Callable[[Mapping[str, Any]], int]


Size: TypeAlias = int | str | FromArguments
"""A number, or the name of a number that the nearest enclosing field has in `Cost.gives`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of one value of a field.

    `items` is the greatest or usual length of a list. `rows` are the rows of the database that are
    loaded for one value; a field without any takes no statement. `length` is the greatest number of
    characters of a text. `gives` are numbers by name, for the fields inside.
    """

    items: Size = 1
    rows: Size = 0
    length: int | None = None
    gives: Mapping[str, Size] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The events of a subscription field.

    `find(context, arguments)` returns the object that owns the events, on which the field's policy
    is checked. `open(owner)` then returns their source.
    """

    find: Callable[[Any, Mapping[str, Any]], Awaitable[Any]]
    open: Callable[[Any], Any]


Guess: TypeAlias = Callable[[Any, Mapping[str, Any]], Any]
"""`guess(context, arguments)` returns a guess of the row that a field's function loads, or None.
`arguments` are the function's, by its parameters. See `gateway.execution.plan.guesses`.
"""


ByKey: TypeAlias = Callable[[Mapping[str, Any]], bool]
"""`by_key(arguments)` says whether all that a field's function reads of its parent, to load its
first rows, is the parent's key. `arguments` are the function's, by its parameters.
"""


def by_key_of(field: GraphQLField) -> ByKey | None:
    """Return the function that says so; None for a field without one."""
    by_key: ByKey | None = _metadata(field).get(BY_KEY)
    return by_key


def guess_of(field: GraphQLField) -> Guess | None:
    """Return the function that guesses a field's row; None for a field without one."""
    guess: Guess | None = _metadata(field).get(GUESS)
    return guess


def source_of(field: GraphQLField) -> Source | None:
    """Return the source of a field; None if its resolver is called."""
    source: Source | None = _metadata(field).get(SOURCE)
    return source


def events_of(field: GraphQLField) -> Events:
    """Return the events of a subscription's field."""
    events: Events = _metadata(field)[EVENTS]
    return events


def cost_of(field: GraphQLField) -> Cost | None:
    """Return the cost in a field's descriptor; None for a field without one."""
    cost: Cost | None = _metadata(field).get(COST)
    return cost


def points_of(type_: GraphQLNamedType) -> int:
    """Return the points of one object of a type; introspection costs none."""
    if type_.name.startswith("__"):
        return 0
    origin = getattr(type_.extensions.get(_DEFINITION), "origin", None)
    points: int = getattr(origin, "POINTS", 1)
    return points


def own_policy(field: GraphQLField) -> Any:
    """Return the policy in a field's descriptor; None if the type's applies."""
    return _metadata(field).get(POLICY)


def type_policies(type_: GraphQLNamedType) -> frozenset[Any]:
    """Return the policy of a type; a generic type's also has those of its arguments' types."""
    definition = type_.extensions.get(_DEFINITION)
    origins = [
        getattr(definition, "origin", None),
        *getattr(definition, "type_var_map", {}).values(),
    ]
    found = (getattr(origin, "POLICY", None) for origin in origins)
    return frozenset(policy for policy in found if policy is not None)


def _metadata(field: GraphQLField) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = getattr(field.extensions.get(_DEFINITION), "metadata", {})
    return metadata
