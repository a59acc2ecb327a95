import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

import httpx
import pytest
import uvloop
from starlette.applications import Starlette

from gateway.errors import ServiceUnavailable
from gateway.http.request_log import RequestLog
from gateway.observability.metrics import Metrics
from gateway.server.drain import Drain
from gateway.server.process import LISTENERS, Server, serve, server_config
from gateway.settings import load_settings
from tests.support import application
from tests.support.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
HEADERS = {"authorization": "Bearer ada"}
IN_FLIGHT = "gateway_http_requests_in_flight "


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def process(**settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the private application; gives the process and its base address, once it serves."""
    port = free_port()
    environment = os.environ | {"GATEWAY_PORT": str(port), "PYTHONPATH": str(ROOT)}
    environment["GATEWAY_STOP_NOTICE_SECONDS"] = "0"
    environment |= {f"GATEWAY_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "tests.support.application_process"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as child:
        base = f"http://127.0.0.1:{port}"
        try:
            wait_for(lambda: says(child, base, "/livez", 200))
            yield child, base
        finally:
            child.kill()


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def says(child: subprocess.Popen[str], base: str, path: str, status: int) -> bool:
    """Say whether a probe is answered so; the process must not have ended."""
    assert child.poll() is None
    try:
        return httpx.get(f"{base}{path}").status_code == status
    except httpx.TransportError:
        return False


def running(base: str) -> int:
    """Return how many requests run, beside the one that asks."""
    metrics = httpx.get(f"{base}/metrics", timeout=PATIENCE_SECONDS).text
    (line,) = [each for each in metrics.splitlines() if each.startswith(IN_FLIGHT)]
    return int(float(line.removeprefix(IN_FLIGHT))) - 1


@contextmanager
def asking(base: str, query: str) -> Iterator[list[httpx.Response]]:
    """Ask on another thread, until that runs; the answer stands in the list after the block."""
    answers: list[httpx.Response] = []

    def ask() -> None:
        body = {"query": query}
        answers.append(httpx.post(f"{base}/graphql", json=body, headers=HEADERS, timeout=90))

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: running(base) == 1)
    yield answers
    thread.join()


def test_an_idle_server_stops_at_once_and_says_so_first() -> None:
    with process(stop_notice_seconds="5", stop_grace_seconds="60") as (child, base):
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        wait_for(lambda: says(child, base, "/readyz", 503))
        assert httpx.get(f"{base}/livez").status_code == 200
        _, log = child.communicate(timeout=PATIENCE_SECONDS)
        assert child.returncode == 0
        assert 5 <= time.monotonic() - began < 30
    lines = [json.loads(line) for line in log.splitlines()]
    assert "Finished server process" in lines[-1]["event"]
    assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)


def test_a_running_query_is_answered_before_the_end() -> None:
    with process() as (child, base):
        with asking(base, "{ sleep(seconds: 3) }") as answers:
            child.send_signal(signal.SIGTERM)
        assert answers[0].json()["data"] == {"sleep": "rested"}
        assert child.wait(PATIENCE_SECONDS) == 0


def test_a_query_that_runs_too_long_gets_a_503_and_the_process_ends() -> None:
    unhurried = {"operation_seconds": "60", "http_body_seconds": "60"}
    with process(stop_grace_seconds="0.5", **unhurried) as (child, base):
        with (
            closing(socket.create_connection(("127.0.0.1", int(base.rpartition(":")[2])))) as half,
            asking(base, "{ sleep(seconds: 59) }") as answers,
        ):
            half.sendall(
                b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ada\r\n"
                b"content-type: application/json\r\ncontent-length: 9\r\n\r\n{"
            )
            wait_for(lambda: running(base) == 2)
            child.send_signal(signal.SIGTERM)
            assert half.recv(65_536).startswith(b"HTTP/1.1 503 ")
        assert answers[0].status_code == 503
        assert answers[0].json()["errors"][0]["extensions"] == {"code": "SERVICE_UNAVAILABLE"}
        assert child.wait(PATIENCE_SECONDS) == 0


def test_a_second_signal_ends_the_wait() -> None:
    with (
        process(stop_notice_seconds="60", operation_seconds="60") as (child, base),
        asking(base, "{ sleep(seconds: 59) }") as answers,
    ):
        child.send_signal(signal.SIGTERM)
        wait_for(lambda: says(child, base, "/readyz", 503))
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_SECONDS) == 1
        assert time.monotonic() - began < 20
    assert answers[0].status_code == 503


def test_answers_do_not_name_the_server() -> None:
    with process() as (_, base):
        answer = httpx.get(f"{base}/livez")
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("trusted", "client"), [("127.0.0.1", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")]
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_alone(
    trusted: str, client: str
) -> None:
    with process(trusted_proxies=trusted) as (child, base):
        httpx.get(f"{base}/nowhere", headers={"x-forwarded-for": "203.0.113.9"})
        child.send_signal(signal.SIGTERM)
        _, log = child.communicate(timeout=PATIENCE_SECONDS)
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["client"] for line in lines if line.get("path") == "/nowhere"] == [client]


def test_a_start_that_fails_exits_with_1() -> None:
    @asynccontextmanager
    async def failing(_: Starlette) -> AsyncIterator[None]:
        raise ServiceUnavailable("The database is away.")
        yield

    app = Starlette(lifespan=failing)
    app.state.drain, app.state.metrics = Drain(), Metrics()
    app.state.request_log = RequestLog(app.state.metrics)
    assert serve(app, load_settings(environment="dev", port=0)) == 1


def test_connections_that_come_together_are_accepted_together() -> None:
    assert uvloop.run(turns_until_accepted(LISTENERS)) < LISTENERS / 2


async def turns_until_accepted(count: int) -> int:
    """Return the turns of the event loop until a server has accepted connections that wait."""
    settings = load_settings(environment="dev", port=0, stop_notice_seconds=0)
    app = application.make_app(settings)
    server = Server(server_config(app, settings, loop="none"), app.state.drain, settings)
    serving = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    turns, address = 0, server.servers[0].sockets[0].getsockname()
    with ExitStack() as clients:
        for _ in range(count):
            clients.enter_context(socket.create_connection(address))
        while len(server.server_state.connections) < count:
            await asyncio.sleep(0)
            turns += 1
    server.should_exit = True
    await serving
    return turns
