"""Windows and their buckets against the standard library's calendar and walked instants."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import BadUserInput
from gateway.windows import (
    FIRST_DAY,
    LAST_DAY,
    MAX_BUCKETS,
    SLOT,
    Bucket,
    Interval,
    Window,
    checked_day,
    complete_days,
    complete_until,
    count_buckets,
    day_start,
    first_day,
    is_partial,
    previous_window,
    resolve_window,
    shift,
    zone,
)
from tests.support.calendars import (
    DAY,
    NEAR_TURNS,
    days,
    intervals,
    utc,
    walked_days,
    window,
    windows,
    zones,
)

CalendarKey = str | int | tuple[int, ...]

quick = settings(max_examples=80, deadline=None)
TODAY = date(2026, 11, 25)


def test_a_week_in_berlin_spans_the_change_of_clocks() -> None:
    assert window("2026-10-21", "2026-10-28", "Europe/Berlin").buckets(Interval.WEEK) == (
        Bucket(
            start=utc("2026-10-20T22:00"),
            end=utc("2026-10-25T23:00"),
            first_day=date(2026, 10, 21),
            last_day=date(2026, 10, 25),
            clipped=True,
        ),
        Bucket(
            start=utc("2026-10-25T23:00"),
            end=utc("2026-10-28T23:00"),
            first_day=date(2026, 10, 26),
            last_day=date(2026, 10, 28),
            clipped=True,
        ),
    )


@pytest.mark.parametrize(
    ("from_", "to", "interval", "spans"),
    [
        ("2026-12-28", "2027-01-03", Interval.WEEK, ["2026-12-28 2027-01-03"]),
        (
            "2027-01-01",
            "2027-01-04",
            Interval.WEEK,
            ["2027-01-01 2027-01-03", "2027-01-04 2027-01-04"],
        ),
        (
            "2028-02-29",
            "2028-03-01",
            Interval.MONTH,
            ["2028-02-29 2028-02-29", "2028-03-01 2028-03-01"],
        ),
        ("2028-02-01", "2028-02-29", Interval.MONTH, ["2028-02-01 2028-02-29"]),
        (
            "2099-12-31",
            "2100-12-31",
            Interval.YEAR,
            ["2099-12-31 2099-12-31", "2100-01-01 2100-12-31"],
        ),
        (
            "2100-02-28",
            "2100-03-01",
            Interval.DAY,
            ["2100-02-28 2100-02-28", "2100-03-01 2100-03-01"],
        ),
    ],
)
def test_buckets_follow_the_calendar(
    from_: str, to: str, interval: Interval, spans: list[str]
) -> None:
    buckets = window(from_, to).buckets(interval)
    assert [f"{bucket.first_day} {bucket.last_day}" for bucket in buckets] == spans


def test_the_first_of_2027_lies_in_week_53() -> None:
    (only,) = window("2027-01-01", "2027-01-01").buckets(Interval.WEEK)
    assert first_day(only.first_day, Interval.WEEK) == date.fromisocalendar(2026, 53, 1)


def test_a_skipped_date_has_no_bucket() -> None:
    around = window("2011-12-29", "2011-12-31", "Pacific/Apia")
    assert [bucket.first_day.day for bucket in around.buckets(Interval.DAY)] == [29, 31]
    assert around.days == 2
    assert window("2011-12-30", "2011-12-30", "Pacific/Apia").buckets(Interval.DAY) == ()


@pytest.mark.parametrize(
    ("interval", "from_", "to", "clipped"),
    [
        (Interval.MONTH, "2026-01-01", "2026-03-31", [False, False, False]),
        (Interval.MONTH, "2026-01-02", "2026-03-30", [True, False, True]),
        (Interval.YEAR, "2026-01-01", "2026-12-30", [True]),
        (Interval.WEEK, "2026-11-23", "2026-11-29", [False]),
        (Interval.DAY, "2026-11-23", "2026-11-24", [False, False]),
    ],
)
def test_a_bucket_that_the_window_cuts_is_clipped(
    interval: Interval, from_: str, to: str, clipped: list[bool]
) -> None:
    assert [bucket.clipped for bucket in window(from_, to).buckets(interval)] == clipped


@quick
@given(windows(), intervals)
@example(window("2011-12-20", "2012-01-10", "Pacific/Apia"), Interval.DAY)
def test_buckets_tile_their_window(span: Window, interval: Interval) -> None:
    buckets = span.buckets(interval)
    assert [b.end for b in buckets[:-1]] == [b.start for b in buckets[1:]]
    assert all(bucket.start < bucket.end for bucket in buckets)
    assert (
        [buckets[0].start, buckets[-1].end] == [span.start, span.end] if buckets else not span.days
    )
    assert all(b.start == day_start(b.first_day, span.zone) for b in buckets)
    assert all(b.end == day_start(b.last_day + DAY, span.zone) for b in buckets)
    assert sum(Window(from_=b.first_day, to=b.last_day, zone=span.zone).days for b in buckets) == (
        span.days
    )


def calendar_key(day: date, interval: Interval) -> CalendarKey:
    """Name the calendar interval of a day, by the standard library's own calendar."""
    keys: dict[Interval, CalendarKey] = {
        Interval.DAY: day.isoformat(),
        Interval.WEEK: tuple(day.isocalendar())[:2],
        Interval.MONTH: (day.year, day.month),
        Interval.YEAR: day.year,
    }
    return keys[interval]


