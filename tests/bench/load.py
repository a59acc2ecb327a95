"""A load generator in its own process: `c` connections, each sends its next request at the answer.

Reads a `Load` as JSON from standard input and writes a `Measured` as JSON to standard output. It
does as little as it can (no HTTP library, answers are counted by `Content-Length` and not parsed)
and says how much of a core it took, so that one sees whether it was the bottleneck.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
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
    """What came back. Latencies in milliseconds; `errors` are answers other than 200."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float
    own_cpu: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


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
    """One connection. Its `done` is set when time is up, or fails when the server hangs up."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.received = bytearray()
        self.expected = 0
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
            self.run.errors += not head.startswith(b"http/1.1 200")
        if len(self.received) >= self.expected:
            now = time.perf_counter()
            self.run.latencies.append(now - self.sent_at)
            if now < self.run.until:
                self._send()
            else:
                self.transport.close()
                self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("The server hung up."))


def _request(load: Load, body: str) -> bytes:
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


async def _measure(load: Load) -> Measured:
    run = _Run([_request(load, body) for body in load.bodies])
    loop = asyncio.get_running_loop()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    run.until = started + load.seconds
    clients = [
        (await loop.create_connection(lambda: _Client(run), load.host, load.port))[1]
        for _ in range(load.connections)
    ]
    async with asyncio.timeout(load.seconds + _PATIENCE_SECONDS):
        await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    latencies = sorted(run.latencies)
    return Measured(
        requests=len(latencies),
        errors=run.errors,
        seconds=seconds,
        p50=1000 * latencies[len(latencies) // 2],
        p99=1000 * latencies[int(len(latencies) * 0.99)],
        own_cpu=(after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime) / seconds,
    )


if __name__ == "__main__":
    measured = uvloop.run(_measure(Load(**json.load(sys.stdin))))
    json.dump(asdict(measured), sys.stdout)
