"""A whole answer is what uvicorn would write of two messages, in one write."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.http.headers import RawHeaders
from gateway.server.answers import Exchange

BODY = b'{"data":null}'
HEADERS: RawHeaders = [
    (b"content-length", b"%d" % len(BODY)),
    (b"content-type", b"application/json"),
    (b"x-request-id", b"r1"),
]
CASES: Mapping[str, tuple[RawHeaders, bool]] = {
    "common": ([], True),
    "client that does not keep the connection": ([], False),
    "answer that closes": ([(b"connection", b"close")], True),
    "both close": ([(b"connection", b"close")], False),
}


class Recorder(asyncio.Transport):
    """A transport that keeps what each call wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True


def cycle_on(
    transport: asyncio.Transport, *, keep_alive: bool = True, on_response: Callable[[], None]
) -> RequestResponseCycle:
    return RequestResponseCycle(
        scope={"method": "POST"},  # type: ignore[typeddict-item]  # nothing else is read
        transport=transport,
        flow=FlowControl(transport),
        logger=logging.getLogger(),
        access_logger=logging.getLogger(),
        access_log=False,
        default_headers=[(b"date", b"Mon, 30 Nov 2026 10:00:00 GMT")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=on_response,
    )


def sorted_lines(written: bytes) -> tuple[bytes, list[bytes], bytes]:
    head, _, body = written.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    return status, sorted(lines), body


@pytest.mark.parametrize("name", CASES)
async def test_a_whole_answer_is_that_of_two_messages(name: str) -> None:
    more, keep_alive = CASES[name]
    written = []
    for is_whole in (True, False):
        recorder, ends = Recorder(), 0

        def end() -> None:
            nonlocal ends
            ends += 1

        cycle = cycle_on(recorder, keep_alive=keep_alive, on_response=end)
        if is_whole:
            await Exchange(cycle, recorder).answer(200, HEADERS + more, BODY)
            assert len(recorder.writes) == 1
        else:
            start: Any = {"type": "http.response.start", "status": 200, "headers": HEADERS + more}
            await cycle.send(start)
            await cycle.send({"type": "http.response.body", "body": BODY, "more_body": False})
        assert cycle.response_complete
        assert (await cycle.receive())["type"] == "http.disconnect"
        written.append((sorted_lines(b"".join(recorder.writes)), recorder.is_closed, ends))
    assert written[0] == written[1]


async def test_nothing_is_written_once_the_client_has_left() -> None:
    recorder = Recorder()
    cycle = cycle_on(recorder, on_response=lambda: None)
    cycle.disconnected = True
    await Exchange(cycle, recorder).answer(200, HEADERS, BODY)
    assert recorder.writes == []


async def test_an_answer_waits_while_the_client_reads_nothing() -> None:
    recorder = Recorder()
    cycle = cycle_on(recorder, on_response=lambda: None)
    cycle.flow.pause_writing()
    answering = asyncio.create_task(Exchange(cycle, recorder).answer(200, HEADERS, BODY))
    await asyncio.sleep(0)
    assert recorder.writes == []
    cycle.flow.resume_writing()
    await answering
    assert len(recorder.writes) == 1


@pytest.mark.parametrize("name", [b"x-request-id", b"x-other"])
async def test_a_header_stays_one_line(name: bytes) -> None:
    recorder = Recorder()
    cycle = cycle_on(recorder, on_response=lambda: None)
    exchange = Exchange(cycle, recorder)
    with pytest.raises(ValueError, match="header"):
        await exchange.answer(200, [*HEADERS, (name, b"1\r\nset-cookie: a=b")], BODY)
    assert recorder.writes == []
