"""The platform's own endpoints, by their paths."""

from dataclasses import replace

from starlette.routing import Route

from gateway.routes.accounts import AccountEndpoint
from gateway.routes.credits import CreditsEndpoint
from gateway.routes.platform import Platform
from gateway.routes.usage_events import UsageEventsEndpoint


def platform_routes(
    platform: Platform, *, late_days: int, batch_events: int, body_bytes: int
) -> list[Route]:
    """Return what meters and the platform's back office call. `body_bytes` is for all but usage,
    whose limit is the platform's.
    """
    small = replace(platform, body_bytes=body_bytes)
    return [
        Route(
            "/v1/usage-events",
            UsageEventsEndpoint(platform, late_days=late_days, batch_events=batch_events),
        ),
        Route("/v1/credits", CreditsEndpoint(small)),
        Route("/v1/accounts/{external_id:path}", AccountEndpoint(small)),
    ]
