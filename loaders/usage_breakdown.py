"""Loads usage breakdowns: ranked, cut and labelled in the statement."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from itertools import product
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    Select,
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
from strawberry.dataloader import DataLoader

from gateway.billing.usage.breakdown import BreakdownKey, UsageDimension
from gateway.models import Deployment, Instant, RollupActivity, UsageEvent, table_of
from gateway.principal import Principal
from gateway.store import Row, Scoped, Snapshot, Visible, batch
from loaders.batch import MAX_KEYS, by_position

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
_HALF: Final = 32
_HIGH: Final = "spent_high"
_EDGES: Final = ("head_start", "head_end", "tail_start", "tail_end")


def _statement(dimension: UsageDimension, is_cut: bool, visible: Visible) -> Select[Any]:
    edges = dict.fromkeys(_EDGES if is_cut else (), Instant())
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
    if is_cut:
        parts.append(_events(spans, dimension, visible, spans.c.head_start, spans.c.head_end))
        parts.append(_events(spans, dimension, visible, spans.c.tail_start, spans.c.tail_end))
    activity = _by_deployment(union_all(*parts).subquery("found"), visible)
    cut = _cut(spans, _placed(activity, dimension, visible), visible)
    # Names are joined to the few rows that are left, however many deployments there are.
    is_named = dimension is UsageDimension.DEPLOYMENT
    return _named(cut.subquery("cut"), visible) if is_named else cut


def _whole_days(spans: CTE, dimension: UsageDimension, visible: Visible) -> Select[Any]:
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
    start: ColumnElement[Any],
    end: ColumnElement[Any],
) -> Select[Any]:
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
    spent: ColumnElement[int] = found.c.spent_nanos
    parts = [spent]
    if visible.dialect == "sqlite":
        # Its sums end at 64 bits; those of the halves do not come near.
        parts = [spent.bitwise_and(2**_HALF - 1), spent.bitwise_rshift(_HALF)]
    return (
        select(
            found.c.n,
            found.c.key,
            found.c.deployment_id,
            *(
                func.sum(part).label(name)
                for name, part in zip(_parts(visible), parts, strict=True)
            ),
            cast(func.sum(found.c.events), BigInteger()).label("events"),
        )
        .group_by(found.c.n, found.c.key, found.c.deployment_id)
        .subquery("activity")
    )


def _parts(visible: Visible) -> Sequence[str]:
    """Return the columns from which `_whole` computes `spent_nanos`."""
    return ("spent_nanos", _HIGH) if visible.dialect == "sqlite" else ("spent_nanos",)


def _whole(row: Row) -> Row:
    """Return a row with its spend put together."""
    whole = dict(row)
    whole["spent_nanos"] += whole.pop(_HIGH, 0) << _HALF
    return whole


def _placed(activity: Subquery, dimension: UsageDimension, visible: Visible) -> Subquery:
    """Add each value's place: by spend, descending, then by key; none comes last of equals.

    By window functions: a join of ranks with what was ranked would be planned for few rows, and
    read thousands of deployments for each of thousands.
    """
    same_key = (activity.c.n, activity.c.key)
    of_key = (
        func.sum(activity.c[name]).over(partition_by=same_key).label(f"{name}_of_key")
        for name in _parts(visible)
    )
    summed = select(*activity.c, *of_key).subquery("summed")
    key = summed.c.key
    spent: list[ColumnElement[int]] = [summed.c.spent_nanos_of_key]
    if visible.dialect == "sqlite":
        low, high = spent[0], summed.c[f"{_HIGH}_of_key"]
        spent = [high + low.bitwise_rshift(_HALF), low.bitwise_and(2**_HALF - 1)]
    is_text = dimension is not UsageDimension.DEPLOYMENT
    by_bytes = collate(key, "C") if is_text and visible.dialect == "postgresql" else key
    by_spend = (part.desc() for part in spent)
    order = (*by_spend, key == _COLUMNS[dimension][1], by_bytes)
    place = func.dense_rank().over(partition_by=summed.c.n, order_by=order).label("place")
    return select(*summed.c, place).subquery("placed")


def _cut(spans: CTE, placed: Subquery, visible: Visible) -> Select[Any]:
    """Return each span's rows: `position` from 1, where `size` + 1 is all the rest, `key`,
    `spent_nanos` and how many distinct `deployments` had an event that is not a correction.
    """
    is_kept = placed.c.place <= spans.c.size
    took_part = and_(placed.c.events > 0, placed.c.deployment_id != 0)
    position = case((is_kept, placed.c.place), else_=spans.c.size + 1).label("position")
    return (
        select(
            spans.c.n,
            spans.c.account_id,
            position,
            func.max(case((is_kept, placed.c.key))).label("key"),
            *(func.sum(placed.c[name]).label(name) for name in _parts(visible)),
            func.count(distinct(case((took_part, placed.c.deployment_id)))).label("deployments"),
        )
        .join_from(spans, placed, placed.c.n == spans.c.n)
        .group_by(spans.c.n, spans.c.account_id, position)
        .order_by(spans.c.n, position)
    )


def _named(cut: Subquery, visible: Visible) -> Select[Any]:
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
        .order_by(cut.c.n, cut.c.position)
    )


_STATEMENTS: Final = {
    (dimension, is_cut): Scoped(partial(_statement, dimension, is_cut))
    for dimension, is_cut in product(UsageDimension, (False, True))
}


def breakdown_by_key(
    snapshot: Snapshot, principal: Principal
) -> DataLoader[BreakdownKey, list[Row]]:
    """Return a loader of a breakdown's rows, in order (see `_cut` and `_named`); a spend may be of
    any size. One statement for each dimension of a batch; it reads events only where a key's window
    cuts days.
    """
    return DataLoader(load_fn=partial(_load, snapshot, principal), max_batch_size=MAX_KEYS)


async def _load(
    snapshot: Snapshot, principal: Principal, keys: Sequence[BreakdownKey]
) -> list[list[Row]]:
    places: dict[UsageDimension, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key.dimension].append(place)
    found: list[list[Row]] = [[]] * len(keys)
    for dimension, mine in places.items():
        spans = [keys[place].span for place in mine]
        is_cut = any(span.is_cut for span in spans)
        columns = {
            name: [getattr(span, name) for span in spans]
            for name in ("account_id", "first_day", "end_day", *(_EDGES if is_cut else ()))
        }
        sizes = [keys[place].size for place in mine]
        rows = await _STATEMENTS[dimension, is_cut].fetch(
            snapshot, principal, size=sizes, **columns
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = [*map(_whole, part)]
    return found
