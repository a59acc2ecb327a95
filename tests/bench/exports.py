"""How fast all rows of an account stream, and in how much memory.

    python -m tests.bench.exports [--rows 1000000] [--formats CSV XLSX] [--databases sqlite]

A gateway of its own process, on Postgres and on SQLite; one client reads usage (`rows` events) and
credit purchases (a tenth as many, each with a receipt and some with a refund), in each format,
three times; an XLSX or a Parquet file once, because it is made whole before it is sent. Another
library than wrote such a file reads its rows back. The ratio is against a bare cursor of the same
rows, which takes turns with the exports of usage. Memory is the gateway process's: before, and the
most that it was meanwhile. Then the first format once more while another client sends small
queries, for how long those take.
"""

import argparse
import asyncio
import http.client
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import asyncpg

from gateway.exports.export import ExportFormat
from gateway.ids import encode_global_id
from gateway.models import UsageEvent, table_of
from tests.bench import figures
from tests.bench.databases import Fresh, fresh_databases
from tests.bench.export_data import fill
from tests.bench.servers import Running, gateway, started
from tests.bench.table_files import TABLE_ROWS
from tests.support.raw import EVERY_ACCOUNT

DATABASES: Final = ("postgresql", "sqlite")
ROUNDS: Final = 3
FETCHED: Final = 500
ALONE_SECONDS: Final = 2
FEWEST: Final = 5
"""Small queries beside an export below which their median says nothing."""
DATES: Final = {"from": "2024-01-01", "to": "2026-11-20"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that was read: its rows (of each sheet of a workbook), its size, how long it took."""

    rows: int
    length: int
    seconds: float
    sheets: Sequence[int] = ()


def download(server: Running, path: str, format_: ExportFormat, parameters: dict[str, str]) -> File:
    """Read a whole file, and check its rows."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=900)
    query = urlencode({"format": format_, **parameters})
    with closing(connection), tempfile.NamedTemporaryFile() as kept:
        began = time.perf_counter()
        connection.request("GET", f"{path}?{query}", headers=dict(server.server.headers))
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise SystemExit(answer.read().decode())
        lines = length = 0
        while part := answer.read1(262_144):
            length += len(part)
            if format_ in TABLE_ROWS:
                kept.write(part)
            else:
                lines += part.count(b"\n")
        took = time.perf_counter() - began
        kept.flush()
        read = TABLE_ROWS.get(format_)
        sheets = read(Path(kept.name)) if read else ()
    rows = sum(sheets) if sheets else lines - (format_ is not ExportFormat.JSONL)
    # A purchase is several charges in FOCUS.
    several = format_ is ExportFormat.FOCUS and path.endswith("credit-purchases")
    if rows != int(answer.headers["x-export-rows"]) and not several:
        raise SystemExit(f"{rows} rows came, not {answer.headers['x-export-rows']}")
    return File(rows=rows, length=length, seconds=took, sheets=sheets)


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
    name: str, url: str, server: Running, account_id: int, formats: Sequence[ExportFormat]
) -> figures.Figures:
    """Print a line for each kind and format; return the figures of usage in the first format."""
    account = encode_global_id("Account", account_id)
    parameters = {"account": account, **DATES}
    download(server, "/exports/credit-purchases", ExportFormat.CSV, parameters)
    found: dict[str, float] = {}
    for what, extra in (("usage", {"interval": "MONTH"}), ("credit-purchases", {})):
        for format_ in formats:
            runs, ceilings = [], []
            busy = server.cpu_seconds
            with most_memory(server) as memory:
                for _ in range(1 if format_ in TABLE_ROWS else ROUNDS):
                    runs.append(download(server, f"/exports/{what}", format_, parameters | extra))
                    if what == "usage":
                        ceilings.append(asyncio.run(bare(url, account_id)))
            busy = server.cpu_seconds - busy
            file, took = runs[0], statistics.median(run.seconds for run in runs)
            before, most = (each / 2**20 for each in memory)
            ratio = ""
            if ceilings:
                ceiling = statistics.median(ceilings)
                share = file.rows / took / ceiling
                ratio = f", {share:.2f} of a bare cursor's {ceiling:,.0f}"
                found = found or {"ratio": share, "memory": most - before}
            sheets = f" in sheets of {file.sheets}" if len(file.sheets) > 1 else ""
            print(
                f"{name:>10} {what} {format_}: {file.rows:,} rows{sheets}, "
                f"{file.length / 1e6:.0f} MB, {took:.1f} s: "
                f"{file.rows / took:,.0f} rows a second{ratio} "
                f"({busy / len(runs) / file.rows * 1e6:.1f} µs of the gateway's CPU each); "
                f"memory {before:.0f} → {most:.0f} MiB"
            )
    return {
        f"exports/{name}/{key}": value
        for key, value in {**found, **beside(name, server, account, formats[0])}.items()
    }


def beside(name: str, server: Running, account: str, format_: ExportFormat) -> figures.Figures:
    """Print how long a small query takes alone and beside an export; return the p50s' ratio."""
    parameters = {"account": account, **DATES, "interval": "MONTH"}
    alone = latencies(server, threading.Event(), ALONE_SECONDS)
    over = threading.Event()
    meanwhile: list[float] = []
    thread = threading.Thread(target=lambda: meanwhile.extend(latencies(server, over, 600)))
    thread.start()
    download(server, "/exports/usage", format_, parameters)
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


async def run(
    name: str, fresh: Fresh, rows: int, formats: Sequence[ExportFormat]
) -> figures.Figures:
    async with fresh() as (database, url):
        account_id = await fill(database, rows)
        with started(gateway(), url) as server:
            return await asyncio.to_thread(measure, name, url, server, account_id, formats)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.exports", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--formats", nargs="+", type=ExportFormat, default=list(ExportFormat))
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    figures.add_option(parser)
    options = parser.parse_args()
    with fresh_databases() as databases:
        for name in options.databases:
            found = asyncio.run(run(name, databases[name], options.rows, options.formats))
            figures.write(options.figures, found)


if __name__ == "__main__":
    main()
