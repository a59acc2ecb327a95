"""What a socket does with a peer that is behind, or gone: without a network."""

import asyncio
from functools import partial
from typing import Any

import orjson
import pytest
from starlette.types import Message

from gateway.clock import SystemClock
from gateway.live.hub import Update
from gateway.transports import connection
from gateway.transports.connection import BACKLOG, Socket, SocketOperation
from tests.support.application import FixedTokens, make_app
from tests.support.edge import eventually
from tests.support.patience import PATIENCE_SECONDS

SCOPE = {"type": "websocket", "path": "/graphql", "client": ("127.0.0.1", 1)}


class Peer:
    """One that reads nothing until it may; `gone` is how sending to it fails."""

    def __init__(self, gone: Exception | None = None) -> None:
        self.reads = asyncio.Event()
        self.cut = asyncio.Event()
        self.gone = gone
        self.sent: list[Any] = []
        self.says: asyncio.Queue[Message] = asyncio.Queue()
        app = make_app()
        self.socket = Socket(
            operations=app.state.operations,
            authenticator=FixedTokens(),
            clock=SystemClock(),
            recording=partial(app.state.request_log.recording, SCOPE),
            credentials=[],
            release=lambda: None,
            push=lambda _: False,
            send=self.send,
            abort=self.cut.set,
        )

    async def send(self, message: Any) -> None:
        if self.gone:
            raise self.gone
        await self.reads.wait()
        self.sent.append(orjson.loads(message["text"]))

    def client_sends(self, message: Any) -> None:
        text = orjson.dumps(message).decode()
        self.says.put_nowait({"type": "websocket.receive", "text": text})

    async def serve(self) -> None:
        self.says.put_nowait({"type": "websocket.disconnect"})
        await self.socket.serve(self.says.get)


def update(revision: int, key: int = 0) -> Update:
    return Update(revision=revision, key=key, payload=b"%d" % revision)


async def test_queued_messages_end_with_their_operation() -> None:
    peer = Peer()
    old = SocketOperation(peer.socket, "1")
    other = SocketOperation(peer.socket, "2")
    peer.socket.put(("", "held"), b'"held"')
    await asyncio.sleep(0)
    old.offer(update(1))
    other.offer(update(2))
    peer.socket.put(("", "pong"), b'"pong"')
    peer.client_sends({"type": "complete", "id": "1"})
    await peer.serve()
    SocketOperation(peer.socket, "1").offer(update(3))
    peer.reads.set()
    await eventually(lambda: len(peer.sent) == 4)
    assert peer.sent == [
        "held",
        {"id": "2", "type": "next", "payload": 2},
        "pong",
        {"id": "1", "type": "next", "payload": 3},
    ]
    peer.socket.clear()


async def test_a_slow_client_gets_the_latest_of_each() -> None:
    peer = Peer()
    operation = SocketOperation(peer.socket, "1")
    operation.offer(update(1))
    await asyncio.sleep(0)
    for revision in range(2, 9):
        operation.offer(update(revision, key=revision % 2))
    peer.reads.set()
    await eventually(lambda: len(peer.sent) == 3)
    assert [each["payload"] for each in peer.sent] == [1, 8, 7]
    peer.socket.clear()


async def test_an_offer_after_the_close_is_dropped() -> None:
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    for gone in (
        RuntimeError("Unexpected ASGI message, after sending 'websocket.close'"),
        OSError(),
    ):
        peer = Peer(gone)
        SocketOperation(peer.socket, "1").offer(update(1))
        await asyncio.sleep(0.01)
        SocketOperation(peer.socket, "1").offer(update(2))
        peer.socket.clear()
    await asyncio.sleep(0.01)
    assert said == []


async def test_a_vanished_client_is_read_to_the_end() -> None:
    peer = Peer(gone=OSError())
    operation = SocketOperation(peer.socket, "1")
    for key in range(BACKLOG + 1):
        operation.offer(update(1, key))
    await asyncio.sleep(0.01)
    peer.client_sends({"type": "ping"})
    await peer.serve()
    peer.socket.clear()


async def test_a_peer_that_takes_no_close_frame_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.01)
    peer = Peer()
    serving = asyncio.create_task(peer.socket.serve(peer.says.get))
    peer.client_sends({"type": "unknown"})
    await asyncio.wait_for(peer.cut.wait(), PATIENCE_SECONDS)
    await serving
    peer.socket.clear()
