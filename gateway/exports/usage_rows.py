"""Aggregated usage for files: a row for each bucket, or for each value and bucket."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TypedDict

from gateway.billing.usage.breakdown import NamedValue, ShownValue, shown_value
from gateway.billing.usage.series import period_of
from gateway.billing.usage.spans import bucket_spans
from gateway.exports.request import UsageExportRequest
from gateway.principal import Principal
from gateway.store import usage_tables
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.halves import HALF
from gateway.store.rows import AccountRow
from gateway.store.usage_filter import UsageDimension
from gateway.store.usage_tables import ROWS, TableKey, TableRow
from gateway.store.usage_totals import TotalsKey, usage_totals
from gateway.windows import zone


class AggregatedUsage(TypedDict, total=False):
    """A row of a file: its bucket, nanos, and how many distinct deployments were active. The rows
    of series have the value; `then_…` is that of the second dimension.
    """

    start: datetime
    end: datetime
    spent_nanos: int
    deployments: int
    group: str
    key: str | None
    label: str
    then_group: str
    then_key: str | None
    then_label: str


def table_key(account: AccountRow, request: UsageExportRequest) -> TableKey:
    """Return the buckets and dimensions of a request for SERIES."""
    period = period_of(account, request.window)
    spans = bucket_spans(period, request.interval, zone(account["time_zone"]))
    by = tuple(each for each in (request.by, request.then) if each is not None)
    return TableKey(by, spans, request.filter)


async def buckets(
    stream: Stream, principal: Principal, account: AccountRow, request: UsageExportRequest
) -> AsyncGenerator[Chunk[AggregatedUsage]]:
    """Yield every bucket, those without usage too."""
    key = table_key(account, request)
    (totals,) = await usage_totals(stream, principal, [TotalsKey(key.buckets, key.filter)])
    series = request.window.buckets(request.interval)
    for first in range(0, len(series), ROWS):
        some, sums = series[first : first + ROWS], totals[first : first + ROWS]
        yield Chunk(
            {
                "start": [bucket.start for bucket in some],
                "end": [bucket.end for bucket in some],
                "spent_nanos": [total["spent_nanos"] for total in sums],
                "deployments": [total["deployments"] for total in sums],
            }
        )


async def series(
    stream: Stream, principal: Principal, account: AccountRow, request: UsageExportRequest
) -> AsyncGenerator[Chunk[AggregatedUsage]]:
    """Yield a row for each value in each bucket in which it has charges."""
    key = table_key(account, request)
    series_of = request.window.buckets(request.interval)
    async with aclosing(usage_tables.rows(stream, principal, key)) as chunks:
        async for chunk in chunks:
            some = [series_of[bucket] for bucket in chunk.column("bucket")]
            columns: dict[str, Sequence[object]] = {
                "start": [bucket.start for bucket in some],
                "end": [bucket.end for bucket in some],
                "spent_nanos": _nanos(chunk),
                "deployments": chunk.column("deployments"),
            }
            names = (("", "key", "label"), ("then_", "child", "child_label"))
            for (prefix, stored, label), by in zip(names, key.by, strict=False):
                shown = _shown(chunk, stored, label, by, account["account_id"])
                columns[f"{prefix}group"] = [each.group for each in shown]
                columns[f"{prefix}key"] = [each.key for each in shown]
                columns[f"{prefix}label"] = [each.label for each in shown]
            yield Chunk(columns)


def _nanos(chunk: Chunk[TableRow]) -> list[int]:
    lower = map(int, chunk.column("spent_nanos"))
    if "spent_nanos_high" not in chunk.columns:
        return [*lower]
    upper = chunk.column("spent_nanos_high")
    return [low + (int(high) << HALF) for low, high in zip(lower, upper, strict=True)]


def _shown(
    chunk: Chunk[TableRow], stored: str, label: str, by: UsageDimension, account_id: int
) -> list[ShownValue]:
    values = chunk.column(stored)
    labels = chunk.column(label) if label in chunk.columns else [None] * len(values)
    return [
        shown_value(NamedValue(value, name, is_rest=False), by, account_id)
        for value, name in zip(values, labels, strict=True)
    ]
