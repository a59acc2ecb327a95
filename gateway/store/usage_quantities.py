"""Quantities of filtered usage, from the raw events: roll-ups have them by resource alone."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, and_, func, select, true

from gateway.models import Instant, UsageEvent, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import BARRIER, Query
from gateway.store.relation import STATEMENTS, by_position
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import of_event
from gateway.store.usage_filter import UsageDimension, UsageFilter, conditions

_EVENT: Final = table_of(UsageEvent)


class QuantitiesKey(NamedTuple):
    """An account's time `[start, end)`, and the usage that counts in it."""

    account_id: int
    start: datetime
    end: datetime
    filter: UsageFilter


class EqualQuantities(TypedDict):
    """Equal quantities of a resource, in nanos of its unit, and how many of them there are. The
    database adds none up: SQLite's sums end at 64 bits, and meters send few different ones.
    """

    resource: str
    unit: str
    quantity_nanos: int
    number: int


def _statement(filtered: frozenset[UsageDimension], visible: Visible) -> Query:
    wanted = batch(visible.dialect, account_id=BigInteger(), start=Instant(), end=Instant())
    spans = visible.of(wanted)
    inside = and_(
        _EVENT.c.account_id == spans.c.account_id,
        _EVENT.c.started_at >= spans.c.start,
        _EVENT.c.started_at < spans.c.end,
    )
    columns = [_EVENT.c[name] for name in ("resource", "unit", "quantity_nanos")]
    selected = conditions(filtered, of_event)
    if visible.dialect == "sqlite":
        events = select(spans.c.n, *columns).where(inside, *selected).subquery("events")
    else:
        rows = select(*columns).where(inside, *selected).offset(BARRIER).lateral("rows")
        joined = spans.join(rows, true())
        events = select(spans.c.n, *rows.c).select_from(joined).subquery("events")
    return select(*events.c, func.count().label("number")).group_by(*events.c)


@lru_cache(maxsize=STATEMENTS)
def _of(filtered: frozenset[UsageDimension]) -> Scoped[EqualQuantities]:
    return Scoped[EqualQuantities](partial(_statement, filtered))


async def usage_quantities(
    reader: Reader, principal: Principal, keys: Sequence[QuantitiesKey]
) -> list[Sequence[EqualQuantities]]:
    """Return the quantities of each key, in any order. One statement for each filter."""
    places: defaultdict[UsageFilter, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key.filter].append(place)
    found: list[Sequence[EqualQuantities]] = [[]] * len(keys)
    for filter_, mine in places.items():
        rows = await _of(filter_.dimensions).fetch(
            reader,
            principal,
            account_id=[keys[place].account_id for place in mine],
            start=[keys[place].start for place in mine],
            end=[keys[place].end for place in mine],
            **filter_.parameters(),
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = part
    return found
