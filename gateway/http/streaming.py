"""A file that is sent while it is made: whole, or visibly broken off."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from time import monotonic
from typing import Final

from starlette.types import Send

from gateway.errors import DeadlineExceeded

FIRST_PARTS: Final = 2
"""Parts that are made before the head is sent, at least."""
LEAST_RATE: Final = 64_000
"""Bytes that a client must take in a second, while a part waits for it."""


class Transfer:
    """One answer as a chunked transfer. `begun`: its head is sent, so any exception from then on
    cuts the connection. `give_way` is called after each part: it returns when others have had their
    turn.
    """

    def __init__(
        self,
        send: Send,
        *,
        head_only: bool,
        unread_seconds: float,
        give_way: Callable[[], Awaitable[None]],
    ) -> None:
        self._send = send
        self._head_only = head_only
        self._unread_seconds = unread_seconds
        self._give_way = give_way
        self._headers: Mapping[str, str] = {}
        self._waited_seconds = 0.0
        self._taken_bytes = 0
        self.begun = False
        self.rows = 0

    async def run(
        self,
        headers: Callable[[], Mapping[str, str] | None],
        parts: AsyncGenerator[tuple[bytes, int]],
    ) -> None:
        """Send the parts, each with its number of rows; `end` is still to be called. Two are made
        before the head is sent, and as many as `headers` needs until it knows the headers, so that
        most of what can go wrong is still answered properly.

        Raises DeadlineExceeded where the client reads nothing for `unread_seconds`, or less than
        LEAST_RATE in as many seconds that were spent waiting for it.
        """
        async with aclosing(parts):
            first = await self._first_parts(headers, parts)
            known = headers()
            assert known is not None  # noqa: S101  # at the end of the parts at the latest
            self._headers = known
            if self._head_only:
                return
            await self._begin()
            for body, rows in first:
                await self._write_rows(body, rows)
            async for body, rows in parts:
                await self._write_rows(body, rows)
                await self._give_way()

    async def _first_parts(
        self,
        headers: Callable[[], Mapping[str, str] | None],
        parts: AsyncGenerator[tuple[bytes, int]],
    ) -> list[tuple[bytes, int]]:
        """Return the parts that are made before the head; all, where there are no more."""
        first: list[tuple[bytes, int]] = []
        async for part in parts:
            first.append(part)
            if len(first) >= FIRST_PARTS:
                if headers() is not None:
                    break
                await self._give_way()
        return first

    async def end(self) -> None:
        """Say that it is whole. What `run` read from must be closed: a client that knows may ask
        again, or leave.
        """
        if not self.begun:
            await self._begin()
        await self._write(b"", more=False)

    async def _begin(self) -> None:
        pairs = [
            (name.encode("ascii"), value.encode("ascii")) for name, value in self._headers.items()
        ]
        self.begun = True
        await self._send({"type": "http.response.start", "status": 200, "headers": pairs})

    async def _write_rows(self, body: bytes, rows: int) -> None:
        if body:
            await self._write(body, more=True)
        self.rows += rows

    async def _write(self, body: bytes, *, more: bool) -> None:
        message = {"type": "http.response.body", "body": body, "more_body": more}
        began = monotonic()
        try:
            async with asyncio.timeout(self._unread_seconds):
                await self._send(message)
        except TimeoutError:
            raise DeadlineExceeded("The client stopped reading.") from None
        self._waited_seconds += monotonic() - began
        self._taken_bytes += len(body)
        if self._waited_seconds >= self._unread_seconds:
            if self._taken_bytes < LEAST_RATE * self._waited_seconds:
                raise DeadlineExceeded("The client reads too slowly.")
            self._waited_seconds, self._taken_bytes = 0.0, 0
