"""The filters of connections, and the rows that they select."""

from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

import strawberry

from gateway.billing.usage.filters import usage_filter
from gateway.exports.request import (
    MAX_SEARCH,
    LedgerExportRequest,
    PurchaseExportRequest,
    checked_search,
)
from gateway.store import Selection
from gateway.store.day_span import day_span
from gateway.store.rows import VisibleAccount
from gateway.store.usage_filter import EVERYTHING
from gateway.store.usage_filter import UsageFilter as Selected
from gateway.windows import zone
from resolvers.enums import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from resolvers.scalars import TimeZone


@strawberry.input(
    description="Filter for credit purchases. All given conditions apply "
    "together; an omitted one selects all."
)
class CreditPurchaseFilter:
    from_: date | None = strawberry.field(
        name="from", default=None, description="First day of `createdAt` (inclusive)."
    )
    to: date | None = strawberry.field(
        default=None, description="Last day of `createdAt` (inclusive)."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Time zone of `from` and `to`. Default: the account's."
    )
    status: list[CreditPurchaseStatus] | None = strawberry.field(
        default=None, description="Any of these values; an empty list selects nothing."
    )
    kind: list[CreditPurchaseKind] | None = strawberry.field(
        default=None, description="Any of these values; an empty list selects nothing."
    )
    search: str | None = strawberry.field(
        default=None,
        description=f"Text or amount to find, 1 to {MAX_SEARCH} characters, case-insensitive. "
        "Text is found in the description, the provider's payment id (`pi_…`), the "
        "payment method (`visa 4242`), the numbers of the receipt, its credit notes "
        "and their cancellations, a refund's reason, and the provider's ids of "
        "refunds and disputes. An amount, with or without currency (`1,234.50`, `€ "
        "50`), is found in `amount`, `charged`, `bonus`, `refunded`, and a refund's "
        "`amount` and `total`. There are no wildcards; surrounding spaces are "
        "ignored.",
    )


@strawberry.input(
    description="Filter for deployments. All given conditions apply together; an "
    "omitted one selects all."
)
class DeploymentFilter:
    running: bool | None = strawberry.field(
        default=None, description="Running (true) or closed (false) deployments."
    )
    from_: date | None = strawberry.field(
        name="from", default=None, description="First day of `startedAt` (inclusive)."
    )
    to: date | None = strawberry.field(
        default=None, description="Last day of `startedAt` (inclusive)."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Time zone of `from` and `to`. Default: the account's."
    )


@strawberry.input(
    description="Filter for ledger rows. All given conditions apply together; an "
    "omitted one selects all."
)
class LedgerFilter:
    from_: date | None = strawberry.field(
        name="from", default=None, description="First day of `at` (inclusive)."
    )
    to: date | None = strawberry.field(default=None, description="Last day of `at` (inclusive).")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Time zone of `from` and `to`. Default: the account's."
    )
    cause: list[LedgerCause] | None = strawberry.field(
        default=None, description="Any of these values; an empty list selects nothing."
    )


@strawberry.input(
    description="Filter for usage. All given lists apply together; an omitted one selects all. A "
    "list selects usage with any of its values, and null in it usage without a value. At most 100 "
    "values each. An empty list selects nothing; a value that never occurred, or the id of another "
    "account's deployment, selects nothing too."
)
class UsageFilter:
    deployments: list[strawberry.ID | None] | None = strawberry.field(
        default=None, description="Global ids of deployments."
    )
    providers: list[str | None] | None = strawberry.field(
        default=None, description="Providers, as `key` of a breakdown has them."
    )
    gpu_models: list[str | None] | None = strawberry.field(
        default=None, description="GPU models, as `key` of a breakdown has them."
    )
    projects: list[str | None] | None = strawberry.field(
        default=None, description="Projects, as `key` of a breakdown has them."
    )
    resources: list[str] | None = strawberry.field(
        default=None,
        description="`CPU`, `MEMORY`, `STORAGE`, `GPU`, `NETWORK`, `IP` or `OTHER`.",
    )


def selected_usage(filter_: UsageFilter | None, account_id: int) -> Selected:
    """Return the usage of an account that a filter selects; raises BadUserInput."""
    if filter_ is None:
        return EVERYTHING
    return usage_filter(
        account_id,
        deployments=filter_.deployments,
        providers=filter_.providers,
        gpu_models=filter_.gpu_models,
        projects=filter_.projects,
        resources=filter_.resources,
    )


@cache
def _all_purchases(local: ZoneInfo) -> PurchaseExportRequest:
    return PurchaseExportRequest(zone=local)


def requested_purchases(
    filter_: CreditPurchaseFilter | None, account: VisibleAccount
) -> PurchaseExportRequest:
    """Return the filter as a request for an export of the account's purchases; raises
    BadUserInput.
    """
    if filter_ is None:
        return _all_purchases(zone(account["time_zone"]))
    return PurchaseExportRequest(
        zone=zone(filter_.time_zone or account["time_zone"]),
        from_=filter_.from_,
        to=filter_.to,
        status=None if filter_.status is None else frozenset(filter_.status),
        kind=None if filter_.kind is None else frozenset(filter_.kind),
        search=checked_search(filter_.search),
    )


def select_deployments(filter_: DeploymentFilter | None, account: VisibleAccount) -> Selection:
    """Return the account's deployments that the filter selects; raises BadUserInput."""
    filter_ = filter_ or DeploymentFilter()
    local = zone(filter_.time_zone or account["time_zone"])
    lower, upper = day_span(filter_.from_, filter_.to, local)
    condition = {True: "running", False: "closed", None: None}[filter_.running]
    return Selection(
        scope=(account["account_id"],),
        lower=lower,
        upper=upper,
        conditions=((condition, ()),) if condition else (),
    )


def select_everything(account: VisibleAccount) -> Selection:
    """Return all rows of the account."""
    lower, upper = day_span(None, None, zone(account["time_zone"]))
    return Selection(scope=(account["account_id"],), lower=lower, upper=upper)


def requested_ledger(filter_: LedgerFilter | None, account: VisibleAccount) -> LedgerExportRequest:
    """Return the filter as a request for an export of the account's ledger; raises BadUserInput."""
    filter_ = filter_ or LedgerFilter()
    return LedgerExportRequest(
        zone=zone(filter_.time_zone or account["time_zone"]),
        from_=filter_.from_,
        to=filter_.to,
        cause=None if filter_.cause is None else frozenset(filter_.cause),
    )
