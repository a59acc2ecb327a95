"""The platform's own endpoints, by their paths."""

from starlette.routing import Route

from gateway.routes.platform import Platform
from gateway.routes.usage_events import UsageEventsEndpoint


def platform_routes(platform: Platform, *, late_days: int) -> list[Route]:
    """Return what meters and the platform's back office call."""
    return [Route("/v1/usage-events", UsageEventsEndpoint(platform, late_days=late_days))]
