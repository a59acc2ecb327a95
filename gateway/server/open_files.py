"""The process's limit of open files, and the connections that it leaves room for."""

import resource
from dataclasses import dataclass
from typing import Final

from gateway.errors import ConfigurationError
from gateway.settings import Settings

OWN_FILES: Final = 64
"""Files of the process itself: the interpreter's, the loop's, the listeners', the log."""
FILES_PER_DATABASE_CONNECTION: Final = 3
"""SQLite opens the database, its log and its index."""
MORE_CONNECTIONS: Final = 8
"""To the database, beside the pool and the exports: of writers, the listener, the worker."""
DEFAULT_CONNECTIONS: Final = 25_000
FEWEST_CONNECTIONS: Final = 16
BACKLOG: Final = 2_048
"""Most connections that the system keeps until the process takes them: all at once, perhaps."""
_BACKLOG_SHARE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The most connections of the process, and those that the system keeps until they are taken."""

    connections: int
    backlog: int


def capacity(settings: Settings) -> Capacity:
    """Return the connections that there are files for, after raising the process's limit of open
    files as far as it needs and may. Raises ConfigurationError where it is too low.
    """
    wanted = settings.http.connections or DEFAULT_CONNECTIONS
    own = _own_files(settings)
    files = _raise_limit(own + wanted + BACKLOG)
    free = files - own
    backlog = min(BACKLOG, max(free // _BACKLOG_SHARE, 1))
    possible = free - backlog
    least = settings.http.connections or FEWEST_CONNECTIONS
    if possible < least:
        raise ConfigurationError(
            f"GATEWAY_HTTP_CONNECTIONS: {least:,} connections need more open files than the "
            f"process may have ({files:,}); raise its limit (`ulimit -n`)."
        )
    return Capacity(connections=min(wanted, possible), backlog=backlog)


def _own_files(settings: Settings) -> int:
    databases = settings.database.pool_size + settings.exports.slots + MORE_CONNECTIONS
    return OWN_FILES + settings.http.health_connections + databases * FILES_PER_DATABASE_CONNECTION


def _raise_limit(wanted: int) -> int:
    """Raise the limit of open files to `wanted` where it is lower; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return wanted if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
