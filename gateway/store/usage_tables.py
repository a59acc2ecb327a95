"""Usage by bucket and dimension, every value of it, for files: rows in chunks, bucket by bucket."""

from collections.abc import AsyncGenerator, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple, NotRequired, TypedDict

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    collate,
    func,
    or_,
    select,
    true,
)

from gateway.models import Deployment, table_of
from gateway.principal import Principal
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.halves import HALF
from gateway.store.relation import STATEMENTS
from gateway.store.rows import Counted
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import (
    KEYS,
    Shape,
    SpanPlace,
    activity_in,
    span_parameters,
    spans_of,
    spend,
    summed,
)
from gateway.store.usage_filter import NO_VALUE, UsageDimension, UsageFilter
from gateway.store.usage_plan import UsageSpan

_DEPLOYMENT: Final = table_of(Deployment)

ROWS: Final = 500
"""Rows of a chunk; see `store.exports`."""
LABELS: Final = ("label", "child_label")


class TableKey(NamedTuple):
    """The buckets of a table, and the one or two dimensions that its rows have."""

    by: tuple[UsageDimension, ...]
    buckets: tuple[UsageSpan, ...]
    filter: UsageFilter


class TableRow(TypedDict):
    """The usage of one value, or pair of values, in one bucket (from 0). See `RankedUsage`; no row
    is one of all other values. `spent_nanos_high`, if there is one, is the upper half of the spend.
    """

    bucket: int
    key: int | str
    spent_nanos: int
    spent_nanos_high: NotRequired[int]
    deployments: int
    label: NotRequired[str]
    child: NotRequired[int | str]
    child_label: NotRequired[str]


def _grouped(shape: Shape, visible: Visible) -> tuple[Select[tuple[object, ...]], Query]:
    """Return the grouped rows without labels, and with labels and in order."""
    spans = spans_of(shape, visible)
    keys = KEYS[: len(shape.by)]
    found = activity_in(spans, shape, visible)
    activity = summed(found, visible.dialect, "query", "bucket", *keys, "deployment_id")
    took_part = and_(activity.c.events > 0, activity.c.deployment_id != 0)
    names = [name for name, _ in spend(visible.dialect)]
    sums = [func.sum(activity.c[name]) for name in names]
    group = [activity.c.query, activity.c.bucket, *(activity.c[key] for key in keys)]
    rows = (
        select(
            activity.c.query.label("n"),
            *group[1:],
            *(
                each.label(name)
                for each, (name, _) in zip(sums, spend(visible.dialect), strict=True)
            ),
            func.count(case((took_part, 1))).label("deployments"),
        )
        .group_by(*group)
        .having(or_(*(_nonzero(sums)), func.sum(activity.c.events) > 0))
    )
    table = rows.subquery("cut")
    labels = [
        (key, label)
        for key, label, dimension in zip(keys, LABELS, shape.by, strict=False)
        if dimension is UsageDimension.DEPLOYMENT
    ]
    order: list[Expression] = [table.c.bucket]
    for key, dimension in zip(keys, shape.by, strict=True):
        is_text = dimension is not UsageDimension.DEPLOYMENT
        value = table.c[key]
        by_bytes = collate(value, "C") if is_text and visible.dialect == "postgresql" else value
        order += [value == NO_VALUE[dimension], by_bytes]
    return rows, _named(table, spans, labels, visible).order_by(*order)


def _named(
    rows: FromClause, spans: CTE, labels: Sequence[tuple[str, str]], visible: Visible
) -> Query:
    """Add deployments' names, or their external ids: `labels` are the columns of their keys and
    those of their names.
    """
    if not labels:
        return select(*rows.c)
    account = select(func.min(spans.c.account_id).label("account_id")).subquery("account")
    joined: FromClause = rows.join(account, true())
    columns = []
    for key, label in labels:
        deployment = _DEPLOYMENT.alias(f"deployment_{key}")
        same = and_(
            deployment.c.account_id == account.c.account_id,
            deployment.c.id == rows.c[key],
            visible(deployment.c.account_id),
        )
        joined = joined.outerjoin(deployment, same)
        columns.append(func.coalesce(deployment.c.name, deployment.c.external_id).label(label))
    return select(*rows.c, *columns).select_from(joined)


def _nonzero(sums: Sequence[ColumnElement[int]]) -> list[ColumnElement[bool]]:
    if len(sums) == 1:
        return [sums[0] != 0]
    low, high = sums
    return [high + low.bitwise_rshift(HALF) != 0, low.bitwise_and(2**HALF - 1) != 0]


def _rows(shape: Shape, visible: Visible) -> Query:
    return _grouped(shape, visible)[1]


def _count(shape: Shape, visible: Visible) -> Query:
    rows = _grouped(shape, visible)[0].subquery("rows_of_table")
    return select(func.count().label("total_count")).select_from(rows)


class _Table:
    """The statements of tables of one shape."""

    def __init__(self, shape: Shape) -> None:
        self.rows = Scoped[TableRow](partial(_rows, shape))
        self.count = Scoped[Counted](partial(_count, shape))


@lru_cache(maxsize=STATEMENTS)
def _of(shape: Shape) -> _Table:
    return _Table(shape)


def _bound(key: TableKey) -> tuple[_Table, dict[str, object]]:
    partial_days = any(span.has_partial_days for span in key.buckets)
    places = [SpanPlace(1, bucket=bucket) for bucket in range(len(key.buckets))]
    parameters: dict[str, object] = {
        **key.filter.parameters(),
        **span_parameters(key.buckets, places, partial_days=partial_days),
    }
    return _of(Shape(key.by, key.filter.dimensions, partial_days)), parameters


async def count_rows(stream: Stream, principal: Principal, key: TableKey) -> int:
    """Return how many rows `rows` yields."""
    table, parameters = _bound(key)
    (row,) = await table.count.fetch(stream, principal, **parameters)
    return row["total_count"]


def rows(stream: Stream, principal: Principal, key: TableKey) -> AsyncGenerator[Chunk[TableRow]]:
    """Yield a table's rows: by bucket, then by value; none comes last."""
    table, parameters = _bound(key)
    return table.rows.chunks(stream, principal, ROWS, **parameters)
