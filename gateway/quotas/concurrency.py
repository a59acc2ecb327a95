"""Limits on the number of things that a key holds at once: sockets, subscriptions, exports."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from gateway.errors import ServiceUnavailable, Throttled, TooManySubscriptions
from gateway.quotas.limit import Limit
from gateway.settings.exports import ExportSettings
from gateway.settings.live import LiveSettings

_EXPORT_WAIT_SECONDS: Final = 5

Release: TypeAlias = Callable[[], None]
"""Gives back one taken place; called once."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveQuotas:
    """Sockets without a credential yet are counted by client address; authenticated sockets and
    subscriptions by the principal.
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


def export_principal_quota(limits: ExportSettings) -> ConcurrencyQuota:
    """Return the quota of exports of one process, by principal."""
    return ConcurrencyQuota(
        Limit(
            limits.principal_slots,
            partial(Throttled, wait_seconds=_EXPORT_WAIT_SECONDS),
            "At most {} exports may run at once for you; wait for one to end.",
        )
    )


def export_quota(limits: ExportSettings) -> ConcurrencyQuota:
    """Return the quota of exports of one process, by account."""
    return ConcurrencyQuota(
        Limit(
            limits.account_slots,
            partial(Throttled, wait_seconds=_EXPORT_WAIT_SECONDS),
            "At most {} exports per account may run at once; wait for one to end.",
        ),
        Limit(
            limits.slots,
            ServiceUnavailable,
            "This server is running its maximum number of exports; please try again.",
        ),
    )
