"""Buckets, totals and breakdowns against the raw events, in random zones and windows."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.balance.history import balance_buckets, opening_key
from gateway.billing.usage.breakdown import OTHER, breakdown_rows
from gateway.billing.usage.series import UsageSummary, period_of, resources_in, usage_buckets
from gateway.billing.usage.spans import usage_span
from gateway.billing.usage.summed_series import bucket_spans, period_spans, summed_buckets
from gateway.ids import encode_global_id
from gateway.money import MAX_NANOS
from gateway.store import Database, Snapshot
from gateway.store.breakdowns import BreakdownKey
from gateway.store.usage_filter import UsageDimension
from gateway.store.usage_sums import usage_sums
from gateway.windows import Interval, Window, zone
from loaders.operation import Loaders
from tests.support.books import ACTOR
from tests.support.calendars import intervals
from tests.support.usage_cases import cases
from tests.support.usage_rows import (
    PLATFORM,
    Event,
    Facts,
    deployment_id,
    insert_facts,
    shown_day,
)

NAMES = {
    UsageDimension.DEPLOYMENT: "deployment",
    UsageDimension.PROVIDER: "provider",
    UsageDimension.GPU_MODEL: "gpu_model",
    UsageDimension.PROJECT: "project",
    UsageDimension.RESOURCE: "resource",
}
SIGNS = {
    "purchased_nanos": 1,
    "bonus_nanos": 1,
    "refunded_nanos": -1,
    "spent_nanos": -1,
    "adjusted_nanos": 1,
}
LATER = datetime(2102, 1, 1, tzinfo=UTC)


def bucket_name(day: date, interval: Interval) -> tuple[int, ...]:
    match interval:
        case Interval.DAY:
            return day.timetuple()[:3]
        case Interval.WEEK:
            return day.isocalendar()[:2]
        case Interval.MONTH:
            return day.timetuple()[:2]
    return day.timetuple()[:1]


def active(events: list[Event]) -> set[int]:
    return {
        event.deployment
        for event in events
        if event.deployment is not None and not event.correction
    }


def quantities(events: list[Event]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for event in events:
        found[event.resource, event.unit] += event.quantity_nanos
    return found


@given(case=cases(), interval=intervals)
async def test_buckets_and_summary_are_those_of_the_raw_events(
    database: Database, case: tuple[Window, Facts], interval: Interval
) -> None:
    window, facts = case
    await insert_facts(database, facts)
    period = period_of(facts.account, window)
    async with Snapshot(database, ACTOR) as snapshot:
        loaders = Loaders(snapshot, PLATFORM)
        rows = await loaders.usage_by_span.load(period.span)
        stored = await loaders.resources_by_span.load(period.span)
        account_zone = zone(facts.account["time_zone"])
        spans = bucket_spans(period, interval, account_zone)
        series = [spans.spans, period_spans(period, account_zone)]
        sums, of_period = await usage_sums(snapshot, PLATFORM, series)
        spends, _ = await usage_sums(snapshot, PLATFORM, series, frozenset({"spent_nanos"}))
    buckets = usage_buckets(rows, period, interval, LATER)
    assert [*summed_buckets(sums, spans, period, interval, LATER)] == [*buckets]
    assert [*summed_buckets(spends, spans, period, interval, LATER)] == [
        each._replace(deployments=0) for each in buckets
    ]
    summary, summed = (
        UsageSummary(usage=usage, period=period, complete_until=LATER)
        for usage in (rows, [*chain.from_iterable(of_period)])
    )
    assert summed.total_nanos == summary.total_nanos
    assert summed.total_deployments == summary.total_deployments

    days = {event.at: shown_day(event.at, window.time_zone) for event in facts.events}
    inside = [event for event in facts.events if window.from_ <= days[event.at] <= window.to]
    running = 0
    for bucket in buckets:
        name = bucket_name(shown_day(bucket.bucket.start, window.time_zone), interval)
        mine = [event for event in inside if bucket_name(days[event.at], interval) == name]
        running += sum(event.nanos for event in mine)
        assert bucket.spent_nanos == sum(event.nanos for event in mine)
        assert bucket.cumulative_nanos == running
        assert bucket.deployments == len(active(mine))
        leased = resources_in(stored, period.span_of(bucket.bucket))
        assert {(each.resource, each.unit): each.quantity_nanos for each in leased} == quantities(
            mine
        )
    assert running == summary.total_nanos == sum(event.nanos for event in inside)
    assert summary.total_deployments == len(active(inside))


@given(case=cases(), dimension=st.sampled_from(UsageDimension), size=st.integers(1, 6))
async def test_breakdown_is_that_of_the_raw_events(
    database: Database, case: tuple[Window, Facts], dimension: UsageDimension, size: int
) -> None:
    await check_breakdown(database, *case, dimension, size)


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_a_breakdown_of_large_sums_is_exact(database: Database, size: int) -> None:
    # No day alone is too large.
    amounts = {"a": (1, 1), "b": (1, 1, 1), "c": (-1, -1), "d": (1,), "e": (-1,)}
    flat = [(name, sign) for name, signs in amounts.items() for sign in signs]
    events = [
        Event(
            at=datetime(2026, 11, day, 12, tzinfo=UTC),
            nanos=sign * MAX_NANOS,
            provider=name,
            correction=sign < 0,
        )
        for day, (name, sign) in enumerate(flat, start=1)
    ]
    window = Window(from_=date(2026, 11, 1), to=date(2026, 11, 30), zone=zone("UTC"))
    facts = Facts(account_id=1, events=events)
    await check_breakdown(database, window, facts, UsageDimension.PROVIDER, size)


async def check_breakdown(
    database: Database, window: Window, facts: Facts, dimension: UsageDimension, size: int
) -> None:
    await insert_facts(database, facts)
    span = usage_span(facts.account_id, zone(facts.time_zone), window.start, window.end)
    key = BreakdownKey(dimension, size, span)
    async with Snapshot(database, ACTOR) as snapshot:
        loaded = await Loaders(snapshot, PLATFORM).breakdown_by_key.load(key)
        found = breakdown_rows(loaded, key, "USD")
        # Names of deployments are another one; a day that the clocks skipped takes none.
        is_skipped = window.start == window.end
        assert snapshot.statements == (not is_skipped) + any("label" in row for row in loaded)

    groups: dict[object, list[Event]] = defaultdict(list)
    for event in facts.events:
        if window.from_ <= shown_day(event.at, window.time_zone) <= window.to:
            groups[getattr(event, NAMES[dimension])].append(event)
    charged = ((name, mine) for name, mine in groups.items() if _is_charged(mine))
    ranked = sorted(charged, key=lambda group: _place(*group))
    rows = [(*_name(dimension, facts, name), mine) for name, mine in ranked[:size]]
    if rest := [event for _, mine in ranked[size:] for event in mine]:
        rows.append((None, OTHER, rest))
    total = sum(event.nanos for _, _, mine in rows for event in mine)
    assert [
        (row["key"], row["label"], row["spent_nanos"], row["deployments"]) for row in found
    ] == [
        (name, label, sum(event.nanos for event in mine), len(active(mine)))
        for name, label, mine in rows
    ]
    assert [row["share"] and Fraction(row["share"]) for row in found] == [
        round(Fraction(row["spent_nanos"], total), 6) if total else None for row in found
    ]


def _is_charged(events: list[Event]) -> bool:
    """Corrections that add up to nothing are no usage to show."""
    return sum(event.nanos for event in events) != 0 or any(not each.correction for each in events)


def _place(name: object, events: list[Event]) -> tuple[object, ...]:
    """By spend, descending, then key: a deployment's key descends as its ordinal grows."""
    key = -name if isinstance(name, int) else str(name).encode()
    return -sum(event.nanos for event in events), name is None, name is None or key


