"""Limits of requests."""

from typing import Annotated, ClassVar

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import Limit


class HttpSettings(Group):
    """Limits of requests."""

    PREFIX: ClassVar = "http_"

    body_bytes: Limit[int] = Field(
        1_048_576, ge=1_024, le=104_857_600, description="Largest body of a GraphQL request, bytes."
    )
    usage_body_bytes: Annotated[Limit[int], Named("usage_body_bytes")] = Field(
        5_242_880, ge=1_024, le=104_857_600, description="Largest body of a usage request, bytes."
    )
    usage_batch_events: Annotated[Limit[int], Named("usage_batch_events")] = Field(
        25_000, ge=1, le=1_000_000, description="Most usage events in one request."
    )
    bodies_bytes: Limit[int] = Field(
        67_108_864,
        ge=1_048_576,
        le=10_737_418_240,
        description="Most bytes of bodies that a process holds at once, each counted with at least "
        "64 KiB while it arrives in parts or waits; then `SERVICE_UNAVAILABLE`. One principal may "
        "hold three quarters. Webhooks have a quarter as much of their own.",
    )
    body_seconds: Limit[float] = Field(
        15, gt=0, le=300, description="Longest time to receive a request body."
    )
    head_seconds: Limit[float] = Field(
        10,
        gt=0,
        le=300,
        description="Longest time to receive a request line and headers.",
    )
    header_bytes: Limit[int] = Field(
        32_768, ge=1_024, le=65_536, description="Largest request line and headers together, bytes."
    )
    header_count: Limit[int] = Field(100, ge=10, le=1_000, description="Most headers in a request.")
    failed_credentials_per_minute: Annotated[Limit[int], Named("failed_credentials_per_minute")] = (
        Field(
            20,
            ge=1,
            le=100_000,
            description="Most failed credentials per client address; then `THROTTLED`.",
        )
    )
    keep_alive_seconds: Limit[int] = Field(
        5, ge=1, le=300, description="How long an idle connection is kept open."
    )
    connections: Limit[int | None] = Field(
        None,
        ge=16,
        le=1_000_000,
        description="Most open connections of a process, WebSockets included. At this limit, a new "
        "connection replaces an idle one, or gets 503. Default: as many as the process may open "
        "files for, at most 25,000.",
    )
    address_connections: Limit[int] = Field(
        1_000,
        ge=1,
        le=1_000_000,
        description="Most open connections per client address (IPv6: per /64 network). Proxies in "
        "`GATEWAY_TRUSTED_PROXIES` have no such limit.",
    )
    health_connections: Limit[int] = Field(
        16,
        ge=1,
        le=1_000,
        description="Connections beyond the limit of a process, for `/livez`, `/readyz` and "
        "`/metrics` alone.",
    )
