"""Derives an account's daily roll-ups in another time zone: its days from the roll-ups of quarter
hours, its breakdowns from the events, and the days of its ledger from the entries.
"""

import asyncio
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Interval,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement

from gateway.instants import EARLIEST, LATEST
from gateway.models import Instant, LedgerCause, UsageEvent, table_of
from gateway.store import ledger_days
from gateway.store.block_writes import BLOCK
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import DialectName, Expression
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert
from gateway.store.ledger import ENTRY
from gateway.store.ledger_days import Day, UsageEntry
from gateway.store.rollups import (
    ACTIVITY,
    DAY,
    PROJECT,
    SLOT,
    Activity,
    ActivityCells,
    DayCells,
    DayKey,
    PeriodSums,
    ProjectCells,
    activity_cells,
    by_day,
    day_cells,
    project_cells,
)
from gateway.store.rows import SlotRow
from gateway.windows import local_day

EVENT: Final = table_of(UsageEvent)

_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())
_TOGETHER: Final = 1_000
"""Rows that are added up without a turn for others."""
_QUARTER_HOUR: Final = timedelta(minutes=15)


class _Spent(TypedDict):
    slot_at: datetime
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    project: str
    spent: int
    events: int


class _SlotEntries(TypedDict):
    slot_at: datetime
    amount_nanos: int
    first_version: int
    version: int


class _Entry(TypedDict):
    version: int
    amount_nanos: int
    balance_nanos: int
    recorded_at: datetime


class _LedgerDay(NamedTuple):
    amount_nanos: int
    first_version: int
    version: int


class DerivedDays(NamedTuple):
    """The rows of days that follow from an account's facts."""

    days: list[DayCells]
    activity: list[ActivityCells]
    projects: list[ProjectCells]


def _delete(table: Table) -> Statement[None]:
    return Statement[None](delete(table).where(table.c.account_id == _ACCOUNT))


def _between(instant: Expression) -> ColumnElement[bool]:
    starts_at, ends_at = (bindparam(name, type_=Instant()) for name in ("starts_at", "ends_at"))
    return and_(instant >= starts_at, instant < ends_at)


_SLOTS: Final = Statement[SlotRow](
    select(SLOT).where(SLOT.c.account_id == _ACCOUNT, _between(SLOT.c.slot_at))
)
_DELETES: Final = tuple(map(_delete, (DAY, ACTIVITY, PROJECT, BLOCK, ledger_days.DAY)))


def _slot(instant: Expression, dialect: DialectName) -> Expression:
    """Return the start of the quarter hour that holds an instant, as `slot_at`."""
    slot: Expression
    if dialect == "postgresql":
        slot = func.date_bin(
            cast(literal(_QUARTER_HOUR), Interval), instant, literal(EARLIEST, Instant())
        )
    else:
        microseconds = type_coerce(instant, BigInteger())
        slot = microseconds - microseconds % (15 * 60 * 1_000_000)
    return type_coerce(slot, Instant()).label("slot_at")


def _activity(dialect: DialectName) -> ClauseElement:
    dimensions = (
        func.coalesce(EVENT.c.deployment_id, 0).label("deployment_id"),
        EVENT.c.resource,
        func.coalesce(EVENT.c.provider, "").label("provider"),
        func.coalesce(EVENT.c.gpu_model, "").label("gpu_model"),
        func.coalesce(EVENT.c.project, "").label("project"),
    )
    slot_at = _slot(EVENT.c.started_at, dialect)
    return (
        select(
            slot_at,
            *dimensions,
            cast(func.sum(EVENT.c.amount_nanos), BigInteger).label("spent"),
            func.count().filter(EVENT.c.correction.is_(False)).label("events"),
        )
        .where(EVENT.c.account_id == _ACCOUNT, _between(EVENT.c.started_at))
        .group_by(slot_at, *dimensions)
    )


