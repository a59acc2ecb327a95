"""`make bench`: every row of the bar in one run, and a table of them at the end.

Each work runs as a command of its own, printed above its output, which can be run alone. `--works`
chooses among them, `--quick` makes all of them small: about 3 minutes on an idle machine with two
processors; the whole takes about 45. The last column of the table says how busy other processes
kept the machine: above 0.2 cores, measure again.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from tests.bench import bar, figures
from tests.bench.servers import ROOT, SERVERS
from tests.bench.works import WORKS

OPERATIONS: Final = "operations"
SECONDS: Final = 1.0
"""How long the idle machine is watched between two commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A module of this package with its arguments, at full size and small."""

    module: str
    full: str = ""
    quick: str = ""


COMMANDS: Final[Mapping[str, Command]] = {
    OPERATIONS: Command(
        module=OPERATIONS,
        full="--accounts 2000 --seconds 3 --rounds 3",
        quick="--accounts 120 --seconds 0.4 --rounds 1",
    ),
    "stored-events": Command(
        module="stored_events",
        full="--fewest 10000 --most 10000000",
        quick="--fewest 10000 --most 100000 --requests 40",
    ),
    "usage": Command(
        module="usage",
        full="--events 10000000 --fewest 10000",
        quick="--events 50000 --fewest 5000 --requests 10",
    ),
    "push": Command(
        module="subscribers",
        full="--subscribers 5000 --changes 7",
        quick="--subscribers 1000 --changes 3",
    ),
    "ingestion": Command(
        module="ingest",
        full="--events 50000 --accounts 10 --batches 2 --rounds 3",
        quick="--events 10000 --accounts 10 --batches 1 --rounds 1",
    ),
    "ingestion-http": Command(
        module="ingest_http",
        full="--clients 4 --batches 10",
        quick="--clients 2 --batches 2 --databases postgresql",
    ),
    "exports": Command(
        module="exports",
        full="--rows 1000000 --formats CSV",
        quick="--rows 20000 --formats CSV",
    ),
    "overload": Command(module="overload", full="--seconds 60", quick="--seconds 5 --accounts 20"),
    "sockets": Command(
        module="sockets",
        full="--sockets 1500 --seconds 12 --rounds 3",
        quick="--sockets 300 --seconds 1 --rounds 1 --accounts 20",
    ),
}
PROFILES: Final[Mapping[str, Command]] = {
    "shares": Command(module="shares", full="--seconds 10", quick="--seconds 3 --accounts 50"),
    "round-trips": Command(module="round_trips"),
}
NAMES: Final = (*WORKS, *(name for name in COMMANDS if name != OPERATIONS), *PROFILES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    works: Sequence[str]
    quick: bool
    operations: Sequence[str]


def parse_arguments(arguments: Sequence[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--works", nargs="+", choices=NAMES, help="default: all of the bar")
    parser.add_argument("--quick", action="store_true", help="all of them small")
    parser.add_argument("--profile", action="store_true", help="also shares and round trips")
    for option in ("--accounts", "--seconds", "--rounds"):
        parser.add_argument(option, help="of GraphQL operations")
    parser.add_argument("--connections", nargs="+", help="of GraphQL operations")
    parser.add_argument("--servers", nargs="+", choices=SERVERS)
    found = parser.parse_args(arguments)
    works = found.works or [name for name in NAMES if name not in PROFILES]
    given = {
        "--accounts": [found.accounts] if found.accounts else None,
        "--seconds": [found.seconds] if found.seconds else None,
        "--rounds": [found.rounds] if found.rounds else None,
        "--connections": found.connections,
        "--servers": found.servers,
    }
    return Options(
        works=[*works, *(PROFILES if found.profile else ())],
        quick=found.quick,
        operations=[word for name, values in given.items() if values for word in (name, *values)],
    )


def commands(options: Options) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the works' names with the words of their commands; operations share one."""

    def words(command: Command, *more: str) -> Sequence[str]:
        size = (command.quick if options.quick else command.full).split()
        pairs = [*zip(size[::2], size[1::2], strict=True)]
        kept = [word for pair in pairs if pair[0] not in more for word in pair]
        return [f"tests.bench.{command.module}", *kept, *more]

    operations = [name for name in options.works if name in WORKS]
    if operations:
        more = ("--works", *operations, *options.operations)
        yield OPERATIONS, words(COMMANDS[OPERATIONS], *more)
    for name, command in {**COMMANDS, **PROFILES}.items():
        if name in options.works:
            yield name, words(command)


def busy_cores(seconds: float = SECONDS) -> float:
    """Return how many cores the machine uses while no measurement runs."""
    share: float = psutil.cpu_percent(interval=seconds) / 100
    return share * (psutil.cpu_count() or 1)


def run(words: Sequence[str], path: Path) -> bool:
    """Run a command with its output passed on; return whether it succeeded."""
    print(f"\n$ python -m {' '.join(words)}", flush=True)
    ended = subprocess.run(
        [sys.executable, "-m", *words, "--figures", str(path)], cwd=ROOT, check=False
    )
    return ended.returncode == 0


def main() -> None:
    options = parse_arguments()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        before, began = busy_cores(), time.monotonic()
        for name, words in commands(options):
            started = time.monotonic()
            if not run(words, path):
                failed.append(name)
            after = busy_cores()
            figures.write(path, {f"{name}/before/others": before, f"{name}/after/others": after})
            load = " ".join(f"{each:.2f}" for each in os.getloadavg())
            print(f"[{time.monotonic() - started:.0f} s; load {load}; others {after:.1f} cores]")
            before = after
        found = figures.read(path)
    print(f"\nMeasured in {(time.monotonic() - began) / 60:.1f} minutes:\n")
    print("\n".join(bar.table(options.works, found)))
    if failed:
        raise SystemExit(f"Not measured, because their commands failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
