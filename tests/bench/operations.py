"""GraphQL operations on this gateway and on its peers, side by side.

    python -m tests.bench.operations [--works page many] [--servers gateway mercurius]

Starts a Postgres, fills it, starts one process a server, compares their answers, then measures them
in turn, round after round, and prints medians. CPU is that of a server's processes and of Postgres,
in milliseconds a good answer. `others` are the cores that the rest of the machine took meanwhile:
above 0.2, marked by `!`, the round was disturbed. On a shared machine only the ratios count.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Final

from gateway.migrations import migrate
from tests.bench import figures
from tests.bench.answers import ask, leaves
from tests.bench.copied import copy_to_sqlite
from tests.bench.data import Size, fill
from tests.bench.load import Load, Measured
from tests.bench.machine import Postgres, description, postgres
from tests.bench.servers import ROOT, SERVERS, Running, started
from tests.bench.works import WORKS, Work
from tests.conftest import as_runtime
from tests.support.npm import installed

FULL: Final = 2_000
WARM_UP_SECONDS: Final = 1.0
COMPARED: Final = 3
"""Requests that are compared before a server is measured."""
DISTURBED: Final = 0.2
"""Cores of other processes above which a round counts as disturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`connections` is empty for each operation's own."""

    accounts: int
    seconds: float
    rounds: int
    connections: tuple[int, ...]
    servers: tuple[str, ...]
    works: tuple[str, ...]
    figures: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One round of one server. CPU in milliseconds a good answer; `others` in cores."""

    measured: Measured
    cpu: float
    postgres_cpu: float
    others: float


Samples = dict[tuple[str, int], list[Sample]]
"""By server and connections."""


def parse_arguments() -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.operations", description=__doc__)
    parser.add_argument("--accounts", type=int, default=FULL)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[], metavar="C")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    figures.add_option(parser)
    found = parser.parse_args()
    return Options(
        accounts=found.accounts,
        seconds=found.seconds,
        rounds=found.rounds,
        connections=tuple(found.connections),
        servers=tuple(found.servers),
        works=tuple(found.works),
        figures=found.figures,
    )


async def prepare(url: str, size: Size, sqlite: Path | None) -> None:
    """Fill a Postgres, and an SQLite file with the same rows."""
    await migrate(url, runtime_url=as_runtime(url))
    await fill(url, size)
    if sqlite:
        await copy_to_sqlite(url, sqlite)


@cache
def generator() -> subprocess.Popen[str]:
    """Return the process of the load generator; it ends with its standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def load(running: Running, bodies: Sequence[str], connections: int, seconds: float) -> Measured:
    """Send requests from the load generator's process."""
    request = Load(
        host="127.0.0.1",
        port=running.port,
        headers=dict(running.server.headers),
        bodies=list(bodies),
        connections=connections,
        seconds=seconds,
    )
    process = generator()
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(asdict(request)) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise SystemExit(f"The load on {running.server.name} broke off.")
    return Measured(**json.loads(answer))


