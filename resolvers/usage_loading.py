"""Loads the figures of usage: from sums of roll-ups for all usage, from activity for a filter."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Annotated, NamedTuple

import strawberry

from gateway.billing.usage import series, spans
from gateway.billing.usage.breakdown import (
    BreakdownRow,
    GroupedUsage,
    breakdown_rows,
    checked_dimensions,
    checked_size,
)
from gateway.billing.usage.grouped_series import UsageSeries, checked_series, usage_series
from gateway.billing.usage.series import FilteredSummary, Period, complete_part, part_before
from gateway.billing.usage.summed_series import bucket_spans, period_spans, summed_buckets
from gateway.exports.request import UsageExportRequest
from gateway.exports.writers import usage_formats
from gateway.links import USAGE_PATH
from gateway.money import divide_half_even, ratio
from gateway.store.breakdowns import BreakdownKey
from gateway.store.rollup_spans import Grain, UsageRow
from gateway.store.rows import VisibleAccount, VisibleDeployment
from gateway.store.usage_filter import EVERYTHING
from gateway.store.usage_plan import UsageSpan
from gateway.store.usage_quantities import QuantitiesKey
from gateway.store.usage_series import SeriesKey
from gateway.store.usage_sums import UsageSum
from gateway.store.usage_totals import TotalsKey, UsageTotal
from gateway.windows import Interval, previous_window
from loaders.operation import reads_deployments
from resolvers.context import Info
from resolvers.enums import UsageDimension, UsageRows
from resolvers.exports import Format, sign_export
from resolvers.filters import UsageFilter, selected_usage
from resolvers.types.money import Amount
from resolvers.windows import From, IntervalArgument, RequestedWindow, To, Zone, requested_window


def open_usage(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    interval: IntervalArgument = None,
    from_: From = None,
    to: To = None,
    time_zone: Zone = None,
    filter_: Annotated[
        UsageFilter | None,
        strawberry.argument(
            name="filter", description="The usage to count. Default: all of the account's."
        ),
    ] = None,
) -> RequestedWindow:
    selected = selected_usage(filter_, root["account_id"])
    return requested_window(root, info, interval, from_, to, time_zone, selected)


class Summarized(NamedTuple):
    """A window's totals, and what was requested: the window itself, or the one after it."""

    summary: series.UsageSummary | FilteredSummary
    requested: RequestedWindow


def load_rows(info: Info, period: Period) -> Awaitable[Sequence[UsageRow]]:
    """Return a period's roll-up rows: the source of totals, averages and comparisons."""
    return info.context.loaders.usage_by_span.load(period.span)


def _load_totals(
    info: Info, period: Period, wanted: Sequence[UsageSpan]
) -> Awaitable[list[UsageTotal]]:
    """Return the totals of spans of a period's filtered usage."""
    key = TotalsKey(tuple(wanted), period.filter)
    return info.context.loaders.usage_totals_by_spans.load(key)


async def _summarize(info: Info, requested: RequestedWindow, period: Period) -> Summarized:
    usage: Sequence[UsageRow] | Sequence[UsageSum]
    if period.filter != EVERYTHING:
        (total,) = await _load_totals(info, period, [spans.window_span(period, requested.zone)])
        nanos, deployments = total["spent_nanos"], total["deployments"]
        found = FilteredSummary(nanos, deployments, period, requested.complete_until)
        return Summarized(found, requested)
    if period.grain is Grain.DAY:
        usage = await load_rows(info, period)
    else:
        of_period = period_spans(period, requested.zone)
        sums = await info.context.loaders.usage_sums_by_spans.load(of_period)
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
    if isinstance(summary, FilteredSummary):
        days = await _complete_days(root, info)
        if days is None:
            return None
        (total,) = await _load_totals(info, days, [spans.window_span(days, requested.zone)])
        return divide_half_even(total["spent_nanos"], days.window.days), days.currency
    loading = load_rows(info, summary.period)
    nanos = summary.average_daily_nanos(await requested.first_day(info), await loading)
    return None if nanos is None else (nanos, summary.period.currency)


async def load_daily_deployments(root: strawberry.Parent[Summarized], info: Info) -> str | None:
    summary, requested = root
    if isinstance(summary, FilteredSummary):
        days = await _complete_days(root, info)
        if days is None:
            return None
        each_day = spans.bucket_spans(days, Interval.DAY, requested.zone)
        totals = await _load_totals(info, days, each_day)
        return ratio(sum(day["deployments"] for day in totals), days.window.days, 2)
    loading = load_rows(info, summary.period)
    return summary.average_daily_deployments(await requested.first_day(info), await loading)


async def _complete_days(root: Summarized, info: Info) -> Period | None:
    """Return the complete days of a summary's window, or None where there are none."""
    first_day = await root.requested.first_day(info)
    return complete_part(root.summary.period, first_day, root.summary.complete_until)


