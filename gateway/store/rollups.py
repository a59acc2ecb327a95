"""Writes roll-up rows: a transaction's additions are merged into the stored rows, under the
accounts' locks.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from itertools import chain
from typing import Final, NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Date, Table, and_, select

from gateway.models import (
    Instant,
    RollupActivity,
    RollupDay,
    RollupProject,
    RollupSlot,
    table_of,
)
from gateway.money import checked, checked_quantity
from gateway.store import usage_units
from gateway.store.engine import bitset
from gateway.store.engine.database import Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import ColumnType, DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stored_json import dumps, loads
from gateway.store.engine.write import Upsert
from gateway.store.rows import ActivityRow, DayRow, PeriodSumsRow, ProjectRow, SlotRow
from gateway.store.usage_units import AccountMeasure
from gateway.windows import local_day

DAY: Final = table_of(RollupDay)
SLOT: Final = table_of(RollupSlot)
ACTIVITY: Final = table_of(RollupActivity)
PROJECT: Final = table_of(RollupProject)


class PeriodSumsCells(NamedTuple):
    """A period's cells without its key: sums, the set of active deployments, and quantities."""

    spent_nanos: int
    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    adjusted_nanos: int
    deployments: bytes
    resources: str


class SlotCells(NamedTuple):
    """A quarter hour's cells."""

    account_id: int
    slot_at: datetime
    spent_nanos: int
    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    adjusted_nanos: int
    deployments: bytes
    resources: str


class DayCells(NamedTuple):
    """A day's cells."""

    account_id: int
    day: date
    spent_nanos: int
    purchased_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    adjusted_nanos: int
    deployments: bytes
    resources: str


class ActivityCells(NamedTuple):
    """The cells of a day's usage of one deployment (0 for none)."""

    account_id: int
    day: date
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    spent_nanos: int
    events: int


class ProjectCells(NamedTuple):
    """The cells of the part of `ActivityCells` that names a project."""

    account_id: int
    day: date
    project: str
    deployment_id: int
    resource: str
    provider: str
    gpu_model: str
    spent_nanos: int
    events: int


SUMS: Final = PeriodSumsCells._fields[:5]


class PeriodSums:
    """The sums of a quarter hour or a day: `nanos` in the order of `SUMS`, active deployments as
    ordinals (`deployments`) and as sets that were `stored`, and quantities by resource and unit.
    """

    __slots__ = ("deployments", "nanos", "resources", "stored")

    def __init__(self) -> None:
        self.nanos = [0, 0, 0, 0, 0]
        self.deployments: set[int] = set()
        self.stored: list[bytes] = []
        self.resources: dict[str, int] = {}

    def add(self, other: "PeriodSums") -> None:
        self.nanos = [mine + others for mine, others in zip(self.nanos, other.nanos, strict=True)]
        self.deployments |= other.deployments
        self.stored += other.stored
        for key, quantity in other.resources.items():
            self.resources[key] = self.resources.get(key, 0) + quantity

    @classmethod
    def from_row(cls, row: PeriodSumsRow) -> "PeriodSums":
        sums = cls()
        sums.nanos = [
            row["spent_nanos"],
            row["purchased_nanos"],
            row["bonus_nanos"],
            row["refunded_nanos"],
            row["adjusted_nanos"],
        ]
        sums.stored.append(row["deployments"])
        sums.resources = loads(row["resources"])
        return sums

    def active(self) -> bytes:
        """Return the set of active deployments as it is stored."""
        return bitset.encode_union(self.stored, self.deployments)

    def cells(self) -> PeriodSumsCells:
        """Return the sums as cells. Raises OutOfRange for a sum that does not fit."""
        spent, purchased, bonus, refunded, adjusted = map(checked, self.nanos)
        for quantity in self.resources.values():
            checked_quantity(quantity)
        return PeriodSumsCells(
            spent_nanos=spent,
            purchased_nanos=purchased,
            bonus_nanos=bonus,
            refunded_nanos=refunded,
            adjusted_nanos=adjusted,
            deployments=self.active(),
            resources=dumps(self.resources),
        )


