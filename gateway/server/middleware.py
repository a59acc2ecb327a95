"""The middleware that requests pass, except those of the direct route, and that WebSockets pass."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway.http.compression import compression
from gateway.http.credentials import AddressLimitsMiddleware
from gateway.http.cross_origin import cross_origin_options
from gateway.http.middleware import HeadMiddleware, RecordMiddleware, ResponseHeadersMiddleware
from gateway.http.rate_limit import RateLimitMiddleware
from gateway.server.drain import DrainMiddleware
from gateway.server.edge import Edge


def wrapped_sockets(endpoint: ASGIApp, edge: Edge) -> ASGIApp:
    """Return an endpoint of WebSockets behind the middleware that acts on WebSockets."""
    checked = HeadMiddleware(endpoint, limits=edge.limits, hosts=edge.hosts)
    complete = ResponseHeadersMiddleware(checked, headers=edge.headers)
    return RecordMiddleware(complete, request_log=edge.request_log)


def build_middleware(edge: Edge) -> list[Middleware]:
    """Return the middleware, the outermost first."""
    return [
        Middleware(RecordMiddleware, request_log=edge.request_log),
        Middleware(ResponseHeadersMiddleware, headers=edge.headers),
        Middleware(HeadMiddleware, limits=edge.limits, hosts=edge.hosts),
        Middleware(CORSMiddleware, **cross_origin_options(edge.origins)),
        Middleware(DrainMiddleware, drain=edge.drain),
        Middleware(RateLimitMiddleware, rate_limit=edge.rate_limit),
        Middleware(AddressLimitsMiddleware, limits=edge.addresses),
        compression(),
    ]
