"""The GraphQL types of usage: spend over time and by dimension."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, NamedTuple

import strawberry

from gateway.billing.usage import series
from gateway.billing.usage.breakdown import (
    DEFAULT_ROWS,
    MAX_ROWS,
    BreakdownRow,
    breakdown_rows,
    breakdown_span,
    checked_size,
)
from gateway.billing.usage.series import Period, complete_part, part_before
from gateway.billing.usage.summed_series import bucket_spans, period_spans, summed_buckets
from gateway.execution.fields import Cost, FromArguments
from gateway.exports.request import UsageExportRequest
from gateway.exports.writers import USAGE_WRITERS
from gateway.links import USAGE_PATH
from gateway.money import format_quantity
from gateway.store.breakdowns import BreakdownKey
from gateway.store.rollup_spans import Grain, UsageRow
from gateway.store.rows import VisibleAccount, VisibleDeployment
from gateway.store.usage_sums import UsageSum
from gateway.windows import Interval, previous_window, zone
from loaders.operation import reads_deployments
from resolvers.columns import attribute, column, converted_attributes, money, resolved
from resolvers.context import Info
from resolvers.costs import LINK, ONE_ROW, RESOURCES
from resolvers.enums import UsageDimension, UsageGroup
from resolvers.exports import Format, sign_export
from resolvers.permissions import Policy
from resolvers.scalars import Decimal, TimeZone
from resolvers.types.money import Amount, Money
from resolvers.windows import From, IntervalArgument, RequestedWindow, To, Zone, requested_window

if TYPE_CHECKING:
    from resolvers.types.deployment import Deployment


def open_usage(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    interval: IntervalArgument = None,
    from_: From = None,
    to: To = None,
    time_zone: Zone = None,
) -> RequestedWindow:
    return requested_window(root, info, interval, from_, to, time_zone)


class Summarized(NamedTuple):
    """A window's totals, and what was requested: the window itself, or the one after it."""

    summary: series.UsageSummary
    requested: RequestedWindow


def load_rows(info: Info, period: Period) -> Awaitable[list[UsageRow]]:
    """Return a period's roll-up rows: the source of totals, averages and comparisons."""
    return info.context.loaders.usage_by_span.load(period.span)


async def _summarize(info: Info, requested: RequestedWindow, period: Period) -> Summarized:
    usage: Sequence[UsageRow] | Sequence[UsageSum]
    if period.grain is Grain.DAY:
        usage = await load_rows(info, period)
    else:
        spans = period_spans(period, zone(requested.account["time_zone"]))
        sums = await info.context.loaders.usage_sums_by_spans.load(spans)
        usage = [*chain.from_iterable(sums)]
    summary = series.UsageSummary(
        usage=usage, period=period, complete_until=requested.complete_until
    )
    return Summarized(summary, requested)


async def load_summary(root: strawberry.Parent[RequestedWindow], info: Info) -> Summarized:
    return await _summarize(info, root, root.period)


async def load_previous(root: strawberry.Parent[RequestedWindow], info: Info) -> Summarized | None:
    window = previous_window(root.window, root.today)
    if window is None:
        return None
    return await _summarize(info, root, replace(root.period, window=window))


async def load_daily_spend(root: strawberry.Parent[Summarized], info: Info) -> Amount | None:
    summary, requested = root
    loading = load_rows(info, summary.period)
    nanos = summary.average_daily_nanos(await requested.first_day(info), await loading)
    return None if nanos is None else (nanos, summary.period.currency)


async def load_daily_deployments(root: strawberry.Parent[Summarized], info: Info) -> str | None:
    summary, requested = root
    loading = load_rows(info, summary.period)
    return summary.average_daily_deployments(await requested.first_day(info), await loading)


async def load_comparison(
    root: strawberry.Parent[RequestedWindow], info: Info
) -> series.UsageComparison | None:
    requested = root
    # An account that begins after the first of these days has nothing to compare them with.
    part = complete_part(requested.period, date.min, requested.complete_until)
    if part is None:
        return None
    before = part_before(part)
    # Begun before anything is awaited: one batch with the rows of the fields beside this one.
    loading, loading_before = load_rows(info, requested.period), load_rows(info, before)
    first_day = await requested.first_day(info)
    rows, rows_before = await loading, await loading_before
    if first_day > before.window.from_:
        return None
    return series.compare(part, rows, before, rows_before)


async def load_buckets(
    root: strawberry.Parent[RequestedWindow], info: Info
) -> list[series.UsageBucket]:
    requested, period = root, root.period
    # An account's own days are few; what else there is, the database adds up.
    if period.grain is Grain.DAY and reads_deployments(info.context.loaders.columns):
        rows = await load_rows(info, period)
        return series.usage_buckets(rows, period, requested.interval, requested.complete_until)
    spans = bucket_spans(period, requested.interval, zone(requested.account["time_zone"]))
    sums = await info.context.loaders.usage_sums_by_spans.load(spans.spans)
    return summed_buckets(sums, spans, period, requested.interval, requested.complete_until)


