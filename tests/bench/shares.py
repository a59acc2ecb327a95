"""Where the gateway's processor time goes in an operation, by part.

    python -m tests.bench.shares [--works page] [--servers gateway sqlite]

A sampling profiler (py-spy, with native frames) looks at the serving process from outside while 16
connections ask. A sample counts for the part that owns its innermost known frame: a JSON or
datetime function of the standard library counts for its caller. Samples that wait (for the event
loop, a lock or another thread) do not count. The profiler stops the process for each sample, so
that only the shares say something.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.bench import figures
from tests.bench.data import Size
from tests.bench.machine import postgres
from tests.bench.operations import load, prepare, yesterday
from tests.bench.servers import SERVERS, Running, started
from tests.bench.works import WORKS

PY_SPY: Final = Path(sys.executable).with_name("py-spy")
RATE: Final = 250
CONNECTIONS: Final = 16
MARGIN_SECONDS: Final = 2.0
"""How long the load goes on before and after the profiler."""

WAITING: Final = re.compile(
    r"\bepoll_p?wait|\bpthread_cond_\w*wait|\bsem_\w*wait|PyThread_acquire_lock|take_gil"
)
"""What a thread that has nothing to do, or waits for another, does in its innermost frames."""
INNERMOST: Final = 3

PARTS: Final[Mapping[str, re.Pattern[str]]] = {
    "garbage collection": re.compile(r"\bgc_collect|gcmodule"),
    "JSON": re.compile(r"/orjson/|orjson\.|\bserialize_"),
    "driver": re.compile(r"asyncpg|aiosqlite|sqlite3|_sqlite|pgproto"),
    "statements and loaders": re.compile(r"/gateway/store/|/loaders/|/strawberry/dataloader"),
    "compiled plans": re.compile(r"/gateway/execution/plan/|<compiled|<plan"),
    "execution": re.compile(r"/gateway/execution/"),
    "graphql-core": re.compile(r"/graphql/"),
    "resolvers": re.compile(r"/resolvers/"),
    "Strawberry": re.compile(r"/strawberry/"),
    "billing, money, windows": re.compile(
        r"/gateway/(?:billing|money|windows|ids|instants|links|signing|exports)\b"
    ),
    "authentication": re.compile(r"/gateway/(?:auth|principal|quotas)|/joserfc/|/cryptography/"),
    "HTTP": re.compile(
        r"/uvicorn/|httptools|/starlette/|/gateway/(?:server|http|transports|routes|app)\b"
    ),
    "logs, metrics, traces": re.compile(
        r"/gateway/observability/|/structlog/|/prometheus_client/|/opentelemetry/"
    ),
    "event loop and sockets": re.compile(r"uvloop|libuv|/asyncio/|\bsend\b|\bwritev?\b|\bread \("),
}
"""Parts of the work by their frames; a frame belongs to the first part that fits."""


def part_of(stack: str) -> str:
    """Return the part that owns the innermost known frame of a stack; frames are `name (file)`."""
    frames = stack.split(";")
    if any(WAITING.search(frame) for frame in frames[-INNERMOST:]):
        return "waiting"
    for frame in reversed(frames):
        for name, pattern in PARTS.items():
            if pattern.search(frame):
                return name
    return "other"


def counted(lines: Iterator[str]) -> Counter[str]:
    """Return how many samples each part has; lines are `frame;frame;… count`."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rstrip().rpartition(" ")
        found[part_of(stack)] += int(count)
    return found


def record(running: Running, seconds: float, path: Path) -> None:
    """Sample a server's process. Raises SystemExit where the profiler may not."""
    command = [
        str(PY_SPY),
        "record",
        "--pid",
        str(running.process.pid),
        "--native",
        "--full-filenames",
    ]
    options = ["--duration", f"{seconds:g}", "--rate", str(RATE), "--format", "raw"]
    done = subprocess.run(
        [*command, *options, "--output", str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"py-spy could not look at {running.server.name}:\n{done.stderr}")


def profile(running: Running, bodies: Sequence[str], seconds: int) -> Counter[str]:
    """Return the samples of each part while the server answers."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as threads:
        path = Path(folder) / "stacks"
        load(running, bodies, CONNECTIONS, 1)
        busy = threads.submit(load, running, bodies, CONNECTIONS, seconds + MARGIN_SECONDS)
        record(running, seconds, path)
        busy.result()
        with path.open(encoding="utf-8", errors="replace") as lines:
            return counted(lines)


def table(title: str, samples: Mapping[str, Counter[str]]) -> Iterator[str]:
    """Yield the shares of each part by server, the largest first."""
    busy = {
        name: {part: count for part, count in found.items() if part != "waiting"}
        for name, found in samples.items()
    }
    totals = {name: max(sum(found.values()), 1) for name, found in busy.items()}
    parts = {part: 0.0 for found in busy.values() for part in found}
    for name, found in busy.items():
        for part, count in found.items():
            parts[part] += count / totals[name]
    yield f"| {title}: part of the processor time | {' | '.join(samples)} |"
    yield f"|---|{'---|' * len(samples)}"
    for part in sorted(parts, key=lambda part: -parts[part]):
        shares = (f"{found.get(part, 0) / totals[name]:.0%}" for name, found in busy.items())
        yield f"| {part} | {' | '.join(shares)} |"
    yield f"| samples | {' | '.join(str(each) for each in totals.values())} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shares", description=__doc__)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=["page", "many", "name"])
    parser.add_argument(
        "--servers",
        nargs="+",
        choices=("gateway", "sqlite", "plain"),
        default=["gateway", "sqlite"],
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--accounts", type=int, default=200)
    figures.add_option(parser)
    options = parser.parse_args()
    size = Size(accounts=options.accounts, last_day=yesterday())
    with postgres() as database, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        sqlite = Path(folder) / "gateway.sqlite3"
        asyncio.run(prepare(database.url, size, sqlite if "sqlite" in options.servers else None))
        samples: dict[str, dict[str, Counter[str]]] = {work: {} for work in options.works}
        for name in options.servers:
            with started(SERVERS[name](), database.url, sqlite=sqlite) as running:
                for work in options.works:
                    requests = WORKS[work].requests(size.accounts, size.last_day)
                    bodies = [json.dumps(each) for each in requests]
                    samples[work][running.server.name] = profile(running, bodies, options.seconds)
    for work, found in samples.items():
        print("\n".join(table(WORKS[work].title, found)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
