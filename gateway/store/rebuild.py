"""Deriving an account's daily roll-ups again, in a zone that is new to it."""

from collections import defaultdict
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
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

from gateway.models import EARLIEST, Instant, UsageEvent, table_of
from gateway.store.database import Transaction
from gateway.store.rollups import (
    ACTIVITY,
    DAY,
    SLOT,
    Activity,
    DayKey,
    Flow,
    merge_activity,
    merge_days,
)
from gateway.store.statement import DialectName, Statement
from gateway.windows import local_day

EVENT: Final = table_of(UsageEvent)

_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())
_QUARTER_HOUR: Final = timedelta(minutes=15)


def _delete(table: Table) -> Statement:
    return Statement(delete(table).where(table.c.account_id == _ACCOUNT))


_SLOTS: Final = Statement(select(SLOT).where(SLOT.c.account_id == _ACCOUNT))
_DELETES: Final = (_delete(DAY), _delete(ACTIVITY))


def _activity(dialect: DialectName) -> Any:
    started = EVENT.c.started_at
    slot: ColumnElement[Any]
    if dialect == "postgresql":
        slot = func.date_bin(
            cast(literal(_QUARTER_HOUR), Interval), started, literal(EARLIEST, Instant())
        )
    else:
        microseconds = type_coerce(started, BigInteger())
        slot = microseconds - microseconds % (15 * 60 * 1_000_000)
    dimensions = (
        func.coalesce(EVENT.c.deployment_id, 0).label("deployment_id"),
        EVENT.c.resource,
        func.coalesce(EVENT.c.provider, "").label("provider"),
        func.coalesce(EVENT.c.gpu_model, "").label("gpu_model"),
    )
    slot_at = type_coerce(slot, Instant()).label("slot_at")
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


_ACTIVITY: Final = Statement(_activity)


async def days(transaction: Transaction, account_id: int, zone: ZoneInfo) -> None:
    """Derive a locked account's days and activity in `zone` from its slots and its events."""
    slots = await transaction.fetch(_SLOTS, account_id=account_id)
    events = await transaction.fetch(_ACTIVITY, account_id=account_id)
    for statement in _DELETES:
        await transaction.execute(statement, account_id=account_id)
    flows = {(account_id, row["slot_at"]): Flow.from_row(row) for row in slots}
    await merge_days(transaction, flows, {account_id: zone})
    activity: defaultdict[DayKey, Activity] = defaultdict(dict)
    for row in events:
        day = activity[account_id, local_day(row["slot_at"], zone)]
        dimensions = (row["deployment_id"], row["resource"], row["provider"], row["gpu_model"])
        sums = day.setdefault(dimensions, [0, 0])
        sums[0] += row["spent"]
        sums[1] += row["events"]
    await merge_activity(transaction, activity)