SlotKey: TypeAlias = tuple[int, datetime]
DayKey: TypeAlias = tuple[int, date]
K = TypeVar("K", SlotKey, DayKey)
ActivityKey: TypeAlias = tuple[int, str, str, str]
"""deployment (0 for none), resource, provider, GPU model (empty for none)"""
ProjectKey: TypeAlias = tuple[str, int, str, str, str]
"""A project, and the key of the activity that it is a part of."""


class Activity:
    """A day's usage: spend, and events that are not corrections. `projects` is the part of `all`
    that names a project.
    """

    __slots__ = ("all", "projects")

    def __init__(self) -> None:
        self.all: dict[ActivityKey, list[int]] = {}
        self.projects: dict[ProjectKey, list[int]] = {}

    def add(self, key: ActivityKey, project: str | None, spent: int, events: int) -> None:
        """Add usage that names a project, or none."""
        sums = self.all.get(key)
        if sums is None:
            sums = self.all[key] = [0, 0]
        sums[0] += spent
        sums[1] += events
        if project:
            self.add_project(key, project, spent, events)

    def add_project(self, key: ActivityKey, project: str, spent: int, events: int) -> None:
        """Add to the part of a project alone."""
        sums = self.projects.setdefault((project, *key), [0, 0])
        sums[0] += spent
        sums[1] += events


def _matching(table: Table, key: str, kind: ColumnType) -> Callable[[DialectName], Query]:
    def build(dialect: DialectName) -> Query:
        wanted = batch(dialect, account_id=BigInteger(), period=kind)
        same = and_(table.c.account_id == wanted.c.account_id, table.c[key] == wanted.c.period)
        names = ("account_id", key, *PeriodSumsCells._fields)
        return select(*(table.c[name] for name in names)).select_from(wanted.join(table, same))

    return build


_SLOTS_OF: Final = Statement[SlotRow](_matching(SLOT, "slot_at", Instant()))
_DAYS_OF: Final = Statement[DayRow](_matching(DAY, "day", Date()))
_UPSERT_SLOT: Final = Upsert(SLOT, SlotCells)
_UPSERT_DAY: Final = Upsert(DAY, DayCells)
_UPSERT_ACTIVITY: Final = Upsert(ACTIVITY, ActivityCells, added=("spent_nanos", "events"))
_UPSERT_PROJECT: Final = Upsert(PROJECT, ProjectCells, added=("spent_nanos", "events"))


def _of_days(table: Table) -> Callable[[DialectName], Query]:
    def build(dialect: DialectName) -> Query:
        wanted = batch(dialect, account_id=BigInteger(), day=Date())
        same = and_(table.c.account_id == wanted.c.account_id, table.c.day == wanted.c.day)
        return select(table).select_from(wanted.join(table, same))

    return build


_ACTIVITY_OF: Final = Statement[ActivityRow](_of_days(ACTIVITY))
_PROJECTS_OF: Final = Statement[ProjectRow](_of_days(PROJECT))


async def period_sums_of(
    transaction: Transaction, slots: Collection[SlotKey], days: Collection[DayKey]
) -> dict[SlotKey | DayKey, PeriodSums]:
    """Return the stored sums of quarter hours and of days."""
    of_slots, of_days = await _slots_of(transaction, slots), await _days_of(transaction, days)
    return dict[SlotKey | DayKey, PeriodSums](chain(of_slots.items(), of_days.items()))


async def _slots_of(
    transaction: Transaction, slots: Collection[SlotKey]
) -> dict[SlotKey, PeriodSums]:
    accounts, periods = zip(*slots, strict=True)
    rows = await transaction.fetch(_SLOTS_OF, account_id=list(accounts), period=list(periods))
    return {(row["account_id"], row["slot_at"]): PeriodSums.from_row(row) for row in rows}


async def _days_of(transaction: Transaction, days: Collection[DayKey]) -> dict[DayKey, PeriodSums]:
    accounts, periods = zip(*days, strict=True)
    rows = await transaction.fetch(_DAYS_OF, account_id=list(accounts), period=list(periods))
    return {(row["account_id"], row["day"]): PeriodSums.from_row(row) for row in rows}


