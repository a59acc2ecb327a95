"""Instants as text, written one way and read strictly, and the years that they lie in."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import methodcaller
from typing import Final

import orjson

from gateway.errors import BadUserInput

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2101, 1, 1, tzinfo=UTC)
"""An instant is at or after EARLIEST and before LATEST: neither `infinity` nor year 0 is stored."""

_KEPT: Final = 64
_ENDS_IN_UTC: Final = methodcaller("endswith", "Z")
_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)


def serialize_instant(value: datetime) -> str:
    """Return `2026-11-01T00:00:00Z`; six more digits where the instant is not a whole second."""
    if value.utcoffset():
        value = value.astimezone(UTC)
    return value.isoformat()[:-6] + "Z"


def serialize_instants(values: Sequence[datetime]) -> list[str]:
    """Return the text of each instant, as `serialize_instant` does: a tenth of a microsecond
    each, if all are in UTC. The texts of a tuple are kept for the next time: such are the instants
    of a window, which many requests have.
    """
    return _kept_texts(values) if type(values) is tuple else _texts(values)


def _texts(values: Sequence[datetime]) -> list[str]:
    texts: list[str] = orjson.loads(orjson.dumps(values, option=orjson.OPT_UTC_Z))
    if all(map(_ENDS_IN_UTC, texts)):
        return texts
    return list(map(serialize_instant, values))


_kept_texts: Final = lru_cache(_KEPT)(_texts)


def parse_instant(value: object) -> datetime:
    """Return the instant, in UTC, of RFC 3339 text with an offset."""
    try:
        instant = datetime.fromisoformat(_matched(value)).astimezone(UTC)
        if EARLIEST <= instant < LATEST:
            return instant
    except (ValueError, OverflowError):
        pass
    raise BadUserInput(
        "A timestamp must be written as 2026-11-01T00:00:00Z, with `Z` or an offset, in the "
        "years 2000 to 2100."
    )


def _matched(value: object) -> str:
    if not isinstance(value, str):
        raise BadUserInput("This value must be a string in quotation marks.")
    if _INSTANT.fullmatch(value) is None:
        raise ValueError
    return value
