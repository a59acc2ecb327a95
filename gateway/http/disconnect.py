"""Work that ends with its client: when the connection closes, the work is cancelled; and the other
way round.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import Receive, Scope

from gateway.http.body import ClientDisconnected

ABORT: Final = "gateway.abort"
"""The extension of the ASGI scope that is `abort`: it drops what the peer has not read."""

# Most work is done before this and need not pay for a task that watches the connection.
PATIENCE_SECONDS: Final = 0.1


@asynccontextmanager
async def while_connected(
    receive: Receive, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[None]:
    """Cancel the block, and raise ClientDisconnected, once the client left. The body must be read.

    A cancellation from elsewhere passes through unchanged.
    """
    task = asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        if task is not None:
            task.cancel()

    def start() -> None:
        nonlocal watcher
        watcher = asyncio.create_task(watch())

    timer = asyncio.get_running_loop().call_later(patience_seconds, start)
    try:
        yield
    except asyncio.CancelledError:
        if left and task is not None and task.uncancel() == 0:
            raise ClientDisconnected from None
        raise
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()


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
