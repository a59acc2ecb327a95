"""Cursors: the place of a row in a connection, signed, so that only our own come back.

A cursor is a version, the place (an instant and a key, 8 bytes each) and a tag of 16 bytes, in
URL-safe base64: 44 characters. It holds in the context it was made for and nowhere else.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import add
from struct import Struct
from typing import Final, TypeAlias

from gateway.column_rows import column
from gateway.errors import BadCursor
from gateway.signing import Signer

Position: TypeAlias = tuple[datetime, int] | tuple[int]
"""A row's position: its instant and key, or its key alone."""

VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLACE: Final = Struct(">Bqq")
_LENGTH: Final = 44
_CURSOR: Final = re.compile(rf"[A-Za-z0-9_-]{{{_LENGTH}}}", re.ASCII)


class Cursors:
    """The cursors of one context: what they are bound to (account, field, filter), and the columns
    by which the rows are ordered, (instant, key) or (key).
    """

    __slots__ = ("_context", "_order")

    def __init__(self, signer: Signer, *binding: str, order: tuple[str, ...]) -> None:
        parts = (b"cursor", *(part.encode() for part in (*binding, *order)))
        self._context = signer.context(*parts)
        self._order = order

    def of(self, row: object) -> str:
        """Return a row's cursor."""
        return self.of_all([row])[0]

    def of_all(self, rows: Sequence[object]) -> list[str]:
        """Return each row's cursor; about a microsecond each."""
        # Of no type: a connection has rows of any, which have the columns of their order.
        *instant, key = self._order
        microseconds: Iterable[int] = repeat(0)
        if instant:
            microseconds = [(at - _EPOCH) // _MICROSECOND for at in column(rows, instant[0])]
        places = [*map(_PLACE.pack, repeat(VERSION), microseconds, column(rows, key))]
        # Each has 33 bytes with its tag, so that the text of all is the text of each.
        found = map(add, places, self._context.tags(places))
        text = urlsafe_b64encode(b"".join(found)).decode("ascii")
        return [text[start : start + _LENGTH] for start in range(0, len(text), _LENGTH)]

    def position(self, cursor: str, *, argument: str) -> Position:
        """Return the position of a cursor.

        Raises BadCursor, naming the argument, for any cursor that `of` did not return in this
        context.
        """
        if _CURSOR.fullmatch(cursor):
            signed = urlsafe_b64decode(cursor)
            place, tag = signed[: _PLACE.size], signed[_PLACE.size :]
            version, microseconds, key = _PLACE.unpack(place)
            if self._context.verify(place, tag) and version == VERSION:
                instant = _EPOCH + microseconds * _MICROSECOND
                return (instant, key) if len(self._order) > 1 else (key,)
        raise BadCursor(
            "This cursor is invalid here: use a cursor returned by the same field with the same "
            "account and filter.",
            argument=argument,
        )
