"""Packs days of an account into blocks: what they have, and the rows that blocks get."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypeAlias, TypedDict

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    SmallInteger,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement

from gateway.models import (
    Account,
    Instant,
    RollupActivity,
    RollupBlock,
    UnpackedDay,
    UsageEvent,
    table_of,
)
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import BARRIER, DialectName, Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Upsert
from gateway.store.halves import parts, whole
from gateway.store.usage_activity import of_event
from gateway.store.usage_filter import COLUMNS, UsageDimension
from gateway.store.usage_lanes import Cells

BLOCK: Final = table_of(RollupBlock)
UNPACKED: Final = table_of(UnpackedDay)
_ACTIVITY: Final = table_of(RollupActivity)
_EVENT: Final = table_of(UsageEvent)
_ACCOUNTS: Final = table_of(Account)

TOGETHER: Final = 500
"""Rows of one statement that writes blocks."""

_DIMENSIONS: Final = (
    UsageDimension.DEPLOYMENT,
    UsageDimension.RESOURCE,
    UsageDimension.PROVIDER,
    UsageDimension.GPU_MODEL,
    UsageDimension.PROJECT,
)
_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())

Dimensions: TypeAlias = tuple[int, str, str, str, str]
"""The values of a block's row: deployment, resource, provider, GPU model, project."""

BlockPart: TypeAlias = tuple[int, int]
"""The part and the number of a block."""


class UnpackedAccount(TypedDict):
    """An account with days that its blocks do not have; `first_day` is the first of them."""

    account_id: int
    first_day: date
    time_zone: str


class UnpackedRows(TypedDict):
    """A day that the blocks do not have, its `changes` (see `UnpackedDay`), and how many rows of
    activity it has; with the zone that the account has then.
    """

    day: date
    time_zone: str
    changes: int
    number: int


class HourUsage(TypedDict):
    """The usage in an hour of a day, by the dimensions: `n` is the day's place, from 1."""

    n: int
    hour: int
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    project: str
    spent_nanos: int
    events: int


class BlockCells(NamedTuple):
    """A row of `rollup_block`."""

    account_id: int
    part: int
    block: int
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    project: str
    spent: bytes
    active: bytes


class _BlockRow(TypedDict):
    part: int
    block: int
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    project: str
    spent: bytes
    active: bytes


_UNPACKED_ACCOUNTS: Final = Statement[UnpackedAccount](
    select(
        UNPACKED.c.account_id,
        func.min(UNPACKED.c.day, type_=Date()).label("first_day"),
        func.min(_ACCOUNTS.c.time_zone).label("time_zone"),
    )
    .join_from(UNPACKED, _ACCOUNTS, UNPACKED.c.account_id == _ACCOUNTS.c.account_id)
    .where(UNPACKED.c.account_id > bindparam("after", type_=BigInteger()))
    .group_by(UNPACKED.c.account_id)
    .order_by(UNPACKED.c.account_id)
    .limit(bindparam("limit", type_=Integer()))
)
_NUMBER: Final = (
    select(func.count())
    .where(_ACTIVITY.c.account_id == UNPACKED.c.account_id, _ACTIVITY.c.day == UNPACKED.c.day)
    .scalar_subquery()
)
_DAYS: Final = Statement[UnpackedRows](
    select(UNPACKED.c.day, UNPACKED.c.changes, _NUMBER.label("number"), _ACCOUNTS.c.time_zone)
    .join_from(UNPACKED, _ACCOUNTS, UNPACKED.c.account_id == _ACCOUNTS.c.account_id)
    .where(UNPACKED.c.account_id == _ACCOUNT, UNPACKED.c.day < bindparam("end", type_=Date()))
    .order_by(UNPACKED.c.day)
    .limit(bindparam("limit", type_=Integer()))
)


def _forget(dialect: DialectName) -> ClauseElement:
    """Delete days that have not changed. A day that a transaction is changing is left alone: who
    records waits for nobody here, and nobody waits for them.
    """
    wanted = batch(dialect, day=Date(), changes=BigInteger())
    same = and_(UNPACKED.c.day == wanted.c.day, UNPACKED.c.changes == wanted.c.changes)
    unchanged = (
        select(UNPACKED.c.day)
        .join_from(wanted, UNPACKED, same)
        .where(UNPACKED.c.account_id == _ACCOUNT)
        .with_for_update(of=UNPACKED, skip_locked=True)
    )
    return (
        delete(UNPACKED)
        .where(UNPACKED.c.account_id == _ACCOUNT, UNPACKED.c.day.in_(unchanged))
        .returning(UNPACKED.c.day)
    )


class _Day(TypedDict):
    day: date


_FORGET: Final = Statement[_Day](_forget)


