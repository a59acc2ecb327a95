"""Headers of a request, read without building a request object."""

import re
from typing import Final
from urllib.parse import quote

from starlette.types import Scope

_NOT_PLAIN: Final = re.compile(r"[^\w .,()+@&=!~-]", re.ASCII)


def header_values(scope: Scope, name: bytes) -> list[str]:
    """Return the values of every header of this name (lower case), in their order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def header_value(scope: Scope, name: bytes) -> str | None:
    """Return the value of the header, the first where there are several, None where none is."""
    values = header_values(scope, name)
    return values[0] if values else None


def attachment(name: str) -> str:
    """Return the `Content-Disposition` of a file to be kept by this name (RFC 6266): in plain ASCII
    for every client and, where that is another name, as it is (RFC 5987).
    """
    # Clients differ in how they read quotes, backslashes and percent signs.
    plain = _NOT_PLAIN.sub("_", name)
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
