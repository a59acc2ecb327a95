"""Cursors: the place of a row in a connection, signed, so that only our own come back.

A cursor is a version, the place (an instant and a key, 8 bytes each) and a tag of 16 bytes, in
URL-safe base64: 44 characters. It holds in the context it was made for and nowhere else.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, TypeAlias

from gateway.errors import BadCursor
from gateway.signing import Signer

Position: TypeAlias = tuple[datetime, int] | tuple[int]
"""Where a row stands: its instant and key, or its key alone."""

VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLACE: Final = Struct(">Bqq")
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{44}", re.ASCII)


class Cursors:
    """The cursors of one context: whatever they are bound to (account, field, order, filter)."""

    __slots__ = ("_by_instant", "_context")

    def __init__(self, signer: Signer, *binding: str, by_instant: bool) -> None:
        self._context = signer.context(b"cursor", *(part.encode() for part in binding))
        self._by_instant = by_instant

    def encode(self, position: Position) -> str:
        """Return the cursor of a position; less than two microseconds."""
        first, last = position[0], position[-1]
        instant = (first - _EPOCH) // _MICROSECOND if isinstance(first, datetime) else 0
        place = _PLACE.pack(VERSION, instant, last)
        return urlsafe_b64encode(place + self._context.tag(place)).decode("ascii")

    def decode(self, text: str, *, argument: str) -> Position:
        """Return the position that `encode` was given.

        Raises BadCursor, naming the argument, for anything that it did not return in this context.
        """
        if _CURSOR.fullmatch(text):
            signed = urlsafe_b64decode(text)
            place, tag = signed[: _PLACE.size], signed[_PLACE.size :]
            if self._context.verify(place, tag):
                version, instant, key = _PLACE.unpack(place)
                if version == VERSION:
                    return (_EPOCH + instant * _MICROSECOND, key) if self._by_instant else (key,)
        raise BadCursor(
            "This cursor is not from this connection: pass one that it returned for the same "
            "account, field and filter.",
            argument=argument,
        )
