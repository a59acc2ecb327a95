"""A batch of usage events as it is sent: a JSON array, or a line of NDJSON for each.

A batch is read in pieces, with a turn for other requests after each, and no further than its limit.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, Never

from gateway import strict_json
from gateway.errors import BadRequest

PIECE: Final = 256
"""Items that are read in one go: some two milliseconds, in which nobody else has a turn."""
PIECE_BYTES: Final = 65_536
"""Bytes that are read in one go, up to the end of an event."""
EVENT_BYTES: Final = 65_536
"""Longest JSON of one event: its fields at their greatest length take half as much."""

_UNREADABLE: Final = (
    "is not valid JSON in UTF-8. Lone surrogates, numbers above 1.8e308 and deeper nesting than "
    "a few hundred levels are not allowed."
)
_BETWEEN: Final = re.compile(rb"}[ \t\n\r]*,[ \t\n\r]*(?={)")
"""Between two objects of an array, or inside a text or a list."""
_SPACE: Final = b" \t\n\r"


class Unreadable(NamedTuple):
    """The fault of an event that could not be read, in the place of its value."""

    message: str


async def read_batch(body: bytes, media_type: str, *, limit: int) -> list[object]:
    """Return the values of a JSON array, or of the lines of NDJSON that are not empty; an event
    that is no JSON, is too long, or has a key twice is Unreadable by itself. Raises BadRequest,
    also for more than `limit` values.
    """
    values: list[object] = []
    is_lines = media_type == "application/x-ndjson"
    async for piece in _lines(body) if is_lines else _array(body):
        values += piece
        if len(values) > limit:
            raise BadRequest(f"A batch may have at most {limit:,} events.")
        await asyncio.sleep(0)
    return values


async def _array(body: bytes) -> AsyncIterator[list[object]]:
    """Yield the values of an array. Raises BadRequest for what is none."""
    text = body.strip(_SPACE)
    if not (text.startswith(b"[") and text.endswith(b"]")):
        _refuse_no_array(text)
    start, end = 1, len(text) - 1
    while start < end:
        piece = _piece(text, start, end)
        if piece is None:
            break
        values, start = piece
        yield values
    if start < end:
        # From the first element on that cannot be read together with others, one by one.
        async for texts in _cut(b"[" + text[start:]):
            yield [_read_text(each, "The event") for each in texts]


def _piece(text: bytes, start: int, end: int) -> tuple[list[object], int] | None:
    """Return the values of some elements from `start` on, and where the next one starts; None where
    they cannot be read together.

    Elements are cut where two objects seem to meet. That was between two elements if what lies
    before reads as an array: the beginning of a JSON text has only one meaning.
    """
    if end - start <= PIECE_BYTES:
        stop, following = end, end
    else:
        window = start + PIECE_BYTES
        found = _BETWEEN.search(text, window, window + EVENT_BYTES)
        if found is None:
            return None
        stop, following = found.start() + 1, found.end()
    try:
        values = strict_json.loads_each(b"[" + text[start:stop] + b"]")
    except ValueError:
        return None
    return [_known(each) for each in values], following


async def _cut(text: bytes) -> AsyncIterator[list[bytes]]:
    """Yield the texts of an array's elements in pieces. Raises BadRequest for what is no array."""
    piece: list[bytes] = []
    size = 0
    try:
        for element in strict_json.cut(text):
            if element is None:
                await asyncio.sleep(0)
                continue
            piece.append(element)
            size += len(element)
            if len(piece) >= PIECE or size >= PIECE_BYTES:
                yield piece
                piece, size = [], 0
    except ValueError as error:
        raise strict_json.refusal(error, "The body") from None
    yield piece


async def _lines(body: bytes) -> AsyncIterator[list[object]]:
    """Yield the values of the lines that are not empty."""
    start = number = 0
    while start < len(body):
        stop = body.find(b"\n", start + PIECE_BYTES)
        stop = len(body) if stop < 0 else stop
        lines = body[start:stop].split(b"\n")
        start = stop + 1
        for first in range(0, len(lines), PIECE):
            yield [
                _read_text(line, f"Line {number + place}")
                for place, line in enumerate(lines[first : first + PIECE], first + 1)
                if line and not line.isspace()
            ]
        number += len(lines)


def _read_text(text: bytes, subject: str) -> object:
    """Return the value of an event's text, or its fault."""
    if len(text) > EVENT_BYTES:
        return Unreadable(f"{subject} has more than {EVENT_BYTES:,} bytes.")
    try:
        return strict_json.loads(text)
    except strict_json.DuplicateKey as error:
        return Unreadable(f"{subject}: {error}")
    except ValueError:
        return Unreadable(f"{subject} {_UNREADABLE}")


def _known(value: object) -> object:
    return Unreadable(str(value)) if isinstance(value, strict_json.DuplicateKey) else value


def _refuse_no_array(text: bytes) -> Never:
    if len(text) <= PIECE_BYTES:
        strict_json.read(text, "The body")
    raise BadRequest("The body must be a JSON array of usage events, or NDJSON.")
