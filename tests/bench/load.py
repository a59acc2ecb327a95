"""A load generator in its own process: `c` connections, each sends its next request at the answer.

Reads a `Load` as JSON from each line of standard input and writes a `Measured` as JSON to a line of
standard output. It does as little as it can (no HTTP library, answers are counted by
`Content-Length` and not parsed) and says how much of a core it took, so that one sees whether it
was the bottleneck. An answer is good if it is a 200 without `errors`; latencies are those of good
answers.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_ERRORS = b'"errors":'
_PATIENCE_SECONDS = 30
"""For the last answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send where: the bodies in turn, for so long, over so many connections."""

    host: str
    port: int
    headers: dict[str, str]
    bodies: list[str]
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came back: good answers, other answers, and the milliseconds until the good ones.

    `own_cpu` are the cores that the generator took, `busy_cpu` those that the whole machine took.
    """

    good: int
    errors: int
    seconds: float
    p50: float
    p99: float
    own_cpu: float
    busy_cpu: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds

    @property
    def requests(self) -> int:
        """All answers."""
        return self.good + self.errors


@dataclass(slots=True)
class _Run:
    requests: list[bytes]
    until: float = 0.0
    position: int = 0
    errors: int = 0
    latencies: list[float] = field(default_factory=list)

    def next(self) -> bytes:
        self.position += 1
        return self.requests[self.position % len(self.requests)]


class _Client(asyncio.Protocol):
    """One connection, made again where the server hangs up. Its `done` is set when time is up."""

    def __init__(self, run: _Run, load: Load) -> None:
        self.run = run
        self.load = load
        self.received = bytearray()
        self.expected = 0
        self.refused = False
        self.sent_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    # uvloop's transports are none of asyncio's classes.
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.received.clear()
        self.expected = 0
        self.sent_at = time.perf_counter()
        self.transport.write(self.run.next())

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.expected:
            end = self.received.find(_HEAD_END)
            if end < 0:
                return
            head = bytes(self.received[:end]).lower()
            start = head.index(_LENGTH) + len(_LENGTH)
            self.expected = end + len(_HEAD_END) + int(head[start:].split(b"\r\n", 1)[0])
            self.refused = not head.startswith(b"http/1.1 200")
        if len(self.received) >= self.expected:
            now = time.perf_counter()
            if self.refused or _ERRORS in self.received:
                self.run.errors += 1
            else:
                self.run.latencies.append(now - self.sent_at)
            if now < self.run.until:
                self._send()
            else:
                self.transport.close()
                self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        self.run.errors += 1
        if time.perf_counter() < self.run.until:
            self.again = asyncio.ensure_future(self.connect())
        else:
            self.done.set_result(None)

    async def connect(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self, self.load.host, self.load.port)
        except OSError as error:
            self.done.set_exception(error)


def request_of(load: Load, body: str) -> bytes:
    """Return the bytes of an HTTP request."""
    content = body.encode()
    headers = {
        "Host": f"{load.host}:{load.port}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Content-Length": str(len(content)),
        **load.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + content


async def measure(load: Load) -> Measured:
    run = _Run([request_of(load, body) for body in load.bodies])
    cpu, busy = resource.getrusage(resource.RUSAGE_SELF), _busy_seconds()
    started = time.perf_counter()
    run.until = started + load.seconds
    clients = [_Client(run, load) for _ in range(load.connections)]
    for client in clients:
        await client.connect()
    async with asyncio.timeout(load.seconds + _PATIENCE_SECONDS):
        await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    latencies = sorted(run.latencies)
    return Measured(
        good=len(latencies),
        errors=run.errors,
        seconds=seconds,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        own_cpu=(after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime) / seconds,
        busy_cpu=(_busy_seconds() - busy) / seconds,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return milliseconds of ordered seconds; 0 where there are none."""
    return 1000 * ordered[int(len(ordered) * share)] if ordered else 0.0


def _busy_seconds() -> float:
    """Return the CPU time that all processes of the machine took since it started."""
    times = psutil.cpu_times()
    seconds: float = sum(times) - times.idle - getattr(times, "iowait", 0.0)
    return seconds


if __name__ == "__main__":
    for line in sys.stdin:
        measured = uvloop.run(measure(Load(**json.loads(line))))
        print(json.dumps(asdict(measured)), flush=True)
