"""The platform's own endpoints, by their paths."""

from gateway.routes.accounts import (
    AccountEndpoint,
    AccountsEndpoint,
    MembersEndpoint,
    PutAccountEndpoint,
)
from gateway.routes.audit_events import AuditEventsEndpoint
from gateway.routes.credits import CreditsEndpoint
from gateway.routes.openapi.route import DescribedRoute, Methods
from gateway.routes.openapi.surface import ACCOUNT_PATH
from gateway.routes.platform_endpoint import Platform
from gateway.routes.usage_events import UsageEventsEndpoint


def platform_routes(platform: Platform, *, late_days: int) -> list[DescribedRoute]:
    """Return the routes that meters and the platform's back office call."""
    usage = UsageEventsEndpoint(platform, late_days=late_days)
    return [
        DescribedRoute("/v1/usage-events", Methods(usage)),
        DescribedRoute("/v1/credits", Methods(CreditsEndpoint(platform))),
        DescribedRoute("/v1/audit-events", Methods(AuditEventsEndpoint(platform))),
        DescribedRoute("/v1/accounts", Methods(AccountsEndpoint(platform))),
        DescribedRoute(f"{ACCOUNT_PATH}/members", Methods(MembersEndpoint(platform))),
        DescribedRoute(
            ACCOUNT_PATH, Methods(AccountEndpoint(platform), PutAccountEndpoint(platform))
        ),
    ]
