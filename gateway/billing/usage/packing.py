"""Packs the usage of complete days into blocks, some time after it is recorded.

Recording names the days that blocks do not have; readers take those from the roll-ups of days and
the events. So every figure is exact at any moment, and packing changes how long it takes alone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

import structlog

from gateway.clock import Clock
from gateway.models.rollup_block import DAYS as DAYS_PART
from gateway.principal import Actor
from gateway.store import Database, Snapshot, Transaction, block_writes, rollups
from gateway.store.block_writes import BlockPart, Dimensions, HourUsage, UnpackedRows
from gateway.store.rollups import Activity
from gateway.store.usage_lanes import (
    DAYS,
    HOURS,
    LATER,
    MARKS,
    WEEKS,
    Cells,
    Place,
    fits,
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
MOST_ROWS: Final = 1_000
"""Rows of activity of one transaction, or those of a day. On SQLite nobody else writes meanwhile.
"""

_DAY: Final = timedelta(days=1)

_Blocks: TypeAlias = Mapping[BlockPart, dict[Dimensions, Cells]]
_Sums: TypeAlias = tuple[int, int]
"""Nanos, and the number of events that are not corrections."""


async def pack(database: Database, clock: Clock) -> int:
    """Pack the complete days that blocks do not have; return how many there were. An account that
    fails is logged, and left for the next run.
    """
    after, packed = -1, 0
    while True:
        async with Snapshot(database, ACTOR) as snapshot:
            found = await block_writes.unpacked_accounts(snapshot, after=after, limit=TOGETHER)
        for row in found:
            today = local_day(clock.now(), zone(row["time_zone"]))
            if row["first_day"] < today:
                try:
                    packed += await _pack_account(database, row["account_id"], today)
                except Exception:
                    log.exception("usage.pack_failed", account_id=row["account_id"])
        if len(found) < TOGETHER:
            return packed
        after = found[-1]["account_id"]


async def _pack_account(database: Database, account_id: int, today: date) -> int:
    """Pack an account's days before today. The account is not locked: a day that is changed
    meanwhile is packed once more in a later run, and so is one that no block can hold.
    """
    packed, left = 0, set[date]()
    while True:
        async with database.writing(ACTOR) as transaction:
            unpacked = await block_writes.unpacked_days(
                transaction, account_id, end=today, limit=DAYS + len(left)
            )
            days = _together([row for row in unpacked if row["day"] not in left])
            if not days:
                return packed
            done = await _pack_days(transaction, account_id, days)
        left.update({row["day"] for row in days}.difference(done))
        packed += len(done)
        await asyncio.sleep(0)


def _together(rows: Sequence[UnpackedRows]) -> list[UnpackedRows]:
    """Return the first days, as many as one transaction packs: of one block, at least one."""
    days: list[UnpackedRows] = []
    number = 0
    for row in rows:
        number += row["number"]
        is_other = bool(days) and place_of(row["day"]).block != place_of(days[0]["day"]).block
        if days and (is_other or number > MOST_ROWS):
            break
        days.append(row)
    return days


async def _pack_days(
    transaction: Transaction, account_id: int, rows: Sequence[UnpackedRows]
) -> list[date]:
    """Pack days of a block; return those that fit, and did not change meanwhile."""
    days = [row["day"] for row in rows]
    own_zone = zone(rows[0]["time_zone"])
    activity = await rollups.activity_of(transaction, [(account_id, day) for day in days])
    spans = [(day_start(day, own_zone), day_start(day + _DAY, own_zone)) for day in days]
    hours = _by_day(await block_writes.hours_of(transaction, account_id, spans), days)
    fitting = [row for row in rows if _fits(hours[row["day"]])]
    if not fitting:
        return []
    places = {row["day"]: place_of(row["day"]) for row in fitting}
    wanted = {
        part
        for place in places.values()
        for part in ((DAYS_PART, place.block), (place.weekday + 1, place.block))
    }
    blocks = await block_writes.blocks_of(transaction, account_id, sorted(wanted))
    for day, place in places.items():
        _set_day(blocks[DAYS_PART, place.block], place, activity[account_id, day])
        _set_hours(blocks[place.weekday + 1, place.block], place, hours[day])
        await asyncio.sleep(0)
    return await block_writes.save(transaction, account_id, blocks, fitting)


_Hours: TypeAlias = Mapping[Dimensions, Mapping[int, _Sums]]
"""The usage of a day's hours, those after the last that a block has left out."""


def _by_day(rows: Sequence[HourUsage], days: Sequence[date]) -> Mapping[date, _Hours]:
    found: dict[date, defaultdict[Dimensions, dict[int, _Sums]]] = {
        day: defaultdict(dict) for day in days
    }
    for row in rows:
        texts = (row["resource"], row["provider"], row["gpu_model"], row["project"])
        of_day = found[days[row["n"] - 1]]
        of_day[row["deployment_id"], *texts][row["hour"]] = (row["spent_nanos"], row["events"])
    return found


def _fits(hours: _Hours) -> bool:
    """Return whether the sum of the first hours of a day fits, whatever their number."""
    for of_hour in hours.values():
        nanos = 0
        for _, (spent, _) in sorted(of_hour.items()):
            nanos += spent
            if not fits(nanos):
                return False
    return True


def _set_day(rows: dict[Dimensions, Cells], place: Place, activity: Activity) -> None:
    """Replace a day of a block of days."""
    sums = _with_projects(activity)
    for dimensions in sums:
        if dimensions not in rows:
            rows[dimensions] = Cells.of_days()
    for dimensions, cells in rows.items():
        spent, events = sums.get(dimensions, (0, 0))
        cells.set_lane(place.lane, spent)
        cells.set_mark(place.lane, on=events > 0)


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


def _set_hours(rows: dict[Dimensions, Cells], place: Place, hours: _Hours) -> None:
    """Replace a day of a block of a weekday's hours."""
    for dimensions in hours:
        if dimensions not in rows:
            rows[dimensions] = Cells.of_hours()
    for dimensions, cells in rows.items():
        of_hour = hours.get(dimensions, {})
        active = [hour for hour, (_, events) in of_hour.items() if events]
        first, last = (min(active), max(active)) if active else (HOURS, -1)
        nanos = 0
        for hour in range(1, HOURS + 1):
            nanos += of_hour.get(hour - 1, (0, 0))[0]
            cells.set_lane((hour - 1) * WEEKS + place.week, nanos)
            bit = 8 * MARKS * (hour - 1) + place.week
            cells.set_mark(bit, on=first < hour)
            cells.set_mark(bit + LATER, on=last >= hour)


def register(tasks: Tasks, database: Database, clock: Clock) -> None:
    """Have one process pack days every hour, and at once after an update of the gateway."""

    async def run() -> None:
        await pack(database, clock)

    tasks.add_periodic(Periodic(task=PACK, seconds=PAUSE_SECONDS), run)
