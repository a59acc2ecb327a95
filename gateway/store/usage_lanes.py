"""Cells of `rollup_block`: many sums side by side in one value, and how they are added up. Pure.

`spent` has a lane of 8 bytes for each sum, little-endian: the nanos plus BIAS. A block of days has
91 lanes, a day each. A block of hours has 24 rows of 13 lanes, a week each: row h (from 1) has the
spend of the first h hours of the weekday in each week.

`active` says where usage events are that are not corrections. A block of days has a bit for each
day, little-endian. A block of hours has 4 bytes for each row: a bit for each week with events in
the first h hours, and in the other two bytes one for each week with events after them.

A block of quarter hours is one of hours with row h for the first h - 1 hours and one, two or three
quarters of an hour: `Cut` says which row of which part has a day up to a moment.

A sum of values is one addition of large integers, whatever the number of lanes: the even and the
odd lanes are added up apart, so that each has room for 2**64 values.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import chain
from struct import Struct, unpack
from typing import Final, NamedTuple

DAYS: Final = 91
WEEKS: Final = 13
HOURS: Final = 24
QUARTERS: Final = 4
"""Quarters of an hour."""
BIAS: Final = 1 << 63
LANE: Final = 8
"""Bytes of a lane."""
HOUR_BYTES: Final = WEEKS * LANE
MARKS: Final = 4
"""Bytes of `active` for an hour; the two after are in the upper half."""
DAY_MARKS: Final = 12
"""Bytes of `active` for the days of a block."""
LATER: Final = 16
"""Bits of an hour's marks before those of the time after the hour."""

_FIELD: Final = 128
_FULL: Final = (1 << _FIELD) - 1
_LEAST, _MOST = -BIAS, BIAS - 1
# Halves of fields, added to each other until one field is left.
_FOLDS: Final = [(_FIELD * n, (1 << _FIELD * n) - 1) for n in (32, 16, 8, 4, 2, 1)]
_ZERO: Final = BIAS.to_bytes(LANE, "little")
_LANE: Final = Struct("<Q")
_ROW: Final = 8 * MARKS
_ROWS: Final = sum(1 << _ROW * row for row in range(HOURS))
"""The first bit of each row's marks."""


class Place(NamedTuple):
    """The place of a day: its block, its weekday from 0, and its week within the block."""

    block: int
    weekday: int
    week: int

    @property
    def lane(self) -> int:
        """The day's lane in a block of days."""
        return 7 * self.week + self.weekday


