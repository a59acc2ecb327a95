"""How fast all rows of an account stream, and in how much memory.

    python -m tests.bench.exports [--rows 1000000] [--formats CSV JSONL FOCUS]

A gateway of its own process, on Postgres and on SQLite; one client reads usage (`rows` events) and
credit purchases (a tenth as many, each with a receipt and some with a refund), in each format,
three times. The ratio is against a bare cursor of the same rows, which takes turns with the exports
of usage. Memory is the gateway process's: before, and the most that it was meanwhile. Then the same
once more while another client sends small queries, for how long those take.
"""

import argparse
import asyncio
import http.client
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
from sqlmodel import SQLModel

from gateway.billing.accounts import AccountFacts, put_account
from gateway.clock import FixedClock
from gateway.exports.export import ExportFormat
from gateway.ids import KeyFactory, encode_global_id
from gateway.models import CreditPurchase, Receipt, Refund, UsageEvent, table_of
from gateway.principal import Role
from gateway.store import Database, Transaction, usage_events
from gateway.store import deployments as stored_deployments
from gateway.store.deployments import DeploymentRow
from gateway.store.engine.write import Insert, W
from gateway.store.purchases import CreditPurchaseCells, RefundCells
from gateway.store.receipts import IssuedReceipt
from gateway.store.usage_events import UsageEventCells
from tests.bench import figures
from tests.bench.data import SUBJECT
from tests.bench.databases import Fresh, fresh_databases
from tests.bench.servers import Running, gateway, started
from tests.support.books import ACTOR
from tests.support.raw import EVERY_ACCOUNT

DEPLOYMENTS: Final = 250
RESOURCES: Final = (
    ("GPU", "gpu-hour", 1_800_000_000),
    ("CPU", "cpu-hour", 40_000_000),
    ("MEMORY", "gib-hour", 5_000_000),
    ("STORAGE", "gib-hour", 130_000),
)
END: Final = datetime(2026, 11, 20, tzinfo=UTC)
FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
BATCH: Final = 50_000
ROUNDS: Final = 3
FETCHED: Final = 500
ALONE_SECONDS: Final = 2
FEWEST: Final = 5
"""Small queries beside an export below which their median says nothing."""
DATES: Final = {"from": "2024-01-01", "to": "2026-11-20"}
Cells = tuple[Any, ...]


def events(account_id: int, count: int) -> Iterator[Cells]:
    """Yield an hourly reading of each deployment's resources, each at a second of its own."""
    draw = Random(1)
    columns = UsageEventCells._fields
    number = 0
    while True:
        hour = FIRST + number // (DEPLOYMENTS * len(RESOURCES)) * HOUR
        for deployment in range(DEPLOYMENTS):
            at = hour + timedelta(seconds=deployment * 14 + draw.randrange(14))
            for resource, unit, price in RESOURCES:
                number += 1
                row = {
                    "account_id": account_id,
                    "source": f"provider-{deployment % 7}",
                    "event_id": f"{deployment}-{resource}-{hour:%Y%m%dT%H}",
                    "fingerprint": b"0123456789abcdef",
                    "deployment_id": deployment + 1,
                    "resource": resource,
                    "unit": unit,
                    "quantity_nanos": draw.randrange(10**9),
                    "amount_nanos": draw.randrange(price),
                    "correction": False,
                    "provider": f"provider-{deployment % 7}",
                    "gpu_model": "h100",
                    "region": "eu-west",
                    "service": "compute",
                    "started_at": at,
                    "ended_at": at + HOUR,
                    "received_at": hour + HOUR,
                    "ledger_version": 1,
                }
                yield tuple(row.get(name) for name in columns)
                if number == count:
                    return


def deployments(account_id: int) -> Iterator[DeploymentRow]:
    for number in range(DEPLOYMENTS):
        row = {
            "account_id": account_id,
            "id": number + 1,
            "ordinal": number,
            "external_id": str(2**63 + number),
            "name": f"worker-{number}",
            "spend_nanos": 0,
            "started_at": FIRST,
            "created_at": FIRST,
        }
        yield DeploymentRow._make(row.get(name) for name in DeploymentRow._fields)


