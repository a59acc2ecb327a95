"""Routes with a description of each operation."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from gateway.http.request_log import record_of
from gateway.routes.openapi.operation import Operation
from gateway.routes.openapi.surface import SURFACE
from gateway.routes.platform_endpoint import PlatformEndpoint

_MEMBERS: Final = re.compile(rb"/v1/accounts/.+/members\Z")


class DescribedRoute(Route):
    """A route that is described: its path is one of `SURFACE`, and it serves the methods there and
    no others. An external id in the path is matched whole, slashes included.
    """

    def __init__(self, path: str, endpoint: Callable[..., object]) -> None:
        self.described_path = path
        self.operations: Sequence[Operation] = SURFACE[path]
        matched = path.replace("{externalId}", "{external_id:path}")
        super().__init__(matched, endpoint, methods=[each.method for each in self.operations])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path as it was sent, so that `acme%2Fmembers` is the account `acme/members`
        and `acme/members` the members of `acme`.
        """
        match, child = super().matches(scope)
        if match is not Match.NONE and "{externalId}" in self.described_path:
            raw = scope.get("raw_path") or scope["path"].encode()
            if bool(_MEMBERS.search(raw)) != self.described_path.endswith("/members"):
                return Match.NONE, {}
        return match, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, which the metrics count under the document's path."""
        record_of(scope).route = self.described_path
        methods = self.methods or set()
        if scope["method"] not in methods:
            raise HTTPException(405, headers={"allow": ", ".join(sorted(methods))})
        await self.app(scope, receive, send)


class Methods:
    """The endpoints of one path by their method; an ASGI application. GET serves HEAD too."""

    def __init__(self, *endpoints: PlatformEndpoint) -> None:
        self._endpoints: dict[str, PlatformEndpoint] = {
            each.OPERATION.method: each for each in endpoints
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        await self._endpoints[method](scope, receive, send)
