"""An export's transfer over a real socket: whole, or visibly broken off; and nothing runs on."""

import asyncio
import gc
import logging
import signal
import socket
import tracemalloc
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import structlog
from pydantic import SecretStr

from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.settings import load_settings
from gateway.store import Database, connect, usage_events
from gateway.store.usage_events import UsageEventCells
from tests.bench.export_data import FIRST, events
from tests.support.books import ACTOR
from tests.support.edge import eventually
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.rows import account, member, put

ROWS = 12_000
"""More than the buffers between gateway and client hold."""
PATH = (
    f"/exports/usage?account={encode_global_id('Account', 1)}&format=JSONL&interval=YEAR"
    "&from=2025-01-01&to=2026-12-31"
)
HELD = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE '%transaction%'
"""
LAST_CHUNK = b"\r\n0\r\n\r\n"


@pytest.fixture
async def filled(database: Database, database_url: str) -> str:
    """Ada owns an account with a large history; returns the database's URL."""
    await fill(database)
    return database_url


async def fill(database: Database) -> None:
    await put(database, account(1), member(1, "ada", Role.OWNER))
    await add(database, list(events(1, ROWS)))


async def add(database: Database, rows: list[tuple[Any, ...]]) -> None:
    async with database.writing(ACTOR, unlimited=True) as transaction:
        await usage_events.append(transaction, map(UsageEventCells._make, rows))


@dataclass
class Download:
    """A client that reads when it is told to."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)

    @property
    def rows(self) -> int:
        """How many rows there are said to be."""
        (line,) = [each for each in self.head.splitlines() if each.startswith(b"x-export-rows: ")]
        return int(line.partition(b" ")[2])

    async def read_all(self) -> bool:
        """Read to the end; say whether the transfer is whole."""
        while part := await asyncio.wait_for(self.reader.read(2**20), PATIENCE_SECONDS):
            self.body += part
            if self.body.endswith(LAST_CHUNK):
                return True
        return False


@asynccontextmanager
async def downloading(place: Gateway) -> AsyncIterator[Download]:
    """Begin a download and read no more than its head; the gateway then waits for its client."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**15)
    narrow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", place.port))
    reader, writer = await asyncio.open_connection(sock=narrow, limit=2**16)
    request = (
        f"GET {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {place.token('ada')}"
    )
    writer.write(f"{request}\r\n\r\n".encode())
    download = Download(reader, writer)
    download.head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
    try:
        yield download
    finally:
        writer.close()


async def ask_again(place: Gateway) -> int:
    """Return the status that another export of the account would have."""
    headers = {"authorization": f"Bearer {place.token('ada')}"}
    async with httpx.AsyncClient(base_url=place.url, headers=headers, timeout=30) as client:
        return (await client.head(PATH)).status_code


