"""Plans the reads of spans of an account's time: blocks for days, blocks for the hours and quarter
hours at the ends of a span, and the parts that blocks cannot have. Pure.

A span is whole days of the account's zone, and perhaps a part of the day before them (its head) and
of the day after them (its tail). The spend of a head is that of its day without the first hours;
that of a tail is its day's first hours. Where an end cuts an hour, a quartered day has it in its
quarter hours; of others, what is left of that hour is read from the events.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.models.rollup_block import DAYS as DAYS_PART
from gateway.store.usage_lanes import DAYS, HOURS, Cut, part_of, place_of
from gateway.windows import day_start, local_day

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)
_KEPT: Final = 128
"""Plans in memory."""


class UsageSpan(NamedTuple):
    """The parts of a span of time: an account's whole days from `first_day` to before `end_day`,
    which roll-ups have, and partial days: events that start in `[head_start, head_end)` or in
    `[tail_start, tail_end)`. `zone` is the account's.
    """

    account_id: int
    first_day: date
    end_day: date
    head_start: datetime
    head_end: datetime
    tail_start: datetime
    tail_end: datetime
    zone: ZoneInfo

    @property
    def has_partial_days(self) -> bool:
        """Whether parts of days have to be read."""
        return self.head_start < self.head_end or self.tail_start < self.tail_end


class Kind(IntEnum):
    """A kind of piece."""

    DAYS = 0
    """The blocks of days."""
    HOURS = 1
    """A row of the blocks of a weekday's hours."""
    UNPACKED = 2
    """The days, from `first_day` to before `end_day`, that the blocks do not have."""
    EVENTS = 3
    """Events from `starts_at` to before `ends_at`; where there is a `first_day`, only if the blocks
    do not have that day, or where there is a `part` too, not its quarter hours.
    """
    OTHER_HOURS = 4
    """As HOURS, but only if events are read of a day of the same block that is not quartered."""
    QUARTERED = 5
    """No piece: a row that names a quartered day."""


class Piece(NamedTuple):
    """A row of parameters; a row that it finds has the same `place`."""

    account_id: int
    kind: Kind
    place: int
    part: int = 0
    block: int = 0
    hour: int = 0
    first_day: date | None = None
    end_day: date | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Edge(NamedTuple):
    """The part of a day at an end of a span that blocks have. `hours` is the place of the piece
    with the day's first hours, which a head is without; `quarters`, if the end cuts an hour, that
    of the piece with all up to the end, which quartered days have. None where there is none.
    """

    day: date
    hours: int | None
    quarters: int | None


class SpanParts(NamedTuple):
    """A span as its days' numbers, from the first one to before `end`, and its edges."""

    first: int
    end: int
    head: Edge | None
    tail: Edge | None


class Plan(NamedTuple):
    """The pieces to read for some spans of an account. Places of days are blocks, those of hours
    indexes of pieces, and those of events indexes of spans.
    """

    account_id: int
    spans: tuple[SpanParts, ...]
    blocks: tuple[int, ...]
    pieces: tuple[Piece, ...]


class _Found(NamedTuple):
    is_head: bool
    edge: Edge


class _Rows(NamedTuple):
    """A row of the blocks of hours."""

    part: int
    block: int
    row: int


