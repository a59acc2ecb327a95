"""A disk that fills up while usage comes in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Integer, column, text
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from gateway.billing.usage.recording import record_usage
from gateway.errors import StorageFull
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import Database, Statement, connect
from gateway.store.engine import sqlite
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, Books
from tests.support.invariants import check_books
from tests.support.served import serving
from tests.support.tables import all_rows

BATCH = 500


async def ingest(books: Books, account_id: int, first: int) -> None:
    batch = [event(account_id, str(number)) for number in range(first, first + BATCH)]
    async with books.open([account_id]) as book:
        await record_usage(book, batch)


async def limit_pages(database: Database, limit: int) -> None:
    """Let the writer's file grow to `limit` pages; it keeps those that it has."""
    pragma = text(f"PRAGMA max_page_count = {limit}").columns(column("pages", Integer()))
    async with database.writing(ACTOR) as transaction:
        await transaction.fetch(Statement(pragma))


async def test_a_full_disk_refuses_writes_until_there_is_room(sqlite_database_url: str) -> None:
    database = await connect(load_settings(database_url=SecretStr(sqlite_database_url)))
    try:
        books = Books(database)
        account_id = await books.account("acme")
        await ingest(books, account_id, 0)
        before = await all_rows(database)
        await limit_pages(database, 1)
        with pytest.raises(StorageFull):
            await ingest(books, account_id, BATCH)
        assert await all_rows(database) == before
        await check_books(database, account_id)
        await limit_pages(database, 1_000_000)
        await ingest(books, account_id, BATCH)
        assert len((await all_rows(database))["usage_event"]) == 2 * BATCH
        await check_books(database, account_id)
    finally:
        await database.close()


async def test_one_line_of_the_log_names_the_full_disk(
    sqlite_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await connect(load_settings(database_url=SecretStr(sqlite_database_url)))
    await Books(database).account("acme")
    # The gateway's file, unlike that of this connection, cannot grow.
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, "PRAGMA max_page_count = 1"))
    async with serving(database, sqlite_database_url, tmp_path) as served:
        key = await served.key(Permission.USAGE_WRITE)
        with capture_logs([merge_contextvars]) as lines:
            answer = await served.client.post("/v1/usage-events", json=usage(), headers=key)
    await database.close()
    assert (answer.status_code, "STORAGE_FULL" in answer.text) == (507, True)
    request_id = answer.headers["x-request-id"]
    (line,) = [line for line in lines if line["event"] == "database.failed"]
    assert (line["code"], line["request_id"]) == ("STORAGE_FULL", request_id)
    assert line["reason"] == "database or disk is full"


def usage() -> list[dict[str, str]]:
    """Return events that need more room than the file's pages have."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    common = {
        "account": "acme",
        "source": "meter",
        "resource": "GPU",
        "quantity": "1",
        "unit": "hour",
        "amount": "0.01",
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
    }
    return [common | {"id": str(number)} for number in range(BATCH)]
