"""What a peer sends or leaves out ends its own connection, at the limit, and nothing else."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest
from graphql import get_introspection_query

from tests.support.edge import eventually
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.turns import measured_turns

START = b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n"
PROBE = START + b"\r\n"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n"
)
PING, FRAGMENT = b"\x89\x80\0\0\0\0", b"\x00\x80\0\0\0\0"
WEBSOCKET = "WebSocketProtocol"
LONG_PING = b"\x89\xfd\0\0\0\0" + b"x" * 125


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(
        sqlite_database_url,
        tmp_path / "data",
        http_head_seconds=0.4,
        http_keep_alive_seconds=1,
    ) as served:
        yield served


async def received(port: int, *pieces: bytes) -> bytes:
    """Send the pieces and return everything until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = b""
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            while data := await reader.read(65_536):
                answer += data
        except ConnectionError:
            pass
        writer.close()
        return answer


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((START, b"a: " + b"b" * 90_000), b"431"),
        ((START, b"a:b\r\n" * 200), b"431"),
        ((b"GET /" + b"a" * 90_000,), b"431"),
        ((HANDSHAKE + b"a: " + b"b" * 9_000 + b"\r\n\r\n",), b"431"),
        ((HANDSHAKE + b"a:b\r\n" * 130 + b"\r\n",), b"431"),
        ((HANDSHAKE + b"content-length: 5\r\n\r\n",), b"400"),
        ((START, b"a"), b"408"),
        ((b"no HTTP\r\n\r\n",), b"400"),
    ],
    ids=["long header", "headers", "target", "long line", "handshake", "body", "late", "no HTTP"],
)
async def test_a_head_beyond_a_limit_ends_its_connection(
    served: Gateway, pieces: tuple[bytes, ...], status: bytes
) -> None:
    answer = await received(served.port, *pieces)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close\r\n" in answer
    if b"upgrade" not in pieces[0] or status == b"431":
        assert b"x-content-type-options: nosniff\r\n" in answer
        assert answer.endswith(b'"extensions":{"code":"BAD_REQUEST"}}]}')


@pytest.mark.parametrize(
    "pieces", [(), (PROBE,), (PROBE, b"\r\n", b"\r\n")], ids=["silent", "answered", "blank lines"]
)
async def test_an_idle_connection_is_closed(served: Gateway, pieces: tuple[bytes, ...]) -> None:
    began = time.monotonic()
    answer = await received(served.port, *pieces)
    assert time.monotonic() - began < 10
    assert answer.count(b"HTTP/1.1 200 OK") == len(pieces[:1])


async def test_a_head_in_pieces_is_read(served: Gateway) -> None:
    answer = await received(served.port, START[:20], START[20:], b"a:b\r\n" * 50, b"\r\n" + PROBE)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("frame", [PING, FRAGMENT, LONG_PING], ids=["ping", "fragment", "long"])
async def test_a_flood_of_frames_closes_its_socket(served: Gateway, frame: bytes) -> None:
    first = b"\x01\x80\0\0\0\0" if frame == FRAGMENT else b""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(HANDSHAKE + b"\r\n" + first)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    began = time.monotonic()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionError):  # the socket may be reset while the flood is written
            writer.write(frame * 5_000)
            await writer.drain()
            while await reader.read(65_536):
                pass
    writer.close()
    assert time.monotonic() - began < 8  # without the limit only the wait for a credential ends it


def text_frame(payload: bytes) -> bytes:
    return b"\x81\xff" + len(payload).to_bytes(8, "big") + bytes(4) + payload


ECHOED = text_frame(b'{"type":"ping","payload":{"a":"%s"}}' % (b"x" * 100_000))
"""A ping of graphql-transport-ws, with a payload that its pong repeats."""


@pytest.mark.parametrize(
    "frames", [b"", LONG_PING * 400, ECHOED * 60], ids=["nothing", "pings", "echoes"]
)
async def test_a_peer_that_reads_nothing_is_cut(
    sqlite_database_url: str, tmp_path: Path, frames: bytes
) -> None:
    async with gateway(sqlite_database_url, tmp_path, live_init_seconds=0.3) as served:
        connections = served.server.server_state.connections
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.connect(("127.0.0.1", served.port))
            peer.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(peer, HANDSHAKE + b"\r\n")
            await eventually(lambda: [type(each).__name__ for each in connections] == [WEBSOCKET])
            (protocol,) = connections
            system = protocol.transport.get_extra_info("socket")
            system.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(10):
                    await asyncio.get_running_loop().sock_sendall(peer, frames)
            await eventually(lambda: not connections)


async def test_a_broken_handshake_breaks_no_stop(served: Gateway) -> None:
    writers = []
    for head in (HANDSHAKE + b"content-length: 5\r\n\r\n", HANDSHAKE, START):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(head)
        writers.append(writer)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as client:
        assert (await client.get("/livez")).status_code == 200
    for connection in list(served.server.server_state.connections):
        connection.shutdown()
    for writer in writers:
        writer.close()


async def test_an_answer_that_nobody_reads_is_cut(sqlite_database_url: str, tmp_path: Path) -> None:
    async with gateway(
        sqlite_database_url, tmp_path, live_unread_seconds=1, export_unread_seconds=1
    ) as served:
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            peer.connect(("127.0.0.1", served.port))
            peer.setblocking(False)
            body = orjson.dumps({"query": get_introspection_query()})
            request = (
                b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\n"
                b"content-type: application/json\r\nauthorization: Bearer %s\r\n"
                b"content-length: %d\r\n\r\n%s"
            ) % (served.token("ada").encode(), len(body), body)
            # So many answers are more than the buffers of both systems take.
            sending = asyncio.create_task(
                asyncio.get_running_loop().sock_sendall(peer, request * 100)
            )
            await eventually(lambda: served.server.server_state.connections)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while served.server.server_state.connections:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.05)
            with suppress(ConnectionError):
                await sending


async def test_an_answer_that_is_read_slowly_is_whole(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    async with gateway(
        sqlite_database_url, tmp_path, live_unread_seconds=1, export_unread_seconds=1
    ) as served:
        headers = {"authorization": f"Bearer {served.token('ada')}"}
        async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
            body = {"query": get_introspection_query()}
            async with client.stream("POST", "/graphql", json=body) as answer:
                text = b""
                async for part in answer.aiter_bytes(20_000):
                    text += part
                    await asyncio.sleep(0.05)
        assert "data" in orjson.loads(text)


async def test_a_flood_of_pipelined_requests_is_cut(served: Gateway) -> None:
    async with measured_turns() as turns:
        answer = await received(served.port, PROBE * 30_000)
    assert answer.count(b"HTTP/1.1 200 OK") < 200
    assert turns.longest < 0.05
    few = await received(served.port, PROBE * 50)
    assert few.count(b"HTTP/1.1 200 OK") == 50
