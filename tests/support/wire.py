"""Counts the bytes and requests of a page, as the browser sends and receives them."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page

import gateway
from tests.support.patience import PATIENCE_SECONDS

MANIFEST = Path(gateway.__file__).parent / "static" / "persisted-documents.json"
WEB_SOCKET = "WebSocket: "
PUSHES = f"{WEB_SOCKET}balanceUpdated"
_PINGS = f"{WEB_SOCKET}ping and pong"
_STEP_SECONDS = 2
FILES = "Files of the page"

_NAME = re.compile(r"\b(?:query|subscription|mutation) (\w+)")


@dataclass(slots=True)
class Count:
    """Requests or messages of one name, and their bytes."""

    times: int = 0
    size: int = 0


@dataclass(slots=True)
class Wire:
    """Bytes by name since it was made or last read.

    A request counts as its response, status line and headers included; a message over the WebSocket
    as its frame, in both directions.
    """

    counts: dict[str, Count] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(each.size for each in self.counts.values())

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        named = self.counts.items()
        return sum(each.times for name, each in named if not name.startswith(WEB_SOCKET))

    def of(self, name: str) -> Count:
        return self.counts.get(name, Count())

    def read(self) -> Mapping[str, Count]:
        """Return what was counted, and count from zero."""
        counted, self.counts = self.counts, {}
        return counted

    def add(self, name: str, size: float) -> None:
        count = self.counts.setdefault(name, Count())
        count.times += 1
        count.size += int(size)


async def pass_time(page: Page, wire: Wire, seconds: float) -> None:
    """Move the clock of a page on, no faster than its pings are answered."""
    for _ in range(int(seconds / _STEP_SECONDS)):
        await page.clock.run_for(1_000 * _STEP_SECONDS)
        # Messages of the protocol are no task of the page's that its clock waits for.
        await asyncio.sleep(0.01)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while wire.of(_PINGS).times % 2:  # noqa: ASYNC110 - the browser tells it alone
                await asyncio.sleep(0.01)


async def count_bytes(page: Page) -> Wire:
    """Count everything that a page loads from now on."""
    wire = Wire()
    session = await page.context.new_cdp_session(page)

    def request(event: dict[str, Any]) -> None:
        wire.names[event["requestId"]] = _request_name(event["request"])

    def finished(event: dict[str, Any]) -> None:
        name = wire.names.pop(event["requestId"], None)
        # A file from the browser's own cache has no bytes.
        if name is not None and event["encodedDataLength"]:
            wire.add(name, event["encodedDataLength"])

    def received(event: dict[str, Any]) -> None:
        text = event["response"]["payloadData"]
        wire.add(WEB_SOCKET + _message_name(text), _frame_size(text))

    def sent(event: dict[str, Any]) -> None:
        text = event["response"]["payloadData"]
        # A client masks its frames with four bytes.
        wire.add(WEB_SOCKET + _message_name(text), _frame_size(text) + 4)

    session.on("Network.requestWillBeSent", request)
    session.on("Network.loadingFinished", finished)
    session.on("Network.webSocketFrameReceived", received)
    session.on("Network.webSocketFrameSent", sent)
    await session.send("Network.enable")
    return wire


def _frame_size(text: str) -> int:
    size = len(text.encode())
    return size + (2 if size < 126 else 4 if size < 65_536 else 10)


def _request_name(request: Mapping[str, Any]) -> str:
    path = urlsplit(request["url"]).path
    if path != "/graphql":
        return FILES
    body = json.loads(request.get("postData") or "{}")
    return _operation_name(body.get("documentId", ""), body.get("query", ""))


def _message_name(text: str) -> str:
    message = json.loads(text)
    kind: str = message["type"]
    if kind != "next":
        return "ping and pong" if kind in {"ping", "pong"} else "connect and subscribe"
    fields: Mapping[str, Any] = message["payload"].get("data") or {}
    return next(iter(fields), "error")


def _operation_name(document_id: str, text: str) -> str:
    found = _NAME.search(_manifest().get(document_id, "") or text)
    return found[1] if found else "GraphQL"


@cache
def _manifest() -> Mapping[str, str]:
    documents: Mapping[str, str] = json.loads(MANIFEST.read_text())
    return documents
