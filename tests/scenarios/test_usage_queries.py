"""Random usage queries (filter, grouping, zone, window, interval) beside sums over the raw events.

`make usage-queries` runs 500 of them on each database.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from math import inf
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.billing.usage.packing import pack
from gateway.clock import FixedClock
from gateway.exports.export import ExportFormat
from gateway.exports.open import open_usage
from gateway.exports.request import FILTERS, UsageExportRequest, UsageRows
from gateway.ids import encode_global_id
from gateway.settings.documents import DocumentSettings
from gateway.store import Database
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Interval, Window
from resolvers.schema import build_schema
from tests.support.books import ACTOR
from tests.support.calendars import intervals
from tests.support.graph import PLATFORM, ask, make_engines
from tests.support.usage_cases import cases
from tests.support.usage_files import figures_of
from tests.support.usage_rows import Event, Facts, deployment_id, insert_facts, shown_day

EXAMPLES = int(os.environ.get("EXAMPLES", "15"))
LATER = datetime(2102, 1, 1, tzinfo=UTC)
UNLIMITED = make_engines(build_schema(), DocumentSettings(operation_rows=10_000_000))
"""The query has every view at once, over windows of up to a year."""
PARAMETERS = {"interval", "from", "to", "timeZone", *FILTERS, "rows", "by", "then"}
FIELDS = {
    UsageDimension.DEPLOYMENT: "deployment",
    UsageDimension.PROVIDER: "provider",
    UsageDimension.GPU_MODEL: "gpu_model",
    UsageDimension.PROJECT: "project",
    UsageDimension.RESOURCE: "resource",
}
FILES = [
    (rows, format_)
    for rows in UsageRows
    for format_ in ExportFormat
    if rows is UsageRows.CHARGES or format_ is not ExportFormat.FOCUS
]
QUERY = """
query ($id: ID!, $from: Date!, $to: Date!, $zone: TimeZone!, $interval: UsageInterval!,
       $filter: UsageFilter, $by: UsageDimension!, $then: UsageDimension!,
       $rows: Int!, $first: Int!) {
  account(id: $id) { usage(
    from: $from, to: $to, timeZone: $zone, interval: $interval, filter: $filter
  ) {
    summary {
      totalSpend { amount } totalDeployments averageDailySpend { amount } averageDailyDeployments
    }
    comparison { from to current { amount } previousFrom previousTo previous { amount } }
    buckets {
      start spend { amount } cumulativeSpend { amount } deployments
      resources { resource unit quantity }
    }
    series(by: $by, first: $first) {
      group key label spend { amount } points { start spend { amount } }
    }
    breakdown(by: $by, then: $then, first: $rows) {
      group key spend { amount } share deployments
      children { group key spend { amount } share deployments }
    }
    alone: breakdown(by: $then, first: $rows) {
      group key spend { amount } deployments children { key }
    }
    chargesUrl: exportUrl(format: CSV)
    bucketsUrl: exportUrl(format: JSONL, rows: BUCKETS)
    seriesUrl: exportUrl(format: CSV, rows: SERIES, by: $by, then: $then)
  } }
}
"""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A usage query; the filter's values are those of events, a deployment's its ordinal. The days
    of the first part of the window are `packed`, a share of it; those with `quartered_from` events
    for each row of activity with their quarter hours.
    """

    interval: Interval
    filter: dict[UsageDimension, list[Any]]
    by: UsageDimension
    then: UsageDimension
    rows: int
    first: int
    files: list[tuple[UsageRows, ExportFormat]]
    packed: float | None
    quartered_from: float


