"""A year of weeks of an account with few and of one with many stored usage events.

    python -m tests.bench.stored_events [--fewest 10000] [--most 10000000]

Both accounts' events lie evenly in the same year. The gateway, on Postgres and on SQLite, answers
the same query for one and the other in turn, over one connection, in the accounts' own zone and in
zones that cut the days elsewhere; the sum that it answers is compared with that of the events. The
ratio is that of the medians.
"""

import argparse
import asyncio
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg

from gateway.ids import encode_global_id
from gateway.migrations import migrate
from gateway.money import format_amount
from tests.bench import figures
from tests.bench.copied import copy_to_sqlite
from tests.bench.data import Size, fill
from tests.bench.machine import postgres
from tests.bench.operations import yesterday
from tests.bench.servers import Running, Server, gateway, on_sqlite, started
from tests.conftest import as_runtime

YEAR: Final = 365
ZONES: Final = ("UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu")
FEWEST, MOST = 1, 2
"""The accounts' keys."""
QUERY: Final = """
query Weeks($account: ID!, $from: Date!, $to: Date!, $timeZone: TimeZone!) {
  account(id: $account) {
    usage(interval: WEEK, from: $from, to: $to, timeZone: $timeZone) {
      summary { totalSpend { amount } }
      buckets { start end spend { amount } cumulativeSpend { amount } deployments }
    }
  }
}
"""

# Event n of an account: at its share of the year, of one of twelve deployments.
_EVENTS: Final = """
    INSERT INTO usage_event (account_id, source, event_id, fingerprint, deployment_id, resource,
        unit, quantity_nanos, amount_nanos, correction, started_at, ended_at, received_at,
        ledger_version)
    SELECT $1::bigint, 'meter', lpad(n::text, 10, '0'), '\\x00'::bytea, $1::bigint * 1000 + n % 12,
        'GPU', 'gpu-hour', 1000000000, 1000 + n * 7919 % 1000000, false, at, at, at, 1
    FROM generate_series(0, $2::bigint - 1) n,
        LATERAL (SELECT $3::date + n * ($4::int * interval '1 day' / $2) AS at) each
"""
_PERIODS: Final = {
    "rollup_slot": ("slot_at", "date_bin('15 minutes', started_at, '2000-01-01Z')"),
    "rollup_day": ("day", "(started_at AT TIME ZONE 'UTC')::date"),
}
_ROLLUP: Final = """
    INSERT INTO {table} (account_id, {period}, spent_nanos, purchased_nanos, bonus_nanos,
        refunded_nanos, adjusted_nanos, deployments, resources)
    SELECT account_id, period, spent, 0, 0, 0, 0,
        CASE WHEN low = '\\x00' THEN '\\x01'::bytea || high
             WHEN high = '\\x00' THEN '\\x00'::bytea || low ELSE '\\x00'::bytea || low || high END,
        '{{"GPU\\u001fgpu-hour": ' || events * 1000000000 || '}}'
    FROM (
        SELECT account_id, {expression} AS period, sum(amount_nanos) AS spent, count(*) AS events,
            set_byte('\\x00'::bytea, 0, bit_or(1 << (deployment_id % 1000)::int) & 255) AS low,
            set_byte('\\x00'::bytea, 0, bit_or(1 << (deployment_id % 1000)::int) >> 8) AS high
        FROM usage_event GROUP BY 1, 2
    ) summed
"""


async def prepare(url: str, counts: Mapping[int, int], last_day: date) -> Mapping[int, int]:
    """Fill a Postgres with the accounts' events and their roll-ups; return the accounts' sums."""
    await migrate(url, runtime_url=as_runtime(url))
    await fill(url, Size(accounts=len(counts), last_day=last_day))
    connection = await asyncpg.connect(url)
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.execute("DELETE FROM rollup_day")
    first_day = last_day - timedelta(days=YEAR - 1)
    for account, count in counts.items():
        await connection.execute(_EVENTS, account, count, first_day, YEAR, timeout=None)
    for table, (period, expression) in _PERIODS.items():
        statement = _ROLLUP.format(table=table, period=period, expression=expression)
        await connection.execute(statement, timeout=None)
    await connection.execute("VACUUM ANALYZE", timeout=None)
    rows = await connection.fetch(
        "SELECT account_id, sum(spent_nanos) AS sum FROM rollup_day GROUP BY 1"
    )
    await connection.close()
    return {row["account_id"]: int(row["sum"]) for row in rows}


class Client:
    """One connection that asks for an account's weeks and checks their sum."""

    def __init__(self, running: Running, last_day: date) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        self.headers = {**running.server.headers, "content-type": "application/json"}
        self.last_day = last_day

    def ask(self, account: int, zone: str, expected: int | None) -> float:
        """Return the milliseconds until the answer. Raises SystemExit where its sum is wrong."""
        # A day more at each end, because the zone's first and last days begin elsewhere.
        variables = {
            "account": encode_global_id("Account", account),
            "from": (self.last_day - timedelta(days=YEAR)).isoformat(),
            "to": (self.last_day + timedelta(days=1)).isoformat(),
            "timeZone": zone,
        }
        body = json.dumps({"query": QUERY, "operationName": "Weeks", "variables": variables})
        began = time.perf_counter()
        self.connection.request("POST", "/graphql", body, self.headers)
        answer: dict[str, Any] = json.loads(self.connection.getresponse().read())
        took = (time.perf_counter() - began) * 1000
        if answer.get("errors"):
            raise SystemExit(f"{zone}: {answer['errors']}")
        amount = answer["data"]["account"]["usage"]["summary"]["totalSpend"]["amount"]
        if expected is not None and amount != format_amount(expected, "USD"):
            raise SystemExit(f"{zone}: the answer's sum is {amount}, the events' {expected} nanos.")
        return took


def measure(
    name: str, running: Running, sums: Mapping[int, int], last_day: date, requests: int
) -> figures.Figures:
    """Print a line for each zone; return the largest ratio of medians."""
    client = Client(running, last_day)
    ratios = []
    for zone in ZONES:
        for account, expected in sums.items():
            client.ask(account, zone, expected)
        times: dict[int, list[float]] = {FEWEST: [], MOST: []}
        for number in range(requests):
            account = (FEWEST, MOST)[number % 2]
            times[account].append(client.ask(account, zone, None))
        few, many = (statistics.median(times[account]) for account in (FEWEST, MOST))
        ratios.append(many / few)
        print(f"{name:>10} {zone:<18}{few:>10.2f}{many:>10.2f}{many / few:>8.2f}", flush=True)
    return {f"stored-events/{name}/ratio": max(ratios)}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.stored_events", description=__doc__
    )
    parser.add_argument("--fewest", type=int, default=10_000)
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=200, help="in each zone")
    figures.add_option(parser)
    options = parser.parse_args()
    last_day = yesterday()
    counts = {FEWEST: options.fewest, MOST: options.most}
    with postgres() as database, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sums = asyncio.run(prepare(database.url, counts, last_day))
        sqlite = Path(folder) / "gateway.sqlite3"
        asyncio.run(copy_to_sqlite(database.url, sqlite))
        print(f"A year of weeks: p50 in ms with {options.fewest:,} and {options.most:,} events")
        print(f"{'database':>10} {'zone':<18}{'fewest':>10}{'most':>10}{'ratio':>8}")
        servers: Mapping[str, Server] = {"postgresql": gateway(), "sqlite": on_sqlite()}
        for name, server in servers.items():
            with started(server, database.url, sqlite=sqlite) as running:
                found = measure(name, running, sums, last_day, options.requests)
            figures.write(options.figures, found)


if __name__ == "__main__":
    main()
