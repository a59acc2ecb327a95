"""The platform's own endpoints, by their paths."""

from dataclasses import replace

from gateway.routes.account_reads import AccountEndpoint, AccountsEndpoint, MembersEndpoint
from gateway.routes.accounts import PutAccountEndpoint
from gateway.routes.credits import CreditsEndpoint
from gateway.routes.openapi.route import DescribedRoute, Methods
from gateway.routes.openapi.surface import ACCOUNT_PATH
from gateway.routes.platform_endpoint import Platform
from gateway.routes.usage_events import UsageEventsEndpoint


def platform_routes(
    platform: Platform, *, late_days: int, batch_events: int, body_bytes: int
) -> list[DescribedRoute]:
    """Return what meters and the platform's back office call. `body_bytes` is for all but usage,
    whose limit is the platform's.
    """
    small = replace(platform, body_bytes=body_bytes)
    usage = UsageEventsEndpoint(platform, late_days=late_days, batch_events=batch_events)
    return [
        DescribedRoute("/v1/usage-events", Methods(usage)),
        DescribedRoute("/v1/credits", Methods(CreditsEndpoint(small))),
        DescribedRoute("/v1/accounts", Methods(AccountsEndpoint(small))),
        DescribedRoute(f"{ACCOUNT_PATH}/members", Methods(MembersEndpoint(small))),
        DescribedRoute(ACCOUNT_PATH, Methods(AccountEndpoint(small), PutAccountEndpoint(small))),
    ]
