"""The demo's live meter: what it charges, that the story goes on as if it were not there, and that
it runs with `serve --dev` alone.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from websockets.asyncio.client import connect

from gateway.app import create_app
from gateway.billing.usage.ingestion import ingest
from gateway.clock import FixedClock, SystemClock
from gateway.dev.demo.fill import SEED, fill, open_story
from gateway.dev.demo.meter import KEY_NAME, SOURCE, Meter, charges
from gateway.dev.demo.story import Story, midnight
from gateway.errors import ConfigurationError
from gateway.ids import KeyFactory
from gateway.routes.bodies.usage_items import ItemReader
from gateway.server.drain import Drain
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, api_keys
from gateway.store import connect as open_database
from gateway.work.loops import Loops
from tests.gateway.dev.demo.test_fill import BEGIN, CLOCK, DAYS, Fresh, facts, fresh
from tests.gateway.server.test_process import free_port
from tests.support.books import ACTOR, NOW
from tests.support.invariants import check_books
from tests.support.live import BALANCE, GRAPHQL_WS, Client
from tests.support.patience import PATIENCE_SECONDS
from tests.support.tables import table_rows

__all__ = ["fresh"]

SECONDS_4 = timedelta(seconds=4)
GRACE_SECONDS = 60
ROOT = Path(__file__).parents[4]


async def meter_from(database: Database, at: datetime, times: int = 5) -> None:
    """Send what the meter charges, as it would arrive at an instant."""
    story = await open_story(database)
    assert story
    clock = FixedClock(at)
    for _ in range(times):
        items = list(charges(story, clock.instant, clock.instant + SECONDS_4))
        clock.instant += SECONDS_4
        reader = ItemReader()
        done = await ingest(
            database,
            await reader.read(items),
            actor=ACTOR,
            clock=clock,
            keys=KeyFactory(clock),
            late_days=35,
            usage_delay_seconds=3600,
        )
        assert (done.accepted, done.rejected, reader.rejected) == (len(items), [], [])


def test_services_of_several_accounts_are_charged_what_their_gpus_cost() -> None:
    story = Story(seed=SEED, begin=midnight(NOW - timedelta(days=730)), days=730)
    found = list(charges(story, NOW, NOW + SECONDS_4))
    assert {each["account"] for each in found} == {
        *("demo-aurora", "demo-nimbus", "demo-falcon", "demo-render")
    }
    prices = {
        (each["account"], each["deployment"]["gpuModel"]): Decimal(each["amount"])
        / Decimal(each["quantity"])
        for each in found
    }
    assert {key: round(price, 2) for key, price in prices.items()} == {
        ("demo-aurora", "h100"): Decimal("2.29"),
        ("demo-aurora", "l40s"): Decimal("0.79"),
        ("demo-nimbus", "l40s"): Decimal("118.50"),
        ("demo-falcon", "a100"): Decimal("0.37"),
        ("demo-render", "rtx4090"): Decimal("0.34"),
    }
    assert sum(Decimal(each["quantity"]) for each in found) < Decimal("0.03")
    assert len({each["id"] for each in found}) == len(found)


async def test_the_story_goes_on_as_if_nothing_had_been_metered_beside_it(fresh: Fresh) -> None:
    async with fresh() as whole, fresh() as parts:
        await fill(whole, clock=CLOCK, days=DAYS, begin=BEGIN)
        early = NOW - timedelta(hours=29, minutes=13)
        await fill(parts, clock=CLOCK, days=DAYS, begin=BEGIN, end=early)
        await meter_from(parts, early)
        await fill(parts, clock=CLOCK, days=DAYS)
        await check_books(parts)
        events = await table_rows(parts, "usage_event")
        metered = [each for each in events if each["source"] == SOURCE]
        assert metered
        actual, expected = await facts(parts), await facts(whole)
        assert [each for each in actual["usage_event"] if SOURCE not in each] == expected[
            "usage_event"
        ]
        extra: dict[Any, int] = {}
        for each in metered:
            place = each["deployment_id"]
            extra[place] = extra.get(place, 0) + each["amount_nanos"]
        spends = {
            each["external_id"]: each["spend_nanos"] - extra.get(each["id"], 0)
            for each in await table_rows(parts, "deployment")
        }
        assert spends == {
            each["external_id"]: each["spend_nanos"]
            for each in await table_rows(whole, "deployment")
        }


def test_it_never_runs_in_production(tmp_path: Path, sqlite_database_url: str) -> None:
    settings = load_settings(
        environment="production",
        database_url=SecretStr(sqlite_database_url),
        public_url="https://billing.example",
        jwt_issuer="https://issuer.example",
        jwt_audience="billing",
        jwt_jwks_url="https://issuer.example/jwks",
        signing_keys=SecretStr("a:0123456789abcdef0123456789abcdef"),
        data_dir=tmp_path,
    )
    create_app(settings)
    with pytest.raises(ConfigurationError):
        create_app(settings, metering=True)


def meter(port: int) -> Meter:
    return Meter(
        address=f"http://127.0.0.1:{port}",
        host="127.0.0.1",
        clock=SystemClock(),
        pepper=None,
        drain=Drain(),
        loops=Loops(),
    )


async def states(database: Database) -> list[bool]:
    """Return whether each key of the meter is active."""
    async with Snapshot(database, ACTOR) as snapshot:
        rows = await api_keys.list_all(snapshot)
    return [row["revoked_at"] is None for row in rows if row["name"] == KEY_NAME]


async def test_its_key_is_the_only_one_and_ends_with_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dev.demo.meter.PERIOD_SECONDS", 0.01)
    await fill(database, clock=CLOCK, days=3)
    # Nobody listens there: it tries on.
    async with meter(free_port()).running(database):
        await eventually_keys(database, [True])
        async with meter(free_port()).running(database):
            await eventually_keys(database, [False, True])
    assert await states(database) == [False, False]


async def eventually_keys(database: Database, expected: list[bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await states(database) != expected:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def endpoint(*statuses: int) -> AsyncIterator[tuple[int, list[Any]]]:
    """Answer one request after the other with these; gives the port, and what was sent."""
    sent: list[Any] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        status = statuses[min(len(sent), len(statuses) - 1)]
        sent.append(json.loads(await reader.readexactly(length)))
        writer.write(f"HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], sent


async def test_what_was_not_answered_is_sent_again_and_a_refused_key_ends_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dev.demo.meter.PERIOD_SECONDS", 0.05)
    await fill(database, clock=CLOCK, days=3)
    with capture_logs() as log:
        async with endpoint(503, 503, 200, 401) as (port, sent), meter(port).running(database):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while len(sent) < 4 or await states(database) != [False]:  # noqa: ASYNC110 - nor this
                    await asyncio.sleep(0.01)
    assert sent[0] == sent[1] == sent[2] != sent[3]
    assert sent[0][0]["end"] == sent[3][0]["start"]
    assert [(line["event"], line["reason"]) for line in log] == [
        ("demo.meter_fails", "HTTP 503"),
        ("demo.meter_ended", "its key is refused"),
    ]


async def test_without_a_demo_it_does_nothing(database: Database) -> None:
    async with meter(free_port()).running(database):
        await asyncio.sleep(0.1)
    assert await states(database) == []


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve in dev mode with a folder's data; gives the process and where it listens."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if "GATEWAY" not in name}
    environment |= {"GATEWAY_PORT": str(port), "GATEWAY_DATA_DIR": str(folder)}
    environment["GATEWAY_STOP_NOTICE_SECONDS"] = "0"
    environment["GATEWAY_STOP_GRACE_SECONDS"] = str(GRACE_SECONDS)
    command = [sys.executable, "-c", "from gateway.cli.main import main; main()", "serve", "--dev"]
    with subprocess.Popen(
        [*command, *options], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not is_live(port):
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield child, f"127.0.0.1:{port}"
        finally:
            child.kill()


def is_live(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").is_success
    except httpx.TransportError:
        return False


@asynccontextmanager
async def watching(folder: Path, address: str) -> AsyncIterator[Client]:
    """Watch the leading account's balance as Ada."""
    person, *_ = json.loads((folder / "dev-tokens.json").read_text("utf-8"))["people"]
    async with connect(f"ws://{address}/graphql", subprotocols=[GRAPHQL_WS]) as socket:
        client = Client(socket)
        credential = {"Authorization": f"Bearer {person['token']}"}
        await client.send({"type": "connection_init", "payload": credential})
        assert await client.hear() == {"type": "connection_ack"}
        variables = {"account": person["accounts"][0]["id"]}
        payload = {"query": BALANCE, "variables": variables}
        await client.send({"type": "subscribe", "id": "1", "payload": payload})
        yield client


