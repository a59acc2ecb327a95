"""Answers that a peer does not read: their connections are cut."""

import asyncio

from gateway.settings import Settings


class UnreadWatch:
    """Aborts a connection when its peer takes nothing, of all that waits for it, for `seconds`."""

    __slots__ = ("_left", "_loop", "_seconds", "_timer", "_transport")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, seconds: float
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Watch what waits now; nothing where that is watched already."""
        if self._timer is None:
            self._left = self._transport.get_write_buffer_size()
            self._timer = self._loop.call_later(self._seconds, self._look)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        left, before = self._transport.get_write_buffer_size(), self._left
        if left >= before > 0:
            self._transport.abort()
        elif left:
            self.begin()


def longest_unread_seconds(settings: Settings) -> float:
    """Return the longest time that any client may stop reading."""
    return max(settings.live.unread_seconds, settings.exports.unread_seconds)
