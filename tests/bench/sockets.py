"""`ConsolePage` while idle, slow and half-shaken sockets are held open.

    python -m tests.bench.sockets [--sockets 1500] [--seconds 12] [--rounds 3]

Sixteen connections wait for each answer: alone, and beside the sockets of `idle_sockets`, in turn.
The median of the rounds counts. Twelve seconds are longer than any of the sockets may stay.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

import httpx

from tests.bench import figures
from tests.bench.data import Size
from tests.bench.load import Measured
from tests.bench.machine import postgres
from tests.bench.operations import load, prepare, yesterday
from tests.bench.servers import ROOT, SERVERS, Running, started
from tests.bench.works import WORKS
from tests.conftest import as_runtime

CONNECTIONS: Final = 16
KINDS: Final = ("alone", "beside")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One measurement; `cpu` in milliseconds of the server a good answer."""

    measured: Measured
    cpu: float


def measure_once(running: Running, bodies: Sequence[str], seconds: float) -> Round:
    before = running.cpu_seconds
    measured = load(running, bodies, CONNECTIONS, seconds)
    spent = running.cpu_seconds - before
    return Round(measured=measured, cpu=1_000 * spent / max(measured.good, 1))


@contextmanager
def held(running: Running, sockets: int) -> Iterator[None]:
    """Hold sockets open while entered; print how often they were opened."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.idle_sockets", str(running.port), str(sockets)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin
    assert process.stdout
    try:
        if process.stdout.readline() != "ready\n":
            raise SystemExit("The sockets could not be opened.")
        yield
        process.stdin.close()
        opened = process.stdout.readline().strip()
        print(f"{sockets:,} sockets, opened {int(opened):,} times", flush=True)
    finally:
        process.kill()
        process.wait()


def measure(
    running: Running, bodies: Sequence[str], sockets: int, seconds: float, rounds: int
) -> dict[str, list[Round]]:
    """Return the rounds of each kind."""
    found: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    load(running, bodies, CONNECTIONS, min(seconds, 1))
    for _ in range(rounds):
        found["alone"].append(measure_once(running, bodies, seconds))
        with held(running, sockets):
            found["beside"].append(measure_once(running, bodies, seconds))
            ready = httpx.get(f"http://127.0.0.1:{running.port}/readyz").status_code
            print(f"/readyz answers {ready}", flush=True)
    return found


def show(found: dict[str, list[Round]]) -> figures.Figures:
    """Print the medians; return the figures."""
    shown: dict[str, float] = {}
    print(f"{'':<8}{'answers/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'errors':>8}")
    for kind, rounds in found.items():
        rate, p50, p99 = (
            median(getattr(each.measured, name) for each in rounds)
            for name in ("rate", "p50", "p99")
        )
        cpu = median(each.cpu for each in rounds)
        errors = sum(each.measured.errors for each in rounds)
        print(f"{kind:<8}{rate:>10,.0f}{p50:>9.1f}{p99:>9.1f}{cpu:>9.2f}{errors:>8}", flush=True)
        figures_of = {"p99": p99, "cpu": cpu, "errors": float(errors)}
        shown |= {f"sockets/{kind}/{name}": value for name, value in figures_of.items()}
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sockets", description=__doc__)
    parser.add_argument("--sockets", type=int, default=1_500)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--accounts", type=int, default=200)
    figures.add_option(parser)
    options = parser.parse_args()
    size = Size(accounts=options.accounts, last_day=yesterday())
    bodies = [json.dumps(each) for each in WORKS["page"].requests(size.accounts, size.last_day)]
    with postgres() as database:
        asyncio.run(prepare(database.url, size, None))
        with started(SERVERS["gateway"](), as_runtime(database.url)) as running:
            found = measure(running, bodies, options.sockets, options.seconds, options.rounds)
    figures.write(options.figures, show(found))


if __name__ == "__main__":
    main()
