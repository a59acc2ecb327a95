"""Usage by deployment with two filters over a year of weeks, beside the default view.

    python -m tests.bench.usage [--events 10000000] [--fewest 10000] [--databases sqlite]

Two accounts have 200 deployments each, and events in the same year. The gateway answers the
default view of weeks (buckets and summary) and series by deployment with two filters, in turn, over
one connection: in the account's own zone, in one that cuts days at an hour, and in one that cuts
hours. `read` is the relation alone, without HTTP and GraphQL, for the principal of the platform.
The spend that each view answers is compared with that of the events.

`--kept` names a folder for Postgres in which the events stay for the next run of the same day.
`--migrate` fills a database of the version before blocks, and measures their migration first, on
Postgres: see `usage_migration`.
"""

import argparse
import asyncio
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg

from gateway.billing.usage.packing import pack
from gateway.billing.usage.series import Period
from gateway.billing.usage.spans import bucket_spans
from gateway.clock import SystemClock
from gateway.ids import encode_global_id
from gateway.migrations import migrate
from gateway.money import format_amount, parse_nanos
from gateway.server.process import spare_collector
from gateway.store import Database, Snapshot
from gateway.store.rollup_spans import USAGE, Grain, RollupSpan
from gateway.store.usage_filter import UsageDimension, UsageFilter
from gateway.store.usage_series import SeriesKey, usage_series
from gateway.windows import Interval, Window, zone
from tests.bench import figures
from tests.bench.copied import copy_to_sqlite
from tests.bench.machine import postgres
from tests.bench.operations import yesterday
from tests.bench.servers import Running, Server, gateway, on_sqlite, started
from tests.bench.usage_data import YEAR, fill_usage, opened
from tests.bench.usage_migration import measure_migration
from tests.conftest import as_runtime
from tests.support.lent_databases import with_database
from tests.support.usage_rows import PLATFORM

OWN: Final = "UTC"
ZONES: Final = (OWN, "America/New_York", "Asia/Kolkata")
FILTER: Final = {"providers": ["provider 0", "provider 1"], "resources": ["GPU", "CPU"]}
SELECTED: Final = UsageFilter(providers=("provider 0", "provider 1"), resources=("CPU", "GPU"))
_WHERE: Final = "provider IN ('provider 0', 'provider 1') AND resource IN ('GPU', 'CPU')"
_WINDOW: Final = "$account: ID!, $from: Date!, $to: Date!, $zone: TimeZone!"
_USAGE: Final = "usage(interval: WEEK, from: $from, to: $to, timeZone: $zone"
DEFAULT: Final = f"""
query Default({_WINDOW}) {{ account(id: $account) {{ {_USAGE}) {{
  summary {{ totalSpend {{ amount }} }}
  buckets {{ start end spend {{ amount }} cumulativeSpend {{ amount }} deployments }}
}} }} }}
"""
SERIES: Final = f"""
query Series({_WINDOW}, $filter: UsageFilter) {{ account(id: $account) {{
  {_USAGE}, filter: $filter) {{ series(by: DEPLOYMENT) {{
    group key label spend {{ amount }} share points {{ start spend {{ amount }} }}
  }} }}
}} }}
"""