async def place_is_free(place: Gateway) -> None:
    """Wait until the account may begin another export."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await ask_again(place) != 200:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.1)


async def test_a_whole_transfer_has_its_last_chunk_and_all_rows(
    filled: str, tmp_path: Path
) -> None:
    async with gateway(filled, tmp_path) as place, downloading(place) as download:
        assert download.head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"transfer-encoding: chunked" in download.head
        assert await download.read_all()
        assert download.body.count(b'"eventId"') == download.rows == ROWS


async def test_rows_that_come_meanwhile_neither_repeat_nor_break_it(
    filled: str, database: Database, tmp_path: Path
) -> None:
    async with gateway(filled, tmp_path) as place, downloading(place) as download:
        columns = UsageEventCells._fields
        late = [dict(zip(columns, each, strict=True)) for each in events(1, 2_000)]
        for number, row in enumerate(late):
            row["event_id"] = f"late-{number}"
            row["started_at"] = row["ended_at"] = FIRST + timedelta(minutes=number * 13)
        await add(database, [tuple(row.values()) for row in late])
        assert await download.read_all()
        assert download.body.count(b'"eventId"') == download.rows == ROWS
        assert b"late-" not in download.body
        async with downloading(place) as again:
            assert await again.read_all()
            assert again.body.count(b'"eventId":"late-') == 2_000


async def test_a_client_that_leaves_ends_the_sql_and_frees_its_place(
    filled: str, tmp_path: Path
) -> None:
    async with gateway(filled, tmp_path, export_account_slots=1) as place:
        async with downloading(place):
            assert await ask_again(place) == 429
        await place_is_free(place)
        if filled.startswith("postgresql"):
            connection = await asyncpg.connect(filled)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await connection.fetchval(HELD):  # noqa: ASYNC110 - nor has this
                    await asyncio.sleep(0.1)
            await connection.close()


@pytest.mark.parametrize(("unread_seconds", "status"), [(60, 499), (1, 504)])
async def test_a_broken_transfer_is_one_quiet_line_and_counted(
    filled: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    unread_seconds: int,
    status: int,
) -> None:
    async with gateway(filled, tmp_path, export_unread_seconds=unread_seconds) as place:
        with structlog.testing.capture_logs() as lines:
            async with downloading(place):
                if status == 504:  # it stays, and reads nothing
                    await eventually(lambda: statuses(lines))
            await eventually(lambda: statuses(lines))
        assert statuses(lines) == [status]
        assert {each["log_level"] for each in lines} == {"info"}
        assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
        labels = {"route": "/exports/usage", "status": str(status), "operation": "none"}
        registry = place.app.state.metrics.registry
        assert registry.get_sample_value("gateway_http_requests_total", labels) == 1


async def test_a_whole_transfer_counts_as_such_and_its_place_is_free_at_once(
    filled: str, tmp_path: Path
) -> None:
    async with gateway(filled, tmp_path, export_account_slots=1) as place:
        with structlog.testing.capture_logs() as lines:
            for _ in range(3):
                async with downloading(place) as download:
                    assert await download.read_all()
            assert await ask_again(place) == 200
            await eventually(lambda: len(statuses(lines)) == 4)
        assert statuses(lines) == [200] * 4


def statuses(lines: Sequence[Mapping[str, Any]]) -> list[int]:
    return [each["status"] for each in lines if each["event"] == "request"]


@pytest.mark.parametrize("limit", ["export_seconds", "export_unread_seconds"])
async def test_what_takes_too_long_breaks_off(filled: str, tmp_path: Path, limit: str) -> None:
    changes = {limit: 3, "export_account_slots": 1}
    async with gateway(filled, tmp_path, **changes) as place, downloading(place) as download:
        await place_is_free(place)
        assert not await download.read_all()
        assert 0 < download.body.count(b'"eventId"') < download.rows


async def test_a_client_that_reads_too_slowly_is_cut(filled: str, tmp_path: Path) -> None:
    async with (
        gateway(filled, tmp_path, export_unread_seconds=1, export_account_slots=1) as place,
        downloading(place) as download,
    ):
        free = asyncio.create_task(place_is_free(place))
        while not free.done():
            part = await asyncio.wait_for(download.reader.read(1_000), PATIENCE_SECONDS)
            download.body += part
            await asyncio.sleep(0.05)
        assert not await download.read_all()
        assert 0 < download.body.count(b'"eventId"') < download.rows


async def test_a_principal_has_so_many_exports(filled: str, tmp_path: Path) -> None:
    changes = {"export_principal_slots": 1, "export_account_slots": 3}
    async with gateway(filled, tmp_path, **changes) as place, downloading(place) as download:
        assert await ask_again(place) == 429
        assert await download.read_all()
        assert await ask_again(place) == 200


async def test_a_stop_breaks_off_what_does_not_end_in_time(filled: str, tmp_path: Path) -> None:
    async with (
        gateway(filled, tmp_path, stop_grace_seconds=1) as place,
        downloading(place) as download,
    ):
        place.server.handle_exit(signal.SIGTERM, None)
        await eventually(lambda: place.app.state.drain.expired)
        assert not await download.read_all()
        assert 0 < download.body.count(b'"eventId"') < download.rows


async def test_a_stop_lets_an_export_end_that_is_quick_enough(filled: str, tmp_path: Path) -> None:
    async with (
        gateway(filled, tmp_path, stop_grace_seconds=60) as place,
        downloading(place) as download,
    ):
        place.server.handle_exit(signal.SIGTERM, None)
        assert await download.read_all()
        assert download.body.count(b'"eventId"') == ROWS


async def test_a_lost_database_breaks_the_transfer_off(
    postgres_database_url: str, tmp_path: Path
) -> None:
    settings = load_settings(database_url=SecretStr(postgres_database_url))
    database = await connect(settings)
    await fill(database)
    await database.close()
    async with gateway(postgres_database_url, tmp_path) as place, downloading(place) as download:
        connection = await asyncpg.connect(postgres_database_url)
        ended = 0
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not ended:  # until the export waits for its client
                ended = await connection.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND state = 'idle in transaction'"
                    " AND query LIKE '%usage_event%'"  # jobs have transactions too
                )
        await connection.close()
        assert ended == 1
        assert not await download.read_all()
        assert 0 < download.body.count(b'"eventId"') < download.rows


async def test_a_transfer_takes_no_memory_for_its_rows(
    filled: str, database: Database, tmp_path: Path
) -> None:
    await add(database, list(events(1, 2 * ROWS))[ROWS:])
    async with gateway(filled, tmp_path) as place, downloading(place) as download:
        # What other tests left would keep the collector from what the transfer leaves.
        gc.collect()
        gc.freeze()
        tracemalloc.start()
        size, part = 0, b""
        while not part.endswith(LAST_CHUNK):
            part = await asyncio.wait_for(download.reader.read(2**18), PATIENCE_SECONDS)
            assert part, "it was cut"
            size += len(part)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        gc.unfreeze()
    assert peak < 10 * 2**20 < size
