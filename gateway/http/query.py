"""The query of an address, read strictly."""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qsl

from gateway.errors import BadUserInput

MAX_PARAMETERS: Final = 20


def parse_query(query: str) -> dict[str, str]:
    """Return the parameters of a query, each of which may be given once. Raises BadUserInput."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise BadUserInput(f"At most {MAX_PARAMETERS} parameters are allowed.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadUserInput(
            "Each parameter may be given only once; separate several values with commas."
        )
    return found


def refuse_unknown(parameters: Mapping[str, str], known: Collection[str]) -> None:
    """Raise BadUserInput for a parameter that is not known."""
    for name in parameters:
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise BadUserInput(
                f"Unknown parameter `{name[:100]}`; allowed are {allowed}.",
                argument=name[:100],
            )


def read_limit(parameters: Mapping[str, str], *, default: int, most: int) -> int:
    """Return `limit`, a whole number from 1 to `most`. Raises BadUserInput."""
    text = parameters.get("limit", str(default))
    if text.isascii() and text.isdecimal() and len(text) < 10 and 0 < int(text) <= most:
        return int(text)
    raise BadUserInput(f"`limit` must be a whole number from 1 to {most:,}.", argument="limit")
