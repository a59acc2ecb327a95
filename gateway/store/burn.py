"""Reads the facts of burn rates: the last complete days, and the last 24 hours."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum
from typing import Final, NamedTuple, TypeAlias, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    and_,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.sql import ClauseElement

from gateway.models import Instant, RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Expression
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import columns_of
from gateway.store.tenancy import Scoped

_DAY: Final = table_of(RollupDay)
_SLOT: Final = table_of(RollupSlot)

_Filter: TypeAlias = Callable[[Expression], ColumnElement[bool]]


_HALF: Final = literal_column("4294967296", BigInteger())
"""The 24 hours are added up in halves: their sum may not fit 64 bits though each slot's does."""
_NOTHING: Final = cast(null(), BigInteger())


class BurnKey(NamedTuple):
    """The periods of an account's burn rate: its local days from `first_day` to before `end_day`,
    all complete, and the 24 hours `[hours_start, hours_end)`, whole quarter hours.
    """

    account_id: int
    first_day: date
    end_day: date
    hours_start: datetime
    hours_end: datetime


class BurnFacts(NamedTuple):
    """The facts of a burn rate: nanos spent on each day with usage and in the 24 hours, and the
    earliest day with any record.
    """

    spent_by_day: Mapping[date, int]
    hours_nanos: int
    recorded_from: date | None


class _Found(TypedDict):
    n: int
    kind: int
    day: date | None
    spent_nanos: int | None
    upper: int | None


class _Kind(IntEnum):
    """The decoded row of the statement."""

    DAY = 0
    HOURS = 1
    RECORDED_FROM = 2


def _statement(dialect: DialectName, visible: _Filter) -> ClauseElement:
    keys = select(
        batch(
            dialect,
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
        select(keys.c.n, _of(_Kind.DAY), day.day, day.spent_nanos, _NOTHING.label("upper"))
        .join_from(keys, _DAY, days)
        .where(visible(day.account_id)),
        select(
            keys.c.n,
            _of(_Kind.HOURS),
            cast(null(), Date()),
            cast(func.sum(slot.spent_nanos % _HALF), BigInteger()),
            cast(func.sum(slot.spent_nanos // _HALF), BigInteger()),
        )
        .join_from(keys, _SLOT, slots)
        .where(visible(slot.account_id))
        .group_by(keys.c.n),
        select(keys.c.n, _of(_Kind.RECORDED_FROM), first, _NOTHING, _NOTHING),
    )


def _of(kind: _Kind) -> ColumnElement[int]:
    return literal_column(str(kind.value), Integer()).label("kind")


_OF_PRINCIPAL: Final = Scoped[_Found](lambda visible: _statement(visible.dialect, visible))
_OF_ANY: Final = Statement[_Found](lambda dialect: _statement(dialect, lambda _: true()))


async def burn_facts(reader: Reader, keys: Sequence[BurnKey]) -> list[BurnFacts]:
    """Return the facts of each key's burn rate, in one statement (for the process itself: no tenant
    filter).
    """
    return _facts(await reader.fetch(_OF_ANY, **columns_of(keys)), len(keys))


async def visible_burn_facts(
    reader: Reader, principal: Principal, keys: Sequence[BurnKey]
) -> list[BurnFacts]:
    """Return the same for a principal; empty where the account is not theirs."""
    rows = await _OF_PRINCIPAL.fetch(reader, principal, **columns_of(keys))
    return _facts(rows, len(keys))


def _facts(rows: Sequence[_Found], count: int) -> list[BurnFacts]:
    spent: list[dict[date, int]] = [{} for _ in range(count)]
    hours_nanos = [0] * count
    recorded_from: list[date | None] = [None] * count
    for row in rows:
        position = row["n"] - 1
        kind, day, nanos = row["kind"], row["day"], row["spent_nanos"] or 0
        if kind == _Kind.HOURS:
            hours_nanos[position] = (row["upper"] or 0) * 2**32 + nanos
        elif kind == _Kind.RECORDED_FROM:
            recorded_from[position] = day
        elif day is not None:
            spent[position][day] = nanos
    return [BurnFacts(*facts) for facts in zip(spent, hours_nanos, recorded_from, strict=True)]