class Client:
    """One connection that sends the two views, and checks their sums."""

    def __init__(self, running: Running, last_day: date) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)
        self.headers = {**running.server.headers, "content-type": "application/json"}
        self.last_day = last_day

    def send(self, query: str, account: int, zone_name: str) -> tuple[float, Any]:
        """Return the milliseconds until the answer, and the usage."""
        # A day more at each end, because the zone's first and last days begin elsewhere.
        variables = {
            "account": encode_global_id("Account", account),
            "from": (self.last_day - timedelta(days=YEAR)).isoformat(),
            "to": (self.last_day + timedelta(days=1)).isoformat(),
            "zone": zone_name,
            **({"filter": FILTER} if query is SERIES else {}),
        }
        body = json.dumps({"query": query, "variables": variables})
        began = time.perf_counter()
        self.connection.request("POST", "/graphql", body, self.headers)
        answer: dict[str, Any] = json.loads(self.connection.getresponse().read())
        took = (time.perf_counter() - began) * 1000
        if answer.get("errors"):
            raise SystemExit(f"{zone_name}: {answer['errors']}")
        return took, answer["data"]["account"]["usage"]

    def check(self, account: int, zone_name: str, everything: int, selected: int) -> None:
        _, default = self.send(DEFAULT, account, zone_name)
        _, usage = self.send(SERIES, account, zone_name)
        found = sum(parse_nanos(each["spend"]["amount"]) for each in usage["series"])
        if default["summary"]["totalSpend"]["amount"] != format_amount(everything, "USD"):
            raise SystemExit(f"{zone_name}: the default view is not the sum of the events.")
        if found != selected:
            raise SystemExit(f"{zone_name}: {found} nanos are not the events' {selected}.")


async def sums_of(url: str) -> Mapping[int, tuple[int, int]]:
    """Return each account's nanos, of all events and of those that the filter selects."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        f"SELECT account_id, sum(amount_nanos)::bigint, sum(amount_nanos) FILTER (WHERE {_WHERE})"
        "::bigint FROM usage_event GROUP BY 1",
        timeout=None,
    )
    await connection.close()
    return {row[0]: (row[1], row[2]) for row in rows}


async def median_of(read: Callable[[], Awaitable[object]], times: int) -> float:
    """Return the median milliseconds of a read."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await read()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def key_of(account: int, zone_name: str, first_day: date, last_day: date) -> SeriesKey:
    """Return the key of series by deployment with two filters."""
    period = Period(
        account_id=account,
        currency="USD",
        window=Window(from_=first_day, to=last_day, zone=zone(zone_name)),
        grain=Grain.SLOT,
        filter=SELECTED,
    )
    buckets = bucket_spans(period, Interval.WEEK, zone(OWN))
    return SeriesKey(UsageDimension.DEPLOYMENT, 10, buckets, SELECTED)


async def relations(
    database: Database, account: int, last_day: date, requests: int
) -> Mapping[str, float]:
    """Return the milliseconds of the default view's relation (`default`) and of series by zone."""
    first_day = last_day - timedelta(days=YEAR)
    end = last_day + timedelta(days=1)
    span = RollupSpan(account, Grain.DAY, first_day, end)
    found: dict[str, float] = {}
    async with Snapshot(database, PLATFORM) as snapshot:
        found["default"] = await median_of(
            lambda: USAGE.fetch(snapshot, PLATFORM, [span]), requests
        )
        for name in ZONES:
            key = key_of(account, name, first_day, end)
            read = partial(usage_series, snapshot, PLATFORM, [key])
            found[name] = await median_of(read, requests)
    return found


def requests_of(
    running: Running, account: int, last_day: date, requests: int, sums: tuple[int, int]
) -> Mapping[str, float]:
    """Return the milliseconds of requests, as `relations` does those of reads."""
    client = Client(running, last_day)
    times: dict[str, list[float]] = {"default": [], **{name: [] for name in ZONES}}
    for name in ZONES:
        client.check(account, name, *sums)
    for _ in range(requests):
        times["default"].append(client.send(DEFAULT, account, OWN)[0])
        for name in ZONES:
            times[name].append(client.send(SERIES, account, name)[0])
    return {name: statistics.median(each) for name, each in times.items()}


def show(title: str, found: Mapping[str, float]) -> None:
    cells = "".join(f"{each:>9.2f}{each / found['default']:>6.1f}×" for each in found.values())
    print(f"{title:<36}{cells}", flush=True)


