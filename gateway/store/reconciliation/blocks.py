"""The days that an account's blocks have, and those that they do not have."""

from collections.abc import Set
from datetime import date
from typing import Final, TypedDict

from sqlalchemy import Table, select

from gateway.models import QuarteredDay, RollupBlock, RollupDay, UnpackedDay, table_of
from gateway.store.engine.statement import Statement
from gateway.store.engine.stream import Stream
from gateway.store.reconciliation.shapes import KEY

_BLOCK: Final = table_of(RollupBlock)


class _Day(TypedDict):
    day: date


class _Number(TypedDict):
    block: int


def _days(table: Table) -> Statement[_Day]:
    return Statement[_Day](select(table.c.day).where(table.c.account_id == KEY))


_UNPACKED: Final = _days(table_of(UnpackedDay))
_QUARTERED: Final = _days(table_of(QuarteredDay))
_DAYS: Final = _days(table_of(RollupDay))
_NUMBERS: Final = Statement[_Number](
    select(_BLOCK.c.block).where(_BLOCK.c.account_id == KEY).distinct()
)


async def _fetch(stream: Stream, statement: Statement[_Day], account_id: int) -> Set[date]:
    return {row["day"] for row in await stream.fetch(statement, account_id=account_id)}


async def unpacked_days(stream: Stream, account_id: int) -> Set[date]:
    """Return the days that blocks do not have."""
    return await _fetch(stream, _UNPACKED, account_id)


async def quartered_days(stream: Stream, account_id: int) -> Set[date]:
    """Return the days of which blocks have quarter hours."""
    return await _fetch(stream, _QUARTERED, account_id)


async def days(stream: Stream, account_id: int) -> Set[date]:
    """Return the days of the daily roll-ups."""
    return await _fetch(stream, _DAYS, account_id)


async def numbers(stream: Stream, account_id: int) -> Set[int]:
    """Return the numbers of the blocks that have rows."""
    return {row["block"] for row in await stream.fetch(_NUMBERS, account_id=account_id)}
