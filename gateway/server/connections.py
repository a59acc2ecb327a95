"""Open connections, limited for the process and for each client address.

At a limit, a new connection takes the place of an idle one: one without a whole request yet, or
without another since it was last looked at. Where all are busy, a few more connections may make
health checks, and the next ones are refused.
"""

from asyncio import BaseTransport
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Protocol, TypeAlias

from prometheus_client.registry import Collector

from gateway.observability.metrics import ObservedValue, Tally

Network: TypeAlias = IPv4Network | IPv6Network

LOOKS: Final = 32
"""Most connections that are looked at to find an idle one."""
_PREFIX_BITS: Final = 64
"""Of an IPv6 address, those that one client has to itself."""


class Refusal(StrEnum):
    """Why a connection was closed: it was idle, its address has too many, or the process has."""

    IDLE = "idle"
    ADDRESS = "address"
    PROCESS = "process"


class Connection(Protocol):
    """A connection that requests come on."""

    has_served: bool
    """Whether a request came since it was last looked at."""

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered."""
        ...

    def drop(self) -> None:
        """Close it at once."""
        ...


class _Places:
    """Places for connections; those that may be closed for others, in the order of looking."""

    __slots__ = ("_closable", "_most", "held")

    def __init__(self, most: int) -> None:
        self.held = 0
        self._most = most
        self._closable: dict[BaseTransport, Connection] = {}

    @property
    def are_full(self) -> bool:
        return self.held >= self._most

    def add(self, transport: BaseTransport, connection: Connection) -> None:
        self.held += 1
        self._closable[transport] = connection

    def remove(self, transport: BaseTransport) -> None:
        self.held -= 1
        self._closable.pop(transport, None)

    def keep(self, transport: BaseTransport) -> None:
        self._closable.pop(transport, None)

    def idle(self) -> tuple[BaseTransport, Connection] | None:
        """Return a connection that is idle and was since it was last looked at; None where none of
        the next LOOKS is. One that is passed over comes last.
        """
        for _ in range(min(LOOKS, len(self._closable))):
            transport, connection = next(iter(self._closable.items()))
            if connection.is_idle and not connection.has_served:
                return transport, connection
            connection.has_served = False
            del self._closable[transport]
            self._closable[transport] = connection
        return None


@dataclass(frozen=True, slots=True)
class _Group:
    """Connections with the same limits; `address` is None where that is of no client."""

    places: Sequence[_Places]
    address: str | None = None


class Connections:
    """The connections of one process: `most` at once, and `each` for a client address; an IPv6
    client has a network of 64 bits. `health` more ones may make health checks. Addresses of the
    networks `exempt` have no limit of their own: they are proxies.
    """

    def __init__(self, *, most: int, each: int, health: int, exempt: Iterable[str] = ()) -> None:
        self.closed: Counter[Refusal] = Counter()
        """Connections that were closed for a limit."""
        self._each = each
        self._all = _Group((_Places(most),))
        self._health = _Group((_Places(health),))
        self._clients: dict[str, _Group] = {}
        self._exempt: Sequence[Network] = [ip_network(name, strict=False) for name in exempt]
        self._groups: dict[BaseTransport, _Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def add(
        self, transport: BaseTransport, connection: Connection, host: str | None
    ) -> Refusal | None:
        """Give a place to a new connection of a host (None for a local socket), or return why there
        is none. With Refusal.PROCESS there may be one by `add_for_health`.
        """
        address = None if host is None else self._address(host)
        group = self._all if address is None else self._client(address)
        for places in group.places:
            if places.are_full and not self._make_room(places):
                if places in self._all.places:
                    return Refusal.PROCESS
                self.closed[Refusal.ADDRESS] += 1
                return Refusal.ADDRESS
        self._hold(transport, connection, group)
        return None

    def add_for_health(self, transport: BaseTransport, connection: Connection) -> bool:
        """Give a connection a place for health checks; False where there is none."""
        (places,) = self._health.places
        if places.are_full and not self._make_room(places):
            self.closed[Refusal.PROCESS] += 1
            return False
        self._hold(transport, connection, self._health)
        return True

    def keep(self, transport: BaseTransport) -> None:
        """Close the connection for no other: it is a WebSocket now."""
        for places in self._groups[transport].places:
            places.keep(transport)

    def remove(self, transport: BaseTransport) -> None:
        """Free the place of a connection, if it has one."""
        group = self._groups.pop(transport, None)
        if group is None:
            return
        for places in group.places:
            places.remove(transport)
        if group.address is not None and not group.places[0].held:
            del self._clients[group.address]

    def _hold(self, transport: BaseTransport, connection: Connection, group: _Group) -> None:
        self._groups[transport] = group
        if group.address is not None:
            self._clients[group.address] = group
        for places in group.places:
            places.add(transport, connection)

    def _make_room(self, places: _Places) -> bool:
        idle = places.idle()
        if idle is None:
            return False
        transport, connection = idle
        self.remove(transport)
        self.closed[Refusal.IDLE] += 1
        connection.drop()
        return True

    def _client(self, address: str) -> _Group:
        known = self._clients.get(address)
        return known or _Group((_Places(self._each), *self._all.places), address)

    def _address(self, host: str) -> str | None:
        """Return the address that counts for a host; None where it has no limit of its own."""
        if not self._exempt and ":" not in host:
            return host
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in self._exempt):
            return None
        if isinstance(address, IPv6Address):
            return str(ip_network((address, _PREFIX_BITS), strict=False))
        return str(address)


def connection_metrics(connections: Connections) -> Sequence[Collector]:
    """Return the metrics of open connections and of those that were closed for a limit."""

    def closed() -> Iterator[tuple[tuple[str, ...], int]]:
        for reason in Refusal:
            yield (reason.value,), connections.closed[reason]

    return (
        ObservedValue(
            name="gateway_connections",
            text="Connections that are open, WebSockets included.",
            read=lambda: len(connections),
        ),
        Tally(
            name="gateway_connections_closed",
            text="Connections that were closed for a limit of connections.",
            labels=("reason",),
            read=closed,
        ),
    )
