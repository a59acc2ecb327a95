"""The GraphQL types of saved views."""

from datetime import date, datetime
from typing import Any, ClassVar, Final

import strawberry

from gateway.billing.usage.saved_views import MAX_FILTER, MAX_NAME, read_filter
from gateway.execution.fields import Cost
from resolvers.columns import attribute, column, converted, global_id, itself
from resolvers.enums import Interval, UsageDimension, UsageRange
from resolvers.permissions import Policy
from resolvers.scalars import TimeZone
from resolvers.types.node import Node

_MOST_VALUES: Final = 100
VALUES: Final = Cost(items=_MOST_VALUES, length=MAX_FILTER // _MOST_VALUES)
"""All lists of one filter have MAX_FILTER characters."""


def _named(field: Any, name: str) -> Any:
    field.graphql_name = name
    return field


@strawberry.type(
    description="The filter of a saved usage query: `UsageFilter` as it was saved, each list in "
    "order. Null selects all."
)
class UsageQueryFilter:
    POLICY: ClassVar = Policy.ACCOUNT
    POINTS: ClassVar = 0

    deployments: list[strawberry.ID | None] | None = attribute(
        "deployments", cost=VALUES, description="Global ids of deployments."
    )
    providers: list[str | None] | None = attribute(
        "providers", cost=VALUES, description="Providers."
    )
    gpu_models: list[str | None] | None = attribute(
        "gpu_models", cost=VALUES, description="GPU models."
    )
    projects: list[str | None] | None = attribute("projects", cost=VALUES, description="Projects.")
    resources: list[str] | None = attribute(
        "resources",
        cost=VALUES,
        description="`CPU`, `MEMORY`, `STORAGE`, `GPU`, `NETWORK`, `IP` or `OTHER`.",
    )


@strawberry.type(
    description="A saved usage query. A part that is null is at its default. The days are those of "
    "`range`, or from `from` to `to`."
)
class UsageQuery:
    POLICY: ClassVar = Policy.ACCOUNT
    POINTS: ClassVar = 0

    interval: Interval | None = column("interval", description="The length of a bucket.")
    range_: UsageRange | None = _named(
        column("range", description="Days that move with the calendar."), "range"
    )
    from_: date | None = _named(column("from_on", description="First day (inclusive)."), "from")
    to: date | None = column("to_on", description="Last day (inclusive).")
    time_zone: TimeZone | None = column("time_zone", description="Time zone of all dates.")
    filter_: UsageQueryFilter | None = _named(
        converted(read_filter, "filter", description="The usage to count."), "filter"
    )
    by: UsageDimension | None = column("group_by", description="The dimension to group by.")
    then: UsageDimension | None = column("then_by", description="The second dimension.")


@strawberry.type(
    description="A usage query with a name, saved by the viewer in an account. Nobody else sees it."
)
class SavedView(Node):
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = global_id(
        "SavedView", "account_id", "id", description="The saved view's global id."
    )
    name: str = column(
        "name",
        description=f"The name, unique among the viewer's views of the account; at most {MAX_NAME} "
        "characters.",
    )
    query: UsageQuery = itself(description="The usage query.")
    created_at: datetime = column("created_at", description="When the view was first saved.")
    updated_at: datetime = column("updated_at", description="When the view was last changed.")