def index_of(firsts: Sequence[date], day: date) -> int:
    """Return the index of the bucket that holds a day or an instant, by the first of each."""
    return bisect_right(firsts, day) - 1


@quick
@given(windows(), intervals)
def test_each_day_lies_in_the_bucket_of_its_calendar_interval(
    span: Window, interval: Interval
) -> None:
    series = span.series(interval)
    dates = [span.from_ + n * DAY for n in range((span.to - span.from_).days + 1)]
    existing = [d for d in dates if day_start(d, span.zone) < day_start(d + DAY, span.zone)]
    keys = sorted({calendar_key(day, interval) for day in existing})
    assert len(series.buckets) == len(keys)
    for day in existing:
        index = index_of(series.first_days, day)
        assert keys[index] == calendar_key(day, interval)
        assert index_of(series.starts, day_start(day, span.zone)) == index
        assert index_of(series.starts, day_start(day + DAY, span.zone) - SLOT) == index


@quick
@given(st.sampled_from(NEAR_TURNS), intervals)
def test_slots_fall_into_the_buckets_of_their_walked_days(
    near: tuple[str, date], interval: Interval
) -> None:
    name, middle = near
    span = Window(from_=middle - DAY, to=middle + DAY, zone=zone(name))
    series = span.series(interval)
    by_slot = walked_days(name, middle)
    inside = {slot: day for slot, day in by_slot.items() if span.from_ <= day <= span.to}
    assert inside == {s: d for s, d in by_slot.items() if span.start <= s < span.end}
    found = Counter(index_of(series.starts, slot) for slot in inside)
    assert found == Counter(index_of(series.first_days, day) for day in inside.values())
    assert [found[n] * SLOT for n in range(len(series.buckets))] == [
        bucket.end - bucket.start for bucket in series.buckets
    ]


@quick
@given(windows(max_days=40_000), intervals)
def test_intervals_are_counted_without_being_built(span: Window, interval: Interval) -> None:
    counted = count_buckets(span.from_, span.to, interval)
    starts = [shift(first_day(span.from_, interval), interval, n) for n in range(counted + 1)]
    assert starts[0] <= span.from_
    assert starts[-2] <= span.to < starts[-1]
    assert all(calendar_key(a, interval) != calendar_key(b, interval) for a, b in pairwise(starts))
    assert starts == [first_day(start, interval) for start in starts]


def test_equal_windows_share_their_buckets() -> None:
    series = window("2026-01-01", "2026-12-31", "Europe/Berlin").series(Interval.WEEK)
    assert window("2026-01-01", "2026-12-31", "Europe/Berlin").series(Interval.WEEK) is series
    assert len(series.buckets) == 53


