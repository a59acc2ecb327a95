"""Requests on a real socket, whole or in pieces, and how their answers are written."""

import asyncio
import gc
import re

import pytest
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.server.http_protocol import AnswerTransport
from tests.support import application
from tests.support.edge import Listen, journal, listen
from tests.support.patience import PATIENCE_SECONDS

__all__ = ["journal", "listen"]

BODY = b'{"query": "{ who }"}'
HEAD = (
    b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ada\r\n"
    b"content-type: application/json\r\n"
)
WHOLE = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
LAST = WHOLE.replace(b"host:", b"connection: close\r\nhost:")
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(BODY), BODY)
EXPECTING = HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(BODY)
PROBE = b"HEAD /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def app() -> Starlette:
    return application.make_app()


@pytest.mark.parametrize(
    "pieces",
    [
        (LAST,),
        (WHOLE + WHOLE + LAST,),
        (LAST[:-1], LAST[-1:]),
        (LAST[: -len(BODY)], BODY),
        (LAST[:40], LAST[40:]),
        (CHUNKED, b"0\r\n\r\n" + LAST),
        (PROBE + LAST,),
    ],
)
async def test_each_request_of_a_connection_is_answered(
    app: Starlette, listen: Listen, pieces: tuple[bytes, ...]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", await listen(app))
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.02)
    received = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    requests = b"".join(pieces)
    assert received.count(b"HTTP/1.1 200 OK") == requests.count(b"HTTP/1.1\r\n")
    assert received.count(b'"data":{"who":"ada"}') == requests.count(BODY)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_request_without_a_host_is_refused(
    app: Starlette, listen: Listen, version: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", await listen(app))
    writer.write(f"GET /graphql?query={{who}} HTTP/{version}\r\n".encode())
    writer.write(b"authorization: Bearer ada\r\nconnection: close\r\n\r\n")
    received = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    assert received.split()[1] == b"400"


async def test_a_client_that_waits_before_its_body_may_go_on(
    app: Starlette, listen: Listen
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", await listen(app))
    async with asyncio.timeout(PATIENCE_SECONDS):
        writer.write(EXPECTING)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head)
        assert b'"data":{"who":"ada"}' in await reader.readexactly(int(length))
    writer.close()


async def test_answered_requests_leave_no_garbage_cycles(app: Starlette, listen: Listen) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", await listen(app))
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            writer.write(WHOLE)
            assert b"200 OK" in await asyncio.wait_for(
                reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS
            )
            await reader.readuntil(b"}}}}")
        kept = [each for each in gc.get_objects() if isinstance(each, RequestResponseCycle)]
        assert len(kept) == 1  # the latest, which the connection has
    finally:
        gc.enable()
    writer.close()


class Recorder(asyncio.Transport):
    """A transport that keeps what each call wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))


def test_an_answer_of_known_length_is_one_write() -> None:
    recorder = Recorder()
    transport = AnswerTransport(recorder)
    for data in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"):
        transport.write(data)
    transport.write(b"body")
    assert recorder.writes == [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody",
    ]


def test_the_head_of_a_stream_does_not_wait() -> None:
    recorder = Recorder()
    transport = AnswerTransport(recorder)
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    transport.write(head)
    assert recorder.writes == [head]
    transport.write(b"\r\ncontent-length: 4\r\n")
    assert len(recorder.writes) == 2
