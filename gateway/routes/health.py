"""Endpoints for orchestrators: `/livez` (it runs), `/readyz` (it can serve), `/metrics`."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.errors import Forbidden, GatewayError
from gateway.http.responses import error_response
from gateway.observability.metrics import Metrics
from gateway.routes.openapi.route import DescribedRoute
from gateway.server.drain import Drain
from gateway.settings.values import is_loopback

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")

log = structlog.get_logger(__name__)


async def livez(_: Request) -> Response:
    """Say that the process answers; touches nothing."""
    return PlainTextResponse("ok")


def health_routes(health: "Health") -> list[DescribedRoute]:
    return [
        DescribedRoute("/livez", livez),
        DescribedRoute("/readyz", health.readyz),
        DescribedRoute("/metrics", health.read_metrics),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`ready` raises where the gateway cannot serve; a GatewayError's sentence is passed on.

    Without `metrics_token` only a direct connection from this machine reads the metrics: one that
    a proxy forwarded is not direct. Behind a trusted proxy no connection is.
    """

    drain: Drain
    metrics: Metrics
    ready: Callable[[], Awaitable[None]]
    metrics_token: str | None
    behind_proxy: bool = False

    async def readyz(self, _: Request) -> Response:
        if self.drain.stopping:
            return PlainTextResponse("The gateway is stopping.", 503)
        try:
            await self.ready()
        except GatewayError as error:
            return PlainTextResponse(error.message, 503)
        except Exception:
            log.exception("not ready")
            return PlainTextResponse("The gateway cannot serve now; the log says why.", 503)
        return PlainTextResponse("ready")

    async def read_metrics(self, request: Request) -> Response:
        if not self._may_read(request):
            return error_response(Forbidden("The metrics are not open to you."))
        return Response(self.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    def _may_read(self, request: Request) -> bool:
        if self.metrics_token is not None:
            sent = request.headers.get("authorization", "").encode()
            return hmac.compare_digest(sent, f"Bearer {self.metrics_token}".encode())
        forwarded = any(name in request.headers for name in FORWARDED)
        is_direct = not (forwarded or self.behind_proxy)
        return is_direct and request.client is not None and is_loopback(request.client.host)