@pytest.mark.parametrize(
    ("interval", "from_", "to", "expected"),
    [
        (Interval.DAY, None, None, "2026-10-27 2026-11-25"),
        (Interval.WEEK, None, None, "2026-09-07 2026-11-25"),
        (Interval.MONTH, None, None, "2025-12-01 2026-11-25"),
        (Interval.YEAR, None, None, "2022-01-01 2026-11-25"),
        (Interval.DAY, None, "2026-03-02", "2026-02-01 2026-03-02"),
        (Interval.WEEK, None, "2026-03-04", "2025-12-15 2026-03-04"),
        (Interval.MONTH, None, "2026-03-31", "2025-04-01 2026-03-31"),
        (Interval.YEAR, None, "2001-05-01", "2000-01-01 2001-05-01"),
        (Interval.DAY, "2026-02-01", None, "2026-02-01 2026-03-02"),
        (Interval.WEEK, "2026-02-04", None, "2026-02-04 2026-04-26"),
        (Interval.MONTH, "2025-04-15", None, "2025-04-15 2026-03-31"),
        (Interval.MONTH, "2026-04-15", None, "2026-04-15 2026-11-25"),
        (Interval.YEAR, "2026-11-25", None, "2026-11-25 2026-11-25"),
        (Interval.DAY, "2026-11-26", None, "2026-11-26 2026-12-25"),
        (Interval.YEAR, "2099-05-01", None, "2099-05-01 2100-12-31"),
        (Interval.DAY, "2026-01-05", "2026-01-05", "2026-01-05 2026-01-05"),
        (Interval.YEAR, "2000-01-01", "2100-12-31", "2000-01-01 2100-12-31"),
    ],
)
def test_a_missing_end_is_derived(
    interval: Interval, from_: str | None, to: str | None, expected: str
) -> None:
    first, last = (date.fromisoformat(text) if text else None for text in (from_, to))
    found = resolve_window(interval, first, last, zone("Europe/Berlin"), TODAY)
    assert f"{found.from_} {found.to}" == expected
    assert found.time_zone == "Europe/Berlin"


@quick
@given(zones, days, st.none() | days, intervals)
def test_derived_windows_have_the_default_number_of_buckets(
    in_zone: ZoneInfo, today: date, to: date | None, interval: Interval
) -> None:
    found = resolve_window(interval, None, to, in_zone, today)
    expected = {"DAY": 30, "WEEK": 12, "MONTH": 12, "YEAR": 5}[interval]
    if found.from_ > FIRST_DAY:
        assert count_buckets(found.from_, found.to, interval) == expected
        assert found.from_ == first_day(found.from_, interval)
    assert found.to == (to or today)


@pytest.mark.parametrize(
    ("interval", "from_", "to", "argument", "message"),
    [
        (Interval.DAY, "2026-01-02", "2026-01-01", "from", "after `to`"),
        (Interval.DAY, "1999-12-31", None, "from", "2000-01-01 to 2100-12-31"),
        (Interval.DAY, None, "2101-01-01", "to", "2000-01-01 to 2100-12-31"),
        (Interval.DAY, "2020-01-01", "2023-01-05", "from", "1,101 buckets .* at most 1,100"),
        (Interval.WEEK, "2000-01-01", "2021-01-25", "from", "1,101 buckets"),
        (Interval.MONTH, "2000-01-31", "2091-09-01", "from", "1,101 buckets"),
    ],
)
def test_what_is_not_allowed_names_the_argument_and_the_limit(
    interval: Interval, from_: str | None, to: str | None, argument: str, message: str
) -> None:
    first, last = (date.fromisoformat(text) if text else None for text in (from_, to))
    with pytest.raises(BadUserInput, match=message) as refusal:
        resolve_window(interval, first, last, zone("UTC"), TODAY)
    assert refusal.value.argument == argument


@pytest.mark.parametrize(
    ("interval", "from_", "to"),
    [
        (Interval.DAY, "2020-01-01", "2023-01-04"),
        (Interval.WEEK, "2000-01-01", "2021-01-24"),
        (Interval.MONTH, "2000-01-31", "2091-08-31"),
    ],
)
def test_the_greatest_number_of_buckets_is_allowed(interval: Interval, from_: str, to: str) -> None:
    first, last = date.fromisoformat(from_), date.fromisoformat(to)
    found = resolve_window(interval, first, last, zone("Asia/Kathmandu"), TODAY)
    assert len(found.buckets(interval)) == MAX_BUCKETS


@pytest.mark.parametrize("day", [FIRST_DAY - DAY, LAST_DAY + DAY, date.min, date.max])
def test_days_outside_the_calendar_are_refused(day: date) -> None:
    with pytest.raises(BadUserInput, match="from 2000-01-01 to 2100-12-31") as refusal:
        checked_day(day, argument="filter.from")
    assert refusal.value.argument == "filter.from"


