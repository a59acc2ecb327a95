"""Writes roll-up rows: a transaction's additions are merged into the stored rows, under the
accounts' locks.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Date, Table, and_, select
from sqlalchemy.types import TypeEngine

from gateway.models import (
    Instant,
    RollupActivity,
    RollupDay,
    RollupSlot,
    table_of,
)
from gateway.money import checked, checked_quantity
from gateway.store.engine import bitset
from gateway.store.engine.database import Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, batch
from gateway.store.engine.stored_json import dumps, loads
from gateway.store.engine.write import Upsert
from gateway.windows import local_day

DAY: Final = table_of(RollupDay)
SLOT: Final = table_of(RollupSlot)
ACTIVITY: Final = table_of(RollupActivity)

SUMS: Final = ("spent_nanos", "purchased_nanos", "bonus_nanos", "refunded_nanos", "adjusted_nanos")
_CELLS: Final = (*SUMS, "deployments", "resources")

RESOURCE_SEPARATOR: Final = "\x1f"
"""Between resource and unit in the keys of `resources`."""


class Flow:
    """A period's sums (in the order of `SUMS`), its active deployments' bits, its quantities."""

    __slots__ = ("deployments", "resources", "sums")

    def __init__(self) -> None:
        self.sums = [0, 0, 0, 0, 0]
        self.deployments = 0
        self.resources: dict[str, int] = {}

    def add(self, other: "Flow") -> None:
        self.sums = [mine + others for mine, others in zip(self.sums, other.sums, strict=True)]
        self.deployments |= other.deployments
        for key, quantity in other.resources.items():
            self.resources[key] = self.resources.get(key, 0) + quantity

    @classmethod
    def from_row(cls, row: Row) -> "Flow":
        flow = cls()
        flow.sums = [row[name] for name in SUMS]
        flow.deployments = bitset.decode(row["deployments"])
        flow.resources = loads(row["resources"])
        return flow

    def cells(self) -> tuple[Any, ...]:
        sums = [checked(nanos) for nanos in self.sums]
        for quantity in self.resources.values():
            checked_quantity(quantity)
        return (*sums, bitset.encode(self.deployments), dumps(self.resources))


SlotKey: TypeAlias = tuple[int, datetime]
DayKey: TypeAlias = tuple[int, date]
ActivityKey: TypeAlias = tuple[int, str, str, str]
"""deployment (0 for none), resource, provider, GPU model (empty for none)"""
Activity: TypeAlias = dict[ActivityKey, list[int]]
"""A day's usage: spend, and events that are not corrections."""


def _matching(table: Table, key: str, kind: TypeEngine[Any]) -> Statement:
    def build(dialect: DialectName) -> Any:
        wanted = batch(dialect, account_id=BigInteger(), period=kind)
        same = and_(table.c.account_id == wanted.c.account_id, table.c[key] == wanted.c.period)
        cells = (table.c.account_id, table.c[key], *(table.c[name] for name in _CELLS))
        return select(*cells).select_from(wanted.join(table, same))

    return Statement(build)


_SLOTS_OF: Final = _matching(SLOT, "slot_at", Instant())
_DAYS_OF: Final = _matching(DAY, "day", Date())
_UPSERT_SLOT: Final = Upsert(SLOT, ("account_id", "slot_at", *_CELLS))
_UPSERT_DAY: Final = Upsert(DAY, ("account_id", "day", *_CELLS))
_UPSERT_ACTIVITY: Final = Upsert(
    ACTIVITY,
    [column.name for column in ACTIVITY.columns],
    added=("spent_nanos", "events"),
)


def _activity_of_days(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), day=Date())
    same = and_(ACTIVITY.c.account_id == wanted.c.account_id, ACTIVITY.c.day == wanted.c.day)
    return select(ACTIVITY).select_from(wanted.join(ACTIVITY, same))


_ACTIVITY_OF: Final = Statement(_activity_of_days)


async def flows_of(
    transaction: Transaction, slots: Collection[SlotKey], days: Collection[DayKey]
) -> dict[SlotKey | DayKey, Flow]:
    """Return the stored flows of quarter hours and of days."""
    found: dict[SlotKey | DayKey, Flow] = {}
    for matching, name, keys in ((_SLOTS_OF, "slot_at", slots), (_DAYS_OF, "day", days)):
        accounts, periods = zip(*keys, strict=True)
        for row in await transaction.fetch(
            matching, account_id=list(accounts), period=list(periods)
        ):
            found[row["account_id"], row[name]] = Flow.from_row(row)
    return found


async def activity_of(transaction: Transaction, days: Collection[DayKey]) -> dict[DayKey, Activity]:
    """Return the stored usage of days."""
    accounts, dates = zip(*days, strict=True)
    found: dict[DayKey, Activity] = {}
    for row in await transaction.fetch(_ACTIVITY_OF, account_id=list(accounts), day=list(dates)):
        dimensions = (row["deployment_id"], row["resource"], row["provider"], row["gpu_model"])
        day = found.setdefault((row["account_id"], row["day"]), {})
        day[dimensions] = [row["spent_nanos"], row["events"]]
    return found


async def merge(
    transaction: Transaction, slots: Mapping[SlotKey, Flow], zones: Mapping[int, ZoneInfo]
) -> None:
    """Add quarter hours' flows to the roll-ups by slot and by the accounts' own days."""
    await _merge(transaction, _SLOTS_OF, _UPSERT_SLOT, "slot_at", slots)
    await merge_days(transaction, slots, zones)


async def merge_days(
    transaction: Transaction, slots: Mapping[SlotKey, Flow], zones: Mapping[int, ZoneInfo]
) -> None:
    """Add quarter hours' flows to the roll-ups by the accounts' own days alone."""
    await _merge(transaction, _DAYS_OF, _UPSERT_DAY, "day", by_day(slots, zones))


def by_day(slots: Mapping[SlotKey, Flow], zones: Mapping[int, ZoneInfo]) -> dict[DayKey, Flow]:
    """Sum slots to the days of the accounts' zones; no day begins within a quarter hour."""
    days: dict[DayKey, Flow] = {}
    for (account_id, slot), flow in slots.items():
        day = local_day(slot, zones[account_id])
        days.setdefault((account_id, day), Flow()).add(flow)
    return days


async def _merge(
    transaction: Transaction,
    matching: Statement,
    upsert: Upsert,
    key: str,
    flows: Mapping[tuple[int, Any], Flow],
) -> None:
    if not flows:
        return
    accounts, periods = zip(*flows, strict=True)
    rows = await transaction.fetch(matching, account_id=list(accounts), period=list(periods))
    merged = dict(flows)
    for row in rows:
        there = Flow.from_row(row)
        there.add(flows[row["account_id"], row[key]])
        merged[row["account_id"], row[key]] = there
    await transaction.upsert(upsert, [(*place, *flow.cells()) for place, flow in merged.items()])


async def merge_activity(transaction: Transaction, days: Mapping[DayKey, Activity]) -> None:
    """Add usage to the accounts' own days."""
    rows = [
        (*day, *dimensions, checked(spent), events)
        for day, activity in days.items()
        for dimensions, (spent, events) in activity.items()
    ]
    await transaction.upsert(_UPSERT_ACTIVITY, rows)
