"""Fixtures: an application for tests of the HTTP edge, and its client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from gateway.server.http_protocol import HttpProtocol
from gateway.server.websocket_protocol import WebSocketProtocol
from gateway.settings import load_settings
from tests.support import application
from tests.support.patience import PATIENCE_SECONDS

BASE_URL = "http://127.0.0.1:8000"
ADA = {"authorization": "Bearer ada"}


def connect(
    app: Starlette, *, base_url: str = BASE_URL, headers: Mapping[str, str] = ADA
) -> httpx.AsyncClient:
    """Return a client that calls the application directly."""
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)


@pytest.fixture(autouse=True)
def journal(monkeypatch: pytest.MonkeyPatch) -> application.Journal:
    monkeypatch.setattr(application, "journal", application.Journal())
    return application.journal


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with connect(application.make_app()) as client:
        yield client


@pytest.fixture
async def production() -> AsyncIterator[httpx.AsyncClient]:
    settings = load_settings(environment="production", public_url="https://billing.example")
    app = application.make_app(settings)
    async with connect(app, base_url="https://billing.example") as client:
        yield client


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


Listen = Callable[[Starlette], Awaitable[int]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Serve an application on a free port of loopback; returns the port."""
    async with AsyncExitStack() as stack:

        async def start(app: Starlette) -> int:
            return await stack.enter_async_context(_served(app))

        yield start


@asynccontextmanager
async def _served(app: Starlette) -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, http=HttpProtocol, ws=WebSocketProtocol
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    with suppress(asyncio.CancelledError):
        await task
