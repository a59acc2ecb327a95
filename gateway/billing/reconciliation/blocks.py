"""Compares blocks of usage with the events of the days that are packed in them.

One weekday of a block is compared at a time: memory depends on the number of combinations of
dimensions, not on that of the events.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import date, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from gateway.billing.reconciliation.difference import Found
from gateway.billing.usage.day_quarters import NOTHING, DayQuarters, by_dimensions, rests
from gateway.models.rollup_block import DAYS as DAYS_PART
from gateway.store import block_writes
from gateway.store.block_writes import BlockPart, Dimensions
from gateway.store.engine.stream import Stream
from gateway.store.reconciliation import blocks
from gateway.store.usage_lanes import (
    QUARTERS,
    WEEKS,
    Cells,
    Place,
    WeekCells,
    first_day_of,
    part_of,
    place_of,
)
from gateway.windows import day_start

BLOCK: Final = "block of"
_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = 7
_NO_DAY: Final = (0, False)

Blocks: TypeAlias = Mapping[BlockPart, Mapping[Dimensions, Cells]]


async def block_differences(
    stream: Stream, account_id: int, local: ZoneInfo
) -> AsyncGenerator[Found]:
    """Yield the differences of an account's blocks from its events, by the local day."""
    unpacked = await blocks.unpacked_days(stream, account_id)
    quartered = await blocks.quartered_days(stream, account_id)
    days = await blocks.days(stream, account_id)
    stored = await blocks.numbers(stream, account_id)
    for block in sorted({*stored, *(place_of(day).block for day in days - unpacked)}):
        for weekday in range(_WEEKDAYS):
            parts = [DAYS_PART, *(part_of(weekday, rest) for rest in range(QUARTERS))]
            rows = await block_writes.blocks_of(stream, account_id, [(p, block) for p in parts])
            for week in range(WEEKS):
                day = first_day_of(block) + (_WEEKDAYS * week + weekday) * _DAY
                if day in unpacked:
                    continue
                facts: Mapping[Dimensions, DayQuarters] = {}
                if day in days:
                    span = (day_start(day, local), day_start(day + _DAY, local))
                    events = await block_writes.quarters_of(stream, account_id, *span)
                    facts = by_dimensions(events)
                for found in _differences(day, rows, facts, is_quartered=day in quartered):
                    yield found


def _differences(
    day: date, rows: Blocks, facts: Mapping[Dimensions, DayQuarters], *, is_quartered: bool
) -> Iterator[Found]:
    place = place_of(day)
    days = rows[DAYS_PART, place.block]
    for dimensions in sorted({*facts, *days}):
        expected = facts.get(dimensions, NOTHING)
        found = _NO_DAY if dimensions not in days else days[dimensions].day(place.lane)
        yield from _of_figures(
            f"{day} {_name(dimensions)}",
            {"spent_nanos": expected.total, "active": expected.is_active},
            dict(zip(("spent_nanos", "active"), found, strict=True)),
        )
    for rest in rests(is_quartered=is_quartered):
        hours = rows[part_of(place.weekday, rest), place.block]
        for dimensions in sorted({*facts, *hours}):
            yield from _of_hours(
                f"{day} {_name(dimensions)}",
                rest,
                facts.get(dimensions, NOTHING).hours(rest),
                _week(hours, dimensions, place),
            )


def _week(hours: Mapping[Dimensions, Cells], dimensions: Dimensions, place: Place) -> WeekCells:
    if dimensions not in hours:
        return NOTHING.hours(0)
    return hours[dimensions].week(place.week)


def _of_hours(where: str, rest: int, expected: WeekCells, found: WeekCells) -> Iterator[Found]:
    """Yield the first row that differs, by the time of day at its end."""
    for row, sums in enumerate(zip(expected.nanos, found.nanos, strict=True)):
        if sums[0] != sums[1]:
            hour = row if rest else row + 1
            yield Found(BLOCK, f"{where} spent_nanos of {hour} h {15 * rest} min", *sums)
            return
    names = ("first row with events", "rows before events")
    yield from _of_figures(
        f"{where} with {15 * rest} min",
        dict(zip(names, expected[1:], strict=True)),
        dict(zip(names, found[1:], strict=True)),
    )


def _of_figures(
    where: str, expected: Mapping[str, object], found: Mapping[str, object]
) -> Iterator[Found]:
    for name, figure in expected.items():
        if figure != found[name]:
            yield Found(BLOCK, f"{where} {name}", figure, found[name])


def _name(dimensions: Dimensions) -> str:
    return " / ".join(map(str, dimensions))
