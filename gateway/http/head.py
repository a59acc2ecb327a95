"""Rules that the head of a request keeps before anything reads it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from starlette.types import Scope

from gateway.errors import NotFound
from gateway.http.headers import raw_values
from gateway.http.responses import CLOSE, NOT_HERE, HTTPError

_PORT: Final = re.compile(r":\d*$")
_REMEMBERED_HOSTS: Final = 256


class HeadLimits:
    """Most headers, and most bytes of all headers together and of the request's target."""

    def __init__(self, *, max_bytes: int, max_headers: int) -> None:
        self._max_bytes = max_bytes
        self._max_headers = max_headers

    def check(self, scope: Scope) -> None:
        """Raise HTTPError for a head that is too long (431, or 414 for the target), and NotFound
        for a path with a line feed: a route's pattern would match the path before a line feed at
        its end.
        """
        headers, path = scope["headers"], scope["path"]
        if len(headers) > self._max_headers:
            sentence = f"A request may have at most {self._max_headers} headers."
            raise HTTPError(sentence, 431, CLOSE)
        if sum(map(len, chain.from_iterable(headers))) > self._max_bytes:
            sentence = f"The headers may take at most {self._max_bytes} bytes."
            raise HTTPError(sentence, 431, CLOSE)
        if len(path) + len(scope["query_string"]) > self._max_bytes:
            sentence = f"The address may take at most {self._max_bytes} bytes; use POST."
            raise HTTPError(sentence, 414, CLOSE)
        if scope["type"] == "http" and "\n" in path:
            raise NotFound(NOT_HERE)


class AllowedHosts:
    """The names by which the gateway answers: the defence against DNS rebinding.

    `hosts` are names without ports, `*.example.com` for all below one, `*` for any. Probes of
    liveness and readiness come by address, say nothing, and are exempt.
    """

    EXEMPT: Final = frozenset({"/livez", "/readyz"})

    def __init__(self, hosts: Sequence[str]) -> None:
        self._exact = frozenset(host for host in hosts if not host.startswith("*"))
        self._suffixes = tuple(host[1:] for host in hosts if host.startswith("*"))
        self._is_allowed = lru_cache(_REMEMBERED_HOSTS)(self._matches)

    def check(self, scope: Scope) -> None:
        """Raise HTTPError (400) for a request that names another host, none or several."""
        hosts = raw_values(scope, b"host")
        if len(hosts) == 1 and self._is_allowed(hosts[0]):
            return
        if scope["path"] not in self.EXEMPT:
            raise HTTPError(
                "The request's host name is not allowed: it must be that of GATEWAY_PUBLIC_URL or "
                "one of GATEWAY_ALLOWED_HOSTS.",
                400,
                CLOSE,
            )

    def _matches(self, host_and_port: bytes) -> bool:
        host = _PORT.sub("", host_and_port.decode("latin-1").lower())
        return host in self._exact or (bool(host) and host.endswith(self._suffixes))