async def load_resources(
    root: strawberry.Parent[series.UsageBucket], info: Info
) -> list[series.ResourceQuantity]:
    # The whole window's rows, for all its buckets at once.
    rows = await info.context.loaders.resources_by_span.load(root.period.span)
    return series.resources_in(rows, root.period.span_of(root.bucket))


async def load_breakdown(
    root: strawberry.Parent[RequestedWindow],
    info: Info,
    by: Annotated[UsageDimension, strawberry.argument(description="The dimension to group by.")],
    first: Annotated[
        int | None,
        strawberry.argument(
            description='Number of rows before the row "Other": 1 to 100. Default: 10.'
        ),
    ] = None,
) -> list[BreakdownRow]:
    account = root.account
    span = breakdown_span(account["account_id"], zone(account["time_zone"]), root.window)
    key = BreakdownKey(by, checked_size(first), span)
    rows = await info.context.loaders.breakdown_by_key.load(key)
    return breakdown_rows(rows, key, account["currency"])


async def load_row_deployment(
    root: strawberry.Parent[BreakdownRow], info: Info
) -> VisibleDeployment | None:
    key = root["deployment"]
    return None if key is None else await info.context.loaders.deployment_by_id.load(key)


def sign_export_url(root: strawberry.Parent[RequestedWindow], info: Info, format_: Format) -> str:
    exported = UsageExportRequest(window=root.window, interval=root.interval).parameters()
    account_id = root.account["account_id"]
    return sign_export(info, USAGE_PATH, account_id, format_, exported, USAGE_WRITERS)


def breakdown_size(arguments: Mapping[str, Any]) -> int:
    """Return the greatest number of rows of a breakdown, the row "Other" among them."""
    first: int = arguments.get("first", DEFAULT_ROWS)
    return min(max(first, 0), MAX_ROWS) + 1


DAILY: Final = Cost(rows="days")
BREAKDOWN_ROWS: Final = FromArguments(names=("first",), count=breakdown_size)


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
    description="The usage of one day, week, month or year. A charge counts when its period starts."
)
class UsageBucket:
    POLICY: ClassVar = Policy.ACCOUNT

    start: datetime = attribute("bucket.start", description="Start of the bucket (inclusive).")
    end: datetime = attribute(
        "bucket.end", description="End of the bucket (exclusive): the start of the next."
    )
    partial: bool = attribute(
        "partial",
        description="Whether the bucket is incomplete: the range covers only a part of the "
        "calendar interval, or the bucket ends after `completeUntil`.",
    )
    spend: Money = attribute(
        "spent_nanos", "period.currency", description="Spend, corrections included."
    )
    cumulative_spend: Money = attribute(
        "cumulative_nanos",
        "period.currency",
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


@strawberry.type(description="One row of a usage breakdown.")
class UsageBreakdownRow:
    POLICY: ClassVar = Policy.ACCOUNT

    group: UsageGroup = column(
        "group", description='Kind of the row: one value, usage without a value, or "Other".'
    )
    deployment: Annotated["Deployment", strawberry.lazy("resolvers.types.deployment")] | None = (
        resolved(
            load_row_deployment,
            cost=ONE_ROW,
            description="The deployment, in a breakdown by DEPLOYMENT; null for usage without a "
            'deployment and for the row "Other".',
        )
    )
    key: str | None = column(
        "key",
        description="A deployment's global id, a provider, a GPU model or a resource; null for "
        'usage without a value and for the row "Other".',
    )
    label: str = column(
        "label", description="Display name of the row; for a deployment, its name or external id."
    )
    spend: Money = money("spent_nanos", description="Spend, corrections included.")
    share: Decimal | None = column(
        "share",
        description="Fraction of the range's spend, with six decimals; null if the spend is zero.",
    )
    deployments: int = column(
        "deployments", description="Number of different deployments with charges in the row."
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
    summary: UsageSummary = resolved(load_summary, cost=DAILY, description="Totals of the range.")
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
        cost=Cost(items="buckets", rows="days"),
        description="The range in calendar intervals, oldest first, without gaps; at most "
        "1,100. The first and the last are cut to the range.",
    )
    breakdown: list[UsageBreakdownRow] = resolved(
        load_breakdown,
        cost=Cost(items=BREAKDOWN_ROWS, rows="days"),
        description="The range's spend by a dimension: highest spend first, then by key, with "
        'the rest in a row "Other". The rows add up to the total.',
    )
    export_url: str = resolved(
        sign_export_url,
        cost=LINK,
        description="Signed download link to a file of every charge in the range, oldest first. "
        "The link needs no credential and expires within 15 minutes.",
    )
