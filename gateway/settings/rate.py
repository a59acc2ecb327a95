"""Limits on the cost points of clients over time."""

from typing import Annotated, ClassVar

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import Limit, RedisUrl


class RateSettings(Group):
    """Limits on the cost points of clients over time."""

    PREFIX: ClassVar = "rate_"

    redis_url: Annotated[RedisUrl | None, Named("redis_url")] = Field(
        None,
        description="`redis://…`, `rediss://…` or `unix://…`: a Redis in which all replicas share "
        "the limits of points, failed credentials and refusals. Default: each process counts by "
        "itself.",
    )

    points: Limit[int] = Field(
        100_000,
        ge=100,
        le=1_000_000_000,
        description="Most points that a principal may spend at once, then `THROTTLED` with status "
        "429. An operation costs its points, other requests see `docs/api.md`. At least "
        "`GATEWAY_OPERATION_POINTS`.",
    )
    points_per_second: Limit[int] = Field(
        1_000,
        ge=1,
        le=1_000_000_000,
        description="Points that are restored to a principal each second.",
    )
    address_refusals: Limit[int] = Field(
        1_000,
        ge=1,
        le=1_000_000_000,
        description="Most requests at once that one client address may send without a valid "
        "credential and that are refused, then `THROTTLED`. A network of IPv6 (/64) counts as one "
        "address.",
    )
    address_refusals_per_second: Limit[int] = Field(
        50,
        ge=1,
        le=1_000_000_000,
        description="Such requests that are restored to a client address each second.",
    )