async def measure(
    name: str, running: Running, url: str, counts: Mapping[int, int], options: argparse.Namespace
) -> figures.Figures:
    """Print a line for each account, of reads and of requests; return the largest ratios."""
    last_day, sums = options.last_day, options.sums
    found: dict[str, list[Mapping[str, float]]] = {"read": [], "request": []}
    async with opened(url) as database:
        for account, count in counts.items():
            reads = await relations(database, account, last_day, options.requests)
            whole = await asyncio.to_thread(
                requests_of, running, account, last_day, options.requests, sums[account]
            )
            for kind, each in (("read", reads), ("request", whole)):
                show(f"{name} {kind}, {count:,} events", each)
                found[kind].append(each)
    figures_found: dict[str, float] = {}
    for kind, lines in found.items():
        for zone_name in ZONES:
            path = f"usage/{name}/{kind}/{zone_name}"
            ratios = [each[zone_name] / each["default"] for each in lines]
            figures_found[f"{path}/ratio"] = max(ratios)
            figures_found[f"{path}/growth"] = lines[-1][zone_name] / lines[0][zone_name]
            print(
                f"{name} {kind} {zone_name}: most to fewest {figures_found[f'{path}/growth']:.2f}"
            )
    return figures_found


async def filled(owner_url: str, counts: Mapping[int, int], last_day: date) -> str:
    """Return the URL of a migrated database with the events, made now if there is none yet."""
    name = "_".join(["usage", *map(str, counts.values()), f"{last_day:%Y%m%d}"])
    url = with_database(owner_url, name)
    owner = await asyncpg.connect(owner_url)
    is_new = not await owner.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name)
    if is_new:
        await owner.execute(f"CREATE DATABASE {name}")
    await owner.close()
    await migrate(url, runtime_url=as_runtime(url))
    if is_new:
        began = time.perf_counter()
        await fill_usage(url, counts, last_day)
        print(f"Filled in {time.perf_counter() - began:.0f} s", flush=True)
    return url


async def prepare(url: str) -> Mapping[int, tuple[int, int]]:
    """Pack the days of a filled Postgres; return the sums of the events."""
    began = time.perf_counter()
    async with opened(url) as database:
        days = await pack(database, SystemClock())
    print(f"{days} days packed in {time.perf_counter() - began:.1f} s", flush=True)
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.close()
    return await sums_of(url)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.usage", description=__doc__)
    parser.add_argument("--fewest", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=10_000_000, help="of the other account")
    parser.add_argument("--requests", type=int, default=40, help="of each view")
    parser.add_argument("--migrate", action="store_true", help="measure the migration too")
    names = ("postgresql", "sqlite")
    parser.add_argument("--databases", nargs="+", choices=names, default=names)
    parser.add_argument("--kept", type=Path, help="a folder for Postgres")
    figures.add_option(parser)
    options = parser.parse_args()
    options.last_day = yesterday()
    counts = {1: options.fewest, 2: options.events}
    # As in the gateway; the reads are measured in this process.
    spare_collector()
    with postgres(options.kept) as server, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        url = asyncio.run(filled(server.url, counts, options.last_day))
        if options.migrate:
            found = asyncio.run(measure_migration(url, counts, options.last_day))
            figures.write(options.figures, found)
            options.sums = asyncio.run(sums_of(url))
        else:
            options.sums = asyncio.run(prepare(url))
        sqlite = Path(folder) / "gateway.sqlite3"
        servers: dict[str, tuple[Server, str]] = {}
        if "postgresql" in options.databases:
            servers["postgresql"] = (gateway(), as_runtime(url))
        if "sqlite" in options.databases:
            asyncio.run(copy_to_sqlite(url, sqlite))
            servers["sqlite"] = (on_sqlite(), f"sqlite:///{sqlite}")
        print(f"{'milliseconds, × the default view':<36}{'default':>16}", end="")
        print("".join(f"{name:>16}" for name in ZONES))
        for name, (each, served_url) in servers.items():
            with started(each, url, sqlite=sqlite) as running:
                found = asyncio.run(measure(name, running, served_url, counts, options))
            figures.write(options.figures, found)


if __name__ == "__main__":
    main()
