"""An open load generator in its own process: requests arrive at a rate, whatever the answers do.

Reads `Arrivals` as JSON from standard input and writes an `Outcome` as JSON to standard output. A
request takes a free connection or opens one. When the rate has ended, a few connections send one
request after another, for how long it takes until answers come as fast as at the peak.
"""

import asyncio
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import uvloop

from tests.bench.load import Load, percentile, request_of

TICK_SECONDS: Final = 0.002
PATIENCE_SECONDS: Final = 10.0
"""How long a client waits for an answer."""
PENDING: Final = 5_000
"""Requests on their way above which a client gives up without sending."""
WINDOW_SECONDS: Final = 0.25
FEWEST: Final = 10
"""Refusals of a window that has a percentile."""
RECOVERED: Final = 0.9
LONGEST_RECOVERY_SECONDS: Final = 30.0
UNAVAILABLE: Final = b"503"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """`load` holds the requests, the seconds, and the connections after the overload; `rate` and
    `peak` are requests a second.
    """

    load: Load
    rate: float
    peak: float


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of the requests. `good` came within the seconds of the overload; `refused` are
    answers of 503 with Retry-After, `failed` all others, `lost` those without an answer; times in
    milliseconds, `recovery` in seconds. `refusal_quiet_p99` is the least p99 of a quarter of a
    second: what another process of the machine did to the others is not the server's. 0 where no
    quarter had enough refusals.
    """

    sent: int = 0
    good: int = 0
    late: int = 0
    refused: int = 0
    failed: int = 0
    lost: int = 0
    unsent: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    good_p50: float = 0
    good_p99: float = 0
    refusal_p50: float = 0
    refusal_p99: float = 0
    refusal_quiet_p99: float = 0
    recovery: float = LONGEST_RECOVERY_SECONDS
    own_cpu: float = 0


class _Connection(asyncio.Protocol):
    """One connection; `answered(connection, status, body)` is called for each answer."""

    def __init__(self, request: bytes, answered: Callable[["_Connection", bytes], None]) -> None:
        self.request = request
        self.answered = answered
        self.received = bytearray()
        self.expected = 0
        self.sent_at = time.perf_counter()
        self.busy = True

    # uvloop's transports are none of asyncio's classes.
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def send(self, request: bytes) -> None:
        self.request, self.busy, self.sent_at = request, True, time.perf_counter()
        self.received.clear()
        self.expected = 0
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.expected:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.received[:end]).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.expected = end + 4 + int(length)
        if len(self.received) >= self.expected:
            self.busy = False
            self.answered(self, bytes(self.received))

    def connection_lost(self, error: Exception | None) -> None:
        if self.busy:
            self.busy = False
            self.answered(self, b"")


class Overload:
    """Sends requests at a rate and counts what becomes of them."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.requests = [request_of(arrivals.load, body) for body in arrivals.load.bodies]
        self.outcome = Outcome()
        self.free: list[_Connection] = []
        self.pending = 0
        self.until = 0.0
        self.good: list[float] = []
        self.refusals: list[tuple[int, float]] = []
        """The window of each refusal, and the seconds until it."""
        self.settled = asyncio.Event()
        self.opening: set[asyncio.Task[None]] = set()

    async def run(self) -> Outcome:
        loads, began = self.arrivals.load, time.perf_counter()
        self.until = began + loads.seconds
        while (now := time.perf_counter()) < self.until:
            while self.outcome.sent + self.outcome.unsent < (now - began) * self.arrivals.rate:
                self._arrive()
            await asyncio.sleep(TICK_SECONDS)
        self.outcome.recovery = await self._recover()
        with suppress(TimeoutError):
            left = self.until + PATIENCE_SECONDS - time.perf_counter()
            if self.pending:
                await asyncio.wait_for(self.settled.wait(), max(left, 0))
        outcome = self.outcome
        outcome.lost += self.pending
        self.good.sort()
        outcome.good_p50, outcome.good_p99 = (percentile(self.good, each) for each in (0.5, 0.99))
        self._measure_refusals()
        return outcome

    def _measure_refusals(self) -> None:
        outcome, windows = self.outcome, defaultdict[int, list[float]](list)
        for window, seconds in self.refusals:
            windows[window].append(seconds)
        whole = sorted(seconds for _, seconds in self.refusals)
        outcome.refusal_p50, outcome.refusal_p99 = (percentile(whole, each) for each in (0.5, 0.99))
        full = [sorted(each) for each in windows.values() if len(each) >= FEWEST]
        outcome.refusal_quiet_p99 = min((percentile(each, 0.99) for each in full), default=0)

    def _arrive(self) -> None:
        outcome = self.outcome
        self.settled.clear()
        if self.pending >= PENDING:
            outcome.unsent += 1
            return
        request = self.requests[outcome.sent % len(self.requests)]
        outcome.sent += 1
        self.pending += 1
        while self.free:
            connection = self.free.pop()
            if not connection.transport.is_closing():
                connection.send(request)
                return
        task = asyncio.create_task(self._open(request))
        self.opening.add(task)
        task.add_done_callback(self.opening.discard)

    async def _open(self, request: bytes) -> None:
        load = self.arrivals.load
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: _Connection(request, self._answered), load.host, load.port
            )
        except OSError:
            self._settle()
            self.outcome.lost += 1

    def _settle(self) -> None:
        self.pending -= 1
        if not self.pending:
            self.settled.set()

    def _answered(self, connection: _Connection, answer: bytes) -> None:
        now = time.perf_counter()
        self._settle()
        outcome = self.outcome
        if not answer:
            outcome.lost += 1
            return
        head = answer[: answer.find(b"\r\n\r\n")].lower()
        status = head[9:12]
        name = status.decode()
        outcome.statuses[name] = outcome.statuses.get(name, 0) + 1
        if _is_good(answer):
            outcome.late += now > self.until
            outcome.good += now <= self.until
            self.good.append(now - connection.sent_at)
        else:
            right = status == UNAVAILABLE and b"\r\nretry-after:" in head
            outcome.refused += right
            outcome.failed += not right
            self.refusals.append((int(now / WINDOW_SECONDS), now - connection.sent_at))
        self.free.append(connection)

    async def _recover(self) -> float:
        """Return the seconds until answers to new requests come nearly as fast as at the peak."""
        load, began, good = self.arrivals.load, time.perf_counter(), 0

        def next_one(connection: _Connection, answer: bytes) -> None:
            nonlocal good
            good += _is_good(answer)
            if answer and not connection.transport.is_closing():
                connection.send(connection.request)

        connections = [
            (
                await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self.requests[0], next_one), load.host, load.port
                )
            )[0]
            for _ in range(load.connections)
        ]
        needed = RECOVERED * self.arrivals.peak * WINDOW_SECONDS
        while (took := time.perf_counter() - began) < LONGEST_RECOVERY_SECONDS:
            before = good
            await asyncio.sleep(WINDOW_SECONDS)
            if good - before >= needed:
                break
        for transport in connections:
            transport.abort()
        return took


def _is_good(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 200") and b'"errors":' not in answer


def main() -> None:
    given = json.load(sys.stdin)
    arrivals = Arrivals(load=Load(**given["load"]), rate=given["rate"], peak=given["peak"])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    began = time.perf_counter()
    outcome = uvloop.run(Overload(arrivals).run())
    outcome.own_cpu = time.process_time() / (time.perf_counter() - began)
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
