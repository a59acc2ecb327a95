"""A day's usage by quarter hours, as blocks have it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from gateway.store.block_writes import Dimensions, QuarterUsage
from gateway.store.usage_lanes import HOURS, QUARTERS, WeekCells, fits

_NEVER: Final = 1_000
"""After every quarter hour of a day."""

_Sums: TypeAlias = tuple[int, int]
"""Nanos, and the number of events that are not corrections."""


class DayQuarters(NamedTuple):
    """The sum until the end of each quarter hour of a day, except those after the last that a block
    has; `total` is that of all. `first` and `last` are the quarter hours with events that are not
    corrections.
    """

    until: Sequence[int]
    total: int
    first: int
    last: int

    @classmethod
    def of(cls, sums: Mapping[int, _Sums]) -> "DayQuarters":
        """Return those of the sums of some quarter hours."""
        spent = [0] * (HOURS * QUARTERS)
        total = 0
        for quarter, (nanos, _) in sums.items():
            total += nanos
            if quarter < len(spent):
                spent[quarter] = nanos
        active = [quarter for quarter, (_, events) in sums.items() if events]
        first, last = (min(active), max(active)) if active else (_NEVER, -1)
        return cls([*accumulate(spent)], total, first, last)

    @property
    def fits(self) -> bool:
        """Whether a block can hold the sums."""
        return fits(min(self.until)) and fits(max(self.until)) and fits(self.total)

    @property
    def is_active(self) -> bool:
        """Whether there are events that are not corrections."""
        return self.last >= 0

    def hours(self, rest: int) -> WeekCells:
        """Return the cells of the first hours with `rest` quarters after each."""
        # The number of quarter hours of the first row; each row after it has an hour more.
        in_first = rest or QUARTERS
        first, later = (
            min(max(0, (quarter - in_first) // QUARTERS + 1), HOURS)
            for quarter in (self.first, self.last)
        )
        return WeekCells(self.until[in_first - 1 :: QUARTERS], first, later)


NOTHING: Final = DayQuarters.of({})


def by_dimensions(rows: Iterable[QuarterUsage]) -> dict[Dimensions, DayQuarters]:
    """Return a day's usage by its dimensions."""
    found: defaultdict[Dimensions, dict[int, _Sums]] = defaultdict(dict)
    for row in rows:
        texts = (row["resource"], row["provider"], row["gpu_model"], row["project"])
        found[row["deployment_id"], *texts][row["quarter"]] = (row["spent_nanos"], row["events"])
    return {dimensions: DayQuarters.of(sums) for dimensions, sums in found.items()}


def rests(*, is_quartered: bool) -> range:
    """Return the quarters after each hour that a day is packed with."""
    return range(QUARTERS if is_quartered else 1)
