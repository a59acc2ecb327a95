"""Calendar windows and their buckets in an IANA zone. Pure; instants are UTC and half-open.

A local day begins at the first instant with that local date or a later one, and lasts until the
next day begins. So days tile time also where a clock change repeats midnight (St. John's until
2011), skips it (Cairo) or skips a whole date (Apia, 2011-12-30: a day that is empty).

Local days begin on a UTC quarter hour in every zone from 2000 to 2100, so totals kept by UTC
quarter hours give exact days everywhere; a test walks the zones.
"""

import importlib.resources
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from gateway.errors import BadUserInput

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 12, 31)
MAX_BUCKETS: Final = 1_100
SLOT: Final = timedelta(minutes=15)
USAGE_DELAY_SECONDS: Final = 3_600
"""How late usage normally arrives, where the settings say nothing else."""

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_SECOND: Final = timedelta(seconds=1)
_MIDNIGHT: Final = time()
_FOLDED_MIDNIGHT: Final = time(fold=1)
# A cache entry is at most MAX_BUCKETS buckets, some 250 kB; the usual one is 12 kB.
_CACHED_SERIES: Final = 128


class Interval(StrEnum):
    """The length of a bucket. Weeks are ISO weeks, which begin on Monday."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


DEFAULT_BUCKETS: Final = {
    Interval.DAY: 30,
    Interval.WEEK: 12,
    Interval.MONTH: 12,
    Interval.YEAR: 5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The part of one calendar interval that lies in a window: `[start, end)` in UTC.

    `first_day` and `last_day` are its local dates, both inclusive. `clipped` says that the window
    cuts the calendar interval.
    """

    start: datetime
    end: datetime
    first_day: date
    last_day: date
    clipped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A window's buckets in order, with their beginnings as sorted keys, and their ends.

    The buckets tile the window: each ends where the next begins, none is empty.
    """

    buckets: tuple[Bucket, ...]
    first_days: tuple[date, ...]
    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The local dates `from_` to `to`, both inclusive, in a zone that `zone()` returned."""

    from_: date
    to: date
    zone: ZoneInfo

    @property
    def time_zone(self) -> str:
        """The zone's IANA name."""
        return self.zone.key

    @property
    def start(self) -> datetime:
        """The UTC instant at which the window begins."""
        return day_start(self.from_, self.zone)

    @property
    def end(self) -> datetime:
        """The UTC instant at which the window has ended."""
        return day_start(self.to + _DAY, self.zone)

    @property
    def days(self) -> int:
        """How many calendar days the window has, without those that the zone skipped.

        The elapsed time to the nearest day: clock changes move a zone by less than half a day,
        unless it crosses the date line and skips a whole one.
        """
        return (self.end - self.start + timedelta(hours=12)) // _DAY

    def series(self, interval: Interval) -> Series:
        """Return the window's buckets and their keys, cached."""
        return _series(self.from_, self.to, self.zone, interval)

    def buckets(self, interval: Interval) -> tuple[Bucket, ...]:
        """Return the window's buckets: calendar-aligned, continuous, clipped to the window.

        An interval has no bucket if the zone skipped all of its dates.
        """
        return self.series(interval).buckets


@cache
def zone_names() -> frozenset[str]:
    """Return the IANA names that are allowed: those of the installed `tzdata` package."""
    listed = importlib.resources.files("tzdata").joinpath("zones").read_text("ascii").split()
    return frozenset(listed) - {"Factory"}


def zone(name: str, *, argument: str = "timeZone") -> ZoneInfo:
    """Return the zone of an IANA name, the same object each time, from the `tzdata` package.

    The operating system's own zone files are not used: they may be older. Raises BadUserInput for
    any other name.
    """
    if name not in zone_names():
        raise BadUserInput(
            "A time zone must be an IANA name such as Europe/Berlin or UTC.", argument=argument
        )
    return _load_zone(name)


