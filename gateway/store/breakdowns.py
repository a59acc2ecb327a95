"""Accounts' usage by one dimension: ranked, cut and labelled in the statement.

Activity is kept by days of the account's own zone. Another zone's window begins and ends within
such days: those two edges are added up from the raw events.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from itertools import product
from typing import Final, NamedTuple, NotRequired, TypedDict

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Subquery,
    and_,
    case,
    cast,
    collate,
    distinct,
    func,
    literal,
    select,
    union_all,
)

from gateway.models import Deployment, Instant, RollupActivity, UsageEvent, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Expression, Query
from gateway.store.halves import HALF, Part, parts, whole
from gateway.store.relation import by_position
from gateway.store.tenancy import Scoped, Visible


class UsageDimension(StrEnum):
    """The dimensions by which usage can be broken down."""

    DEPLOYMENT = "DEPLOYMENT"
    PROVIDER = "PROVIDER"
    GPU_MODEL = "GPU_MODEL"
    RESOURCE = "RESOURCE"


class BreakdownSpan(NamedTuple):
    """The parts of a window: an account's whole days from `first_day` to before `end_day`, which
    roll-ups have, and partial days: events that start in `[head_start, head_end)` or in
    `[tail_start, tail_end)`.
    """

    account_id: int
    first_day: date
    end_day: date
    head_start: datetime
    head_end: datetime
    tail_start: datetime
    tail_end: datetime

    @property
    def has_partial_days(self) -> bool:
        """Whether events have to be read, because roll-ups have whole days only."""
        return self.head_start < self.head_end or self.tail_start < self.tail_end


class BreakdownKey(NamedTuple):
    """The first `size` rows of a span by a dimension, and the rest as one."""

    dimension: UsageDimension
    size: int
    span: BreakdownSpan


class RankedUsage(TypedDict):
    """A span's usage of one value of a dimension.

    `rank` is from 1; `size` + 1 is the row of all other values. `key` is a deployment's key or a
    text: 0 or empty for no value, null for all other values. `deployments` counts the distinct ones
    with an event that is not a correction. `label` is a deployment's name, or its external id. The
    spend may be of any size.
    """

    account_id: int
    rank: int
    key: int | str | None
    spent_nanos: int
    deployments: int
    label: NotRequired[str]


_ACTIVITY: Final = table_of(RollupActivity)
_EVENT: Final = table_of(UsageEvent)
_DEPLOYMENT: Final = table_of(Deployment)

_COLUMNS: Final[dict[UsageDimension, tuple[str, int | str]]] = {
    UsageDimension.DEPLOYMENT: ("deployment_id", 0),
    UsageDimension.PROVIDER: ("provider", ""),
    UsageDimension.GPU_MODEL: ("gpu_model", ""),
    UsageDimension.RESOURCE: ("resource", ""),
}
"""Each dimension's column, and what a roll-up holds there for none."""
_EDGES: Final = ("head_start", "head_end", "tail_start", "tail_end")


def _statement(dimension: UsageDimension, partial_days: bool, visible: Visible) -> Query:
    edges = dict.fromkeys(_EDGES if partial_days else (), Instant())
    spans = select(
        batch(
            visible.dialect,
            account_id=BigInteger(),
            first_day=Date(),
            end_day=Date(),
            size=BigInteger(),
            **edges,
        )
    ).cte("spans")
    parts = [_whole_days(spans, dimension, visible)]
    if partial_days:
        parts.append(_events(spans, dimension, visible, spans.c.head_start, spans.c.head_end))
        parts.append(_events(spans, dimension, visible, spans.c.tail_start, spans.c.tail_end))
    activity = _by_deployment(union_all(*parts).subquery("found"), visible)
    cut = _cut(spans, _placed(activity, dimension, visible), visible)
    # Names are joined to the few rows that are left, however many deployments there are.
    is_named = dimension is UsageDimension.DEPLOYMENT
    return _named(cut.subquery("cut"), visible) if is_named else cut


def _whole_days(spans: CTE, dimension: UsageDimension, visible: Visible) -> Query:
    table = _ACTIVITY.c
    inside = and_(
        table.account_id == spans.c.account_id,
        table.day >= spans.c.first_day,
        table.day < spans.c.end_day,
    )
    return (
        select(
            spans.c.n,
            table[_COLUMNS[dimension][0]].label("key"),
            table.deployment_id.label("deployment_id"),
            table.spent_nanos.label("spent_nanos"),
            table.events.label("events"),
        )
        .join_from(spans, _ACTIVITY, inside)
        .where(visible(table.account_id))
    )


def _events(
    spans: CTE,
    dimension: UsageDimension,
    visible: Visible,
    start: Expression,
    end: Expression,
) -> Query:
    table = _EVENT.c
    name, none = _COLUMNS[dimension]
    inside = and_(
        table.account_id == spans.c.account_id,
        table.started_at >= start,
        table.started_at < end,
    )
    return (
        select(
            spans.c.n,
            func.coalesce(table[name], literal(none, table[name].type)),
            func.coalesce(table.deployment_id, literal(0, BigInteger())),
            table.amount_nanos,
            case((table.correction, 0), else_=1),
        )
        .join_from(spans, _EVENT, inside)
        .where(visible(table.account_id))
    )


