"""The costs of an operation's selections: a tree of lists, with the figures of one item of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from graphql import (
    GraphQLInputType,
    Undefined,
    coerce_input_value,
    get_nullable_type,
    is_list_type,
)

from gateway.execution.fields import FromArguments

Variables: TypeAlias = Mapping[str, object]
"""The values of variables as a client sent them."""


class Figures(NamedTuple):
    """The limits of an operation's cost.

    `points` are objects; `values` are scalars, objects and lists of the response, and `length` its
    characters; `rows` are rows of the database to load, `statements` those that load them.
    """

    points: int = 0
    values: int = 0
    length: int = 0
    rows: int = 0
    statements: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument's value, or the variable that has it."""

    name: str
    type: GraphQLInputType
    value: object = None
    variable: str | None = None
    default: object = None

    def sent(self, variables: Variables) -> object:
        """Return the value of the argument's variable, Undefined where it has none."""
        return None if self.variable is None else variables.get(self.variable, Undefined)

    def read(self, variables: Variables) -> object:
        """Return the coerced value; None if it is omitted, or is not of the argument's type."""
        if self.variable is None:
            return self.value
        if self.variable not in variables:
            return self.default
        value = variables[self.variable]
        if value is None or is_list_type(get_nullable_type(self.type)):
            return value if isinstance(value, list | None) else [value]
        try:
            coerced = coerce_input_value(value, self.type)
        except Exception:  # whatever a scalar raises: the operation is refused when it runs
            return None
        return None if coerced is Undefined else coerced


@dataclass(slots=True, kw_only=True)
class Count:
    """A number that depends on variables; the latest values are kept with their number."""

    size: FromArguments
    arguments: Sequence[Argument]
    _latest: tuple[list[object], int] | None = None

    @property
    def variables(self) -> Sequence[str]:
        return [each.variable for each in self.arguments if each.variable is not None]

    def of(self, variables: Variables) -> int:
        """Return the number with the values of variables."""
        sent = [each.sent(variables) for each in self.arguments]
        if self._latest is None or self._latest[0] != sent:
            values = {each.name: each.read(variables) for each in self.arguments}
            given = {name: value for name, value in values.items() if value is not None}
            self._latest = sent, self.size.count(given)
        return self._latest[1]


Number: TypeAlias = int | Count
Scope: TypeAlias = Mapping[str, Number]


@dataclass(slots=True, kw_only=True)
class Selected:
    """The costs of one object's selections: `own` figures, `lists` with their items, and the
    greatest of the figures of each possible type in `either`. `fixed` are all figures together, if
    no variable changes them; otherwise the latest values of the `variables` that do are kept with
    the figures.
    """

    own: Figures
    lists: Sequence["SelectedList"] = ()
    either: Sequence["Selected"] = ()
    fixed: Figures | None = None
    variables: tuple[str, ...] = ()
    _latest: tuple[list[object], Figures] | None = None

    def __post_init__(self) -> None:
        parts: list[Selected | SelectedList] = [*self.lists, *self.either]
        names = [name for each in parts for name in each.variables]
        self.variables = tuple(dict.fromkeys(names))
        if not self.variables:
            self.fixed = self._figures({})

    def figures(self, variables: Variables) -> Figures:
        """Return the figures with the values of variables."""
        if self.fixed is not None:
            return self.fixed
        sent = [variables.get(name, Undefined) for name in self.variables]
        if self._latest is None or self._latest[0] != sent:
            self._latest = sent, self._figures(variables)
        return self._latest[1]

    def _figures(self, variables: Variables) -> Figures:
        points, values, length, rows, statements = self.own
        for each in self.lists:
            found = each.figures(variables)
            points += found.points
            values += found.values
            length += found.length
            rows += found.rows
            statements += found.statements
        found = Figures(points, values, length, rows, statements)
        if not self.either:
            return found
        of_types = [each.figures(variables) for each in self.either]
        return total([found, Figures(*map(max, zip(*of_types, strict=True)))])


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedList:
    """A list, or the rows that a field loads, with what one item costs; `key` is its name in the
    response.
    """

    key: str
    count: Number
    selected: Selected

    @property
    def variables(self) -> Sequence[str]:
        """The variables that change the figures."""
        own = () if isinstance(self.count, int) else self.count.variables
        return *own, *self.selected.variables

    def figures(self, variables: Variables) -> Figures:
        count = self.count if isinstance(self.count, int) else self.count.of(variables)
        points, values, length, rows, statements = self.selected.figures(variables)
        # Loaders batch: a statement is sent once for all objects.
        return Figures(points * count, values * count, length * count, rows * count, statements)


ROW: Final = Selected(own=Figures(rows=1))


def total(figures: Iterable[Figures]) -> Figures:
    """Return the sum of figures."""
    return Figures(*map(sum, zip(*figures, strict=True)))


def dearest(selected: Selected, variables: Variables, figure: int) -> str:
    """Return the path of the list that adds most to a figure: keys with dots between."""
    path: list[str] = []

    def amount(found: Selected | SelectedList) -> int:
        return found.figures(variables)[figure]

    while True:
        branches: list[Selected | SelectedList] = [*selected.lists, *selected.either]
        best = max(branches, key=amount, default=None)
        if best is None or not amount(best):
            return ".".join(path)
        if isinstance(best, SelectedList):
            path.append(best.key)
            best = best.selected
        selected = best
