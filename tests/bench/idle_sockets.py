"""Sockets that cost a server and ask for nothing, in a process of their own.

    python -m tests.bench.idle_sockets PORT COUNT

A third are silent, a third send a byte of a head in each second, and a third are WebSockets without
`connection_init`. Each is opened again as soon as it is closed, until standard input ends. "ready"
is printed when all are open, and at the end how often they were opened.
"""

import asyncio
import resource
import sys
from contextlib import suppress
from itertools import count
from typing import Final

import uvloop

ADDRESSES: Final = 100
"""Client addresses, all of loopback."""
SECOND: Final = 1.0
PAUSE_SECONDS: Final = 0.1
AT_ONCE: Final = 50
_HEAD: Final = b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 4_000
_HANDSHAKE: Final = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


class _Crowd:
    """The sockets; `opened` counts each time that one is opened."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.opened = 0
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def keep(self, number: int) -> None:
        """Keep one socket open, of the kind and the address that its number says."""
        host = f"127.0.1.{1 + number % ADDRESSES}"
        while True:
            with suppress(OSError):
                async with self._gate:
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", self.port, local_addr=(host, 0)
                    )
                self.opened += 1
                writing = asyncio.create_task(_send(writer, number % 3))
                try:
                    while await reader.read(65_536):
                        pass
                finally:
                    writing.cancel()
                    writer.close()
            await asyncio.sleep(PAUSE_SECONDS)


async def _send(writer: asyncio.StreamWriter, kind: int) -> None:
    if kind == 1:
        for place in count():
            writer.write(_HEAD[place : place + 1])
            await asyncio.sleep(SECOND)
    if kind == 2:
        writer.write(_HANDSHAKE)


async def hold(port: int, sockets: int) -> None:
    """Hold the sockets until standard input ends."""
    crowd = _Crowd(port)
    tasks = [asyncio.create_task(crowd.keep(number)) for number in range(sockets)]
    while crowd.opened < sockets:  # noqa: ASYNC110 - many tasks count it
        await asyncio.sleep(PAUSE_SECONDS)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(crowd.opened, flush=True)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(hold(int(sys.argv[1]), int(sys.argv[2])))
