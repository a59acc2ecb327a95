"""Spend and active deployments of filtered usage, in spans of time."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import chain, islice
from typing import NamedTuple, TypedDict

from sqlalchemy import and_, case, func, select

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
    span_parameters,
    spans_of,
    spend,
    summed,
)
from gateway.store.usage_filter import UsageFilter


class TotalsKey(NamedTuple):
    """Spans of time, such as the buckets of a chart, and the usage that counts in them."""

    spans: tuple[UsageSpan, ...]
    filter: UsageFilter


class UsageTotal(TypedDict):
    """The spend of a span, in nanos of any size, and how many distinct deployments were active."""

    spent_nanos: int
    deployments: int


def _statement(shape: Shape, visible: Visible) -> Query:
    spans = spans_of(shape, visible)
    found = activity_in(spans, shape, visible)
    activity = summed(found, visible.dialect, "query", "deployment_id")
    took_part = and_(activity.c.events > 0, activity.c.deployment_id != 0)
    return select(
        activity.c.query.label("n"),
        *(func.sum(activity.c[name]).label(name) for name, _ in spend(visible.dialect)),
        func.count(case((took_part, 1))).label("deployments"),
    ).group_by(activity.c.query)


@lru_cache(maxsize=STATEMENTS)
def _of(shape: Shape) -> Scoped[UsageTotal]:
    return Scoped[UsageTotal](partial(_statement, shape))


async def usage_totals(
    reader: Reader, principal: Principal, keys: Sequence[TotalsKey]
) -> list[list[UsageTotal]]:
    """Return the total of each span of each key. One statement for each filter; it reads events
    only where a span cuts days.
    """
    places: defaultdict[UsageFilter, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key.filter].append(place)
    found: list[list[UsageTotal]] = [[]] * len(keys)
    for filter_, mine in places.items():
        spans = [*chain.from_iterable(keys[place].spans for place in mine)]
        partial_days = any(span.has_partial_days for span in spans)
        queries = [SpanPlace(number) for number in range(1, len(spans) + 1)]
        rows = await _of(Shape((), filter_.dimensions, partial_days)).fetch(
            reader,
            principal,
            **filter_.parameters(),
            **span_parameters(spans, queries, partial_days=partial_days),
        )
        totals = map(_total, by_position(rows, len(spans)))
        for place in mine:
            found[place] = [*islice(totals, len(keys[place].spans))]
    return found


def _total(rows: Sequence[UsageTotal]) -> UsageTotal:
    """Return a span's total, which has no row where there is no usage."""
    for row in rows:
        return whole(row, "spent_nanos")
    return UsageTotal(spent_nanos=0, deployments=0)
