"""Packs days of an account into blocks: what they have, and the rows that blocks get."""

from collections.abc import Collection, Mapping, Sequence
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
    type_coerce,
)
from sqlalchemy.sql import ClauseElement

from gateway.models import (
    Account,
    Instant,
    QuarteredDay,
    RollupActivity,
    RollupBlock,
    UnpackedDay,
    UsageEvent,
    table_of,
)
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert, Upsert
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
    """A day that the blocks do not have, its `changes` (see `UnpackedDay`), how many rows of
    activity it has, and how many events those count; with the zone that the account has then.
    """

    day: date
    time_zone: str
    changes: int
    number: int
    events: int


class QuarterUsage(TypedDict):
    """The usage in a quarter hour of a day, from 0, by the dimensions."""

    quarter: int
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


class QuarteredCells(NamedTuple):
    """A row of `quartered_day`."""

    account_id: int
    day: date


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


def _of_day(value: Expression, name: str) -> Expression:
    """Return a value of the rows of activity of an unpacked day."""
    same = (_ACTIVITY.c.account_id == UNPACKED.c.account_id, _ACTIVITY.c.day == UNPACKED.c.day)
    return select(value).where(*same).scalar_subquery().label(name)


_DAYS: Final = Statement[UnpackedRows](
    select(
        UNPACKED.c.day,
        UNPACKED.c.changes,
        _ACCOUNTS.c.time_zone,
        _of_day(func.count(), "number"),
        _of_day(cast(func.coalesce(func.sum(_ACTIVITY.c.events), 0), BigInteger()), "events"),
    )
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


def _quarters(dialect: DialectName) -> ClauseElement:
    starts_at, ends_at = (bindparam(name, type_=Instant()) for name in ("starts_at", "ends_at"))
    at = _EVENT.c.started_at
    if dialect == "sqlite":
        passed = type_coerce(at, BigInteger()) - type_coerce(starts_at, BigInteger())
        quarter: Expression = passed // literal_column("900000000", BigInteger())
    else:
        seconds = func.date_part(literal_column("'epoch'"), at - starts_at)
        quarter = cast(func.floor(seconds / literal_column("900")), Integer())
    events = (
        select(
            type_coerce(quarter, Integer()).label("quarter"),
            *(of_event(dimension).label(COLUMNS[dimension]) for dimension in _DIMENSIONS),
            _EVENT.c.amount_nanos,
            case((_EVENT.c.correction, 0), else_=1).label("counted"),
        )
        .where(_EVENT.c.account_id == _ACCOUNT, at >= starts_at, at < ends_at)
        .subquery("events")
    )
    group = [events.c.quarter, *(events.c[COLUMNS[dimension]] for dimension in _DIMENSIONS)]
    return select(
        *group,
        *(
            func.sum(part(events.c.amount_nanos)).label(name)
            for name, part in parts(dialect, "spent_nanos").items()
        ),
        cast(func.sum(events.c.counted), BigInteger()).label("events"),
    ).group_by(*group)


_BLOCKS: Final = Statement[_BlockRow](_rows)
_QUARTERS: Final = Statement[QuarterUsage](_quarters)
_UPSERT: Final = Upsert(BLOCK, BlockCells)
_QUARTERED: Final = Insert(table_of(QuarteredDay), QuarteredCells)


async def unpacked_accounts(reader: Reader, *, after: int, limit: int) -> Sequence[UnpackedAccount]:
    """Return the accounts with days that their blocks do not have, by their keys."""
    return await reader.fetch(_UNPACKED_ACCOUNTS, after=after, limit=limit)


async def unpacked_days(
    reader: Reader, account_id: int, *, end: date, limit: int
) -> Sequence[UnpackedRows]:
    """Return the first days before `end` that an account's blocks do not have."""
    return await reader.fetch(_DAYS, account_id=account_id, end=end, limit=limit)


async def quarters_of(
    reader: Reader, account_id: int, starts_at: datetime, ends_at: datetime
) -> list[QuarterUsage]:
    """Return the usage from one instant to before another, by the quarter hours from the first."""
    rows = await reader.fetch(
        _QUARTERS, account_id=account_id, starts_at=starts_at, ends_at=ends_at
    )
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
    quartered: Collection[date],
) -> list[date]:
    """Write the rows of an account's blocks; return those of the days that they now have. A day
    that changed since it was read is still unpacked. Of those `quartered` they have quarter hours.
    """
    written = [
        BlockCells._make((account_id, *place, *dimensions, bytes(cells.spent), bytes(cells.active)))
        for place, of_block in blocks.items()
        for dimensions, cells in of_block.items()
    ]
    for start in range(0, len(written), TOGETHER):
        await transaction.upsert(_UPSERT, written[start : start + TOGETHER])
    wanted = {name: [each[name] for each in days] for name in ("day", "changes")}
    rows = await transaction.fetch(_FORGET, account_id=account_id, **wanted)
    packed = [row["day"] for row in rows]
    if cells := [QuarteredCells(account_id, day) for day in packed if day in quartered]:
        await transaction.insert(_QUARTERED, cells)
    return packed
