"""Selections of a listing's rows, and pages of a selection."""

from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.store.cursor import Position

Conditions: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""Conditions by name, each with its parameter's values."""

Parameters: TypeAlias = tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of one key (`scope`: the values of the listing's scope columns) between two
    positions, both excluded, and meet the conditions: names with their parameters' values.
    `parameters` are the values of other parameters that the conditions have.
    """

    scope: tuple[int, ...]
    lower: Position
    upper: Position
    conditions: Conditions = ()
    # They follow from the conditions: a cursor, which holds the selection's text, is as it was.
    parameters: Parameters = field(default=(), repr=False)

    def __hash__(self) -> int:
        # Loaders look selections up often, and to hash an instant is slow.
        return hash((self.scope, self.lower[-1], self.upper[-1], self.conditions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """At most `limit` rows of a selection, from its lower end (`ascending`) or its upper one."""

    selection: Selection
    ascending: bool
    limit: int
