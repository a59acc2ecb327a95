"""The current day, for a test that counts days from it."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ROOM: Final = timedelta(seconds=75)
"""Longer than such a test takes on a busy machine."""
LATELY: Final = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
"""An instant of the run at which usage may have begun and ended."""
_MINUTE: Final = 50


async def lasting_day(zone: str = "UTC") -> date:
    """Return the current date in a zone; near its end, wait for the next one.

    A test that calls this first ends on the day on which it began.
    """
    place = ZoneInfo(zone)
    now = datetime.now(place)
    midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), place)
    left = midnight.astimezone(UTC) - now.astimezone(UTC)
    if left < ROOM:
        await asyncio.sleep(left.total_seconds() + 1)
    return datetime.now(place).date()


def before_the_hour() -> datetime:
    """Return the current instant, or in the last minutes of an hour one some minutes earlier.

    A page that has its clock moved on from there by some minutes stays in its day: in the zones of
    tests each begins with an hour.
    """
    now = datetime.now(UTC)
    return now.replace(minute=min(now.minute, _MINUTE))