def purchases(account_id: int, count: int) -> Iterator[CreditPurchaseCells]:
    draw = Random(2)
    for number in range(count):
        at = FIRST + number * timedelta(minutes=5)
        refunded = 10**9 if number % 50 == 0 else 0
        row = {
            "account_id": account_id,
            "id": number + 1,
            "kind": "CARD",
            "status": "PARTIALLY_REFUNDED" if refunded else "SUCCEEDED",
            "currency": "USD",
            "amount_nanos": 10**9 * draw.randrange(10, 500),
            "tax_nanos": 10**7 * draw.randrange(1000),
            "bonus_nanos": 0,
            "refunded_nanos": refunded,
            "bonus_reversed_nanos": 0,
            "disputed_nanos": 0,
            "description": "Top-up",
            "payment_method_type": "CARD",
            "payment_method_brand": "visa",
            "payment_method_last4": f"{draw.randrange(10_000):04}",
            "provider": "stripe",
            "provider_reference": f"pi_{number:024}",
            "created_at": at,
            "settled_at": at + timedelta(seconds=3),
            "revision": 0,
            "receipted": True,
        }
        yield CreditPurchaseCells._make(map(row.get, CreditPurchaseCells._fields))


def refunds(account_id: int, count: int) -> Iterator[RefundCells]:
    for number in range(0, count, 50):
        at = FIRST + number * timedelta(minutes=5) + timedelta(days=3)
        row = {
            "account_id": account_id,
            "id": number + 1,
            "purchase_id": number + 1,
            "status": "SUCCEEDED",
            "currency": "USD",
            "amount_nanos": 10**9,
            "tax_nanos": 0,
            "bonus_reversed_nanos": 0,
            "provider": "stripe",
            "provider_reference": f"re_{number:024}",
            "created_at": at,
            "settled_at": at,
            "has_succeeded": True,
        }
        yield RefundCells._make(map(row.get, RefundCells._fields))


def receipts(account_id: int, count: int) -> Iterator[IssuedReceipt]:
    for number in range(count):
        row = {
            "account_id": account_id,
            "id": number + 1,
            "number": f"BENCH000-2025-{number + 1:06}",
            "year": 2025,
            "sequence": number + 1,
            "purchase_id": number + 1,
            "currency": "USD",
            "total_nanos": 10**9,
            "tax_nanos": 0,
            "issued_at": FIRST + number * timedelta(minutes=5),
            "data": "{}",
        }
        yield IssuedReceipt._make(map(row.get, IssuedReceipt._fields))


async def fill(database: Database, rows: int) -> int:
    """Fill one account; return its key."""
    clock = FixedClock(END)
    async with database.writing(ACTOR, unlimited=True) as transaction:
        facts = AccountFacts(
            external_id="bench", name="Bench", currency="USD", members=[(SUBJECT, Role.OWNER)]
        )
        account_id = await put_account(
            transaction, facts, actor=ACTOR, clock=clock, keys=KeyFactory(clock)
        )
        await stored_deployments.save(transaction, list(deployments(account_id)))
        bought = rows // 10
        await usage_events.append(transaction, map(UsageEventCells._make, events(account_id, rows)))
        await insert(transaction, CreditPurchase, purchases(account_id, bought))
        await insert(transaction, Refund, refunds(account_id, bought))
        await insert(transaction, Receipt, receipts(account_id, bought))
    return account_id


async def insert(transaction: Transaction, model: type[SQLModel], cells: Iterator[W]) -> None:
    while batch := list(islice(cells, BATCH)):
        await transaction.insert(Insert(table_of(model), type(batch[0])), batch)


