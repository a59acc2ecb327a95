"""How many sockets and subscriptions there may be: of one address, one principal, one process."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import TooManySubscriptions
from gateway.principal import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """The settings `live_*`."""

    init_seconds: float
    messages_per_second: int
    unauthenticated_sockets: int
    sockets: int
    socket_operations: int
    subscriptions: int
    process_subscriptions: int
    heartbeat_seconds: float
    leeway_seconds: float


@dataclass(slots=True)
class Admission:
    """What is open in this process. A principal is counted by its subject."""

    limits: LiveLimits
    strangers: Counter[str] = field(default_factory=Counter)
    sockets: Counter[str] = field(default_factory=Counter)
    subscriptions: Counter[str] = field(default_factory=Counter)

    def total(self) -> int:
        """Return how many subscriptions are open."""
        return self.subscriptions.total()

    def stranger(self, address: str) -> Callable[[], None]:
        """Count a socket of nobody yet. Raises TooManySubscriptions; returns what ends it."""
        if self.strangers[address] >= self.limits.unauthenticated_sockets:
            raise TooManySubscriptions("Too many connections wait here for their credential.")
        return _counted(self.strangers, address)

    def socket(self, principal: Principal) -> Callable[[], None]:
        """Count a principal's socket. Raises TooManySubscriptions; returns what ends it."""
        if self.sockets[principal.subject] >= self.limits.sockets:
            raise TooManySubscriptions(f"At most {self.limits.sockets} connections may be open.")
        return _counted(self.sockets, principal.subject)

    def subscription(self, principal: Principal) -> Callable[[], None]:
        """Count a principal's subscription. Raises TooManySubscriptions; returns what ends it."""
        if self.subscriptions[principal.subject] >= self.limits.subscriptions:
            raise TooManySubscriptions(
                f"At most {self.limits.subscriptions} subscriptions may be open at once."
            )
        if self.total() >= self.limits.process_subscriptions:
            raise TooManySubscriptions("There is no room here for another subscription now.")
        return _counted(self.subscriptions, principal.subject)


def _counted(counter: Counter[str], name: str) -> Callable[[], None]:
    counter[name] += 1

    def leave() -> None:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]

    return leave
