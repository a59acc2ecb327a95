"""Objects of one plan that are run together, a column for each field."""

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.dicts import Form
from gateway.execution.plan.object_plan import ObjectPlan
from gateway.execution.plan.output import Awaited, Complete, OutputColumn
from gateway.execution.plan.places import Places


class Batch:
    """Objects with one plan, one row each; a column for each field, once it is complete. `length`
    is the number of rows.
    """

    __slots__ = ("columns", "form", "length", "places", "plan", "rows", "values")

    def __init__(self, plan: ObjectPlan, rows: Sequence[Any], places: Places) -> None:
        self.plan = plan
        self.rows = rows
        self.length = len(rows)
        self.places = places
        self.columns: list[OutputColumn] = []
        self.form: Form = ()
        self.values: list[Sequence[Any]] = []

    def build_columns(self) -> Iterator[None]:
        """Build the lists of the columns, a column a step, as `close` would at once."""
        for position, column in enumerate(self.columns):
            if _batch_of(column) is None and type(column) is not Complete:
                self.columns[position] = Complete(column.build())
                yield

    def close(self) -> None:
        """Take the columns' values; the batches inside are closed before. An object in each object
        is made with that object.
        """
        columns, self.columns = self.columns, []
        form: list[tuple[str, Form | None]] = []
        for planned, column in zip(self.plan.fields, columns, strict=True):
            if type(column) is Complete:
                form.append(planned.flat)
                self.values.append(column.values)
                continue
            inner = _batch_of(column)
            if inner:
                form.append((planned.key, inner.form))
                self.values += inner.values
            else:
                form.append(planned.flat)
                self.values.append(column.build())
        self.form = tuple(form)

    def build(self) -> list[Any]:
        """Return the objects in their form in the response."""
        make = self.plan.maker(self.form)
        return list(map(make, *self.values)) if self.values else [make() for _ in self.rows]


def _batch_of(column: OutputColumn) -> Batch | None:
    """Return the batch of a column with an object for each row; None for another column."""
    found = column.inner if type(column) is Awaited else column
    return found if type(found) is Batch else None
