"""What a connection's `filter` selects of an account's rows."""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import strawberry

from gateway.errors import BadUserInput
from gateway.models import EARLIEST, LATEST
from gateway.store import Position, Row, Selection
from gateway.windows import checked_day, day_start, zone
from resolvers.enums import CreditPurchaseKind, CreditPurchaseStatus
from resolvers.scalars import TimeZone

_BEFORE_ALL: Final = -1
"""Below every key: with an instant, the position just before whatever happened at it."""


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


def select_purchases(filter_: CreditPurchaseFilter | None, account: Row) -> Selection:
    """Return the account's purchases that the filter selects; raises BadUserInput."""
    filter_ = filter_ or CreditPurchaseFilter()
    lists = (("status", filter_.status), ("kind", filter_.kind))
    return _select(
        filter_,
        account,
        ((name, _distinct(values)) for name, values in lists if values is not None),
    )


def select_deployments(filter_: DeploymentFilter | None, account: Row) -> Selection:
    """Return the account's deployments that the filter selects; raises BadUserInput."""
    filter_ = filter_ or DeploymentFilter()
    condition = {True: "running", False: "closed", None: None}[filter_.running]
    return _select(filter_, account, ((condition, ()),) if condition else ())


def _select(
    filter_: CreditPurchaseFilter | DeploymentFilter,
    account: Row,
    conditions: Iterable[tuple[str, tuple[str, ...]]],
) -> Selection:
    lower, upper = _days(filter_.from_, filter_.to, filter_.time_zone or account["time_zone"])
    return Selection(
        scope=(account["account_id"],), lower=lower, upper=upper, conditions=tuple(conditions)
    )


def _days(from_: date | None, to: date | None, time_zone: str) -> tuple[Position, Position]:
    """Return the positions around the local days `from_` to `to`, both inclusive."""
    if from_ is not None and to is not None and from_ > to:
        raise BadUserInput(f"`from` ({from_}) is after `to` ({to}).", argument="from")
    local = zone(time_zone)
    start, end = EARLIEST, LATEST
    if from_ is not None:
        start = day_start(checked_day(from_, argument="from"), local)
    if to is not None:
        end = day_start(checked_day(to, argument="to") + timedelta(days=1), local)
    return (start, _BEFORE_ALL), (end, _BEFORE_ALL)


def _distinct(values: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(sorted({value.value for value in values}))
