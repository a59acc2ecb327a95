"""A disk that fills up while usage comes in."""

import pytest
from pydantic import SecretStr
from sqlalchemy import Integer, column, text

from gateway.billing.usage.recording import record_usage
from gateway.errors import StorageFull
from gateway.settings import load_settings
from gateway.store import Database, Statement, connect
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, Books
from tests.support.invariants import check_books
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