def _name(dimension: UsageDimension, facts: Facts, name: object) -> tuple[str | None, str]:
    if dimension is UsageDimension.DEPLOYMENT:
        if not isinstance(name, int):
            return None, "No deployment"
        label = f"name-{name}" if name % 2 else f"external-{name}"
        return encode_global_id("Deployment", facts.account_id, deployment_id(name)), label
    if name is None:
        unnamed = {
            UsageDimension.PROVIDER: "Unknown provider",
            UsageDimension.GPU_MODEL: "No GPU model",
            UsageDimension.PROJECT: "No project",
        }
        return None, unnamed[dimension]
    label = "Other resources" if name == "OTHER" else str(name)
    return str(name), label


@given(case=cases(), interval=intervals)
async def test_balances_move_by_what_happened_in_each_bucket(
    database: Database, case: tuple[Window, Facts], interval: Interval
) -> None:
    window, facts = case
    await insert_facts(database, facts)
    period = period_of(facts.account, window)
    key = opening_key(period, zone(facts.time_zone))
    async with Snapshot(database, ACTOR) as snapshot:
        loaders = Loaders(snapshot, PLATFORM)
        opening = await loaders.balance_by_instant.load(key)
        rows = await loaders.flows_by_span.load(period.span)
    buckets = balance_buckets(opening, rows, period, interval, LATER)

    spent = [(event.at, "spent_nanos", event.nanos) for event in facts.events]
    happened = [
        (shown_day(at, window.time_zone), flow, nanos) for at, flow, nanos in [*facts.flows, *spent]
    ]
    balance = sum(SIGNS[flow] * nanos for day, flow, nanos in happened if day < window.from_)
    for bucket in buckets:
        assert bucket["opening_nanos"] == balance
        flows: Mapping[str, object] = bucket
        name = bucket_name(shown_day(bucket["start"], window.time_zone), interval)
        for flow, sign in SIGNS.items():
            moved = sum(
                nanos
                for day, each, nanos in happened
                if each == flow
                and window.from_ <= day <= window.to
                and bucket_name(day, interval) == name
            )
            assert flows[flow] == moved
            balance += sign * moved
        assert bucket["closing_nanos"] == balance
