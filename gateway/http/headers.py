"""Headers: of a request, read without building a request object, and those of every answer."""

import re
from collections.abc import Iterable
from operator import itemgetter
from typing import Final, TypeAlias
from urllib.parse import quote

from starlette.types import Scope

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
"""Headers as ASGI has them; the names are in lower case."""

_INDEX: Final = "gateway.headers"
_NONE: Final[list[bytes]] = []
_NAME: Final = itemgetter(0)
_NOT_PLAIN: Final = re.compile(r"[^\w .,()+@&=!~-]", re.ASCII)
_ANSWER_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


class ResponseHeaders:
    """The headers that every answer has unless it says otherwise; `X-Dev-Mode` in dev."""

    def __init__(self, *, dev: bool) -> None:
        self._headers = _ANSWER_HEADERS | ({b"x-dev-mode": b"1"} if dev else {})
        self._all = list(self._headers.items())

    def complete(self, headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
        """Return an answer's headers with those that it lacks."""
        complete = list(headers)
        present = self._headers.keys() & map(_NAME, complete)
        if not present:  # as in most answers
            return complete + self._all
        complete += [pair for pair in self._all if pair[0] not in present]
        return complete


def index_headers(scope: Scope) -> None:
    """Sort the headers by name, once, for the functions below: each of them would read them all."""
    index: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        if name in index:
            index[name].append(value)
        else:
            index[name] = [value]
    scope[_INDEX] = index


def drop_headers(scope: Scope) -> None:
    """Forget what `index_headers` sorted, of a connection that goes on for long."""
    scope.pop(_INDEX, None)


def raw_values(scope: Scope, name: bytes) -> list[bytes]:
    """Return the values of every header of this name (lower case), in their order."""
    index: dict[bytes, list[bytes]] | None = scope.get(_INDEX)
    if index is None:
        return [value for key, value in scope["headers"] if key == name]
    return index.get(name, _NONE)


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of every header of this name (lower case), in their order."""
    return [value.decode("latin-1") for value in raw_values(scope, name)]


def header_value(scope: Scope, name: bytes) -> str | None:
    """Return the value of the header, the first where there are several, None where none is."""
    values = raw_values(scope, name)
    return values[0].decode("latin-1") if values else None


def attachment(name: str) -> str:
    """Return the `Content-Disposition` of a file to be kept by this name (RFC 6266): in plain ASCII
    for every client and, where that is another name, as it is (RFC 5987).
    """
    # Clients differ in how they read quotes, backslashes and percent signs.
    plain = _NOT_PLAIN.sub("_", name)
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