async def activity_of(transaction: Transaction, days: Collection[DayKey]) -> dict[DayKey, Activity]:
    """Return the stored usage of days."""
    accounts, dates = (list(each) for each in zip(*days, strict=True))
    found: defaultdict[DayKey, Activity] = defaultdict(Activity)
    for row in await transaction.fetch(_ACTIVITY_OF, account_id=accounts, day=dates):
        day = found[row["account_id"], row["day"]]
        day.all[activity_key(row)] = [row["spent_nanos"], row["events"]]
    for part in await transaction.fetch(_PROJECTS_OF, account_id=accounts, day=dates):
        day = found[part["account_id"], part["day"]]
        day.projects[project_key(part)] = [part["spent_nanos"], part["events"]]
    return found


def activity_key(row: ActivityRow) -> ActivityKey:
    """Return the dimensions of a stored row."""
    return row["deployment_id"], row["resource"], row["provider"], row["gpu_model"]


def project_key(row: ProjectRow) -> ProjectKey:
    """Return the dimensions of a stored row that names a project."""
    return (row["project"], *activity_key(row))


async def merge(
    transaction: Transaction, slots: Mapping[SlotKey, PeriodSums], zones: Mapping[int, ZoneInfo]
) -> None:
    """Add sums of quarter hours to the roll-ups by slot and by the accounts' own days."""
    if slots:
        merged = _merged(slots, await _slots_of(transaction, slots))
        cells = [SlotCells._make((*place, *sums.cells())) for place, sums in merged.items()]
        await transaction.upsert(_UPSERT_SLOT, cells)
    await _merge_days(transaction, slots, zones)


async def _merge_days(
    transaction: Transaction, slots: Mapping[SlotKey, PeriodSums], zones: Mapping[int, ZoneInfo]
) -> None:
    """Add sums of quarter hours to the roll-ups by the accounts' own days. Raises OutOfRange where
    an account would have too many units.
    """
    days = by_day(slots, zones)
    if days:
        stored = await _days_of(transaction, days)
        if measures := _measures(days) - _measures(stored):
            await usage_units.check(transaction, measures)
        await transaction.upsert(_UPSERT_DAY, day_cells(_merged(days, stored)))


def day_cells(days: Mapping[DayKey, PeriodSums]) -> list[DayCells]:
    """Return the rows of days. Raises OutOfRange for a sum that does not fit."""
    return [DayCells._make((*place, *sums.cells())) for place, sums in days.items()]


def _measures(days: Mapping[DayKey, PeriodSums]) -> set[AccountMeasure]:
    return {(account_id, key) for (account_id, _), sums in days.items() for key in sums.resources}


def by_day(
    slots: Mapping[SlotKey, PeriodSums], zones: Mapping[int, ZoneInfo]
) -> dict[DayKey, PeriodSums]:
    """Sum slots to the days of the accounts' zones; no day begins within a quarter hour."""
    days: dict[DayKey, PeriodSums] = {}
    for (account_id, slot), sums in slots.items():
        day = local_day(slot, zones[account_id])
        days.setdefault((account_id, day), PeriodSums()).add(sums)
    return days


def _merged(added: Mapping[K, PeriodSums], stored: Mapping[K, PeriodSums]) -> dict[K, PeriodSums]:
    """Return the added sums, each with the stored sums of its period."""
    for place, sums in stored.items():
        sums.add(added[place])
    return {**added, **stored}


async def merge_activity(transaction: Transaction, days: Mapping[DayKey, Activity]) -> None:
    """Add usage to the accounts' own days."""
    await transaction.upsert(_UPSERT_ACTIVITY, activity_cells(days))
    if parts := project_cells(days):
        await transaction.upsert(_UPSERT_PROJECT, parts)


def activity_cells(days: Mapping[DayKey, Activity]) -> list[ActivityCells]:
    """Return the rows of days' usage. Raises OutOfRange for a sum that does not fit."""
    return [
        ActivityCells._make((*day, *dimensions, checked(spent), events))
        for day, activity in days.items()
        for dimensions, (spent, events) in activity.all.items()
    ]


def project_cells(days: Mapping[DayKey, Activity]) -> list[ProjectCells]:
    """Return the rows of the usage that names projects, as `activity_cells` does."""
    return [
        ProjectCells._make((*day, *dimensions, checked(spent), events))
        for day, activity in days.items()
        for dimensions, (spent, events) in activity.projects.items()
    ]