@pytest.fixture
async def folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """A data directory with a story that began three days ago, so that a start is quick."""
    path = tmp_path / "gateway.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = await open_database(load_settings(database_url=SecretStr(f"sqlite:///{path}")))
    now = datetime.now(NOW.tzinfo)
    await fill(database, clock=FixedClock(now), begin=now - timedelta(days=3))
    await database.close()
    return tmp_path


async def test_a_balance_moves_by_itself_while_dev_mode_serves(folder: Path) -> None:
    with serving(folder) as (child, address):
        async with watching(folder, address) as client:
            snapshot = (await client.next())["data"]["balanceUpdated"]
            moved = await asyncio.wait_for(hear(client), PATIENCE_SECONDS)
        child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, log = child.communicate(timeout=PATIENCE_SECONDS)
        assert child.returncode == 0
        assert time.monotonic() - began < GRACE_SECONDS / 2
    assert moved["cause"] == "USAGE"
    assert moved["version"] > snapshot["version"]
    assert Decimal("-0.1") < Decimal(moved["change"]["amount"]) < 0
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert lines
    assert [line for line in lines if line["level"] != "info"] == []
    assert "/v1/usage-events" not in log
    database = await open_database(
        load_settings(database_url=SecretStr(f"sqlite:///{folder / 'gateway.sqlite3'}"))
    )
    assert await states(database) == [False]
    await check_books(database)
    await database.close()


async def hear(client: Client) -> Any:
    return json.loads(await client.connection.recv())["payload"]["data"]["balanceUpdated"]


async def test_without_the_demo_there_is_no_meter(folder: Path) -> None:
    with serving(folder, "--no-demo") as (child, _):
        await asyncio.sleep(1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_SECONDS) == 0
    database = await open_database(
        load_settings(database_url=SecretStr(f"sqlite:///{folder / 'gateway.sqlite3'}"))
    )
    assert await states(database) == []
    await database.close()