VALUES: dict[UsageDimension, list[Any]] = {
    UsageDimension.DEPLOYMENT: [None, 0, 1, 7, 8, 300, 999, "another account's", "no id"],
    UsageDimension.PROVIDER: [None, "akash", "Zürich", "a b", "Akash", "", "\0", "\ud800"],
    UsageDimension.GPU_MODEL: [None, "H100", "a100", "x" * 300],
    UsageDimension.PROJECT: [None, "search", "ümlaut", "nothing"],
    UsageDimension.RESOURCE: ["GPU", "CPU", "OTHER", "IP", "Gpu"],
}
ARGUMENTS = dict(zip(VALUES, FILTERS, strict=True))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    by, then = draw(st.permutations(list(UsageDimension)))[:2]
    filtered = draw(st.lists(st.sampled_from(list(VALUES)), unique=True, max_size=3))
    return Query(
        interval=draw(intervals),
        filter={
            each: draw(st.lists(st.sampled_from(VALUES[each]), unique=True, max_size=5))
            for each in filtered
        },
        by=by,
        then=then,
        rows=draw(st.integers(1, 4)),
        first=draw(st.integers(1, 4)),
        files=draw(st.lists(st.sampled_from(FILES), min_size=2, max_size=2, unique=True)),
        packed=draw(st.sampled_from([None, 0.4, 1.2])),
        quartered_from=draw(st.sampled_from([0, 1.5, inf])),
    )


def sent(query: Query, facts: Facts) -> dict[str, list[str | None]]:
    """Return the filter as a client writes it."""
    return {
        ARGUMENTS[dimension]: [
            written(value, facts.account_id) if dimension is UsageDimension.DEPLOYMENT else value
            for value in values
        ]
        for dimension, values in query.filter.items()
    }


def written(deployment: Any, account_id: int) -> str | None:
    if deployment is None or deployment == "no id":
        return deployment and str(deployment)
    if deployment == "another account's":
        return encode_global_id("Deployment", account_id + 1, deployment_id(1))
    return encode_global_id("Deployment", account_id, deployment_id(deployment))


def nanos(money: Any) -> int:
    return int(Fraction(money["amount"]) * 10**9)


def spent(events: Sequence[Event]) -> int:
    return sum(event.nanos for event in events)


def active(events: Sequence[Event]) -> int:
    return len(
        {
            event.deployment
            for event in events
            if event.deployment is not None and not event.correction
        }
    )


def share(part: int, whole: int) -> Fraction | None:
    return round(Fraction(part, whole), 6) if whole else None


class Comparing:
    """Compares figures, and counts them."""

    def __init__(self) -> None:
        self.figures = 0

    def same(self, found: object, expected: object) -> None:
        assert found == expected
        self.figures += 1


@pytest.fixture
def comparing(capsys: pytest.CaptureFixture[str]) -> Iterator[Comparing]:
    counted = Comparing()
    yield counted
    if "EXAMPLES" in os.environ:
        with capsys.disabled():
            print(f"\n{counted.figures:,} figures compared")


@settings(max_examples=EXAMPLES)
@given(case=cases(), query=queries())
async def test_every_view_is_that_of_the_raw_events(
    database: Database, comparing: Comparing, case: tuple[Window, Facts], query: Query
) -> None:
    window, facts = case
    await insert_facts(database, facts)
    if query.packed is not None:
        now = window.start + query.packed * (window.end - window.start)
        clock = FixedClock(min(now, LATER))
        await pack(database, clock, quartered_from=query.quartered_from)
    variables = {
        "id": encode_global_id("Account", facts.account_id),
        "from": str(window.from_),
        "to": str(window.to),
        "zone": window.time_zone,
        "interval": query.interval.value,
        "filter": sent(query, facts),
        "by": query.by.value,
        "then": query.then.value,
        "rows": query.rows,
        "first": query.first,
    }
    reply = await ask(database, PLATFORM, QUERY, variables, engines=UNLIMITED, now=LATER)
    assert reply.errors == []
    usage = reply.data["account"]["usage"]

    def selected(from_: date, to: date) -> list[Event]:
        days = ((shown_day(each.at, window.time_zone), each) for each in facts.events)
        return [each for day, each in days if from_ <= day <= to and passes(each, query)]

    events = selected(window.from_, window.to)
    check_totals(comparing, usage, events, selected)
    buckets = check_buckets(comparing, usage["buckets"], events)
    check_series(comparing, usage["series"], query, facts, buckets)
    for row, mine in check_rows(comparing, usage["breakdown"], events, query.by, query.rows, facts):
        check_rows(comparing, row["children"], mine, query.then, 25, facts)
        for child in row["children"]:
            part = share(nanos(child["spend"]), nanos(row["spend"]))
            comparing.same(child["share"] and Fraction(child["share"]), part)
    for row, _ in check_rows(comparing, usage["alone"], events, query.then, query.rows, facts):
        comparing.same(row["children"], [])
    urls = {rows: usage[f"{rows.lower()}Url"] for rows in UsageRows}
    for rows, format_ in FILES if "EXAMPLES" in os.environ else query.files:
        expected = rows_expected(rows, format_, query, facts, buckets)
        request = request_of(urls[rows], facts)
        await check_file(database, comparing, request, facts, format_, expected)


