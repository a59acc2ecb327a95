"""Packs the usage of complete days into blocks, some time after it is recorded.

Recording names the days that blocks do not have; readers take those from the roll-ups of days and
the events. So every figure is exact at any moment, and packing changes how long it takes alone.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple, TypeAlias

import structlog

from gateway.billing.usage.day_quarters import NOTHING, DayQuarters, by_dimensions, rests
from gateway.clock import Clock
from gateway.models.rollup_block import DAYS as DAYS_PART
from gateway.principal import Actor
from gateway.store import Database, Snapshot, Transaction, block_writes, rollups
from gateway.store.block_writes import BlockPart, Dimensions, UnpackedRows
from gateway.store.engine.sql import DialectName
from gateway.store.rollups import Activity
from gateway.store.usage_lanes import (
    DAYS,
    Cells,
    Place,
    part_of,
    place_of,
)
from gateway.windows import day_start, local_day, zone
from gateway.work.jobs import NoPayload, Task
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks

log = structlog.get_logger(__name__)

PACK: Final = Task(name="usage.pack", payload=NoPayload, timeout_seconds=3_600)
ACTOR: Final = Actor.job(PACK.name)
PAUSE_SECONDS: Final = 3_600
"""How often a day to which usage is added late is packed again, at most."""
TOGETHER: Final = 200
"""Accounts of one statement."""


class Most(NamedTuple):
    """Rows of activity, and events, of one transaction, if they are not those of one day."""

    rows: int
    events: int


MOST: Final[Mapping[DialectName, Most]] = {
    "postgresql": Most(rows=10_000, events=500_000),
    # Nobody else writes meanwhile.
    "sqlite": Most(rows=1_000, events=50_000),
}
QUARTERED_FROM: Final = 3
"""Events for each row of activity, from which on a day's quarter hours are packed. Blocks then take
no more room than the events; with fewer of these, reading those of an hour costs little.
"""

_DAY: Final = timedelta(days=1)

_Blocks: TypeAlias = Mapping[BlockPart, dict[Dimensions, Cells]]
_Sums: TypeAlias = tuple[int, int]
"""Nanos, and the number of events that are not corrections."""


async def pack(database: Database, clock: Clock, *, quartered_from: float = QUARTERED_FROM) -> int:
    """Pack the complete days that blocks do not have; return how many there were. An account that
    fails is logged, and left for the next run. Days with `quartered_from` events for each row of
    activity are packed with their quarter hours.
    """
    after, packed = -1, 0
    while True:
        async with Snapshot(database, ACTOR) as snapshot:
            found = await block_writes.unpacked_accounts(snapshot, after=after, limit=TOGETHER)
        for row in found:
            today = local_day(clock.now(), zone(row["time_zone"]))
            if row["first_day"] < today:
                try:
                    packed += await _pack_account(
                        database, row["account_id"], today, quartered_from
                    )
                except Exception:
                    log.exception("usage.pack_failed", account_id=row["account_id"])
        if len(found) < TOGETHER:
            return packed
        after = found[-1]["account_id"]


async def _pack_account(
    database: Database, account_id: int, today: date, quartered_from: float
) -> int:
    """Pack an account's days before today. The account is not locked: a day that is changed
    meanwhile is packed once more in a later run, and so is one that no block can hold.
    """
    packed, left = 0, set[date]()
    while True:
        async with database.writing(ACTOR) as transaction:
            unpacked = await block_writes.unpacked_days(
                transaction, account_id, end=today, limit=DAYS + len(left)
            )
            days = _together(
                [row for row in unpacked if row["day"] not in left], MOST[database.dialect]
            )
            if not days:
                return packed
            done = await _pack_days(transaction, account_id, days, quartered_from)
        left.update({row["day"] for row in days}.difference(done))
        packed += len(done)
        await asyncio.sleep(0)


def _together(rows: Sequence[UnpackedRows], most: Most) -> list[UnpackedRows]:
    """Return days of one block, as many as one transaction packs, at least one. The first one's
    weekday comes first: those days have the same blocks of hours.
    """
    if not rows:
        return []
    first = place_of(rows[0]["day"])
    places = [(place_of(row["day"]), row) for row in rows]
    mine = [(place, row) for place, row in places if place.block == first.block]
    mine.sort(key=lambda each: (each[0].weekday != first.weekday, each[0].weekday, each[0].week))
    days: list[UnpackedRows] = []
    number = events = 0
    for _, row in mine:
        number += row["number"]
        events += row["events"]
        if days and (number > most.rows or events > most.events):
            break
        days.append(row)
    return days


async def _pack_days(
    transaction: Transaction,
    account_id: int,
    rows: Sequence[UnpackedRows],
    quartered_from: float,
) -> list[date]:
    """Pack days of a block; return those that fit, and did not change meanwhile."""
    own_zone = zone(rows[0]["time_zone"])
    quartered = {
        row["day"] for row in rows if row["events"] >= max(1, quartered_from * row["number"])
    }
    places = {row["day"]: place_of(row["day"]) for row in rows}
    blocks = await block_writes.blocks_of(transaction, account_id, _parts(places, quartered))
    fitting: list[UnpackedRows] = []
    for row in rows:
        day, place = row["day"], places[row["day"]]
        span = (day_start(day, own_zone), day_start(day + _DAY, own_zone))
        quarters = by_dimensions(await block_writes.quarters_of(transaction, account_id, *span))
        if not all(each.fits for each in quarters.values()):
            continue
        fitting.append(row)
        activity = await rollups.activity_of(transaction, [(account_id, day)])
        _set_day(blocks[DAYS_PART, place.block], place, activity[account_id, day])
        for rest in rests(is_quartered=day in quartered):
            part = blocks[part_of(place.weekday, rest), place.block]
            _set_hours(part, place.week, quarters, rest)
            await asyncio.sleep(0)
    if not fitting:
        return []
    return await block_writes.save(transaction, account_id, blocks, fitting, quartered)


def _parts(places: Mapping[date, Place], quartered: Collection[date]) -> list[BlockPart]:
    """Return the blocks that have the days."""
    found = {(DAYS_PART, place.block) for place in places.values()}
    for day, place in places.items():
        for rest in rests(is_quartered=day in quartered):
            found.add((part_of(place.weekday, rest), place.block))
    return sorted(found)


def _set_day(rows: dict[Dimensions, Cells], place: Place, activity: Activity) -> None:
    """Replace a day of a block of days."""
    sums = _with_projects(activity)
    for dimensions in sums:
        if dimensions not in rows:
            rows[dimensions] = Cells.of_days()
    for dimensions, cells in rows.items():
        spent, events = sums.get(dimensions, (0, 0))
        cells.set_day(place.lane, spent, active=events > 0)


def _with_projects(activity: Activity) -> dict[Dimensions, _Sums]:
    """Return a day's usage by all dimensions: what names no project is what is left of all."""
    left = {each: [*sums] for each, sums in activity.all.items()}
    found: dict[Dimensions, _Sums] = {}
    for named, (spent, events) in activity.projects.items():
        rest = left[named[1:]]
        rest[0] -= spent
        rest[1] -= events
        found[(*named[1:], named[0])] = (spent, events)
    for key, (spent, events) in left.items():
        if spent or events:
            found[(*key, "")] = (spent, events)
    return found


def _set_hours(
    rows: dict[Dimensions, Cells], week: int, quarters: Mapping[Dimensions, DayQuarters], rest: int
) -> None:
    """Replace a day of a block of a weekday's hours, with some quarters after each."""
    for dimensions in quarters:
        if dimensions not in rows:
            rows[dimensions] = Cells.of_hours()
    for dimensions, cells in rows.items():
        cells.set_week(week, quarters.get(dimensions, NOTHING).hours(rest))


def register(tasks: Tasks, database: Database, clock: Clock) -> None:
    """Have one process pack days every hour, and at once after an update of the gateway."""

    async def run() -> None:
        await pack(database, clock)

    tasks.add_periodic(Periodic(task=PACK, seconds=PAUSE_SECONDS), run)
