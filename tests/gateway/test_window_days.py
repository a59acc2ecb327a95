"""Zones and their local days, against a walk through every quarter hour."""

import importlib.resources
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from gateway.errors import BadUserInput
from gateway.windows import (
    FIRST_DAY,
    LAST_DAY,
    SLOT,
    Window,
    day_start,
    local_day,
    slot_start,
    zone,
    zone_names,
)
from tests.support.calendars import DAY, TURNS, ZONES, instants, utc, walked_days, window, zones


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "localtime", "Factory", "posixrules", "posix/UTC", "right/UTC", "zones"),
        *("../../etc/passwd", "/etc/localtime", "Europe/../UTC", "Europe", "europe/berlin"),
        *("Europe/Berlin\x00", "Europe/Berlin ", "Mars/Base", "UTC+1", "tzdata.zi", "__init__.py"),
    ],
)
def test_only_iana_names_are_zones(name: str) -> None:
    with pytest.raises(BadUserInput, match="IANA name") as refusal:
        zone(name)
    assert refusal.value.argument == "timeZone"


def test_every_listed_zone_loads_under_its_name() -> None:
    assert set(ZONES) <= zone_names()
    assert len(zone_names()) > 590
    assert all(zone(name).key == name for name in zone_names())


def test_a_zone_is_one_object() -> None:
    assert zone("Europe/Berlin") is zone("Europe/Berlin")


@pytest.mark.parametrize(
    ("name", "day", "start"),
    [
        ("UTC", "2026-11-23", "2026-11-23T00:00"),
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15"),
        ("Europe/Berlin", "2026-03-30", "2026-03-29T22:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
        # The clocks went from 23:30 to 00:30: the day begins within what was skipped.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30"),
    ],
)
def test_days_begin_at_the_first_instant_of_their_date(name: str, day: str, start: str) -> None:
    assert day_start(date.fromisoformat(day), zone(name)) == utc(start)


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Africa/Cairo", "2026-10-29", 25),
        ("America/St_Johns", "2010-11-07", 25),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Kolkata", "2026-03-29", 24),
    ],
)
def test_days_last_as_long_as_their_clocks_say(name: str, day: str, hours: float) -> None:
    only = window(day, day, name)
    assert only.end - only.start == timedelta(hours=hours)
    assert only.days == (1 if hours else 0)


@pytest.mark.parametrize(("name", "turn"), [(n, t) for n, texts in TURNS.items() for t in texts])
def test_days_agree_with_a_walk_through_every_quarter_hour(name: str, turn: str) -> None:
    middle = date.fromisoformat(turn)
    by_slot = walked_days(name, middle)
    for slot, day in by_slot.items():
        assert local_day(slot, zone(name)) == day
        assert local_day(slot + SLOT - timedelta(microseconds=1), zone(name)) == day
    for n in range(-2, 3):
        day = middle + n * DAY
        first = next(slot for slot, shown in by_slot.items() if shown >= day)
        assert day_start(day, zone(name)) == first


def test_a_repeated_midnight_does_not_bring_the_day_before_back() -> None:
    in_st_johns = zone("America/St_Johns")
    again = utc("2010-11-07T02:45")
    assert again.astimezone(in_st_johns).date() == date(2010, 11, 6)
    assert local_day(again, in_st_johns) == date(2010, 11, 7)


@settings(max_examples=200, deadline=None)
@given(zones, instants)
def test_an_instant_lies_in_its_day(in_zone: ZoneInfo, instant: datetime) -> None:
    day = local_day(instant, in_zone)
    assert day_start(day, in_zone) <= instant < day_start(day + DAY, in_zone)


def days_around_turns(in_zone: ZoneInfo) -> Iterator[date]:
    """Yield the first day, and all days of each week across which the zone's offset changes.

    Between them the offset stays, and so does the time of day at which days begin.
    """
    noon = utc("1999-12-31T12:00")
    offset = noon.astimezone(in_zone).utcoffset()
    yield FIRST_DAY
    while noon.date() <= LAST_DAY:
        before, noon = (noon, offset), noon + 7 * DAY
        offset = noon.astimezone(in_zone).utcoffset()
        if before[1] != offset:
            yield from (before[0].date() + n * DAY for n in range(-1, 9))


def every_day(_zone: ZoneInfo) -> Iterator[date]:
    return (FIRST_DAY + n * DAY for n in range((LAST_DAY - FIRST_DAY).days + 2))


def test_local_days_begin_on_utc_quarter_hours_in_every_zone() -> None:
    """Looks for turns week by week; TEST_EVERY_DAY=1 takes each day of the 101 years instead."""
    sweep = every_day if os.environ.get("TEST_EVERY_DAY") else days_around_turns
    data = importlib.resources.files("tzdata").joinpath("zoneinfo")
    distinct = {data.joinpath(*name.split("/")).read_bytes(): name for name in zone_names()}
    odd = []
    for in_zone in map(zone, distinct.values()):
        for day in sweep(in_zone):
            start = day_start(day, in_zone)
            if start != slot_start(start):
                odd.append((in_zone.key, day, start))
    assert odd == []
    assert len(distinct) > 300


def test_only_two_zones_skipped_a_date() -> None:
    last = Window(from_=FIRST_DAY, to=LAST_DAY, zone=zone("UTC")).days
    skipped = {
        name: last - Window(from_=FIRST_DAY, to=LAST_DAY, zone=zone(name)).days
        for name in zone_names()
    }
    assert {name for name, count in skipped.items() if count} == {
        "Pacific/Apia",
        "Pacific/Fakaofo",
    }


@pytest.mark.parametrize(
    ("instant", "slot"),
    [
        ("2026-11-23T10:14:59.999999+00:00", "2026-11-23T10:00"),
        ("2026-11-23T10:15:00+00:00", "2026-11-23T10:15"),
        ("2026-11-23T10:20:00+05:50", "2026-11-23T04:30"),
    ],
)
def test_slots_are_utc_quarter_hours(instant: str, slot: str) -> None:
    found = slot_start(datetime.fromisoformat(instant))
    assert found == utc(slot)
    assert found.tzinfo is UTC