def sample(
    running: Running,
    database: Postgres,
    warm_up: Callable[[], object],
    measure: Callable[[], Measured],
) -> Sample:
    """Measure one server once, warmed up."""
    warm_up()
    before, postgres_before = running.cpu_seconds, database.cpu_seconds
    measured = measure()
    cpu, postgres_cpu = running.cpu_seconds - before, database.cpu_seconds - postgres_before
    ours = (cpu + postgres_cpu) / measured.seconds + measured.own_cpu
    per_answer = 1000 / max(measured.good, 1)
    return Sample(
        measured=measured,
        cpu=per_answer * cpu,
        postgres_cpu=per_answer * postgres_cpu,
        others=max(measured.busy_cpu - ours, 0.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Medians:
    """The rounds of one server: medians, and the most that others took."""

    rate: float
    p50: float
    p99: float
    cpu: float
    postgres_cpu: float
    own_cpu: float
    refused: float
    others: float

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "Medians":
        median = statistics.median
        return cls(
            rate=median(each.measured.rate for each in samples),
            p50=median(each.measured.p50 for each in samples),
            p99=median(each.measured.p99 for each in samples),
            cpu=median(each.cpu for each in samples),
            postgres_cpu=median(each.postgres_cpu for each in samples),
            own_cpu=median(each.measured.own_cpu for each in samples),
            refused=median(
                each.measured.errors / max(each.measured.requests, 1) for each in samples
            ),
            others=max(each.others for each in samples),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One operation on all servers that it is measured with."""

    work: Work
    bodies: Sequence[str]
    servers: Mapping[str, Running]
    postgres: Postgres
    options: Options

    @property
    def connections(self) -> Sequence[int]:
        return self.options.connections or self.work.connections

    def run(self) -> Mapping[tuple[str, int], Medians]:
        """Measure all servers in turn, round after round."""
        samples: Samples = {}
        seconds = self.options.seconds
        rounds = [*product(range(self.options.rounds), self.connections)]
        for position, (number, connections) in enumerate(rounds):
            first, second = self.parts(2 * position, 2 * len(rounds))
            for name, running in self.servers.items():
                report(f"{self.work.title}, round {number + 1}, {connections} connections: {name}")
                warm_up = partial(load, running, first, connections, min(WARM_UP_SECONDS, seconds))
                measure = partial(load, running, second, connections, seconds)
                samples.setdefault((name, connections), []).append(
                    sample(running, self.postgres, warm_up, measure)
                )
        report("")
        return {key: Medians.of(found) for key, found in samples.items()}

    def parts(self, position: int, count: int) -> tuple[Sequence[str], Sequence[str]]:
        """Return two neighbours of `count` parts of the bodies, or twice all of them."""
        if not self.work.fresh:
            return self.bodies, self.bodies
        size = len(self.bodies) // count
        first, second = position * size, (position + 1) * size
        return self.bodies[first:second], self.bodies[second : second + size]

    def table(self, found: Mapping[tuple[str, int], Medians]) -> Iterator[str]:
        """Yield the lines of the result; ratios are to the first server of `against`."""
        base = next((name for name in self.work.against if name in self.servers), None)
        title = self.servers[base].server.name if base else "none"
        yield f"\n{self.work.title}; ratios to {title}"
        yield (
            f"{'server':<26}{'conn.':>6}{'req/s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}"
            f"{'CPU ms':>9}{'Postgres':>10}{'RSS MB':>8}{'refused':>9}{'load':>6}{'others':>8}"
        )
        for (name, running), connections in product(self.servers.items(), self.connections):
            each = found[name, connections]
            against = found[base, connections].rate if base else 0.0
            yield (
                f"{running.server.name:<26}{connections:>6}{each.rate:>9.0f}"
                f"{each.rate / against if against else 0.0:>8.2f}{each.p50:>9.2f}{each.p99:>9.2f}"
                f"{each.cpu:>9.2f}{each.postgres_cpu:>10.2f}"
                f"{running.memory_bytes / 1_000_000:>8.0f}{each.refused:>9.1%}{each.own_cpu:>6.0%}"
                f"{each.others:>7.2f}{'!' if each.others > DISTURBED else ' '}"
            )

    def figures(self, key: str, found: Mapping[tuple[str, int], Medians]) -> figures.Figures:
        """Return the figures by server and connections, and each server's memory in MB."""
        rates = {
            f"{key}/{name}/{connections}/{figure}": value
            for (name, connections), each in found.items()
            for figure, value in asdict(each).items()
        }
        memory = {
            f"{key}/{name}/memory": running.memory_bytes / 1_000_000
            for name, running in self.servers.items()
        }
        return {**rates, **memory}


def compare(work: Work, servers: Mapping[str, Running], accounts: int, last_day: date) -> int:
    """Return the leaves of the answer, which all servers give alike. Raises SystemExit."""
    count = 0
    for request in work.requests(accounts, last_day)[:COMPARED]:
        (first, expected), *others = [
            (each.server.name, ask(each, request)) for each in servers.values()
        ]
        for name, answer in others:
            if answer != expected:
                raise SystemExit(f"{name} and {first} differ:\n{answer}\n{expected}")
        count = leaves(expected)
    return count


def report(progress: str) -> None:
    """Show the running measurement on a terminal."""
    if sys.stderr.isatty():
        print(f"{progress:<100}", end="\r", file=sys.stderr)


def yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


def serving(
    names: Set[str], url: str, sqlite: Path | None, stack: ExitStack
) -> Mapping[str, Running]:
    """Start the named servers, all at once."""
    servers = {name: make() for name, make in SERVERS.items() if name in names}
    for folder in {server.needs for server in servers.values() if server.needs}:
        installed(folder)
    contexts = [started(server, url, sqlite=sqlite or Path()) for server in servers.values()]
    for context in contexts:
        stack.push(context)
    with ThreadPoolExecutor(len(contexts)) as threads:
        found = list(threads.map(lambda context: context.__enter__(), contexts))
    return dict(zip(servers, found, strict=True))


def measure_all(options: Options, stack: ExitStack) -> None:
    """Measure every operation on its servers and print a table for each."""
    size = Size(accounts=options.accounts, last_day=yesterday())
    needed = {name for work in options.works for name in WORKS[work].servers} & {*options.servers}
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    sqlite = folder / "gateway.sqlite3" if "sqlite" in needed else None
    database = stack.enter_context(postgres())
    asyncio.run(prepare(database.url, size, sqlite))
    url = database.url
    running = serving(needed, url, sqlite, stack)
    for key, value in description().items():
        print(f"{key}: {value}")
    print(f"data: {size}. One process a server, 8 connections to Postgres each.")
    for name in options.works:
        work = WORKS[name]
        chosen = {each: running[each] for each in work.servers if each in running}
        count = compare(work, chosen, options.accounts, size.last_day)
        bodies = [json.dumps(each) for each in work.requests(options.accounts, size.last_day)]
        measurement = Measurement(
            work=work, bodies=bodies, servers=chosen, postgres=database, options=options
        )
        found = measurement.run()
        print("\n".join(measurement.table(found)))
        print(f"{count} leaves; the same answer from every server.", flush=True)
        figures.write(options.figures, measurement.figures(name, found))


def main() -> None:
    options = parse_arguments()
    with ExitStack() as stack:
        measure_all(options, stack)


if __name__ == "__main__":
    main()