class _Planning:
    """The pieces of a plan while it is made."""

    def __init__(self, account_id: int, zone: ZoneInfo) -> None:
        self.account_id = account_id
        self.zone = zone
        self.blocks: set[int] = set()
        self.days: list[date] = []
        self.rows: dict[_Rows, int] = {}
        self.read: set[_Rows] = set()
        """The rows that are read in any case."""
        self.events: list[Piece] = []

    def span(self, number: int, span: UsageSpan) -> SpanParts:
        first, end = span.first_day.toordinal(), span.end_day.toordinal()
        if first < end:
            self._read(span.first_day, span.end_day - _DAY)
        partial_days = (
            *self._parts(span.head_start, span.head_end),
            *self._parts(span.tail_start, span.tail_end),
        )
        edges: dict[bool, Edge] = {}
        for start, stop in partial_days:
            if found := self._edge(number, start, stop):
                edges[found.is_head] = found.edge
        return SpanParts(first, end, edges.get(True), edges.get(False))

    def _parts(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Cut a part of time where a day begins: it holds no whole day, so at most once."""
        if start < end:
            midnight = day_start(local_day(end, self.zone), self.zone)
            if start < midnight < end:
                yield start, midnight
                yield midnight, end
            else:
                yield start, end

    def _edge(self, number: int, start: datetime, end: datetime) -> _Found | None:
        """Return the edge that a part of a day is, if blocks may have any of it."""
        day = local_day(start, self.zone)
        midnight, next_midnight = (day_start(each, self.zone) for each in (day, day + _DAY))
        if start == midnight:
            hour = min(HOURS, (end - midnight) // _HOUR)
            cut, middle = end, midnight + hour * _HOUR
            packed, rest = (start, middle), (middle, end)
        elif end == next_midnight:
            hour = (start - midnight + _HOUR - timedelta.resolution) // _HOUR
            cut, middle = start, midnight + hour * _HOUR
            if hour > HOURS or middle >= end:
                hour, middle = 0, end
            packed, rest = (middle, end), (start, middle)
        else:
            self._events(number, start, end)
            return None
        quarters = self._quarters(day, cut - midnight)
        if not hour and quarters is None:
            self._events(number, start, end)
            return None
        place = place_of(day)
        part = part_of(place.weekday)
        if quarters is None:
            self._events(number, *rest)
        else:
            self._events(number, *rest, day=day, part=part, block=place.block)
        self._events(number, *packed, day=day)
        self._read(day, day)
        hours = None
        if hour:
            hours = self._row(_Rows(part, place.block, hour), is_read=quarters is None)
        return _Found(end == next_midnight, Edge(day, hours, quarters))

    def _quarters(self, day: date, passed: timedelta) -> int | None:
        """Return the place of the row with a day's first quarter hours; None where they are whole
        hours, or a part of one is no quarter hour.
        """
        count, rest = divmod(passed, _QUARTER)
        place = place_of(day)
        cut = Cut.after(place.weekday, count)
        if rest or cut is None or cut.part == part_of(place.weekday):
            return None
        return self._row(_Rows(cut.part, place.block, cut.row), is_read=True)

    def _row(self, row: _Rows, *, is_read: bool) -> int:
        if is_read:
            self.read.add(row)
        return self.rows.setdefault(row, len(self.rows))

    def _read(self, first: date, last: date) -> None:
        self.blocks.update(range(place_of(first).block, place_of(last).block + 1))
        self.days += (first, last)

    def _events(
        self,
        number: int,
        start: datetime,
        end: datetime,
        *,
        day: date | None = None,
        part: int = 0,
        block: int = 0,
    ) -> None:
        if start < end:
            piece = Piece(self.account_id, Kind.EVENTS, number, starts_at=start, ends_at=end)
            self.events.append(piece._replace(first_day=day, part=part, block=block))

    def pieces(self) -> Iterator[Piece]:
        for block in sorted(self.blocks):
            yield Piece(self.account_id, Kind.DAYS, block, DAYS_PART, block)
        for row, place in self.rows.items():
            kind = Kind.HOURS if row in self.read else Kind.OTHER_HOURS
            yield Piece(self.account_id, kind, place, *row)
        if self.days:
            first, end = min(self.days), max(self.days) + _DAY
            yield Piece(self.account_id, Kind.UNPACKED, 0, first_day=first, end_day=end)
        yield from self.events


@lru_cache(maxsize=_KEPT)
def plan(spans: Sequence[UsageSpan]) -> Plan:
    """Return the plan of spans, at least one, of an account."""
    account_id, zone = spans[0].account_id, spans[0].zone
    planning = _Planning(account_id, zone)
    parts = tuple(planning.span(number, span) for number, span in enumerate(spans))
    return Plan(account_id, parts, tuple(sorted(planning.blocks)), tuple(planning.pieces()))


def number_of(block: int) -> int:
    """Return the number of a block's first day: its ordinal."""
    return block * DAYS + 1
