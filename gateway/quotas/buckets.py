"""Token buckets: each key saves up points to a most, and gets them back with time.

A bucket is one number, the time at which it is full again (the generic cell rate algorithm). A key
that took nothing for a while has none.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

MOST_KEYS: Final = 100_000
"""Most buckets in memory; beyond it the one that was used longest ago is full again."""
_TOLERANCE_SECONDS: Final = 1e-6
"""Of sums of floats: a full bucket has all of its points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The size of a bucket: the most points that it holds, and those restored in a second."""

    most: int
    per_second: float

    @property
    def seconds(self) -> float:
        """The time in which an empty bucket is full again."""
        return self.most / self.per_second


class Buckets(Protocol):
    """The buckets of one quota, by key."""

    @property
    def allowance(self) -> Allowance: ...

    async def take(self, key: str, points: float) -> float:
        """Take points if the bucket has them. Return 0, or the seconds until it has them."""
        ...

    async def give(self, key: str, points: float) -> None:
        """Give points back. Negative points are taken without a question: the bucket may owe."""
        ...

    def left(self, key: str) -> float:
        """Return the points in a bucket as far as this process knows; negative where it owes."""
        ...


class MemoryBuckets:
    """The buckets of one process, in its memory."""

    def __init__(self, allowance: Allowance, now: Callable[[], float] = time.monotonic) -> None:
        self.allowance = allowance
        self._now = now
        self._most = allowance.most
        self._per_second = allowance.per_second
        self._seconds_per_point = 1 / allowance.per_second
        self._most_seconds = allowance.seconds + _TOLERANCE_SECONDS
        self._full_at: OrderedDict[str, float] = OrderedDict()
        """The buckets that are not full, the one used longest ago first."""

    def __len__(self) -> int:
        return len(self._full_at)

    async def take(self, key: str, points: float) -> float:
        now = self._now()
        full_at = self._full_at.get(key, now)
        full_at = max(now, full_at) + points * self._seconds_per_point
        excess = full_at - now - self._most_seconds
        if excess > 0:
            return excess
        self._put(key, full_at, now)
        return 0.0

    async def give(self, key: str, points: float) -> None:
        now = self._now()
        full_at = max(self._full_at.get(key, now), now) - points * self._seconds_per_point
        self._put(key, full_at, now)

    def left(self, key: str) -> float:
        missing = self._full_at.get(key, 0.0) - self._now()
        return self._most - missing * self._per_second if missing > 0 else self._most

    def put(self, key: str, seconds_until_full: float) -> None:
        """Set the time until a bucket is full again."""
        now = self._now()
        self._put(key, now + seconds_until_full, now)

    def _put(self, key: str, full_at: float, now: float) -> None:
        buckets = self._full_at
        if full_at <= now:
            buckets.pop(key, None)
        elif key in buckets:
            buckets[key] = full_at
            buckets.move_to_end(key)
        else:
            buckets[key] = full_at
            self._drop(now)

    def _drop(self, now: float) -> None:
        """Drop full buckets: two for each new one, so that none stays for long."""
        buckets = self._full_at
        for _ in range(2):
            oldest = next(iter(buckets))
            if buckets[oldest] > now and len(buckets) <= MOST_KEYS:
                return
            del buckets[oldest]
