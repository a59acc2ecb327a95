"""Usage in spans of accounts' time, by dimension: rows for statements that add them up.

Activity is kept by days of the account's own zone, and what names a project a second time: usage
without a project is the one less the other. A span of another zone begins and ends within days:
those two parts of it are read from the raw events.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Subquery,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    true,
    union_all,
)

from gateway.models import Instant, RollupActivity, RollupProject, UsageEvent, table_of
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import BARRIER, DialectName, Expression, Query
from gateway.store.halves import parts
from gateway.store.tenancy import Visible
from gateway.store.usage_filter import COLUMNS, NO_VALUE, UsageDimension, conditions
from gateway.store.usage_plan import UsageSpan

_ACTIVITY: Final = table_of(RollupActivity)
_PROJECT: Final = table_of(RollupProject)
_EVENT: Final = table_of(UsageEvent)


class Shape(NamedTuple):
    """The kind of a statement: the dimensions that its rows have, those that its filter looks at,
    and whether spans have partial days.
    """

    by: tuple[UsageDimension, ...]
    filtered: frozenset[UsageDimension]
    partial_days: bool


KEYS: Final = ("key", "child")
"""The names of the columns of a shape's dimensions."""
_EDGES: Final = ("head_start", "head_end", "tail_start", "tail_end")

Read: TypeAlias = Callable[[UsageDimension], Expression]
"""Returns the column of a dimension."""


class SpanPlace(NamedTuple):
    """The query that a span belongs to, from 1, and the bucket that the span is."""

    query: int
    bucket: int = 0


def span_parameters(
    spans: Sequence[UsageSpan], places: Sequence[SpanPlace], *, partial_days: bool
) -> dict[str, list[object]]:
    """Return the parameters of `spans_of`."""
    names = ("account_id", "first_day", "end_day", *(_EDGES if partial_days else ()))
    columns: dict[str, list[object]] = {
        name: [getattr(span, name) for span in spans] for name in names
    }
    for position, name in enumerate(SpanPlace._fields):
        columns[name] = [place[position] for place in places]
    return columns


def spans_of(shape: Shape, visible: Visible) -> CTE:
    """Return the spans that are parameters, of accounts that the principal may see."""
    edges = dict.fromkeys(_EDGES if shape.partial_days else (), Instant())
    wanted = batch(
        visible.dialect,
        account_id=BigInteger(),
        first_day=Date(),
        end_day=Date(),
        query=BigInteger(),
        bucket=BigInteger(),
        **edges,
    )
    return select(visible.of(wanted)).cte("spans")


def activity_in(spans: CTE, shape: Shape, visible: Visible) -> Subquery:
    """Return the selected usage in spans, in the columns `query`, `bucket`, KEYS for the shape's
    dimensions, `deployment_id`, `spent_nanos` and `events` (that are not corrections).
    """
    found = [*_whole_days(spans, shape, visible.dialect)]
    if shape.partial_days:
        found.append(_events(spans, shape, visible.dialect, "head_start", "head_end"))
        found.append(_events(spans, shape, visible.dialect, "tail_start", "tail_end"))
    return union_all(*found).subquery("found")


def _whole_days(spans: CTE, shape: Shape, dialect: DialectName) -> Iterator[Query]:
    named, unnamed = partial(_column, _PROJECT), partial(_column, _ACTIVITY)
    if UsageDimension.PROJECT not in {*shape.by, *shape.filtered}:
        yield _rows(spans, shape, dialect, _ACTIVITY, unnamed, 1)
        return
    yield _rows(spans, shape, dialect, _PROJECT, named, 1)
    yield _rows(spans, shape, dialect, _ACTIVITY, partial(_without_project, _ACTIVITY), 1)
    yield _rows(spans, shape, dialect, _PROJECT, partial(_without_project, _PROJECT), -1)


def _rows(
    spans: CTE, shape: Shape, dialect: DialectName, table: Table, read: Read, sign: int
) -> Query:
    """Return the rows of a roll-up of days, added or taken away."""
    inside = and_(
        table.c.account_id == spans.c.account_id,
        table.c.day >= spans.c.first_day,
        table.c.day < spans.c.end_day,
    )
    sums = (
        (table.c[name] if sign > 0 else -table.c[name]).label(name)
        for name in ("spent_nanos", "events")
    )
    columns = (*_keys(shape, read), table.c.deployment_id.label("deployment_id"), *sums)
    return _joined(spans, inside, conditions(shape.filtered, read), columns, dialect)


def _events(spans: CTE, shape: Shape, dialect: DialectName, start: str, end: str) -> Query:
    table = _EVENT.c
    inside = and_(
        table.account_id == spans.c.account_id,
        table.started_at >= spans.c[start],
        table.started_at < spans.c[end],
    )
    columns = (
        *_keys(shape, of_event),
        of_event(UsageDimension.DEPLOYMENT).label("deployment_id"),
        table.amount_nanos.label("spent_nanos"),
        case((table.correction, 0), else_=1).label("events"),
    )
    return _joined(spans, inside, conditions(shape.filtered, of_event), columns, dialect)


def _joined(
    spans: CTE,
    inside: ColumnElement[bool],
    selected: Iterator[ColumnElement[bool]],
    columns: Sequence[Expression],
    dialect: DialectName,
) -> Query:
    place = (spans.c.query, spans.c.bucket)
    if dialect == "sqlite":
        return select(*place, *columns).where(inside, *selected)
    # The offset keeps the range in the index's condition: see `rollup_spans`.
    rows = select(*columns).where(inside, *selected).offset(BARRIER).lateral("rows")
    return select(*place, *rows.c).select_from(spans.join(rows, true()))


def _keys(shape: Shape, read: Read) -> Iterator[Expression]:
    for name, dimension in zip(KEYS, shape.by, strict=False):
        yield read(dimension).label(name)


def _column(table: Table, dimension: UsageDimension) -> Expression:
    return table.c[COLUMNS[dimension]]


def _without_project(table: Table, dimension: UsageDimension) -> Expression:
    if dimension is UsageDimension.PROJECT:
        return literal("", _PROJECT.c.project.type)
    return _column(table, dimension)


def of_event(dimension: UsageDimension) -> Expression:
    """Return the column of a dimension of raw events, as roll-ups have it."""
    column = _EVENT.c[COLUMNS[dimension]]
    return func.coalesce(column, literal(NO_VALUE[dimension], column.type))


def summed(found: Subquery, dialect: DialectName, *by: str) -> Subquery:
    """Return spend and events added up by some columns; `halves.whole` makes the spend whole."""
    columns = [found.c[name] for name in by]
    return (
        select(
            *columns,
            *(func.sum(part(found.c.spent_nanos)).label(name) for name, part in spend(dialect)),
            cast(func.sum(found.c.events), BigInteger()).label("events"),
        )
        .group_by(*columns)
        .subquery("summed")
    )


def spend(dialect: DialectName) -> Collection[tuple[str, Callable[..., ColumnElement[int]]]]:
    """Return the columns of which `halves.whole` makes `spent_nanos`, each with its part."""
    return parts(dialect, "spent_nanos").items()
