"""An orderly stop: readiness ends at once, running requests get their time, then a proper 503."""

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import ServiceUnavailable
from gateway.http.responses import CLOSE, error_response


class Drain:
    """Whether the process is stopping, and the requests that it still serves.

    The server calls `begin` on a stop signal, and `expire` when the time is over. What would never
    end by itself ends with `streams_over`. `begin` calls everything in `on_begin`.
    """

    def __init__(self) -> None:
        self.stopping = False
        self.expired = False
        self.requests: set[asyncio.Task[object]] = set()
        self.streams_over = asyncio.Event()
        self.on_begin: list[Callable[[], None]] = []

    def begin(self) -> None:
        self.stopping = True
        for call in self.on_begin:
            call()

    def expire(self) -> None:
        """Cancel what still runs, and refuse what still comes."""
        self.stopping = self.expired = True
        self.streams_over.set()
        for task in self.requests:
            task.cancel()

    def cut_off(self, task: asyncio.Task[object]) -> bool:
        """Return whether it was the stop that cancelled the task; it then may go on to answer."""
        if not self.expired:
            return False
        task.uncancel()
        return True


class DrainMiddleware:
    """Answers 503 for a request that the stop cuts off before its answer began."""

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self.app(scope, receive, send)
            return
        if self.drain.expired:
            await stopping()(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            await send(message)  # it waits for a slow reader before it writes
            started = True

        self.drain.requests.add(task)
        try:
            await self.app(scope, receive, watch)
        except asyncio.CancelledError:
            if started or not self.drain.cut_off(task):
                raise
            await stopping()(scope, receive, send)
        finally:
            self.drain.requests.discard(task)


def stopping() -> Response:
    """Return the answer to a request that the stop cut off."""
    error = ServiceUnavailable("The gateway is stopping; send the request again.")
    return error_response(error, headers=CLOSE)