def _rows(dialect: DialectName) -> Query:
    wanted = batch(dialect, part=SmallInteger(), block=Integer())
    same = and_(*(BLOCK.c[name] == wanted.c[name] for name in ("part", "block")))
    columns = (BLOCK.c[name] for name in _BlockRow.__annotations__)
    return select(*columns).join_from(wanted, BLOCK, same).where(BLOCK.c.account_id == _ACCOUNT)


def _hours(dialect: DialectName) -> ClauseElement:
    wanted = batch(dialect, starts_at=Instant(), ends_at=Instant())
    inside = and_(
        _EVENT.c.account_id == _ACCOUNT,
        _EVENT.c.started_at >= wanted.c.starts_at,
        _EVENT.c.started_at < wanted.c.ends_at,
    )
    columns = [
        _EVENT.c.started_at,
        *(of_event(dimension).label(COLUMNS[dimension]) for dimension in _DIMENSIONS),
        _EVENT.c.amount_nanos,
        case((_EVENT.c.correction, 0), else_=1).label("counted"),
    ]
    if dialect == "sqlite":
        events = select(wanted.c.n, wanted.c.starts_at, *columns).where(inside).subquery("events")
        passed = type_coerce(events.c.started_at, BigInteger()) - type_coerce(
            events.c.starts_at, BigInteger()
        )
        hour: Expression = passed // literal_column("3600000000", BigInteger())
    else:
        rows = select(*columns).where(inside).offset(BARRIER).lateral("rows")
        events = (
            select(wanted.c.n, wanted.c.starts_at, *rows.c)
            .select_from(wanted.join(rows, true()))
            .subquery("events")
        )
        seconds = func.date_part(
            literal_column("'epoch'"), events.c.started_at - events.c.starts_at
        )
        hour = cast(func.floor(seconds / 3600), Integer())
    group = [events.c.n, type_coerce(hour, Integer()).label("hour")]
    group += [events.c[COLUMNS[dimension]] for dimension in _DIMENSIONS]
    return select(
        *group,
        *(
            func.sum(part(events.c.amount_nanos)).label(name)
            for name, part in parts(dialect, "spent_nanos").items()
        ),
        cast(func.sum(events.c.counted), BigInteger()).label("events"),
    ).group_by(*group)


_BLOCKS: Final = Statement[_BlockRow](_rows)
_HOURS: Final = Statement[HourUsage](_hours)
_UPSERT: Final = Upsert(BLOCK, BlockCells)


async def unpacked_accounts(reader: Reader, *, after: int, limit: int) -> Sequence[UnpackedAccount]:
    """Return the accounts with days that their blocks do not have, by their keys."""
    return await reader.fetch(_UNPACKED_ACCOUNTS, after=after, limit=limit)


async def unpacked_days(
    reader: Reader, account_id: int, *, end: date, limit: int
) -> Sequence[UnpackedRows]:
    """Return the first days before `end` that an account's blocks do not have."""
    return await reader.fetch(_DAYS, account_id=account_id, end=end, limit=limit)


async def hours_of(
    reader: Reader, account_id: int, days: Sequence[tuple[datetime, datetime]]
) -> list[HourUsage]:
    """Return the usage of days, from one instant to before another each, by their hours."""
    starts, ends = (list(each) for each in zip(*days, strict=True))
    rows = await reader.fetch(_HOURS, account_id=account_id, starts_at=starts, ends_at=ends)
    return [whole(row, "spent_nanos") for row in rows]


async def blocks_of(
    reader: Reader, account_id: int, wanted: Sequence[BlockPart]
) -> dict[BlockPart, dict[Dimensions, Cells]]:
    """Return the rows of an account's blocks, to be changed."""
    names, blocks = (list(each) for each in zip(*wanted, strict=True))
    found: dict[BlockPart, dict[Dimensions, Cells]] = {each: {} for each in wanted}
    for row in await reader.fetch(_BLOCKS, account_id=account_id, part=names, block=blocks):
        texts = (row["resource"], row["provider"], row["gpu_model"], row["project"])
        key = (row["deployment_id"], *texts)
        found[row["part"], row["block"]][key] = Cells(row["spent"], row["active"])
    return found


async def save(
    transaction: Transaction,
    account_id: int,
    blocks: Mapping[BlockPart, Mapping[Dimensions, Cells]],
    days: Sequence[UnpackedRows],
) -> list[date]:
    """Write the rows of an account's blocks; return those of the days that they now have. A day
    that changed since it was read is still unpacked.
    """
    rows = [
        BlockCells._make((account_id, *place, *dimensions, bytes(cells.spent), bytes(cells.active)))
        for place, of_block in blocks.items()
        for dimensions, cells in of_block.items()
    ]
    for start in range(0, len(rows), TOGETHER):
        await transaction.upsert(_UPSERT, rows[start : start + TOGETHER])
    wanted = {name: [each[name] for each in days] for name in ("day", "changes")}
    return [row["day"] for row in await transaction.fetch(_FORGET, account_id=account_id, **wanted)]
