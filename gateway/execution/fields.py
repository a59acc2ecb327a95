"""Fields that are data: a field's value is read off its parent's row, without a resolver.

The descriptor stands in the field's `metadata`, under `SOURCE`. Every way of executing a document
reads the same descriptor: one row at a time by `read`, many rows by `read_all`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, TypeAlias

from graphql import GraphQLField

SOURCE: Final = "source"
_DEFINITION: Final = "strawberry-definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The value of one column, or several columns' values as a tuple; then `convert` of them.

    A row that is a tuple has positions in the place of names.
    """

    names: tuple[str | int, ...]
    convert: Callable[..., Any] | None = None

    def read(self, row: Any) -> Any:
        """Return the value of one row."""
        if self.convert is not None:
            return self.convert(*(row[name] for name in self.names))
        if len(self.names) == 1:
            return row[self.names[0]]
        return tuple(row[name] for name in self.names)

    def read_all(self, rows: Sequence[Any]) -> list[Any]:
        """Return the value of each row, in their order."""
        if self.convert is not None:
            return list(map(self.convert, *(map(itemgetter(name), rows) for name in self.names)))
        return list(map(itemgetter(*self.names), rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Itself:
    """The row itself, for an object of some of its columns; null where column `when` is null."""

    when: str | None = None

    def read(self, row: Any) -> Any:
        """Return the row, or None."""
        return row if self.when is None or row[self.when] is not None else None

    def read_all(self, rows: Sequence[Any]) -> list[Any]:
        """Return the value of each row, in their order."""
        return list(rows) if self.when is None else [self.read(row) for row in rows]


Source: TypeAlias = Columns | Itself


def source_of(field: GraphQLField) -> Source | None:
    """Return the descriptor of a field of a Strawberry schema; None where a resolver is called."""
    definition = field.extensions.get(_DEFINITION)
    source: Source | None = getattr(definition, "metadata", {}).get(SOURCE)
    return source