async def load_comparison(
    root: strawberry.Parent[RequestedWindow], info: Info
) -> series.UsageComparison | None:
    requested = root
    # An account that begins after the first of these days has nothing to compare them with.
    part = complete_part(requested.period, date.min, requested.complete_until)
    if part is None:
        return None
    before = part_before(part)
    if part.filter != EVERYTHING:
        both = [spans.window_span(each, requested.zone) for each in (part, before)]
        totals = _load_totals(info, part, both)
        first_day = await requested.first_day(info)
        now, earlier = (each["spent_nanos"] for each in await totals)
        if first_day > before.window.from_:
            return None
        return series.compare_sums(part, now, before, earlier)
    # Begun before anything is awaited: one batch with the rows of the fields beside this one.
    loading, loading_before = load_rows(info, requested.period), load_rows(info, before)
    first_day = await requested.first_day(info)
    rows, rows_before = await loading, await loading_before
    if first_day > before.window.from_:
        return None
    return series.compare(part, rows, before, rows_before)


async def load_buckets(
    root: strawberry.Parent[RequestedWindow], info: Info
) -> Sequence[series.UsageBucket]:
    requested, period, interval = root, root.period, root.interval
    if period.filter != EVERYTHING:
        each_bucket = spans.bucket_spans(period, interval, requested.zone)
        totals = await _load_totals(info, period, each_bucket)
        nanos = [total["spent_nanos"] for total in totals]
        deployments = [total["deployments"] for total in totals]
        until = requested.complete_until
        return series.filled_buckets(nanos, deployments, period, interval, until)
    # An account's own days are few; what else there is, the database adds up.
    if period.grain is Grain.DAY and reads_deployments(info.context.loaders.columns):
        rows = await load_rows(info, period)
        return series.usage_buckets(rows, period, interval, requested.complete_until)
    summed = bucket_spans(period, interval, requested.zone)
    sums = await info.context.loaders.usage_sums_by_spans.load(summed.spans)
    return summed_buckets(sums, summed, period, interval, requested.complete_until)


async def load_resources(
    root: strawberry.Parent[series.UsageBucket], info: Info
) -> list[series.ResourceQuantity]:
    bucket, period = root.bucket, root.period
    if period.filter != EVERYTHING:
        key = QuantitiesKey(period.account_id, bucket.start, bucket.end, period.filter)
        found = await info.context.loaders.usage_quantities_by_key.load(key)
        return series.resources_of(found)
    # The whole window's rows, for all its buckets at once.
    rows = await info.context.loaders.resources_by_span.load(period.span)
    return series.resources_in(rows, period.span_of(bucket))


async def load_breakdown(
    root: strawberry.Parent[RequestedWindow],
    info: Info,
    by: Annotated[UsageDimension, strawberry.argument(description="The dimension to group by.")],
    then: Annotated[
        UsageDimension | None,
        strawberry.argument(description="A second dimension, to group the usage of each row by."),
    ] = None,
    first: Annotated[
        int | None,
        strawberry.argument(
            description='Number of rows before the row "Other": 1 to 100. Default: 10.'
        ),
    ] = None,
) -> list[BreakdownRow]:
    checked_dimensions(by, then)
    span = spans.window_span(root.period, root.zone)
    key = BreakdownKey(by, checked_size(first), span, then, root.period.filter)
    rows = await info.context.loaders.breakdown_by_key.load(key)
    return breakdown_rows(rows, key, root.period.currency)


async def load_series(
    root: strawberry.Parent[RequestedWindow],
    info: Info,
    by: Annotated[UsageDimension, strawberry.argument(description="The dimension to group by.")],
    first: Annotated[
        int | None,
        strawberry.argument(
            description='Number of series before the series "Other": 1 to 25. Default: 10.'
        ),
    ] = None,
) -> list[UsageSeries]:
    period, interval = root.period, root.interval
    size = checked_series(first)
    buckets = period.window.buckets(interval)
    if not buckets:
        return []
    each_bucket = spans.bucket_spans(period, interval, root.zone)
    key = SeriesKey(by, size, each_bucket, period.filter)
    points = await info.context.loaders.usage_series_by_key.load(key)
    return usage_series(points, key, buckets, period.currency)


async def load_row_deployment(
    root: strawberry.Parent[GroupedUsage], info: Info
) -> VisibleDeployment | None:
    key = root["deployment"]
    return None if key is None else await info.context.loaders.deployment_by_id.load(key)


def sign_export_url(
    root: strawberry.Parent[RequestedWindow],
    info: Info,
    format_: Format,
    rows: Annotated[
        UsageRows, strawberry.argument(description="The rows of the file.")
    ] = UsageRows.CHARGES,
    by: Annotated[
        UsageDimension | None,
        strawberry.argument(description="The dimension of SERIES, which need one."),
    ] = None,
    then: Annotated[
        UsageDimension | None, strawberry.argument(description="A second dimension of SERIES.")
    ] = None,
) -> str:
    request = UsageExportRequest(
        window=root.window,
        interval=root.interval,
        filter=root.period.filter,
        account_id=root.period.account_id,
        rows=rows,
        by=by,
        then=then,
    )
    exported = request.parameters()
    return sign_export(info, USAGE_PATH, request.account_id, format_, exported, usage_formats(rows))
