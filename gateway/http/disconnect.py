"""Work that ends with its client: when the connection closes, the work is cancelled; and the other
way round.
"""

import asyncio
from types import TracebackType
from typing import Final

from starlette.types import Receive, Scope

from gateway.http.body import ClientDisconnected

ABORT: Final = "gateway.abort"
"""The extension of the ASGI scope that is `abort`: it drops what the peer has not read."""

# Most work is done before this and need not pay for a task that watches the connection.
PATIENCE_SECONDS: Final = 0.1


class WhileConnected:
    """Cancels its block, and raises ClientDisconnected, once the client left. The body must be
    read before.

    A cancellation from elsewhere passes through unchanged.
    """

    __slots__ = ("_left", "_patience_seconds", "_receive", "_task", "_timer", "_watcher")

    def __init__(self, receive: Receive, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._receive = receive
        self._patience_seconds = patience_seconds
        self._watcher: asyncio.Task[None] | None = None
        self._left = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._timer = loop.call_later(self._patience_seconds, self._start)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._left and isinstance(error, asyncio.CancelledError):
            task, self._task = self._task, None
            if task is not None and task.uncancel() == 0:
                raise ClientDisconnected from None

    def _start(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        if self._task is not None:
            self._task.cancel()


async def break_off(scope: Scope, receive: Receive) -> bool:
    """Hang up, and wait until it is done; False where the server cannot."""
    if ABORT not in scope.get("extensions", {}):
        return False
    hang_up(scope)
    while (await receive())["type"] != "http.disconnect":
        pass
    return True


def hang_up(scope: Scope) -> None:
    """Cut the connection of a client that stopped reading; unread data is dropped."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["abort"]()