def passes(event: Event, query: Query) -> bool:
    return all(
        getattr(event, FIELDS[dimension]) in values for dimension, values in query.filter.items()
    )


def check_totals(
    comparing: Comparing,
    usage: dict[str, Any],
    events: list[Event],
    selected: Callable[[date, date], list[Event]],
) -> None:
    summary, comparison = usage["summary"], usage["comparison"]
    comparing.same(nanos(summary["totalSpend"]), spent(events))
    comparing.same(summary["totalDeployments"], active(events))
    if comparison is not None:
        days = [
            [date.fromisoformat(comparison[name]) for name in names]
            for names in (("from", "to"), ("previousFrom", "previousTo"))
        ]
        now, before = (spent(selected(*each)) for each in days)
        comparing.same(nanos(comparison["current"]), now)
        comparing.same(nanos(comparison["previous"]), before)


def check_buckets(
    comparing: Comparing, found: list[dict[str, Any]], events: list[Event]
) -> dict[str, list[Event]]:
    """Compare the buckets; return the events of each by its start."""
    starts = [datetime.fromisoformat(bucket["start"]) for bucket in found]
    running, buckets = 0, {}
    for bucket, start, end in zip(found, starts, [*starts[1:], LATER], strict=True):
        mine = [event for event in events if start <= event.at < end]
        running += spent(mine)
        buckets[bucket["start"]] = mine
        comparing.same(nanos(bucket["spend"]), spent(mine))
        comparing.same(nanos(bucket["cumulativeSpend"]), running)
        comparing.same(bucket["deployments"], active(mine))
        leased: dict[tuple[str, str], int] = defaultdict(int)
        for event in mine:
            leased[event.resource, event.unit] += event.quantity_nanos
        comparing.same(
            {
                (each["resource"], each["unit"]): int(Fraction(each["quantity"]) * 10**9)
                for each in bucket["resources"]
            },
            dict(leased),
        )
    assert running == spent(events)
    return buckets


def grouped(
    events: Sequence[Event], dimension: UsageDimension, size: int, facts: Facts
) -> list[tuple[str, str | None, list[Event]]]:
    """Return the groups to show, in order: kind, key and events."""
    groups: dict[Any, list[Event]] = defaultdict(list)
    for event in events:
        groups[getattr(event, FIELDS[dimension])].append(event)

    def place(item: tuple[Any, list[Event]]) -> tuple[object, ...]:
        value, mine = item
        key = -value if isinstance(value, int) else str(value).encode()
        return -spent(mine), value is None, value is None or key

    charged = [(value, mine) for value, mine in groups.items() if is_charged(mine)]
    ranked = sorted(charged, key=place)
    shown = [
        ("NONE" if value is None else "VALUE", key_of(value, facts), mine)
        for value, mine in ranked[:size]
    ]
    rest = [event for _, mine in ranked[size:] for event in mine]
    return [*shown, ("OTHER", None, rest)] if len(ranked) > size else shown


def is_charged(events: Sequence[Event]) -> bool:
    """Corrections that add up to nothing are no usage to show."""
    return spent(events) != 0 or not all(event.correction for event in events)


def pairs(events: Sequence[Event], query: Query) -> dict[tuple[Any, Any], list[Event]]:
    found: dict[tuple[Any, Any], list[Event]] = defaultdict(list)
    for event in events:
        value, child = (getattr(event, FIELDS[each]) for each in (query.by, query.then))
        found[value, child].append(event)
    return found


def named(value: Any, facts: Facts) -> tuple[str, str | None]:
    return "NONE" if value is None else "VALUE", key_of(value, facts)


