"""`RateLimit` and `RateLimit-Policy`: what a principal may spend, in the headers of answers.

As in draft-ietf-httpapi-ratelimit-headers-11. The quota's unit is a cost point, of which a request
takes one or more; the draft's registry has no such unit.
"""

import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.headers import RawHeaders
from gateway.http.request_log import record_of
from gateway.http.responses import TEMPORARY
from gateway.principal import Principal
from gateway.quotas import PointQuota


class RateLimitHeaders:
    """Makes the headers from the points of principals."""

    def __init__(self, points: PointQuota) -> None:
        self._points = points
        policy = f'"points";q={points.most};w={math.ceil(points.most / points.per_second)}'
        self._policy = (b"ratelimit-policy", policy.encode())

    def of(self, principal: Principal | None, status: int, headers: RawHeaders) -> RawHeaders:
        """Return the headers to add to an answer; none for a request without a principal.

        They have the points that are left, and the seconds until the bucket is full; where the
        client has to wait, the seconds of its wait.
        """
        if principal is None:
            return []
        points = self._points
        left = points.left(principal.quota_key)
        seconds = (points.most - left) // points.per_second + 1
        if status in TEMPORARY:
            seconds = int(dict(headers).get(b"retry-after", seconds))
        return [self._policy, (b"ratelimit", b'"points";r=%d;t=%d' % (left, seconds))]


class RateLimitMiddleware:
    """Adds the headers to the answers of requests with a principal."""

    def __init__(self, app: ASGIApp, *, rate_limit: RateLimitHeaders) -> None:
        self.app = app
        self.rate_limit = rate_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                headers += self.rate_limit.of(
                    record_of(scope).principal, message["status"], headers
                )
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, add)
