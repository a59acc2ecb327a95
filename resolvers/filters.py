"""What a connection's `filter` selects of an account's rows."""

from datetime import date

import strawberry

from gateway.exports.request import MAX_SEARCH, LedgerAsked, PurchasesAsked, checked_search
from gateway.store import Row, Selection
from gateway.store.day_span import day_span
from gateway.windows import zone
from resolvers.enums import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from resolvers.scalars import TimeZone


@strawberry.input(description="Selects credit purchases; what is not given selects all.")
class CreditPurchaseFilter:
    from_: date | None = strawberry.field(
        name="from", default=None, description="The first day, inclusive, of `createdAt`."
    )
    to: date | None = strawberry.field(
        default=None, description="The last day, inclusive, of `createdAt`."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="The zone of `from` and `to`; the account's if not given."
    )
    status: list[CreditPurchaseStatus] | None = strawberry.field(
        default=None, description="Any of these; an empty list selects nothing."
    )
    kind: list[CreditPurchaseKind] | None = strawberry.field(
        default=None, description="Any of these; an empty list selects nothing."
    )
    search: str | None = strawberry.field(
        default=None,
        description=f"Purchases that have this text of 1 to {MAX_SEARCH} characters, whatever the "
        "case of its letters: in their description, their payment's id at the provider (`pi_…`) "
        "or their payment method (`visa 4242`); in the number of their receipt, of a credit note "
        "or of its cancellation; in a refund's reason; in the id of a refund or dispute at the "
        "provider. Or that have this amount, alone or with its currency (`1,234.50`, `€ 50`): as "
        "their `amount`, `charged`, `bonus` or `refunded`, or as a refund's `amount` or `total`. "
        "No character stands for others. Spaces around it do not count.",
    )


@strawberry.input(description="Selects deployments; what is not given selects all.")
class DeploymentFilter:
    running: bool | None = strawberry.field(
        default=None, description="Those that run (true), or those that were closed (false)."
    )
    from_: date | None = strawberry.field(
        name="from", default=None, description="The first day, inclusive, of `startedAt`."
    )
    to: date | None = strawberry.field(
        default=None, description="The last day, inclusive, of `startedAt`."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="The zone of `from` and `to`; the account's if not given."
    )


@strawberry.input(description="Selects rows of the ledger; what is not given selects all.")
class LedgerFilter:
    from_: date | None = strawberry.field(
        name="from", default=None, description="The first day, inclusive, of `at`."
    )
    to: date | None = strawberry.field(
        default=None, description="The last day, inclusive, of `at`."
    )
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="The zone of `from` and `to`; the account's if not given."
    )
    cause: list[LedgerCause] | None = strawberry.field(
        default=None, description="Any of these; an empty list selects nothing."
    )


def ask_purchases(filter_: CreditPurchaseFilter | None, account: Row) -> PurchasesAsked:
    """Return what the filter asks for of the account's purchases; raises BadUserInput."""
    filter_ = filter_ or CreditPurchaseFilter()
    return PurchasesAsked(
        zone=zone(filter_.time_zone or account["time_zone"]),
        from_=filter_.from_,
        to=filter_.to,
        status=None if filter_.status is None else frozenset(filter_.status),
        kind=None if filter_.kind is None else frozenset(filter_.kind),
        search=checked_search(filter_.search),
    )


def select_deployments(filter_: DeploymentFilter | None, account: Row) -> Selection:
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


def ask_ledger(filter_: LedgerFilter | None, account: Row) -> LedgerAsked:
    """Return what the filter asks for of the account's ledger; raises BadUserInput."""
    filter_ = filter_ or LedgerFilter()
    return LedgerAsked(
        zone=zone(filter_.time_zone or account["time_zone"]),
        from_=filter_.from_,
        to=filter_.to,
        cause=None if filter_.cause is None else frozenset(filter_.cause),
    )