def _by_deployment(found: Subquery, visible: Visible) -> Subquery:
    """Return spend and events of each deployment under each of a span's values (`key`)."""
    return (
        select(
            found.c.n,
            found.c.key,
            found.c.deployment_id,
            *(func.sum(part(found.c.spent_nanos)).label(name) for name, part in _spent(visible)),
            cast(func.sum(found.c.events), BigInteger()).label("events"),
        )
        .group_by(found.c.n, found.c.key, found.c.deployment_id)
        .subquery("activity")
    )


def _spent(visible: Visible) -> Sequence[tuple[str, Part]]:
    """Return the columns of which `whole` makes `spent_nanos`."""
    return [*parts(visible.dialect, "spent_nanos").items()]


def _placed(activity: Subquery, dimension: UsageDimension, visible: Visible) -> Subquery:
    """Add each value's place: by spend, descending, then by key; none comes last of equals.

    By window functions: a join of ranks with what was ranked would be planned for few rows, and
    read thousands of deployments for each of thousands.
    """
    same_key = (activity.c.n, activity.c.key)
    of_key = (
        func.sum(activity.c[name]).over(partition_by=same_key).label(f"{name}_of_key")
        for name, _ in _spent(visible)
    )
    summed = select(*activity.c, *of_key).subquery("summed")
    key = summed.c.key
    spent: list[ColumnElement[int]] = [summed.c[f"{name}_of_key"] for name, _ in _spent(visible)]
    if len(spent) > 1:
        low, high = spent
        spent = [high + low.bitwise_rshift(HALF), low.bitwise_and(2**HALF - 1)]
    is_text = dimension is not UsageDimension.DEPLOYMENT
    by_bytes = collate(key, "C") if is_text and visible.dialect == "postgresql" else key
    by_spend = (part.desc() for part in spent)
    order = (*by_spend, key == _COLUMNS[dimension][1], by_bytes)
    place = func.dense_rank().over(partition_by=summed.c.n, order_by=order).label("place")
    return select(*summed.c, place).subquery("placed")


def _cut(spans: CTE, placed: Subquery, visible: Visible) -> Query:
    """Return each span's rows; see `RankedUsage`."""
    is_kept = placed.c.place <= spans.c.size
    took_part = and_(placed.c.events > 0, placed.c.deployment_id != 0)
    rank = case((is_kept, placed.c.place), else_=spans.c.size + 1).label("rank")
    return (
        select(
            spans.c.n,
            spans.c.account_id,
            rank,
            func.max(case((is_kept, placed.c.key))).label("key"),
            *(func.sum(placed.c[name]).label(name) for name, _ in _spent(visible)),
            func.count(distinct(case((took_part, placed.c.deployment_id)))).label("deployments"),
        )
        .join_from(spans, placed, placed.c.n == spans.c.n)
        .group_by(spans.c.n, spans.c.account_id, rank)
        .order_by(spans.c.n, rank)
    )


def _named(cut: Subquery, visible: Visible) -> Query:
    """Add deployments' names as `label`, or their external ids."""
    same = and_(
        _DEPLOYMENT.c.account_id == cut.c.account_id,
        _DEPLOYMENT.c.id == cut.c.key,
        visible(_DEPLOYMENT.c.account_id),
    )
    label = func.coalesce(_DEPLOYMENT.c.name, _DEPLOYMENT.c.external_id).label("label")
    return (
        select(*cut.c, label)
        .select_from(cut.outerjoin(_DEPLOYMENT, same))
        .order_by(cut.c.n, cut.c.rank)
    )


_STATEMENTS: Final = {
    (dimension, partial_days): Scoped[RankedUsage](partial(_statement, dimension, partial_days))
    for dimension, partial_days in product(UsageDimension, (False, True))
}


async def breakdowns(
    reader: Reader, principal: Principal, keys: Sequence[BreakdownKey]
) -> list[list[RankedUsage]]:
    """Return each key's rows in the order of their positions. One statement for each dimension; it
    reads events only where a key's window cuts days.
    """
    places: dict[UsageDimension, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key.dimension].append(place)
    found: list[list[RankedUsage]] = [[]] * len(keys)
    for dimension, mine in places.items():
        spans = [keys[place].span for place in mine]
        partial_days = any(span.has_partial_days for span in spans)
        columns = {
            name: [getattr(span, name) for span in spans]
            for name in (
                "account_id",
                "first_day",
                "end_day",
                *(_EDGES if partial_days else ()),
            )
        }
        sizes = [keys[place].size for place in mine]
        rows = await _STATEMENTS[dimension, partial_days].fetch(
            reader, principal, size=sizes, **columns
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = [whole(row, "spent_nanos") for row in part]
    return found
