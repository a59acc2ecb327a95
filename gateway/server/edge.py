"""The rules between the socket and the endpoints, made once from the settings."""

from dataclasses import dataclass
from typing import Self

from gateway.http.credentials import AddressLimits
from gateway.http.cross_origin import CrossOriginHeaders
from gateway.http.head import AllowedHosts, HeadLimits
from gateway.http.headers import ResponseHeaders
from gateway.http.rate_limit import RateLimitHeaders
from gateway.http.request_log import RequestLog
from gateway.quotas import Quotas
from gateway.server.drain import Drain
from gateway.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The rules for every request and answer, applied by the middleware and by the direct route."""

    request_log: RequestLog
    headers: ResponseHeaders
    limits: HeadLimits
    hosts: AllowedHosts
    origins: tuple[str, ...]
    cross_origin: CrossOriginHeaders
    drain: Drain
    addresses: AddressLimits
    rate_limit: RateLimitHeaders

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        request_log: RequestLog,
        drain: Drain,
        quotas: Quotas,
    ) -> Self:
        return cls(
            request_log=request_log,
            headers=ResponseHeaders(dev=settings.environment == "dev"),
            limits=HeadLimits(
                max_bytes=settings.http.header_bytes, max_headers=settings.http.header_count
            ),
            hosts=AllowedHosts(settings.hosts),
            origins=settings.origins,
            cross_origin=CrossOriginHeaders(settings.origins),
            drain=drain,
            addresses=AddressLimits(quotas.failures, quotas.refusals),
            rate_limit=RateLimitHeaders(quotas.points),
        )