def key_of(value: Any, facts: Facts) -> str | None:
    return written(value, facts.account_id) if isinstance(value, int) else value


def check_rows(
    comparing: Comparing,
    found: list[dict[str, Any]],
    events: Sequence[Event],
    dimension: UsageDimension,
    size: int,
    facts: Facts,
) -> list[tuple[dict[str, Any], list[Event]]]:
    """Compare grouped rows; return each with its events."""
    groups = grouped(events, dimension, size, facts)
    comparing.same(
        [(row["group"], row["key"], nanos(row["spend"]), row["deployments"]) for row in found],
        [(kind, key, spent(mine), active(mine)) for kind, key, mine in groups],
    )
    assert sum(nanos(row["spend"]) for row in found) == spent(events)
    return [(row, mine) for row, (_, _, mine) in zip(found, groups, strict=True)]


def check_series(
    comparing: Comparing,
    found: list[dict[str, Any]],
    query: Query,
    facts: Facts,
    buckets: dict[str, list[Event]],
) -> None:
    events = [event for mine in buckets.values() for event in mine]
    groups = grouped(events, query.by, query.first, facts)
    comparing.same(
        [(each["group"], each["key"], nanos(each["spend"])) for each in found],
        [(kind, key, spent(mine)) for kind, key, mine in groups],
    )
    sums: Counter[str] = Counter()
    for each, (_, _, mine) in zip(found, groups, strict=True):
        assert [point["start"] for point in each["points"]] == list(buckets)
        for point in each["points"]:
            own = [event for event in buckets[point["start"]] if event in mine]
            comparing.same(nanos(point["spend"]), spent(own))
            sums[point["start"]] += nanos(point["spend"])
    for start, mine in buckets.items():
        assert sums[start] == spent(mine)


def request_of(url: str, facts: Facts) -> UsageExportRequest:
    """Read a link's request back."""
    parameters = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return UsageExportRequest.read(
        {name: text for name, text in parameters.items() if name in PARAMETERS},
        facts.account,
        LATER,
    )


async def check_file(
    database: Database,
    comparing: Comparing,
    request: UsageExportRequest,
    facts: Facts,
    format_: ExportFormat,
    expected: Counter[tuple[Any, ...]],
) -> None:
    """Compare a file with its rows as the raw events have them."""
    async with database.exporting(ACTOR) as stream:
        opened = await open_usage(stream, PLATFORM, facts.account, request, format_)
        parts = [part async for part in opened.parts()]
    content = b"".join(part.content for part in parts)
    comparing.same(figures_of(format_, request.rows, content), expected)
    comparing.figures += sum(map(len, expected.elements()))
    counts = (opened.rows, sum(part.rows for part in parts))
    comparing.same(counts, (expected.total(), expected.total()))


def rows_expected(
    rows: UsageRows,
    format_: ExportFormat,
    query: Query,
    facts: Facts,
    buckets: dict[str, list[Event]],
) -> Counter[tuple[Any, ...]]:
    """Return the rows of a file, by its COLUMNS."""
    if rows is UsageRows.CHARGES:
        events = (each for mine in buckets.values() for each in mine)
        if format_ is ExportFormat.FOCUS:  # whole seconds
            events = (replace(each, at=each.at.replace(microsecond=0)) for each in events)
        return Counter(map(charge_of, events))
    if rows is UsageRows.BUCKETS:
        return Counter(
            (datetime.fromisoformat(at), spent(mine), active(mine)) for at, mine in buckets.items()
        )
    return Counter(
        (
            *(datetime.fromisoformat(at), *named(value, facts), *named(child, facts)),
            *(spent(mine), active(mine)),
        )
        for at, events in buckets.items()
        for (value, child), mine in pairs(events, query).items()
        if is_charged(mine)
    )


def charge_of(event: Event) -> tuple[Any, ...]:
    name = None if event.deployment is None else f"external-{event.deployment}"
    return (
        *(event.at, name, event.provider, event.gpu_model, event.project),
        *(event.resource, event.unit, event.quantity_nanos, event.nanos),
    )
