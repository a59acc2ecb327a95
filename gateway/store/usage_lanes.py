"""Cells of `rollup_block`: many sums side by side in one value, and how they are added up. Pure.

`spent` has a lane of 8 bytes for each sum, little-endian: the nanos plus BIAS. A block of days has
91 lanes, a day each. A block of hours has 24 rows of 13 lanes, a week each: row h (from 1) has the
spend of the first h hours of the weekday in each week.

`active` says where usage events are that are not corrections. A block of days has a bit for each
day, little-endian. A block of hours has 4 bytes for each row: a bit for each week with events in
the first h hours, and in the other two bytes one for each week with events after them.

A sum of values is one addition of large integers, whatever the number of lanes: the even and the
odd lanes are added up apart, so that each has room for 2**64 values.
"""

from collections.abc import Collection, Iterable
from datetime import date
from itertools import chain
from struct import unpack
from typing import Final, NamedTuple

DAYS: Final = 91
WEEKS: Final = 13
HOURS: Final = 24
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

    def set_lane(self, lane: int, nanos: int) -> None:
        """Replace a sum, which `fits` a lane."""
        self.spent[LANE * lane : LANE * (lane + 1)] = (nanos + BIAS).to_bytes(LANE, "little")

    def set_mark(self, bit: int, *, on: bool) -> None:
        """Replace a bit of `active`."""
        byte, mask = bit // 8, 1 << bit % 8
        self.active[byte] = self.active[byte] | mask if on else self.active[byte] & ~mask


def fits(nanos: int) -> bool:
    """Return whether a sum fits a lane."""
    return _LEAST <= nanos <= _MOST


def lanes_of(count: int) -> int:
    """Return the mask of the even lanes of as many lanes, for `Lanes.add`."""
    return sum(_FULL >> 64 << 64 * lane for lane in range(0, count, 2))


_EVEN: Final = {DAYS: lanes_of(DAYS), WEEKS: lanes_of(WEEKS)}


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

    __slots__ = ("even", "marks", "number", "odd", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.even = self.odd = self.number = self.marks = 0

    def add(self, spent: bytes, active: bytes) -> None:
        """Add the cells of a row."""
        value, mask = int.from_bytes(spent, "little"), _EVEN[self.size]
        self.even += value & mask
        self.odd += value >> 64 & mask
        self.number += 1
        self.marks |= int.from_bytes(active, "little")

    def merge(self, other: "Lanes") -> None:
        """Add the sums of other values."""
        self.even += other.even
        self.odd += other.odd
        self.number += other.number
        self.marks |= other.marks

    def total(self, chosen: Chosen) -> int:
        """Return the sum of some lanes."""
        fields = (self.even & chosen.even) + (self.odd & chosen.odd)
        for shift, mask in _FOLDS:
            fields = (fields & mask) + (fields >> shift)
        return fields - self.number * BIAS * chosen.number

    def values(self) -> list[int]:
        """Return the sum of each lane."""
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


def bits(lanes: Collection[int]) -> int:
    """Return the bits of some lanes."""
    return sum(1 << lane for lane in lanes)
