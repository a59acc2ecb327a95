"""WebSocket frames as bytes: malformed ones close their socket by the RFC, and harm no other."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS

HANDSHAKE: Final = (
    "GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "sec-websocket-protocol: graphql-transport-ws\r\n"
    "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n"
)
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
LAST, COMPRESSED = 0x80, 0x40
LONGEST_SECONDS: Final = 0.5


def frame(first: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """Return a frame of at most 125 bytes, masked with zeros as a client's has to be masked."""
    return bytes([first, len(payload) | (0x80 if masked else 0)]) + bytes(4 * masked) + payload


MALFORMED: Final = {
    "not masked": (frame(LAST | TEXT, b"{}", masked=False), 1002),
    "unknown opcode": (frame(LAST | 3), 1002),
    "unknown control": (frame(LAST | 11), 1002),
    "reserved bit": (frame(LAST | 0x20 | TEXT, b"{}"), 1002),
    "compressed": (frame(LAST | COMPRESSED | TEXT, b"\xaa\x56"), 1002),
    "continues nothing": (frame(LAST, b"{}"), 1002),
    "begins twice": (frame(TEXT, b"{") + frame(LAST | TEXT, b"}"), 1002),
    "control in pieces": (frame(PING), 1002),
    "long control": (bytes([LAST | PING, 0xFE, 0, 126]) + bytes(4 + 126), 1002),
    "no UTF-8": (frame(LAST | TEXT, b"\xff"), 1007),
    "half a close code": (frame(LAST | CLOSE, b"\x03"), 1002),
    "reserved close code": (frame(LAST | CLOSE, b"\x03\xed"), 1002),
    "endless length": (bytes([LAST | TEXT, 0xFF]) + b"\x7f" + b"\xff" * 7 + bytes(4), 1009),
    "binary": (frame(LAST | BINARY, b"{}"), 4400),
    "text in pieces": (frame(TEXT, b'{"type"') + frame(LAST, b":1}"), 4400),
}


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(sqlite_database_url, tmp_path / "data") as place:
        yield place


@asynccontextmanager
async def shaken(
    served: Gateway, headers: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, str]]:
    """Lend a socket after its handshake, with the head of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            writer.write((HANDSHAKE + headers + "\r\n").encode())
            yield reader, writer, (await reader.readuntil(b"\r\n\r\n")).decode()
    finally:
        writer.close()


async def close_code(reader: asyncio.StreamReader) -> int:
    """Read short frames up to the one that closes; return its code."""
    while True:
        opcode, length = await reader.readexactly(2)
        payload = await reader.readexactly(length)
        if opcode & 0xF == CLOSE:
            return int.from_bytes(payload[:2], "big")


@pytest.mark.parametrize(("sent", "code"), MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_frame_closes_its_socket(
    served: Gateway, sent: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with shaken(served) as (reader, writer, _):
        writer.write(sent)
        assert await close_code(reader) == code
    async with served.socket() as other:
        await other.send({"type": "ping"})
        assert await other.hear() == {"type": "pong"}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_compression_is_not_agreed_on(served: Gateway) -> None:
    async with shaken(served) as (_, _, head):
        assert head.startswith("HTTP/1.1 101 ")
        assert "sec-websocket-extensions" not in head.lower()


async def test_a_flood_of_messages_makes_no_other_wait(served: Gateway) -> None:
    async with httpx.AsyncClient(base_url=served.url) as other:
        await other.get("/livez")
        for _ in range(3):  # a busy machine may be late
            longest = await longest_beside_a_flood(served, other)
            if longest < LONGEST_SECONDS:
                break
    assert longest < LONGEST_SECONDS


async def longest_beside_a_flood(served: Gateway, other: httpx.AsyncClient) -> float:
    """Return the longest that a request of another took while a socket was flooded, in seconds."""
    longest = 0.0
    credential = f"authorization: Bearer {served.token('ada')}\r\n"
    async with shaken(served, credential) as (reader, writer, _):
        writer.write(frame(LAST | TEXT, b'{"type":"connection_init"}'))
        writer.write(frame(LAST | TEXT, b'{"type":"ping"}') * 50_000)
        closing = asyncio.create_task(close_code(reader))
        while not closing.done():
            began = time.monotonic()
            assert (await other.get("/livez")).status_code == 200
            longest = max(longest, time.monotonic() - began)
        # The rest of the flood, which nobody reads, may reset the connection.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            assert await closing == 1008
    return longest
