"""The GraphQL types of usage: spend over time and by dimension."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import strawberry

from gateway.billing.usage.breakdown import DEFAULT_ROWS, MAX_ROWS
from gateway.billing.usage.grouped_series import DEFAULT_SERIES, MAX_SERIES
from gateway.execution.fields import Cost, FromArguments
from gateway.money import format_quantity
from gateway.store.breakdowns import MAX_CHILDREN
from gateway.windows import Interval, is_partial
from resolvers.by_key import always
from resolvers.columns import attribute, column, converted_attributes, money, resolved
from resolvers.costs import LINK, ONE_ROW, RESOURCES
from resolvers.enums import ForecastStatus, UsageGroup
from resolvers.permissions import Policy
from resolvers.scalars import Decimal, TimeZone
from resolvers.types.money import Amount, Money
from resolvers.usage_loading import (
    load_breakdown,
    load_buckets,
    load_comparison,
    load_daily_deployments,
    load_daily_spend,
    load_previous,
    load_resources,
    load_row_deployment,
    load_series,
    load_summary,
    sign_export_url,
)
from resolvers.usage_outlook import load_forecast, load_unusual

if TYPE_CHECKING:
    from resolvers.types.deployment import Deployment


def breakdown_size(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of rows of a breakdown, the row "Other" among them."""
    first: int = arguments.get("first", DEFAULT_ROWS)
    return min(max(first, 0), MAX_ROWS) + 1


