"""Usage over time by one dimension: ranked over all buckets, cut and labelled in the statement."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import NamedTuple, NotRequired, TypedDict

from sqlalchemy import case, func, literal_column, select

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import Query
from gateway.store.halves import whole
from gateway.store.relation import STATEMENTS, by_position
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import (
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


class SeriesKey(NamedTuple):
    """Buckets that follow each other, with the `size` largest values of a dimension over all of
    them, and the rest as one.
    """

    by: UsageDimension
    size: int
    buckets: tuple[UsageSpan, ...]
    filter: UsageFilter = EVERYTHING


class SeriesPoint(TypedDict):
    """The spend on one value in one bucket, of those with any; `bucket` counts from 0. See
    `RankedUsage` for the others.
    """

    rank: int
    bucket: int
    key: int | str | None
    spent_nanos: int
    label: NotRequired[str]


class _Kind(NamedTuple):
    """Keys that one statement answers."""

    by: UsageDimension
    filter: UsageFilter


def _statement(shape: Shape, visible: Visible) -> Query:
    spans = spans_of(shape, visible)
    found = activity_in(spans, shape, visible)
    activity = summed(found, visible.dialect, "query", "bucket", "key")
    ranked = placed(activity, ("query",), "key", shape.by[0], visible)
    queries = queries_of(spans)
    size = queries.c.size
    is_kept = ranked.c.place <= size
    rank = case((is_kept, ranked.c.place), else_=size + 1).label("rank")
    cut = (
        select(
            ranked.c.query.label("n"),
            rank,
            ranked.c.bucket,
            func.max(case((is_kept, ranked.c.key))).label("key"),
            *(func.sum(ranked.c[name]).label(name) for name, _ in spend(visible.dialect)),
        )
        .select_from(ranked.join(queries, queries.c.query == ranked.c.query))
        .group_by(ranked.c.query, rank, ranked.c.bucket)
        .subquery("cut")
    )
    labels = [("key", "label")] if shape.by[0] is UsageDimension.DEPLOYMENT else []
    rows = named(cut, spans, labels, visible)
    return rows.order_by(*(literal_column(name) for name in ("n", "rank", "bucket")))


@lru_cache(maxsize=STATEMENTS)
def _of(shape: Shape) -> Scoped[SeriesPoint]:
    return Scoped[SeriesPoint](partial(_statement, shape))


async def usage_series(
    reader: Reader, principal: Principal, keys: Sequence[SeriesKey]
) -> list[list[SeriesPoint]]:
    """Return each key's points, by rank and then bucket. One statement for each kind of key; it
    reads events only where a bucket cuts days.
    """
    places: defaultdict[_Kind, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[_Kind(key.by, key.filter)].append(place)
    found: list[list[SeriesPoint]] = [[]] * len(keys)
    for kind, mine in places.items():
        spans = [*chain.from_iterable(keys[place].buckets for place in mine)]
        partial_days = any(span.has_partial_days for span in spans)
        queries = [
            SpanPlace(query, keys[place].size, bucket)
            for query, place in enumerate(mine, start=1)
            for bucket in range(len(keys[place].buckets))
        ]
        rows = await _of(Shape((kind.by,), kind.filter.dimensions, partial_days)).fetch(
            reader,
            principal,
            **kind.filter.parameters(),
            **span_parameters(spans, queries, partial_days=partial_days),
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = [whole(row, "spent_nanos") for row in part]
    return found
