"""Media types: which one an answer gets, and which one a body may have.

A header of more than PARSED_BYTES is not parsed: it accepts nothing, and names no media type.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.http.responses import JSON

GRAPHQL_JSON: Final = "application/graphql-response+json"
_EXACT, _FAMILY, _ANY = 2, 1, 0
PARSED_BYTES: Final = 4_096
"""Longest value of a header that is parsed, characters."""
_REMEMBERED: Final = 256
"""Values of a header; clients send few different ones."""


class _Range(NamedTuple):
    name: str
    quality: float


def negotiate(accept: Iterable[str]) -> str | None:
    """Return the media type of the answer for the values of `Accept`, None where none fits.

    The client's quality decides, then the more exact range. Of two that are equal,
    `application/graphql-response+json` is taken where it is named, since only it has honest
    statuses; without `Accept`, or with nothing but wildcards, `application/json` is.
    """
    wishes = ",".join(accept)
    return _negotiate(wishes) if len(wishes) <= PARSED_BYTES else None


@lru_cache(_REMEMBERED)
def _negotiate(wishes: str) -> str | None:
    if not wishes.strip():
        return JSON
    ranges = list(_ranges(wishes))
    graphql, plain = _rank(ranges, GRAPHQL_JSON), _rank(ranges, JSON)
    if max(graphql, plain)[0] <= 0:
        return None
    if graphql == plain:
        return GRAPHQL_JSON if graphql[1] == _EXACT else JSON
    return GRAPHQL_JSON if graphql > plain else JSON


def is_json(content_type: str | None) -> bool:
    """Return whether a body is exactly `application/json`; a charset must be UTF-8."""
    return content_type is not None and len(content_type) <= PARSED_BYTES and _is_json(content_type)


@lru_cache(_REMEMBERED)
def _is_json(content_type: str) -> bool:
    name, parameters = _split(content_type)
    charset = parameters.get("charset", "utf-8").lower()
    return name == JSON and charset in {"utf-8", "utf8"}


def accepted_coding(accept_encoding: Iterable[str], codings: Sequence[str]) -> str | None:
    """Return the first of some content codings that the client takes, None where it takes none."""
    value = ",".join(accept_encoding)
    if len(value) > PARSED_BYTES:
        return None
    wishes = {r.name: r.quality for r in _ranges(value)}
    others = wishes.get("*", 0.0)
    return next((each for each in codings if wishes.get(each, others) > 0), None)


def _rank(ranges: Iterable[_Range], media_type: str) -> tuple[float, int]:
    family = media_type.partition("/")[0] + "/*"
    exactness = {media_type: _EXACT, family: _FAMILY, "*/*": _ANY}
    fitting = [(exactness[r.name], r.quality) for r in ranges if r.name in exactness]
    most_exact, quality = max(fitting, default=(_ANY, 0.0))
    return quality, most_exact


def _ranges(value: str) -> Iterator[_Range]:
    for part in value.split(","):
        name, parameters = _split(part)
        if name and parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8", "*"}:
            yield _Range(name, _quality(parameters.get("q", "1")))


def _split(value: str) -> tuple[str, dict[str, str]]:
    name, *parameters = (part.strip() for part in value.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return name.lower(), {key.strip().lower(): text.strip().strip('"') for key, _, text in pairs}


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
