"""Rebuilds an account's daily roll-ups in a new time zone."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Interval,
    Table,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.sql import ClauseElement

from gateway.instants import EARLIEST
from gateway.models import Instant, LedgerCause, UsageEvent, table_of
from gateway.store import ledger_days
from gateway.store.block_writes import BLOCK
from gateway.store.engine.database import Transaction
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import DialectName, Expression
from gateway.store.engine.statement import Statement
from gateway.store.ledger import ENTRY
from gateway.store.ledger_days import Day, UsageEntry
from gateway.store.rollups import (
    ACTIVITY,
    DAY,
    PROJECT,
    SLOT,
    Activity,
    DayKey,
    PeriodSums,
    merge_activity,
    merge_days,
)
from gateway.store.rows import SlotRow
from gateway.windows import local_day

EVENT: Final = table_of(UsageEvent)

_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())
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


def _delete(table: Table) -> Statement[None]:
    return Statement[None](delete(table).where(table.c.account_id == _ACCOUNT))


_SLOTS: Final = Statement[SlotRow](select(SLOT).where(SLOT.c.account_id == _ACCOUNT))
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
        .where(EVENT.c.account_id == _ACCOUNT)
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
        .where(ENTRY.c.account_id == _ACCOUNT, ENTRY.c.cause == LedgerCause.USAGE.value)
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


async def days(transaction: Transaction, account_id: int, zone: ZoneInfo) -> None:
    """Derive a locked account's days and activity in `zone` from its slots and its events."""
    slots = await transaction.fetch(_SLOTS, account_id=account_id)
    events = await transaction.fetch(_ACTIVITY, account_id=account_id)
    for statement in _DELETES:
        await transaction.execute(statement, account_id=account_id)
    sums_of_slots = {(account_id, row["slot_at"]): PeriodSums.from_row(row) for row in slots}
    await merge_days(transaction, sums_of_slots, {account_id: zone})
    activity: defaultdict[DayKey, Activity] = defaultdict(Activity)
    for row in events:
        day = activity[account_id, local_day(row["slot_at"], zone)]
        dimensions = (row["deployment_id"], row["resource"], row["provider"], row["gpu_model"])
        day.add(dimensions, row["project"], row["spent"], row["events"])
    await merge_activity(transaction, activity)
    await _ledger_days(transaction, account_id, zone)


async def _ledger_days(transaction: Transaction, account_id: int, zone: ZoneInfo) -> None:
    days: dict[date, _LedgerDay] = {}
    for row in await transaction.fetch(_USAGE_ENTRIES, account_id=account_id):
        day = local_day(row["slot_at"], zone)
        amount, first, _ = days.get(day, (0, row["first_version"], 0))
        days[day] = _LedgerDay(amount + row["amount_nanos"], first, row["version"])
    versions = {version for each in days.values() for version in each[1:]}
    rows = await transaction.fetch(_ENTRIES, account_id=account_id, versions=sorted(versions))
    entries = {row["version"]: UsageEntry(**row) for row in rows}
    await ledger_days.save(
        transaction,
        [
            Day.between(account_id, day, amount, entries[first], entries[last])
            for day, (amount, first, last) in days.items()
        ],
    )
