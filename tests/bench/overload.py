"""`ConsolePage` at three times the rate that the gateway can serve.

    python -m tests.bench.overload [--seconds 60] [--factor 3] [--server sqlite]

The peak is the best rate of good answers with 16 and with 64 connections that wait for each answer.
Then requests arrive at a multiple of it, whatever the answers do, each on a free or new connection.
A good answer is a 200 without `errors`; a refusal counts as right if it is a 503 with Retry-After.
Recovery is the time from the end until good answers come at 90 % of the peak again, with 64
connections, in a quarter of a second.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.bench import figures
from tests.bench.arrivals import Arrivals, Outcome
from tests.bench.data import Size
from tests.bench.load import Load
from tests.bench.machine import postgres
from tests.bench.operations import load, prepare, yesterday
from tests.bench.servers import ROOT, SERVERS, Running, started
from tests.bench.works import WORKS

PEAK_CONNECTIONS: Final = (16, 64)
PEAK_SECONDS: Final = 5.0
MEMORY_SECONDS: Final = 0.02
"""How often the server's memory is read."""


def peak(running: Running, bodies: Sequence[str], seconds: float) -> float:
    """Return the most good answers a second, after a warm-up."""
    load(running, bodies, PEAK_CONNECTIONS[0], min(seconds, 1))
    return max(load(running, bodies, each, seconds).rate for each in PEAK_CONNECTIONS)


def overload(
    running: Running, bodies: Sequence[str], seconds: float, factor: float, best: float
) -> Outcome:
    """Send for so many seconds at a multiple of the peak, from a process of its own."""
    arrivals = Arrivals(
        load=Load(
            host="127.0.0.1",
            port=running.port,
            headers=dict(running.server.headers),
            bodies=list(bodies),
            connections=PEAK_CONNECTIONS[-1],
            seconds=seconds,
        ),
        rate=factor * best,
        peak=best,
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.arrivals"],
        input=json.dumps(asdict(arrivals)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The load broke off:\n{done.stderr}")
    return Outcome(**json.loads(done.stdout))


@contextmanager
def growing(running: Running) -> Iterator[list[float]]:
    """Yield a list that has, after the block, the most MB that the server grew by in it."""
    before = most = running.memory_bytes
    over = threading.Event()

    def look() -> None:
        nonlocal most
        while not over.wait(MEMORY_SECONDS):
            most = max(most, running.memory_bytes)

    found: list[float] = []
    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
        found.append((most - before) / 1_000_000)


def show(
    outcome: Outcome, seconds: float, factor: float, best: float, grown: float
) -> figures.Figures:
    """Print what became of the requests; return the figures."""
    goodput = outcome.good / seconds / best
    bad = outcome.refused + outcome.failed + outcome.lost + outcome.unsent
    print(f"peak {best:,.0f} good answers a second; {factor:g} × that for {seconds:g} s")
    print(f"good {outcome.good / seconds:,.0f} a second, {goodput:.2f} of the peak", end="; ")
    print(f"p50 {outcome.good_p50:,.0f} ms, p99 {outcome.good_p99:,.0f} ms")
    print(
        f"503 with Retry-After {outcome.refused:,}, other refusals {outcome.failed:,}, without an "
        f"answer {outcome.lost:,}, given up by the client {outcome.unsent:,}; of {bad:,}"
    )
    print(f"statuses {outcome.statuses}; the client took {outcome.own_cpu:.0%} of a core")
    print(
        f"a refusal: p50 {outcome.refusal_p50:,.0f} ms, p99 {outcome.refusal_p99:,.0f} ms, in the "
        f"best quarter of a second {outcome.refusal_quiet_p99:,.0f} ms"
    )
    print(f"the server grew by {grown:,.1f} MB at most")
    print(f"90 % of the peak again after {outcome.recovery:.1f} s", flush=True)
    found = {
        "overload/goodput": goodput,
        "overload/refused": outcome.refused / bad if bad else 1.0,
        "overload/recovery": outcome.recovery,
        "overload/memory": grown,
    }
    refusal = {
        "overload/refusal": outcome.refusal_p99,
        "overload/refusal-quiet": outcome.refusal_quiet_p99,
    }
    return {**found, **refusal} if bad else found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--factor", type=float, default=3)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--server", choices=SERVERS, default="gateway")
    figures.add_option(parser)
    options = parser.parse_args()
    size = Size(accounts=options.accounts, last_day=yesterday())
    bodies = [json.dumps(each) for each in WORKS["page"].requests(size.accounts, size.last_day)]
    with postgres() as database, tempfile.TemporaryDirectory() as folder:
        sqlite = Path(folder) / "gateway.sqlite3" if options.server == "sqlite" else None
        asyncio.run(prepare(database.url, size, sqlite))
        server = SERVERS[options.server]()
        with started(server, database.url, sqlite=sqlite or Path()) as running:
            best = peak(running, bodies, min(options.seconds, PEAK_SECONDS))
            with growing(running) as grown:
                outcome = overload(running, bodies, options.seconds, options.factor, best)
    found = show(outcome, options.seconds, options.factor, best, *grown)
    figures.write(options.figures, found)


if __name__ == "__main__":
    main()