def series_size(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of series, the series "Other" among them."""
    first: int = arguments.get("first", DEFAULT_SERIES)
    return min(max(first, 0), MAX_SERIES) + 1


def children_size(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of a row's children, the row "Other" among them."""
    return 0 if arguments.get("then") is None else MAX_CHILDREN + 1


DAILY: Final = Cost(rows="days")
CHILDREN: Final = FromArguments(names=("then",), count=children_size)
SERIES: Final = FromArguments(names=("first",), count=series_size)
BREAKDOWN_ROWS: Final = FromArguments(names=("first",), count=breakdown_size)


def _amount(nanos: int | None, currency: str) -> Amount | None:
    return None if nanos is None else (nanos, currency)


def _named(field: Any, name: str) -> Any:
    field.graphql_name = name
    return field


@strawberry.type(description="The usage of one resource.")
class UsageResource:
    POLICY: ClassVar = Policy.ACCOUNT

    resource: str = attribute(
        "resource",
        description="`CPU`, `MEMORY`, `STORAGE`, `GPU`, `NETWORK`, `IP` or `OTHER`.",
    )
    quantity: Decimal = converted_attributes(
        format_quantity, "quantity_nanos", description="The exact quantity, in `unit`."
    )
    unit: str = attribute("unit", description="The meter's unit, such as `gpu-hour`.")


@strawberry.type(
    description="The usual spend of a day that lies outside it: a median of days like it before, "
    "and the range around it."
)
class Unusual:
    POLICY: ClassVar = Policy.ACCOUNT

    expected: Money = attribute("expected_nanos", "currency", description="The usual spend.")
    low: Money = attribute("low_nanos", "currency", description="Start of the usual range.")
    high: Money = attribute("high_nanos", "currency", description="End of the usual range.")


@strawberry.type(
    description="What a range will have cost when it ends. Complete days count as they are; every "
    "other day as the median of the same weekday over the last four weeks, or as what is booked "
    "already if that is more. With fewer than two weeks of history: the median of the last seven "
    "complete days."
)
class Forecast:
    POLICY: ClassVar = Policy.ACCOUNT

    status: ForecastStatus = attribute(
        "status", description="Whether there is an estimate; else the other fields are null."
    )
    through: date | None = attribute("through", description="The last day of the range.")
    expected: Money | None = converted_attributes(
        _amount, "expected_nanos", "currency", description="Expected spend of the range."
    )
    low: Money | None = converted_attributes(
        _amount,
        "low_nanos",
        "currency",
        description="Low estimate of the range's spend: each day that is not complete counts as "
        "the 10 % quantile of the days that give the median of `expected`, or as what is booked "
        "already if that is more.",
    )
    high: Money | None = converted_attributes(
        _amount,
        "high_nanos",
        "currency",
        description="High estimate of the range's spend, likewise from the 90 % quantiles.",
    )


@strawberry.type(
    description="The usage of one day, week, month or year. A charge counts when its period starts."
)
class UsageBucket:
    POLICY: ClassVar = Policy.ACCOUNT

    start: datetime = attribute("start", description="Start of the bucket (inclusive).")
    end: datetime = attribute(
        "end", description="End of the bucket (exclusive): the start of the next."
    )
    partial: bool = converted_attributes(
        is_partial,
        "bucket",
        "complete_until",
        description="Whether the bucket is incomplete: the range covers only a part of the "
        "calendar interval, or the bucket ends after `completeUntil`.",
    )
    spend: Money = attribute("spent_nanos", "currency", description="Spend, corrections included.")
    cumulative_spend: Money = attribute(
        "cumulative_nanos",
        "currency",
        description="Spend from the start of the range to the end of this bucket.",
    )
    deployments: int = attribute(
        "deployments",
        description="Number of different deployments with charges, including charges of zero. "
        "Corrections and usage without a deployment do not count.",
    )
    resources: list[UsageResource] = resolved(
        load_resources,
        cost=RESOURCES,
        description="Usage by resource, then unit.",
    )
    unusual: Unusual | None = resolved(
        load_unusual,
        cost=ONE_ROW,
        description="The usual spend, if this is a complete day outside it: compared with the same "
        "weekday of the last eight weeks, or with all days of the last four weeks where there are "
        "fewer than five such weekdays. Null for a usual day, for other intervals, and in an "
        "account's first three weeks.",
    )


@strawberry.type(
    description="Totals of a range, and averages over its complete days. A complete day starts "
    "on or after the account's `firstDay` and ends by `completeUntil`.",
)
class UsageSummary:
    POLICY: ClassVar = Policy.ACCOUNT

    total_spend: Money = attribute(
        "summary.total_nanos", "summary.period.currency", description="Spend of the range."
    )
    average_daily_spend: Money | None = resolved(
        load_daily_spend,
        cost=ONE_ROW,
        description="Average spend of the complete days, rounded half to even at the ninth "
        "decimal; null if there are none.",
    )
    total_deployments: int = attribute(
        "summary.total_deployments", description="Number of different deployments with charges."
    )
    average_daily_deployments: Decimal | None = resolved(
        load_daily_deployments,
        cost=ONE_ROW,
        description="Average number of different deployments with charges per complete day, "
        "with two decimals; null if there are none.",
    )


@strawberry.type(
    description="Spend of the range's complete days, compared with the same number of days "
    "before them. All dates are inclusive, in the time zone of the range.",
)
class UsageComparison:
    POLICY: ClassVar = Policy.ACCOUNT

    from_: date = _named(attribute("first", description="The first complete day."), "from")
    to: date = attribute("last", description="The last complete day.")
    current: Money = attribute(
        "current_nanos", "currency", description="Spend of the complete days."
    )
    previous_from: date = attribute(
        "previous_first", description="The first day of the previous period."
    )
    previous_to: date = attribute(
        "previous_last", description="The last day of the previous period."
    )
    previous: Money = attribute(
        "previous_nanos", "currency", description="Spend of the previous period."
    )


@strawberry.type
class _GroupedUsage:
    """The fields that rows, their parts and series have in common."""

    POLICY: ClassVar = Policy.ACCOUNT

    group: UsageGroup = column(
        "group", description='Its kind: one value, usage without a value, or "Other".'
    )
    deployment: Annotated["Deployment", strawberry.lazy("resolvers.types.deployment")] | None = (
        resolved(
            load_row_deployment,
            cost=ONE_ROW,
            description="The deployment, if usage is grouped by DEPLOYMENT; null for usage without "
            'a deployment and for "Other".',
        )
    )
    key: str | None = column(
        "key",
        description="A deployment's global id, a provider, a GPU model, a project or a resource; "
        'null for usage without a value and for "Other".',
    )
    label: str = column(
        "label", description="Display name; for a deployment, its name or external id."
    )
    spend: Money = money("spent_nanos", description="Spend, corrections included.")


@strawberry.type(description="A part of a breakdown's row, by a second dimension.")
class UsageBreakdownChild(_GroupedUsage):
    POLICY: ClassVar = Policy.ACCOUNT

    share: Decimal | None = column(
        "share",
        description="Fraction of the row's spend, with six decimals; null if the spend is zero.",
    )
    deployments: int = column(
        "deployments", description="Number of different deployments with charges in the part."
    )


@strawberry.type(description="One row of a usage breakdown.")
class UsageBreakdownRow(_GroupedUsage):
    POLICY: ClassVar = Policy.ACCOUNT

    share: Decimal | None = column(
        "share",
        description="Fraction of the range's spend, with six decimals; null if the spend is zero.",
    )
    deployments: int = column(
        "deployments", description="Number of different deployments with charges in the row."
    )
    children: list[UsageBreakdownChild] = column(
        "children",
        cost=Cost(items="children"),
        description="The row by the second dimension, as the rows are by the first: at most 25, "
        'and the rest in "Other". They add up to the row. Empty without `then`.',
    )


@strawberry.type(description="The spend of one bucket in a series.")
class UsagePoint:
    POLICY: ClassVar = Policy.ACCOUNT
    POINTS: ClassVar = 0

    start: datetime = column("start", description="Start of the bucket (inclusive).")
    spend: Money = money("spent_nanos", description="Spend, corrections included.")


@strawberry.type(description="Usage over time of one value of a dimension.")
class UsageSeries(_GroupedUsage):
    POLICY: ClassVar = Policy.ACCOUNT

    share: Decimal | None = column(
        "share",
        description="Fraction of the range's spend, with six decimals; null if the spend is zero.",
    )
    points: list[UsagePoint] = column(
        "points",
        cost=Cost(items="buckets"),
        description="One for each bucket, in their order. The points of all series add up to the "
        "bucket.",
    )


@strawberry.type(
    description="An account's usage in a range of calendar days. A charge counts when its "
    "period starts. A late charge changes the bucket of its period."
)
class Usage:
    POLICY: ClassVar = Policy.ACCOUNT

    interval: Interval = attribute("interval", description="The length of a bucket.")
    from_: date = _named(attribute("window.from_", description="First day (inclusive)."), "from")
    to: date = attribute("window.to", description="Last day (inclusive).")
    time_zone: TimeZone = attribute(
        "window.time_zone", description="Time zone of all dates and buckets."
    )
    complete_until: datetime = attribute(
        "complete_until",
        description="Usage up to this time has normally arrived: some time before now, or the "
        "end of the range.",
    )
    summary: UsageSummary = resolved(
        load_summary, cost=DAILY, by_key=always, description="Totals of the range."
    )
    comparison: UsageComparison | None = resolved(
        load_comparison,
        cost=DAILY,
        description="Spend of the range's complete days, compared with the same number of days "
        "before them; null if there are no complete days, or if the account's first "
        "day is after `previousFrom`.",
    )
    previous: UsageSummary | None = resolved(
        load_previous,
        cost=DAILY,
        deprecated="Use `comparison`, which compares complete days only.",
        description="Totals of the days before `from`, as many as the range has up to today; "
        "null if the range starts after today.",
    )
    buckets: list[UsageBucket] = resolved(
        load_buckets,
        by_key=always,
        cost=Cost(items="buckets", rows="days"),
        description="The range in calendar intervals, oldest first, without gaps; at most "
        "1,100. The first and the last are cut to the range.",
    )
    breakdown: list[UsageBreakdownRow] = resolved(
        load_breakdown,
        cost=Cost(items=BREAKDOWN_ROWS, rows="days", gives={"children": CHILDREN}),
        description="The range's spend by a dimension: highest spend first, then by key, with "
        'the rest in a row "Other". The rows add up to the total. A value without charges has no '
        "row.",
    )
    series: list[UsageSeries] = resolved(
        load_series,
        cost=Cost(items=SERIES, rows="days"),
        description="The range's spend over time by a dimension: highest spend of the range first, "
        'then by key, with the rest in a series "Other".',
    )
    forecast: Forecast = resolved(
        load_forecast,
        cost=DAILY,
        description="What the range will have cost when it ends.",
    )
    export_url: str = resolved(
        sign_export_url,
        cost=LINK,
        description="Signed download link to a file of every charge in the range, oldest first, or "
        "of sums of them. The link needs no credential and expires within 15 minutes.",
    )
