"""Limits on what a key takes in a time: a token bucket for each key."""

import math
from typing import Final

from gateway.errors import Throttled
from gateway.quotas.buckets import Buckets

REQUEST_POINTS: Final = 1
"""Least points of a request."""
REFUSED_POINTS: Final = 10
"""Points of an operation that is refused before its cost is known: reading it took time."""
DOCUMENT_POINTS: Final = 10
"""Points of a receipt's document, which has to be printed."""
ITEMS_PER_POINT: Final = 100
"""Usage events and exported rows that cost one point together."""


class RateQuota:
    """A limit on the number that each key takes in a time; `refused` counts those beyond it."""

    def __init__(self, buckets: Buckets, message: str) -> None:
        self.refused = 0
        self._buckets = buckets
        self._message = message

    async def take(self, key: str) -> None:
        """Take one. Raises Throttled."""
        seconds = await self._buckets.take(key, 1)
        if seconds:
            self.refused += 1
            raise Throttled(self._message, wait_seconds=math.ceil(seconds))


class PointQuota:
    """A limit on the points that each principal spends, by its quota key.

    A full bucket has `most` points; `per_second` are restored in a second. `refused` counts what a
    bucket had too few points for.
    """

    def __init__(self, buckets: Buckets) -> None:
        self.refused = 0
        self.most = buckets.allowance.most
        self.per_second = int(buckets.allowance.per_second)
        self._buckets = buckets

    async def take(self, key: str, points: int) -> None:
        """Take points before the work; more than a full bucket has count as a full bucket.

        Raises Throttled, which says when the bucket has them.
        """
        seconds = await self._buckets.take(key, min(points, self.most))
        if seconds:
            raise self._refusal(f"This costs {points:,} points", key, seconds)

    async def take_items(self, key: str, items: int) -> None:
        """Take the points of items, beyond those that the point of their request pays for."""
        if items >= ITEMS_PER_POINT:
            await self.take(key, items // ITEMS_PER_POINT)

    async def settle(self, key: str, *, taken: int, spent: int) -> None:
        """Give back the points that were taken and not spent; if more were spent, take them."""
        if taken != spent:
            await self._buckets.give(key, taken - spent)

    def check(self, key: str) -> None:
        """Raise Throttled where not even one point is left, as far as this process knows."""
        left = self._buckets.left(key)
        if left < 1:
            seconds = (1 - left) / self.per_second
            raise self._refusal("Each request costs a point or more", key, seconds)

    def left(self, key: str) -> int:
        """Return the whole points of a principal, as far as this process knows."""
        left = int(self._buckets.left(key))
        return max(0, left)  # it may owe some

    def _refusal(self, costs: str, key: str, seconds: float) -> Throttled:
        self.refused += 1
        wait = math.ceil(seconds)
        return Throttled(
            f"{costs}; {self.left(key):,} of {self.most:,} points are left, and "
            f"{self.per_second:,} are restored each second. Try again in {wait} s.",
            wait_seconds=wait,
        )