def _usage_entries(dialect: DialectName) -> ClauseElement:
    # An account's entries are recorded in the order of their versions, so those of a quarter hour
    # lie between its first and its last.
    slot_at = _slot(ENTRY.c.recorded_at, dialect)
    return (
        select(
            slot_at,
            cast(func.sum(ENTRY.c.amount_nanos), BigInteger).label("amount_nanos"),
            func.min(ENTRY.c.version).label("first_version"),
            func.max(ENTRY.c.version).label("version"),
        )
        .where(
            ENTRY.c.account_id == _ACCOUNT,
            ENTRY.c.cause == LedgerCause.USAGE.value,
            ENTRY.c.version > bindparam("after", type_=BigInteger()),
            ENTRY.c.version <= bindparam("to", type_=BigInteger()),
        )
        .group_by(slot_at)
        .order_by(slot_at)
    )


_ACTIVITY: Final = Statement[_Spent](_activity)
_USAGE_ENTRIES: Final = Statement[_SlotEntries](_usage_entries)
_ENTRIES: Final = Statement[_Entry](
    select(*(ENTRY.c[name] for name in UsageEntry._fields)).where(
        ENTRY.c.account_id == _ACCOUNT, any_of(ENTRY.c.version, "versions")
    )
)


_INSERT_DAYS: Final = Insert(DAY, DayCells)
_INSERT_ACTIVITY: Final = Insert(ACTIVITY, ActivityCells)
_INSERT_PROJECTS: Final = Insert(PROJECT, ProjectCells)


async def days(
    transaction: Transaction, account_id: int, zone: ZoneInfo, ledger_version: int
) -> None:
    """Replace a locked account's daily roll-ups by those in `zone`."""
    derived = await derive(transaction, account_id, zone, EARLIEST, LATEST)
    of_ledger = await derive_ledger_days(transaction, account_id, zone, after=0, to=ledger_version)
    for statement in _DELETES:
        await transaction.execute(statement, account_id=account_id)
    await transaction.insert(_INSERT_DAYS, derived.days)
    await transaction.insert(_INSERT_ACTIVITY, derived.activity)
    await transaction.insert(_INSERT_PROJECTS, derived.projects)
    await ledger_days.save(transaction, of_ledger)


async def derive(
    reader: Reader, account_id: int, zone: ZoneInfo, starts_at: datetime, ends_at: datetime
) -> DerivedDays:
    """Return the rows of the days of `zone` between two instants, at which days begin. Raises
    OutOfRange where a sum does not fit.
    """
    span = {"account_id": account_id, "starts_at": starts_at, "ends_at": ends_at}
    slots = await reader.fetch(_SLOTS, **span)
    sums = {(account_id, row["slot_at"]): PeriodSums.from_row(row) for row in slots}
    activity: defaultdict[DayKey, Activity] = defaultdict(Activity)
    for number, row in enumerate(await reader.fetch(_ACTIVITY, **span), 1):
        if not number % _TOGETHER:
            await asyncio.sleep(0)
        day = activity[account_id, local_day(row["slot_at"], zone)]
        dimensions = (row["deployment_id"], row["resource"], row["provider"], row["gpu_model"])
        day.add(dimensions, row["project"], row["spent"], row["events"])
    return DerivedDays(
        day_cells(by_day(sums, {account_id: zone})),
        activity_cells(activity),
        project_cells(activity),
    )


async def derive_ledger_days(
    reader: Reader, account_id: int, zone: ZoneInfo, *, after: int, to: int
) -> list[Day]:
    """Return the days in `zone` of the usage entries after a version up to another one. Raises
    OutOfRange where a sum does not fit.
    """
    days: dict[date, _LedgerDay] = {}
    versions_of = {"account_id": account_id, "after": after, "to": to}
    for row in await reader.fetch(_USAGE_ENTRIES, **versions_of):
        day = local_day(row["slot_at"], zone)
        amount, first, _ = days.get(day, (0, row["first_version"], 0))
        days[day] = _LedgerDay(amount + row["amount_nanos"], first, row["version"])
    versions = {version for each in days.values() for version in each[1:]}
    rows = await reader.fetch(_ENTRIES, account_id=account_id, versions=sorted(versions))
    entries = {row["version"]: UsageEntry(**row) for row in rows}
    return [
        Day.between(account_id, day, amount, entries[first], entries[last])
        for day, (amount, first, last) in days.items()
    ]
