"""What accounts' burn is read from."""

from collections.abc import Sequence
from datetime import date
from enum import IntEnum
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    and_,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from strawberry.dataloader import DataLoader

from gateway.billing.runway import BurnFacts, BurnKey
from gateway.models import Instant, RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store import Scoped, Snapshot, Visible, batch
from loaders.batch import MAX_KEYS

_DAY: Final = table_of(RollupDay)
_SLOT: Final = table_of(RollupSlot)


class _Kind(IntEnum):
    """What a row of the statement tells."""

    DAY = 0
    HOURS = 1
    RECORDED_FROM = 2


def _statement(visible: Visible) -> CompoundSelect[Any]:
    keys = select(
        batch(
            visible.dialect,
            account_id=BigInteger(),
            first_day=Date(),
            end_day=Date(),
            hours_start=Instant(),
            hours_end=Instant(),
        )
    ).cte("keys")
    day, slot = _DAY.c, _SLOT.c
    days = and_(
        day.account_id == keys.c.account_id,
        day.day >= keys.c.first_day,
        day.day < keys.c.end_day,
    )
    slots = and_(
        slot.account_id == keys.c.account_id,
        slot.slot_at >= keys.c.hours_start,
        slot.slot_at < keys.c.hours_end,
    )
    first = (
        select(func.min(day.day))
        .where(day.account_id == keys.c.account_id, visible(day.account_id))
        .scalar_subquery()
    )
    return union_all(
        select(keys.c.n, _of(_Kind.DAY), day.day, day.spent_nanos)
        .join_from(keys, _DAY, days)
        .where(visible(day.account_id)),
        select(
            keys.c.n,
            _of(_Kind.HOURS),
            cast(null(), Date()),
            cast(func.sum(slot.spent_nanos), BigInteger()),
        )
        .join_from(keys, _SLOT, slots)
        .where(visible(slot.account_id))
        .group_by(keys.c.n),
        select(keys.c.n, _of(_Kind.RECORDED_FROM), first, cast(null(), BigInteger())),
    )


def _of(kind: _Kind) -> ColumnElement[int]:
    return literal_column(str(kind.value), Integer()).label("kind")


_BURN: Final = Scoped(_statement)


def burn_by_periods(snapshot: Snapshot, principal: Principal) -> DataLoader[BurnKey, BurnFacts]:
    """Return a loader of what burn is read from; empty where the account is not the principal's."""
    return DataLoader(load_fn=partial(_load, snapshot, principal), max_batch_size=MAX_KEYS)


async def _load(
    snapshot: Snapshot, principal: Principal, keys: Sequence[BurnKey]
) -> list[BurnFacts]:
    columns = dict(zip(BurnKey._fields, map(list, zip(*keys, strict=True)), strict=True))
    spent: list[dict[date, int]] = [{} for _ in keys]
    hours_nanos = [0] * len(keys)
    recorded_from: list[date | None] = [None] * len(keys)
    for row in await _BURN.fetch(snapshot, principal, **columns):
        position = row["n"] - 1
        match row["kind"]:
            case _Kind.DAY:
                spent[position][row["day"]] = row["spent_nanos"]
            case _Kind.HOURS:
                hours_nanos[position] = row["spent_nanos"]
            case _Kind.RECORDED_FROM:
                recorded_from[position] = row["day"]
    return [BurnFacts(*facts) for facts in zip(spent, hours_nanos, recorded_from, strict=True)]