def place_of(day: date) -> Place:
    """Return the place of a day. Blocks begin on Mondays, the first on the earliest date."""
    number = day.toordinal() - 1
    block, rest = divmod(number, DAYS)
    return Place(block, rest % 7, rest // 7)


def first_day_of(block: int) -> date:
    """Return the first day of a block."""
    return date.fromordinal(block * DAYS + 1)


class Cut(NamedTuple):
    """The row, from 1, of one of a weekday's parts that has the day up to a number of quarter
    hours.
    """

    part: int
    row: int

    @classmethod
    def after(cls, weekday: int, quarters: int) -> "Cut | None":
        """Return the row for that many quarter hours, at least one; None after the last row."""
        hours, rest = divmod(quarters, QUARTERS)
        row = hours + 1 if rest else hours
        return cls(part_of(weekday, rest), row) if row <= HOURS else None


def part_of(weekday: int, quarters: int = 0) -> int:
    """Return the part of the blocks of a weekday's hours with some quarters after each."""
    return 7 * quarters + weekday + 1


class WeekCells(NamedTuple):
    """One week of a block of hours: the sum of each row, which `fits` a lane. The rows from `first`
    on have events, and after those before `later` there are events.
    """

    nanos: Sequence[int]
    first: int
    later: int


class Cells:
    """The two values of a row of `rollup_block` while it is changed."""

    __slots__ = ("active", "spent")

    def __init__(self, spent: bytes, active: bytes) -> None:
        self.spent = bytearray(spent)
        self.active = bytearray(active)

    @classmethod
    def of_days(cls) -> "Cells":
        """Return the cells of a block of days without usage."""
        return cls(_ZERO * DAYS, bytes(DAY_MARKS))

    @classmethod
    def of_hours(cls) -> "Cells":
        """Return the cells of a block of hours without usage."""
        return cls(_ZERO * (HOURS * WEEKS), bytes(MARKS * HOURS))

    def set_day(self, lane: int, nanos: int, *, active: bool) -> None:
        """Replace a day of a block of days. The sum `fits` a lane."""
        _LANE.pack_into(self.spent, LANE * lane, nanos + BIAS)
        byte, mask = lane // 8, 1 << lane % 8
        self.active[byte] = self.active[byte] | mask if active else self.active[byte] & ~mask

    def day(self, lane: int) -> tuple[int, bool]:
        """Return a day of a block of days: its sum, and whether it has events."""
        (value,) = _LANE.unpack_from(self.spent, LANE * lane)
        return value - BIAS, bool(self.active[lane // 8] >> lane % 8 & 1)

    def week(self, week: int) -> WeekCells:
        """Return a week of a block of hours. A place among rows is -1 where the rows on one of its
        sides are not marked alike, as nothing writes them.
        """
        places = range(0, HOURS * HOUR_BYTES, HOUR_BYTES)
        values = [_LANE.unpack_from(self.spent, place + LANE * week)[0] for place in places]
        marks = int.from_bytes(self.active, "little")
        with_events = marks >> week & _ROWS
        before_events = marks >> week + LATER & _ROWS
        first, later = HOURS - with_events.bit_count(), before_events.bit_count()
        if with_events != _from(first):
            first = -1
        if before_events != _ROWS - _from(later):
            later = -1
        return WeekCells([value - BIAS for value in values], first, later)

    def set_week(self, week: int, cells: WeekCells) -> None:
        """Replace a week of a block of hours."""
        spent, pack = self.spent, _LANE.pack_into
        nanos, first, later = cells
        for place, each in enumerate(nanos):
            pack(spent, HOUR_BYTES * place + LANE * week, each + BIAS)
        marks = int.from_bytes(self.active, "little")
        marks &= ~((_ROWS << week) | (_ROWS << week + LATER))
        marks |= _from(first) << week
        marks |= _ROWS - _from(later) << week + LATER
        self.active[:] = marks.to_bytes(MARKS * HOURS, "little")


def _from(row: int) -> int:
    """Return the first bits of the marks of the rows from a place on."""
    return _ROWS >> _ROW * row << _ROW * row


def fits(nanos: int) -> bool:
    """Return whether a sum fits a lane."""
    return _LEAST <= nanos <= _MOST


def lanes_of(count: int) -> int:
    """Return the mask of the even lanes of as many lanes, for `Lanes.add`."""
    return sum(_FULL >> 64 << 64 * lane for lane in range(0, count, 2))


_EVEN: Final = {DAYS: lanes_of(DAYS), WEEKS: lanes_of(WEEKS)}


class _Biases(NamedTuple):
    """The bias of each lane of a value, and that of the even and of the odd ones as fields."""

    every: int
    even: int
    odd: int
    lanes: Struct

    @classmethod
    def of(cls, count: int) -> "_Biases":
        even, odd = (
            sum(BIAS << 64 * (lane - first) for lane in range(first, count, 2)) for first in (0, 1)
        )
        return cls(even | odd << 64, even, odd, Struct(f"<{count}q"))


_BIASES: Final = {DAYS: _Biases.of(DAYS), WEEKS: _Biases.of(WEEKS)}


class Chosen(NamedTuple):
    """Some lanes: `even` and `odd` are masks of their fields, `number` says how many."""

    even: int
    odd: int
    number: int

    @classmethod
    def of(cls, lanes: Iterable[int]) -> "Chosen":
        """Return the choice of these lanes, each once."""
        even, odd, number = 0, 0, 0
        for lane in lanes:
            if lane % 2:
                odd |= _FULL << 64 * (lane - 1)
            else:
                even |= _FULL << 64 * lane
            number += 1
        return cls(even, odd, number)


class Lanes:
    """The sums of a number of values of the same `size` in lanes, the even and the odd ones apart;
    `marks` is every `active` together.
    """

    __slots__ = ("actives", "even", "number", "odd", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.even = self.odd = self.number = 0
        self.actives: list[bytes] = []

    @classmethod
    def together(cls, some: Sequence["Lanes"]) -> "Lanes":
        """Return the sums of values of the same size, at least one."""
        found = cls(some[0].size)
        found.even = sum(each.even for each in some)
        found.odd = sum(each.odd for each in some)
        found.number = sum(each.number for each in some)
        found.actives = [*chain.from_iterable(each.actives for each in some)]
        return found

    @property
    def marks(self) -> int:
        """The bits of every `active`."""
        marks = 0
        for each in self.actives:
            marks |= int.from_bytes(each, "little")
        return marks

    def add(self, spent: bytes, active: bytes) -> None:
        """Add the cells of a row."""
        value, mask = int.from_bytes(spent, "little"), _EVEN[self.size]
        self.even += value & mask
        self.odd += value >> 64 & mask
        self.number += 1
        self.actives.append(active)

    def values(self) -> Sequence[int]:
        """Return the sum of each lane."""
        biases, others = _BIASES[self.size], self.number - 1
        even, odd = self.even - others * biases.even, self.odd - others * biases.odd
        if (even | odd) & _EVEN[self.size] << 64:  # a sum that does not fit a lane
            return self._large_values()
        every = (even | odd << 64) ^ biases.every
        return biases.lanes.unpack(every.to_bytes(LANE * self.size, "little"))

    def _large_values(self) -> list[int]:
        count = (self.size + 1) // 2
        bias = self.number * BIAS
        halves = [
            [low + (high << 64) - bias for low, high in zip(fields[::2], fields[1::2], strict=True)]
            for fields in (
                unpack(f"<{2 * count}Q", half.to_bytes(16 * count, "little"))
                for half in (self.even, self.odd)
            )
        ]
        return [*chain.from_iterable(zip(*halves, strict=True))][: self.size]


def total(chosen: Iterable[tuple[Lanes, Chosen]]) -> int:
    """Return the sum of some lanes of each value."""
    fields = number = 0
    for lanes, choice in chosen:
        fields += (lanes.even & choice.even) + (lanes.odd & choice.odd)
        number += lanes.number * choice.number
    for shift, mask in _FOLDS:
        fields = (fields & mask) + (fields >> shift)
    return fields - number * BIAS


def bits(lanes: Collection[int]) -> int:
    """Return the bits of some lanes."""
    return sum(1 << lane for lane in lanes)