@contextmanager
def most_memory(server: Running) -> Iterator[list[int]]:
    """Watch the gateway; its memory before, and the most meanwhile, stand in the list."""
    found = [server.memory_bytes] * 2
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            found[1] = max(found[1], server.memory_bytes)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def download(server: Running, path: str, asked: dict[str, str]) -> tuple[int, int, float]:
    """Read a whole file; return its rows, its bytes and the seconds that it took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    began = time.perf_counter()
    connection.request("GET", f"{path}?{urlencode(asked)}", headers=dict(server.server.headers))
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise SystemExit(answer.read().decode())
    rows = length = 0
    while part := answer.read1(262_144):
        rows += part.count(b"\n")
        length += len(part)
    took = time.perf_counter() - began
    connection.close()
    if asked["format"] != "JSONL":
        rows -= 1
    # A purchase is several charges in FOCUS.
    several = asked["format"] == "FOCUS" and path.endswith("credit-purchases")
    if rows != int(answer.headers["x-export-rows"]) and not several:
        raise SystemExit(f"{rows} rows came, not {answer.headers['x-export-rows']}")
    return rows, length, took


async def bare(url: str, account_id: int) -> float:
    """Return how many rows of usage a second a cursor alone reads in this process, in the same
    order: what no export can beat.
    """
    columns = ", ".join(each.name for each in table_of(UsageEvent).c)
    postgres = url.startswith("postgresql")
    id_ = ' COLLATE "C"' if postgres else ""
    statement = (
        f"SELECT {columns} FROM usage_event WHERE account_id = {account_id}"
        f" ORDER BY started_at, source{id_}, event_id{id_}"
    )
    rows, began = 0, time.perf_counter()
    if postgres:
        connection = await asyncpg.connect(url, server_settings=EVERY_ACCOUNT)
        async with connection.transaction():
            cursor = await connection.cursor(statement)
            while some := await cursor.fetch(FETCHED):
                rows += len(some)
        await connection.close()
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            cells = file.execute(statement)
            while some := cells.fetchmany(FETCHED):
                rows += len(some)
    return rows / (time.perf_counter() - began)


def measure(
    name: str, url: str, server: Running, account_id: int, formats: Sequence[str]
) -> figures.Figures:
    """Print a line for each kind and format; return the figures of usage in the first format."""
    account = encode_global_id("Account", account_id)
    download(server, "/exports/credit-purchases", {"account": account, "format": "CSV", **DATES})
    found: dict[str, float] = {}
    for what, extra in (("usage", {"interval": "MONTH"}), ("credit-purchases", {})):
        for format_ in formats:
            asked = {"account": account, "format": format_, **DATES, **extra}
            runs, ceilings = [], []
            busy = server.cpu_seconds
            with most_memory(server) as memory:
                for _ in range(ROUNDS):
                    runs.append(download(server, f"/exports/{what}", asked))
                    if what == "usage":
                        ceilings.append(asyncio.run(bare(url, account_id)))
            busy = server.cpu_seconds - busy
            rows, length, _ = runs[0]
            took = statistics.median(run[2] for run in runs)
            before, most = (each / 2**20 for each in memory)
            ratio = ""
            if ceilings:
                ceiling = statistics.median(ceilings)
                share = rows / took / ceiling
                ratio = f", {share:.2f} of a bare cursor's {ceiling:,.0f}"
                found = found or {"ratio": share, "memory": most - before}
            print(
                f"{name:>10} {what} {format_}: {rows:,} rows, {length / 1e6:.0f} MB: "
                f"{rows / took:,.0f} rows a second{ratio} "
                f"({busy / ROUNDS / rows * 1e6:.1f} µs of the gateway's CPU each); "
                f"memory {before:.0f} → {most:.0f} MiB"
            )
    return {
        f"exports/{name}/{key}": value
        for key, value in {**found, **beside(name, server, account)}.items()
    }


def beside(name: str, server: Running, account: str) -> figures.Figures:
    """Print how long a small query takes alone and beside an export; return the p50s' ratio."""
    asked = {"account": account, "format": "CSV", **DATES, "interval": "MONTH"}
    alone = latencies(server, threading.Event(), ALONE_SECONDS)
    over = threading.Event()
    meanwhile: list[float] = []
    thread = threading.Thread(target=lambda: meanwhile.extend(latencies(server, over, 600)))
    thread.start()
    download(server, "/exports/usage", asked)
    over.set()
    thread.join()
    print(
        f"{name:>10} a small query alone: {percentiles(alone)}; beside it: {percentiles(meanwhile)}"
    )
    if len(meanwhile) < FEWEST:
        return {}
    return {"small": statistics.median(meanwhile) / statistics.median(alone)}


def latencies(server: Running, over: threading.Event, seconds: float) -> list[float]:
    """Ask a small query again and again; return the milliseconds of each."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = '{"query": "{ viewer { id accounts(first: 1) { nodes { name } } } }"}'
    headers = {**server.server.headers, "content-type": "application/json"}
    found = []
    until = time.monotonic() + seconds
    while not over.is_set() and time.monotonic() < until:
        began = time.perf_counter()
        connection.request("POST", "/graphql", body, headers)
        connection.getresponse().read()
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(0.01)
    connection.close()
    return found


def percentiles(milliseconds: list[float]) -> str:
    if len(milliseconds) < FEWEST:
        return "too few to measure"
    cuts = statistics.quantiles(milliseconds, n=100)
    return f"p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms"


async def run(name: str, fresh: Fresh, rows: int, formats: Sequence[str]) -> figures.Figures:
    async with fresh() as (database, url):
        account_id = await fill(database, rows)
        with started(gateway(), url) as server:
            return await asyncio.to_thread(measure, name, url, server, account_id, formats)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", type=ExportFormat, default=list(ExportFormat))
    figures.add_option(parser)
    options = parser.parse_args()
    with fresh_databases() as databases:
        for name, fresh in databases.items():
            found = asyncio.run(run(name, fresh, options.rows, options.formats))
            figures.write(options.figures, found)


if __name__ == "__main__":
    main()
