"""Quotas: limits on the number of things that a key holds at once, or takes in a minute.

`await quota.take(key)` takes one, or raises the quota's error. A `ConcurrencyQuota` returns a
function that gives it back; a `RateQuota` refills with time. Both count in the memory of this
process. `take` is a coroutine, so that a quota shared by replicas can have the same shape.
"""

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from gateway.errors import GatewayError, ServiceUnavailable, Throttled, TooManySubscriptions
from gateway.settings.exports import ExportSettings
from gateway.settings.live import LiveSettings

Release: TypeAlias = Callable[[], None]
"""Gives back one taken place; called once."""

_SHORTEST_WAIT_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of a kind, and the error for one more; `{}` in its message is the number."""

    most: int
    error: type[GatewayError]
    message: str

    def exceeded(self) -> GatewayError:
        return self.error(self.message.format(self.most))


@dataclass(slots=True)
class ConcurrencyQuota:
    """A limit on the number held at once: by each key, and by all keys together."""

    each: Limit
    total: Limit | None = None
    _held: Counter[str] = field(default_factory=Counter)

    async def take(self, key: str) -> Release:
        """Take one; returns what gives it back. Raises the error of a limit."""
        if self._held[key] >= self.each.most:
            raise self.each.exceeded()
        if self.total is not None and self.held() >= self.total.most:
            raise self.total.exceeded()
        self._held[key] += 1
        return partial(self._release, key)

    @asynccontextmanager
    async def holding(self, key: str) -> AsyncIterator[None]:
        """Hold one while entered."""
        release = await self.take(key)
        try:
            yield
        finally:
            release()

    def held(self) -> int:
        """Return how many are held, by all keys together."""
        return self._held.total()

    def _release(self, key: str) -> None:
        self._held[key] -= 1
        if not self._held[key]:
            del self._held[key]


class RateQuota:
    """A limit on the number that each key takes in a minute."""

    def __init__(self, each: Limit) -> None:
        self.each = each
        self._limit = RateLimitItemPerMinute(each.most)
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def take(self, key: str) -> None:
        """Take one. Raises the error of the limit."""
        if not await self._windows.hit(self._limit, key):
            raise self.each.exceeded()

    async def seconds_left(self, key: str) -> int:
        """Return the seconds until the key's minute ends, at least 1."""
        window = await self._windows.get_window_stats(self._limit, key)
        return max(math.ceil(window.reset_time - time.time()), _SHORTEST_WAIT_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuotas:
    """Sockets without a credential yet are counted by client address; authenticated sockets and
    subscriptions by the principal's subject.
    """

    unauthenticated_sockets: ConcurrencyQuota
    sockets: ConcurrencyQuota
    subscriptions: ConcurrencyQuota


def live_quotas(limits: LiveSettings) -> LiveQuotas:
    """Return the quotas of WebSockets and subscriptions of one process."""
    return LiveQuotas(
        unauthenticated_sockets=ConcurrencyQuota(
            Limit(
                limits.unauthenticated_sockets,
                TooManySubscriptions,
                "Too many connections without a credential from this address.",
            )
        ),
        sockets=ConcurrencyQuota(
            Limit(
                limits.sockets, TooManySubscriptions, "At most {} connections may be open at once."
            )
        ),
        subscriptions=ConcurrencyQuota(
            Limit(
                limits.subscriptions,
                TooManySubscriptions,
                "At most {} subscriptions may be open at once.",
            ),
            Limit(
                limits.process_subscriptions,
                TooManySubscriptions,
                "This server has no capacity for another subscription; please try again.",
            ),
        ),
    )


def export_quota(limits: ExportSettings) -> ConcurrencyQuota:
    """Return the quota of exports of one process, by account."""
    return ConcurrencyQuota(
        Limit(
            limits.account_slots,
            Throttled,
            "At most {} exports per account may run at once; wait for one to end.",
        ),
        Limit(
            limits.slots,
            ServiceUnavailable,
            "This server is running its maximum number of exports; please try again.",
        ),
    )


def failed_credential_quota(per_minute: int) -> RateQuota:
    """Return the quota of failed credentials, over HTTP and WebSockets together, by client
    address.
    """
    return RateQuota(
        Limit(per_minute, Throttled, "At most {} failed credentials per minute are allowed.")
    )
