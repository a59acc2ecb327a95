"""`RateLimit` and `RateLimit-Policy`: what a principal may spend, in the headers of answers.

As in draft-ietf-httpapi-ratelimit-headers-11. The quota's unit is a cost point, of which a request
takes one or more; the draft's registry has no such unit.
"""

import math

from starlette.responses import Response

from gateway.http.headers import RawHeaders
from gateway.http.responses import TEMPORARY
from gateway.principal import Principal
from gateway.quotas import PointQuota


class RateLimitHeaders:
    """Makes the headers from the points of principals."""

    def __init__(self, points: PointQuota) -> None:
        self._points = points
        policy = f'"points";q={points.most};w={math.ceil(points.most / points.per_second)}'
        self._policy = (b"ratelimit-policy", policy.encode())

    def of(self, principal: Principal, wait_seconds: int | None = None) -> RawHeaders:
        """Return the headers: the points that are left, and the seconds until the bucket is full;
        where the client has to wait, the seconds of its wait.
        """
        points = self._points
        left = points.left(principal.quota_key)
        seconds = wait_seconds or (points.most - left) // points.per_second + 1
        return [self._policy, (b"ratelimit", b'"points";r=%d;t=%d' % (left, seconds))]

    def add(self, response: Response, principal: Principal | None) -> None:
        """Add the headers to an answer, if the request had a principal."""
        if principal is None:
            return
        wait = None
        if response.status_code in TEMPORARY:
            wait = int(response.headers.get("retry-after", "1"))
        response.raw_headers += self.of(principal, wait)
