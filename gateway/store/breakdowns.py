"""Accounts' usage by one dimension or two: ranked, cut and labelled in the statement."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, NotRequired, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    case,
    cast,
    distinct,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import Expression, Query
from gateway.store.halves import whole
from gateway.store.relation import STATEMENTS, by_position
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import (
    KEYS,
    Shape,
    SpanPlace,
    UsageSpan,
    activity_in,
    queries_of,
    span_parameters,
    spans_of,
    spend,
    summed,
)
from gateway.store.usage_filter import EVERYTHING, UsageDimension, UsageFilter
from gateway.store.usage_ranks import named, placed

LABELS: Final = ("label", "child_label")
MAX_CHILDREN: Final = 25
"""Most values of the second dimension under a row, before the row of all others."""


class BreakdownKey(NamedTuple):
    """The first `size` rows of a span by a dimension, and the rest as one; with `then`, each with
    its parts by a second dimension.
    """

    by: UsageDimension
    size: int
    span: UsageSpan
    then: UsageDimension | None = None
    filter: UsageFilter = EVERYTHING


class RankedUsage(TypedDict):
    """A span's usage of one value of a dimension.

    `rank` is from 1; `size` + 1 is the row of all other values. `key` is a deployment's key or a
    text: 0 or empty for no value, null for all other values. `deployments` counts the distinct ones
    with an event that is not a correction. `label` is a deployment's name, or its external id. The
    spend may be of any size.

    Of two dimensions, `child_rank`, `child` and `child_label` are the same within the row's value;
    its own row has the rank 0.
    """

    rank: int
    key: int | str | None
    spent_nanos: int
    deployments: int
    label: NotRequired[str]
    child_rank: NotRequired[int]
    child: NotRequired[int | str | None]
    child_label: NotRequired[str]


class _Kind(NamedTuple):
    """Keys that one statement answers."""

    by: UsageDimension
    then: UsageDimension | None
    filter: UsageFilter


def _statement(shape: Shape, visible: Visible) -> Query:
    spans = spans_of(shape, visible)
    found = activity_in(spans, shape, visible)
    columns = ("query", *KEYS[: len(shape.by)], "deployment_id")
    activity = summed(found, visible.dialect, *columns)
    by_key = placed(activity, ("query",), "key", shape.by[0], visible)
    ranked = _ranked(by_key, "key", "rank", queries_of(spans)).cte("ranked")
    cut: FromClause = _cut(ranked, visible, whole_row=True).subquery("cut")
    if len(shape.by) > 1:
        by_child = placed(ranked, ("query", "rank"), "child", shape.by[1], visible)
        parts = _ranked(by_child, "child", "child_rank")
        whole_rows = _cut(ranked, visible, whole_row=True)
        cut = union_all(whole_rows, _cut(parts.subquery("parts"), visible)).subquery("cut")
    labels = [
        (key, label)
        for key, label, dimension in zip(KEYS, LABELS, shape.by, strict=False)
        if dimension is UsageDimension.DEPLOYMENT
    ]
    order = ("n", "rank", "child_rank")[: len(shape.by) + 1]
    rows = named(cut, spans, labels, visible)
    return rows.order_by(*map(literal_column, order))


def _ranked(placed: Subquery, key: str, rank: str, queries: Subquery | None = None) -> Select[Any]:
    """Replace each row's place by its rank: all values beyond the query's size, or MAX_CHILDREN,
    have the next one, and no key.
    """
    size: Expression = literal_column(str(MAX_CHILDREN), BigInteger())
    rows: FromClause = placed
    if queries is not None:
        size, rows = queries.c.size, placed.join(queries, queries.c.query == placed.c.query)
    is_kept = placed.c.place <= size
    others = (column for column in placed.c if column.name not in {"place", key})
    return select(
        *others,
        case((is_kept, placed.c[key])).label(key),
        case((is_kept, placed.c.place), else_=size + 1).label(rank),
    ).select_from(rows)


def _cut(ranked: FromClause, visible: Visible, *, whole_row: bool = False) -> Select[Any]:
    """Return the rows of ranked activity, see `RankedUsage`; with `whole_row`, of the first
    dimension alone.
    """
    has_children = "child" in ranked.c
    took_part = and_(ranked.c.events > 0, ranked.c.deployment_id != 0)
    group: list[ColumnElement[Any]] = [ranked.c.query, ranked.c.rank]
    child_rank: Expression = literal_column("0", BigInteger()).label("child_rank")
    child: Expression = cast(null(), ranked.c.child.type).label("child") if has_children else null()
    if has_children and not whole_row:
        group.append(ranked.c.child_rank)
        child_rank, child = ranked.c.child_rank, func.max(ranked.c.child).label("child")
    return select(
        ranked.c.query.label("n"),
        ranked.c.rank,
        *((child_rank, child) if has_children else ()),
        func.max(ranked.c.key).label("key"),
        *(func.sum(ranked.c[name]).label(name) for name, _ in spend(visible.dialect)),
        func.count(distinct(case((took_part, ranked.c.deployment_id)))).label("deployments"),
    ).group_by(*group)


@lru_cache(maxsize=STATEMENTS)
def _of(shape: Shape) -> Scoped[RankedUsage]:
    return Scoped[RankedUsage](partial(_statement, shape))


async def breakdowns(
    reader: Reader, principal: Principal, keys: Sequence[BreakdownKey]
) -> list[list[RankedUsage]]:
    """Return each key's rows in the order of their ranks. One statement for each kind of key; it
    reads events only where a key's window cuts days.
    """
    places: defaultdict[_Kind, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[_Kind(key.by, key.then, key.filter)].append(place)
    found: list[list[RankedUsage]] = [[]] * len(keys)
    for kind, mine in places.items():
        spans = [keys[place].span for place in mine]
        by = (kind.by,) if kind.then is None else (kind.by, kind.then)
        partial_days = any(span.has_partial_days for span in spans)
        shape = Shape(by, kind.filter.dimensions, partial_days)
        queries = [SpanPlace(n, keys[place].size) for n, place in enumerate(mine, start=1)]
        rows = await _of(shape).fetch(
            reader,
            principal,
            **kind.filter.parameters(),
            **span_parameters(spans, queries, partial_days=partial_days),
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = [whole(row, "spent_nanos") for row in part]
    return found
