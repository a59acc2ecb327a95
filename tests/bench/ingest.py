"""How fast usage is recorded, beside a plain load of the same event rows.

    python -m tests.bench.ingest [--rounds 3] [--events 50000 --accounts 10] [--profile]

Each line is one shape of batch: events a second at the write path's call, with the ledger, the
roll-ups and the deployments in its transaction; the driver's own load of the same rows (COPY on
Postgres, executemany on SQLite) into an equal table; and the ratio of the two. The two take turns,
and medians of the rounds are printed. `replay` is the same batch sent once more, which changes
nothing.
"""

import argparse
import asyncio
import cProfile
import pstats
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.server.process import spare_collector
from gateway.store import Database, usage_events
from gateway.store.usage_events import UsageEventCells
from tests.bench import figures
from tests.bench.databases import Fresh, fresh_databases
from tests.support.books import ACTOR, Books

DEPLOYMENTS = 20
RESOURCES = (("CPU", "cpu-hour"), ("MEMORY", "gib-hour"), ("STORAGE", "gib-hour"), ("GPU", "h"))
EARLIER = 20_000
"""Events that are there before anything is measured: into an empty table Postgres plans badly."""
FIRST_HOUR = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A batch: events over accounts, hour after hour; `batches` of them make one measurement."""

    events: int
    accounts: int
    batches: int


SHAPES = (
    Shape(events=1_000, accounts=1, batches=40),
    Shape(events=5_000, accounts=1, batches=10),
    Shape(events=50_000, accounts=1, batches=2),
    Shape(events=5_000, accounts=10, batches=10),
    Shape(events=50_000, accounts=10, batches=2),
    Shape(events=5_000, accounts=100, batches=10),
    Shape(events=50_000, accounts=100, batches=2),
)


def records(shape: Shape, account_ids: list[int], seed: int) -> list[list[UsageRecord]]:
    """Return a shape's batches: each hour, every account's deployments send their resources."""
    random = Random(seed)
    hours = (FIRST_HOUR + timedelta(hours=hour) for hour in range(10**6))
    meters = [(account, each) for account in account_ids for each in range(DEPLOYMENTS)]
    stream = (
        record(random, account, deployment, resource, unit, hour)
        for hour, (account, deployment), (resource, unit) in product_of(hours, meters)
    )
    return [list(islice(stream, shape.events)) for _ in range(shape.batches)]


def product_of(
    hours: Iterable[datetime], meters: list[tuple[int, int]]
) -> Iterator[tuple[datetime, tuple[int, int], tuple[str, str]]]:
    for hour in hours:
        for meter, resource in product(meters, RESOURCES):
            yield hour, meter, resource


def record(
    random: Random, account: int, deployment: int, resource: str, unit: str, hour: datetime
) -> UsageRecord:
    return UsageRecord(
        account_id=account,
        source="meter-1",
        event_id=f"{hour:%Y%m%dT%H}-{deployment}-{resource}",
        deployment=str(2**63 + deployment),
        resource=resource,
        unit=unit,
        quantity=random.randrange(10**10),
        quantity_text=None,
        amount=random.randrange(10**9),
        amount_text=None,
        correction=False,
        provider=f"provider-{deployment % 5}",
        gpu_model="h100",
        region="eu-1",
        service=None,
        sku=None,
        started_at=hour,
        ended_at=hour + timedelta(hours=1),
    )


async def ingest(books: Books, batches: list[list[UsageRecord]]) -> None:
    for batch in batches:
        async with books.open({each.account_id for each in batch}) as book:
            await record_usage(book, batch, expects_new=True)


async def load(database: Database, batches: list[list[tuple[Any, ...]]]) -> None:
    for batch in batches:
        async with database.writing(ACTOR) as transaction:
            if database.dialect == "postgresql":
                driver: Any = transaction._driver
                columns = UsageEventCells._fields
                connection = driver._connection
                await connection.copy_records_to_table(
                    "usage_event", columns=columns, records=batch
                )
            else:
                await usage_events.append(transaction, map(UsageEventCells._make, batch))


def plain_rows(batch: list[UsageRecord], now: datetime) -> list[tuple[Any, ...]]:
    return [
        (each.account_id, each.source, each.event_id, bytes(16), 7, *each[4:], now, 1)
        for each in batch
    ]


async def timed(work: Coroutine[Any, Any, None]) -> float:
    begin = perf_counter()
    await work
    return perf_counter() - begin


async def measure(make: Fresh, shape: Shape, seed: int) -> dict[str, float]:
    """Return events a second on fresh databases: recorded, loaded plainly, replayed."""
    count = shape.events * shape.batches
    async with make() as (database, _), make(row_security=False) as (other, _):
        books = Books(database, seed)
        ids = [await books.account(f"account-{n}") for n in range(shape.accounts)]
        count_before = min(EARLIER, 10 * shape.events)
        [earlier] = records(replace(shape, events=count_before, batches=1), ids, seed)
        batches = records(shape, ids, seed)
        rows = [plain_rows(batch, books.clock.now()) for batch in batches]
        await ingest(books, [[each._replace(source="meter-0") for each in earlier]])
        spare_collector()
        return {
            "load": count / await timed(load(other, rows)),
            "record": count / await timed(ingest(books, batches)),
            "replay": count / await timed(ingest(books, batches)),
        }


async def compare(name: str, make: Fresh, shapes: Sequence[Shape], rounds: int) -> figures.Figures:
    """Print a line for each shape; return the figures of the last."""
    middle: dict[str, float] = {}
    print(f"\n{name:>10} {'events':>7} {'accounts':>8} {'record/s':>10} {'plain/s':>10}", end="")
    print(f" {'ratio':>6} {'replay/s':>10}")
    for shape in shapes:
        runs = [await measure(make, shape, seed) for seed in range(rounds)]
        middle = {key: median(run[key] for run in runs) for key in runs[0]}
        middle["ratio"] = median(run["record"] / run["load"] for run in runs)
        print(
            f"{name:>10} {shape.events:>7,} {shape.accounts:>8} {middle['record']:>10,.0f}", end=""
        )
        print(f" {middle['load']:>10,.0f} {middle['ratio']:>6.2f}", end="")
        print(f" {middle['replay']:>10,.0f}", flush=True)
    return {f"ingestion/{name}/{what}": value for what, value in middle.items()}


async def profile(name: str, make: Fresh) -> None:
    shape = Shape(events=5_000, accounts=10, batches=10)
    async with make() as (database, _):
        books = Books(database)
        ids = [await books.account(f"account-{n}") for n in range(shape.accounts)]
        batches = records(shape, ids, 1)
        profiler = cProfile.Profile()
        profiler.enable()
        await ingest(books, batches)
        profiler.disable()
    print(f"\n{name}")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, help="of a batch: one shape instead of all")
    parser.add_argument("--accounts", type=int, default=1, help="of that shape")
    parser.add_argument("--batches", type=int, default=1, help="of that shape")
    parser.add_argument("--profile", action="store_true", help="show where the time goes instead")
    figures.add_option(parser)
    options = parser.parse_args()
    shapes: Sequence[Shape] = SHAPES
    if options.events:
        one = Shape(events=options.events, accounts=options.accounts, batches=options.batches)
        shapes = (one,)
    with fresh_databases() as makers:
        for name, make in makers.items():
            if options.profile:
                asyncio.run(profile(name, make))
            else:
                found = asyncio.run(compare(name, make, shapes, options.rounds))
                figures.write(options.figures, found)


if __name__ == "__main__":
    main()
