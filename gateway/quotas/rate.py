"""Limits on what a key takes in a time: a token bucket for each key."""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.errors import Throttled
from gateway.quotas.buckets import Buckets

REFUSED_POINTS: Final = 10
"""Points of an operation that is refused before its cost is known: reading it took time."""
ITEMS_PER_POINT: Final = 100
"""Usage events and exported rows that cost one point together."""


@dataclass(frozen=True, slots=True)
class RateQuota:
    """A limit on the number that each key takes in a time."""

    buckets: Buckets
    message: str

    async def take(self, key: str) -> None:
        """Take one. Raises Throttled."""
        seconds = await self.buckets.take(key, 1)
        if seconds:
            raise Throttled(self.message, wait_seconds=math.ceil(seconds))


class Balance(NamedTuple):
    """The points of a principal: those that a full bucket has, those that are left, and those
    restored in a second.
    """

    most: int
    left: int
    per_second: int


@dataclass(frozen=True, slots=True)
class PointQuota:
    """A limit on the points that each principal spends, by its quota key."""

    buckets: Buckets

    async def take(self, key: str, points: int) -> None:
        """Take points before the work; more than a full bucket has count as a full bucket.

        Raises Throttled, which says when the bucket has them.
        """
        seconds = await self.buckets.take(key, min(points, self.buckets.allowance.most))
        if seconds:
            raise self._refusal(f"This costs {points:,} points", key, seconds)

    async def settle(self, key: str, *, taken: int, spent: int) -> None:
        """Give back the points that were taken and not spent; if more were spent, take them."""
        if taken != spent:
            await self.buckets.give(key, taken - spent)

    def check(self, key: str) -> None:
        """Raise Throttled where not even one point is left, as far as this process knows."""
        left = self.buckets.left(key)
        if left < 1:
            seconds = (1 - left) / self.buckets.allowance.per_second
            raise self._refusal("Each request costs a point or more", key, seconds)

    def balance(self, key: str) -> Balance:
        """Return the points of a principal, as far as this process knows."""
        allowance = self.buckets.allowance
        left = max(0, int(self.buckets.left(key)))
        return Balance(most=allowance.most, left=left, per_second=int(allowance.per_second))

    def _refusal(self, costs: str, key: str, seconds: float) -> Throttled:
        wait = math.ceil(seconds)
        most, left, per_second = self.balance(key)
        return Throttled(
            f"{costs}; {left:,} of {most:,} points are left, and {per_second:,} are restored each "
            f"second. Try again in {wait} s.",
            wait_seconds=wait,
        )
