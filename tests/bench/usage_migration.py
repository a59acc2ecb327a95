"""The migration that makes blocks of usage, while the gateway serves.

Four clients send the default view of weeks over HTTP, and one records usage, before, during and
after the migration, and while the days are packed. A request failed that was not answered with
data, and a batch that was not recorded.
"""

import asyncio
import http.client
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

import asyncpg

from gateway.billing.usage.packing import pack
from gateway.clock import SystemClock
from gateway.ids import encode_global_id
from gateway.migrations import migrate
from gateway.migrations.revisions import head
from gateway.store import Database
from tests.bench import figures
from tests.bench.ingest import RESOURCES, ingest, record
from tests.bench.servers import Running, gateway, started
from tests.bench.usage_data import YEAR, opened
from tests.conftest import as_runtime
from tests.support.books import Books

BEFORE, BLOCKS, BEFORE_QUARTERS, QUARTERS = "0021", "0022", "0025", "0026"
"""Revisions."""
CLIENTS = 4
BATCH = 100
QUIET_SECONDS = 1.0
QUERY = """
query Weeks($account: ID!, $from: Date!, $to: Date!) { account(id: $account) {
  usage(interval: WEEK, from: $from, to: $to) {
    summary { totalSpend { amount } } buckets { start spend { amount } deployments }
  }
} }
"""


@dataclass(slots=True)
class Seen:
    """The requests and the batches of a phase: their milliseconds, and how many failed."""

    requests: list[float] = field(default_factory=list)
    batches: list[float] = field(default_factory=list)
    failed: int = 0


class Load:
    """Clients that send requests, and one that records, until it is stopped."""

    def __init__(self, running: Running, database: Database, account: int, day: date) -> None:
        self.phase = "before"
        self.seen: defaultdict[str, Seen] = defaultdict(Seen)
        self.stopped = False
        self._running, self._database, self._account = running, database, account
        first_day = day - timedelta(days=YEAR - 1)
        key = encode_global_id("Account", account)
        variables = {"account": key, "from": str(first_day), "to": str(day)}
        self._body = json.dumps({"query": QUERY, "variables": variables})
        # In each zone that is measured, the first hour of the day after, in UTC, is in the window.
        self._hour = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)

    def send(self) -> None:
        """Send requests over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self._running.port, timeout=60)
        headers = {**self._running.server.headers, "content-type": "application/json"}
        while not self.stopped:
            seen, began = self.seen[self.phase], time.perf_counter()
            try:
                connection.request("POST", "/graphql", self._body, headers)
                answer = json.loads(connection.getresponse().read())
                seen.failed += bool(answer.get("errors"))
            except (OSError, http.client.HTTPException, ValueError):
                seen.failed += 1
                connection.close()
            seen.requests.append((time.perf_counter() - began) * 1000)

    async def record(self) -> None:
        """Record one batch after another."""
        random, number = Random(1), 0
        books = Books(self._database)
        books.clock.instant = datetime.now(UTC)
        while not self.stopped:
            batch = [
                record(
                    random, self._account, deployment, *RESOURCES[deployment % 4], self._hour
                )._replace(source=f"meter-{number}")
                for deployment in range(BATCH)
            ]
            seen, began = self.seen[self.phase], time.perf_counter()
            try:
                await ingest(books, [batch])
            except Exception as error:
                print(f"A batch was not recorded: {error!r}")
                seen.failed += 1
            seen.batches.append((time.perf_counter() - began) * 1000)
            number += 1


async def take_back(url: str) -> None:
    """Make the database one without blocks. The server does there as the version before them did:
    it is sent nothing that reads them.
    """
    await execute(
        url,
        "DROP FUNCTION name_unpacked_days, forget_quartered_days CASCADE",
        "DROP TABLE rollup_block, unpacked_day, quartered_day",
        f"UPDATE alembic_version SET version_num = '{BEFORE}'",
    )


async def add_blocks(url: str) -> None:
    """Run the migration of blocks. The later ones have run."""
    await migrate(url, runtime_url=as_runtime(url), revision=BLOCKS)
    await execute(url, f"UPDATE alembic_version SET version_num = '{BEFORE_QUARTERS}'")
    await migrate(url, runtime_url=as_runtime(url), revision=QUARTERS)
    await execute(url, f"UPDATE alembic_version SET version_num = '{head()}'")


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement)
    await connection.close()


async def measure_migration(url: str, counts: Mapping[int, int], last_day: date) -> figures.Figures:
    """Print a line for each phase; return the number of failures, and the seconds. The database is
    filled.
    """
    seconds: dict[str, float] = {}
    async with opened(as_runtime(url)) as writer, opened(as_runtime(url)) as packer:
        # It begins at the newest revision, or would migrate the database itself.
        with started(gateway(), url) as running:
            await take_back(url)
            load = Load(running, writer, max(counts, key=lambda each: counts[each]), last_day)
            clients = [asyncio.to_thread(load.send) for _ in range(CLIENTS)]
            tasks = asyncio.gather(load.record(), *clients)
            try:
                for phase in ("before", "migration", "packing", "after"):
                    load.phase, began = phase, time.perf_counter()
                    if phase == "migration":
                        await add_blocks(url)
                    elif phase == "packing":
                        await pack(packer, SystemClock())
                    else:
                        await asyncio.sleep(QUIET_SECONDS)
                    seconds[phase] = time.perf_counter() - began
            finally:
                load.stopped = True
                await tasks
    for phase, each in seconds.items():
        seen = load.seen[phase]
        slowest = max(seen.requests, default=0), max(seen.batches, default=0)
        print(
            f"{phase:<10}{each:>8.1f} s {len(seen.requests):>7,} requests "
            f"(slowest {slowest[0]:,.0f} ms) {len(seen.batches):>6,} batches "
            f"(slowest {slowest[1]:,.0f} ms) {seen.failed} failed",
            flush=True,
        )
    return {
        "usage/migration/failed": sum(each.failed for each in load.seen.values()),
        "usage/migration/seconds": seconds["migration"],
        "usage/packing/seconds": seconds["packing"],
    }
