"""Credentials that do not hold, limited for each client address; and never two in one request."""

import math
import time
from typing import Final
from urllib.parse import parse_qsl

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import BadRequest, Throttled
from gateway.routes.answers import refusal
from gateway.routes.header import header_values

_SHORTEST_WAIT: Final = 1


class AttemptsMiddleware:
    """Refuses with 429 the requests with a credential of an address from which too many came that
    did not hold: `per_minute` in one process. Requests without a credential are not attempts.

    An address is the client's as the server tells it, through trusted proxies too.
    """

    def __init__(self, app: ASGIApp, *, per_minute: int) -> None:
        self.app = app
        self.limit = RateLimitItemPerMinute(per_minute)
        self.failures = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        credentials = header_values(scope, b"authorization") if scope["type"] == "http" else []
        if not credentials:
            await self.app(scope, receive, send)
            return
        if len(credentials) > 1 or _has_access_token(scope):
            await refusal(BadRequest("A request may carry one credential."))(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        if not await self.failures.test(self.limit, address):
            await self._refuse(address, scope, receive, send)
            return

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                await self.failures.hit(self.limit, address)
            await send(message)

        await self.app(scope, receive, count)

    async def _refuse(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        window = await self.failures.get_window_stats(self.limit, address)
        seconds = max(math.ceil(window.reset_time - time.time()), _SHORTEST_WAIT)
        error = Throttled(
            f"At most {self.limit.amount} credentials that do not hold may be tried in a minute."
        )
        await refusal(error, headers={"retry-after": str(seconds)})(scope, receive, send)


def _has_access_token(scope: Scope) -> bool:
    query = scope["query_string"].decode("latin-1")
    return any(name == "access_token" for name, _ in parse_qsl(query, keep_blank_values=True))