@cache
def _load_zone(name: str) -> ZoneInfo:
    path = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a local day begins; a skipped date's is the next day's."""
    start = datetime.combine(day, _MIDNIGHT, zone).astimezone(UTC)
    # In a gap, fold 1 reads the clock by the offset from after it: the earlier instant.
    folded = datetime.combine(day, _FOLDED_MIDNIGHT, zone).astimezone(UTC)
    return start if folded >= start else _end_of_gap(folded, start, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant in (before, after] at which the zone's clocks were put forward."""
    offset = before.astimezone(zone).utcoffset()
    while (span := (after - before) // _SECOND) > 1:
        middle = before + span // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day with `day_start(day) <= instant < day_start(day + 1)`."""
    local = instant.astimezone(zone)
    day = local.date()
    # Clocks put back across midnight show the day before once more; the new day goes on.
    if local.fold and day_start(day + _DAY, zone) <= instant:
        return day + _DAY
    return day


def whole_days(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first local day that lies between two instants, and the one after the last; they
    are the same where there is none.
    """
    first, last = local_day(start, zone), local_day(end, zone)
    if day_start(first, zone) < start:
        first += _DAY
    return first, last if day_start(first, zone) < day_start(last, zone) else first


def slot_start(instant: datetime) -> datetime:
    """Return the beginning of the UTC quarter hour that holds an instant, in UTC."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0)


def first_day(day: date, interval: Interval) -> date:
    """Return the first date of the calendar interval that holds `day`."""
    if interval is Interval.DAY:
        return day
    if interval is Interval.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if interval is Interval.MONTH else day.replace(month=1, day=1)


def shift(day: date, interval: Interval, count: int) -> date:
    """Return the first date of an interval, `count` intervals after (before) the one at `day`."""
    if interval is Interval.DAY:
        return day + count * _DAY
    if interval is Interval.WEEK:
        return day + count * _WEEK
    months = 12 * day.year + day.month - 1 + (count if interval is Interval.MONTH else 12 * count)
    return date(months // 12, months % 12 + 1, 1)


def count_buckets(from_: date, to: date, interval: Interval) -> int:
    """Return how many calendar intervals the dates `from_` to `to` touch."""
    if interval is Interval.DAY:
        return (to - from_).days + 1
    if interval is Interval.WEEK:
        return ((to - from_).days + from_.weekday()) // 7 + 1
    years = to.year - from_.year
    return 1 + (years if interval is Interval.YEAR else 12 * years + to.month - from_.month)


def finest_interval(from_: date | None, to: date | None) -> Interval:
    """Return the finest interval that gives at most MAX_BUCKETS from one date to the other; DAY
    where one of them is missing.
    """
    if from_ is None or to is None:
        return Interval.DAY
    fitting = (each for each in Interval if count_buckets(from_, to, each) <= MAX_BUCKETS)
    return next(fitting, Interval.YEAR)


def checked_day(day: date, *, argument: str) -> date:
    """Return `day`; raises BadUserInput where it lies outside the years 2000 to 2100."""
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    raise BadUserInput(f"A date must be from {FIRST_DAY} to {LAST_DAY}.", argument=argument)


def checked_year(year: int, *, argument: str = "year") -> int:
    """Return the year; raises BadUserInput outside 2000–2100."""
    if not FIRST_DAY.year <= year <= LAST_DAY.year:
        raise BadUserInput(f"`{argument}` must be from 2000 to 2100.", argument=argument)
    return year


def resolve_window(
    interval: Interval, from_: date | None, to: date | None, zone: ZoneInfo, today: date
) -> Window:
    """Return the requested window; `today` is the current local day in the zone.

    Both dates missing: the default number of buckets, today's the last. Only `to`: as many, the one
    that holds `to` the last. Only `from`: as many, the one that holds `from` the first, but not
    beyond today. A derived beginning is the first date of its bucket; no derived date leaves the
    years 2000 to 2100. Raises BadUserInput, naming the argument and the limit.
    """
    if from_ is not None:
        checked_day(from_, argument="from")
    if to is not None:
        checked_day(to, argument="to")
    elif from_ is None:
        to = today
    if from_ is None:
        from_ = _default_from(interval, to or today)
    if to is None:
        to = _default_to(interval, from_, today)
    if from_ > to:
        raise BadUserInput(f"`from` ({from_}) must not be after `to` ({to}).", argument="from")
    if (count := count_buckets(from_, to, interval)) > MAX_BUCKETS:
        raise BadUserInput(
            f"{from_} to {to} has {count:,} buckets of one {interval}; at most {MAX_BUCKETS:,} "
            "are allowed. Request fewer days or a longer interval.",
            argument="from",
        )
    return Window(from_=from_, to=to, zone=zone)


def _default_from(interval: Interval, to: date) -> date:
    first = shift(first_day(to, interval), interval, 1 - DEFAULT_BUCKETS[interval])
    return max(FIRST_DAY, first)


def _default_to(interval: Interval, from_: date, today: date) -> date:
    beyond = shift(first_day(from_, interval), interval, DEFAULT_BUCKETS[interval])
    last = min(LAST_DAY, beyond - _DAY)
    return min(last, today) if from_ <= today else last


def previous_window(window: Window, today: date) -> Window | None:
    """Return as many days just before the window as it has up to today, or None where it has none.

    A date that the zone skipped counts on neither side, so that both sides are as long.
    """
    elapsed = _existing(window.from_, min(window.to, today), window.zone)
    return days_before(elapsed) if elapsed else None


def complete_days(window: Window, first_day: date, complete_until: datetime) -> Window | None:
    """Return the window's days that had ended by an instant, from `first_day` on, or None where it
    has none. No date that the zone skipped is its first or last.
    """
    last = local_day(complete_until, window.zone) - _DAY
    return _existing(max(window.from_, first_day), min(window.to, last), window.zone)


def days_before(window: Window) -> Window:
    """Return as many days as the window has, of which there are some, just before it.

    A date that the zone skipped counts on neither side, and neither begins nor ends the days.
    """
    to = window.from_ - _DAY
    while _is_skipped(to, window.zone):
        to -= _DAY
    previous = Window(from_=to - timedelta(days=window.days - 1), to=to, zone=window.zone)
    while missing := window.days - previous.days:
        earlier = previous.from_ - timedelta(days=missing)
        previous = Window(from_=earlier, to=to, zone=window.zone)
    return previous


def _existing(from_: date, to: date, zone: ZoneInfo) -> Window | None:
    """Return the dates without skipped ones at their ends, or None where none is left."""
    while from_ <= to and _is_skipped(from_, zone):
        from_ += _DAY
    while from_ <= to and _is_skipped(to, zone):
        to -= _DAY
    return Window(from_=from_, to=to, zone=zone) if from_ <= to else None


def _is_skipped(day: date, zone: ZoneInfo) -> bool:
    return day_start(day, zone) == day_start(day + _DAY, zone)


def complete_until(window: Window, now: datetime, delay_seconds: int) -> datetime:
    """Return the instant up to which the window's usage has arrived."""
    return min(window.end, now - timedelta(seconds=delay_seconds))


def is_partial(bucket: Bucket, complete_until: datetime) -> bool:
    """Say whether the bucket is not a whole calendar interval, or not yet complete."""
    return bucket.clipped or bucket.end > complete_until


@lru_cache(maxsize=_CACHED_SERIES)
def _series(from_: date, to: date, zone: ZoneInfo, interval: Interval) -> Series:
    buckets = _buckets(from_, to, zone, interval)
    return Series(
        buckets=buckets,
        first_days=tuple(bucket.first_day for bucket in buckets),
        starts=tuple(bucket.start for bucket in buckets),
        ends=tuple(bucket.end for bucket in buckets),
    )


def _buckets(from_: date, to: date, zone: ZoneInfo, interval: Interval) -> tuple[Bucket, ...]:
    first = first_day(from_, interval)
    whole = [shift(first, interval, n) for n in range(count_buckets(from_, to, interval) + 1)]
    edges = [from_, *whole[1:-1], to + _DAY]
    starts = [day_start(edge, zone) for edge in edges]
    spans = zip(pairwise(starts), pairwise(edges), pairwise(whole), strict=True)
    return tuple(
        Bucket(
            start=start,
            end=end,
            first_day=edge,
            last_day=next_edge - _DAY,
            clipped=(edge, next_edge) != calendar,
        )
        for (start, end), (edge, next_edge), calendar in spans
        if start < end
    )