@pytest.mark.parametrize(
    ("span", "today", "expected"),
    [
        (window("2026-11-01", "2026-11-10"), TODAY, ("2026-10-22", "2026-10-31")),
        (window("2026-11-01", "2026-11-30"), TODAY, ("2026-10-07", "2026-10-31")),
        (window("2026-11-25", "2026-11-30"), TODAY, ("2026-11-24", "2026-11-24")),
        (window("2000-01-01", "2000-01-02"), TODAY, ("1999-12-30", "1999-12-31")),
        (window("2012-01-01", "2012-01-03", "Pacific/Apia"), TODAY, ("2011-12-28", "2011-12-31")),
        (window("2011-12-31", "2012-01-01", "Pacific/Apia"), TODAY, ("2011-12-28", "2011-12-29")),
        (window("2011-12-29", "2011-12-31", "Pacific/Apia"), TODAY, ("2011-12-27", "2011-12-28")),
    ],
)
def test_the_previous_window_is_as_long_as_what_has_passed(
    span: Window, today: date, expected: tuple[str, str]
) -> None:
    found = previous_window(span, today)
    assert found is not None
    assert (str(found.from_), str(found.to)) == expected
    assert found.zone is span.zone


def test_what_has_not_begun_or_never_was_has_no_previous_window() -> None:
    assert previous_window(window("2026-11-26", "2026-11-30"), TODAY) is None
    assert previous_window(window("2011-12-30", "2011-12-30", "Pacific/Apia"), TODAY) is None


@quick
@given(windows(), days)
def test_the_previous_window_ends_where_the_window_begins(span: Window, today: date) -> None:
    found = previous_window(span, today)
    if found is None:
        assert today < span.from_ or not span.days
    else:
        elapsed = Window(from_=span.from_, to=min(span.to, today), zone=span.zone)
        assert (found.end, found.days) == (span.start, elapsed.days)


@pytest.mark.parametrize(
    ("span", "first_day", "complete_until", "expected"),
    [
        (window("2026-11-01", "2026-11-10"), FIRST_DAY, "2026-11-11T00:00", ("01", "10")),
        (window("2026-11-01", "2026-11-10"), FIRST_DAY, "2026-11-10T23:59", ("01", "09")),
        (window("2026-11-01", "2026-11-10"), date(2026, 11, 4), "2026-11-06T12:00", ("04", "05")),
        (window("2026-11-01", "2026-11-10"), date(2026, 11, 6), "2026-11-06T12:00", None),
        (window("2026-11-01", "2026-11-10"), FIRST_DAY, "2026-11-01T23:59", None),
        (window("2011-12-30", "2011-12-31", "Pacific/Apia"), FIRST_DAY, TODAY, ("31", "31")),
        (window("2011-12-29", "2011-12-30", "Pacific/Apia"), FIRST_DAY, TODAY, ("29", "29")),
        (window("2011-12-30", "2011-12-30", "Pacific/Apia"), FIRST_DAY, TODAY, None),
    ],
)
def test_complete_days_have_ended_and_are_dates_of_the_zone(
    span: Window, first_day: date, complete_until: object, expected: tuple[str, str] | None
) -> None:
    instant = utc(str(complete_until))
    found = complete_days(span, first_day, instant)
    assert (found and (f"{found.from_:%d}", f"{found.to:%d}")) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25T10:00", "2026-11-25T09:00"),
        ("2026-11-25T23:59", "2026-11-25T22:59"),
        ("2026-11-26T01:00", "2026-11-26T00:00"),
        ("2030-01-01T00:00", "2026-11-26T00:00"),
    ],
)
def test_usage_is_complete_until_the_delay_has_passed(now: str, expected: str) -> None:
    assert complete_until(window("2026-11-23", "2026-11-25"), utc(now), 3600) == utc(expected)


def test_a_bucket_is_partial_while_it_is_cut_or_not_complete() -> None:
    whole, last = window("2026-11-16", "2026-11-28").buckets(Interval.WEEK)
    assert not is_partial(whole, utc("2026-11-23T00:00"))
    assert is_partial(whole, utc("2026-11-22T23:59"))
    assert is_partial(last, utc("2030-01-01T00:00"))
