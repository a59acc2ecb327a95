"""How much there may be at once: sockets, subscriptions, exports, failed credentials."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from gateway.errors import ServiceUnavailable, Throttled, TooManySubscriptions
from gateway.principal import Principal
from gateway.settings.exports import ExportSettings
from gateway.settings.live import LiveSettings

_SHORTEST_WAIT: Final = 1


@dataclass(slots=True)
class Admission:
    """What is open in this process. A principal is counted by its subject."""

    limits: LiveSettings
    strangers: Counter[str] = field(default_factory=Counter)
    sockets: Counter[str] = field(default_factory=Counter)
    subscriptions: Counter[str] = field(default_factory=Counter)

    def total(self) -> int:
        """Return how many subscriptions are open."""
        return self.subscriptions.total()

    def stranger(self, address: str) -> Callable[[], None]:
        """Count a socket of nobody yet. Raises TooManySubscriptions; returns what ends it."""
        if self.strangers[address] >= self.limits.unauthenticated_sockets:
            raise TooManySubscriptions(
                "Too many connections without a credential from this address."
            )
        return _counted(self.strangers, address)

    def socket(self, principal: Principal) -> Callable[[], None]:
        """Count a principal's socket. Raises TooManySubscriptions; returns what ends it."""
        if self.sockets[principal.subject] >= self.limits.sockets:
            raise TooManySubscriptions(
                f"At most {self.limits.sockets} connections may be open at once."
            )
        return _counted(self.sockets, principal.subject)

    def subscription(self, principal: Principal) -> Callable[[], None]:
        """Count a principal's subscription. Raises TooManySubscriptions; returns what ends it."""
        if self.subscriptions[principal.subject] >= self.limits.subscriptions:
            raise TooManySubscriptions(
                f"At most {self.limits.subscriptions} subscriptions may be open at once."
            )
        if self.total() >= self.limits.process_subscriptions:
            raise TooManySubscriptions(
                "This server has no capacity for another subscription; please try again."
            )
        return _counted(self.subscriptions, principal.subject)


def _counted(counter: Counter[str], name: str) -> Callable[[], None]:
    counter[name] += 1

    def leave() -> None:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]

    return leave


@dataclass(slots=True)
class ExportPlaces:
    """The exports that run, by account."""

    limits: ExportSettings
    running: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def take(self, account_id: int) -> Iterator[None]:
        """Hold a place; raises Throttled or ServiceUnavailable where there is none."""
        if self.running[account_id] >= self.limits.account_slots:
            raise Throttled(
                f"At most {self.limits.account_slots} exports per account may run at once; wait "
                "for one to end."
            )
        if self.running.total() >= self.limits.slots:
            raise ServiceUnavailable(
                "This server is running its maximum number of exports; please try again."
            )
        self.running[account_id] += 1
        try:
            yield
        finally:
            self.running -= Counter({account_id: 1})


class Attempts:
    """Counts the failed credentials of an address: `per_minute` in one process, over HTTP and
    sockets together.
    """

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._failures = FixedWindowRateLimiter(MemoryStorage())

    async def count(self, address: str) -> None:
        """Count a failed credential. Raises Throttled where there were too many before."""
        if not await self._failures.hit(self._limit, address):
            raise Throttled(
                f"At most {self._limit.amount} failed credentials per minute are allowed."
            )

    async def seconds_left(self, address: str) -> int:
        """Return the seconds until an address may fail again."""
        window = await self._failures.get_window_stats(self._limit, address)
        return max(math.ceil(window.reset_time - time.time()), _SHORTEST_WAIT)
