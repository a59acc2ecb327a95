"""Postgres alone: what a snapshot sends, and connections that come back or are lost."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import Integer, String, Text, column, text

from gateway.errors import ServiceUnavailable
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, connect
from gateway.store.engine.database import Reader
from tests.support.books import ACTOR
from tests.support.patience import PATIENCE_SECONDS
from tests.support.sent import noted

PLACES = 2


class SessionRow(TypedDict):
    plan_cache_mode: str
    pid: int


SETTINGS = Statement[SessionRow](
    text(
        "SELECT current_setting('plan_cache_mode') AS plan_cache_mode, pg_backend_pid() AS pid"
    ).columns(column("plan_cache_mode", String()), column("pid", Integer()))
)

LOCKING = Statement[None](text("LOCK TABLE account IN SHARE ROW EXCLUSIVE MODE"))


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    settings = load_settings(
        database_url=SecretStr(postgres_database_url),
        database_pool_size=PLACES,
        database_pool_wait_seconds=5,
    )
    opened = await connect(settings)
    yield opened
    await opened.close()


async def backend(reader: Reader) -> int:
    (row,) = await reader.fetch(SETTINGS)
    return row["pid"]


async def fill_the_pool(database: Database) -> None:
    """Use as many connections at once as the pool has."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for _ in range(2):
            snapshots = [Snapshot(database, ACTOR) for _ in range(PLACES)]
            await asyncio.gather(*(backend(each) for each in snapshots))
            await asyncio.gather(*(each.close() for each in snapshots))


async def test_reads_have_generic_plans_and_writes_have_none(database: Database) -> None:
    async with Snapshot(database, ACTOR) as snapshot, database.writing(ACTOR) as transaction:
        (read,), (written,) = await snapshot.fetch(SETTINGS), await transaction.fetch(SETTINGS)
    assert read["plan_cache_mode"] == "force_generic_plan"
    assert written["plan_cache_mode"] == "force_custom_plan"


@pytest.mark.parametrize("use", ["read", "write", "probe"])
async def test_every_connection_has_the_timeouts(database: Database, use: Any) -> None:
    pool = database._pool  # type: ignore[attr-defined]
    connection = await pool.acquire(use)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    found = [await connection.fetchval(f"SHOW {name}") for name in names]
    pool.release(use, connection)
    assert found == ["5s", "2s", "10s"]


async def test_long_statements_stay_prepared(database: Database) -> None:
    pool = database._pool  # type: ignore[attr-defined]
    connection = await pool.acquire("read")
    await connection.fetch(f"SELECT 1 /* {'long ' * 4_000} */")
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE length(statement) > 20000"
    assert await connection.fetchval(prepared) == 1
    pool.release("read", connection)


async def test_a_lock_that_is_not_released_is_unavailability(
    database: Database, postgres_database_url: str
) -> None:
    other = await asyncpg.connect(postgres_database_url)
    async with other.transaction():
        await other.execute("LOCK TABLE account IN ROW EXCLUSIVE MODE")
        with pytest.raises(ServiceUnavailable):
            async with database.writing(ACTOR) as transaction:
                await transaction.execute(LOCKING)
    await other.close()


async def test_settings_of_a_write_end_with_it(database: Database) -> None:
    mode = Statement[Any](text("SHOW plan_cache_mode").columns(column("plan_cache_mode", Text())))
    async with database.writing(ACTOR) as transaction:
        (row,) = await transaction.fetch(mode)
        assert row["plan_cache_mode"] == "force_custom_plan"
    pool = database._pool  # type: ignore[attr-defined]
    connection = await pool.acquire("write")
    assert await connection.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    pool.release("write", connection)


async def test_a_snapshot_begins_in_one_message(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = noted(monkeypatch, "execute")
    async with Snapshot(database, ACTOR) as snapshot:
        await backend(snapshot)
        await backend(snapshot)
        assert [text.partition(" ")[0] for text in sent] == ["BEGIN"]


async def test_the_next_message_ends_a_snapshot(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = asyncpg.Connection.execute

    async def noted(connection: Any, text: str, *rest: Any, **more: Any) -> Any:
        sent.append(text)
        return await execute(connection, text, *rest, **more)

    monkeypatch.setattr(asyncpg.Connection, "execute", noted)
    for _ in range(2):
        async with Snapshot(database, ACTOR) as snapshot:
            await backend(snapshot)
    first, second = sent
    assert second == f"ROLLBACK; {first}"


async def test_killed_backends_leave_their_places_in_the_pool(
    database: Database, postgres_template: str
) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, each: complaints.append(each))
    owner = await asyncpg.connect(postgres_template)
    snapshots = [Snapshot(database, ACTOR) for _ in range(PLACES)]
    for snapshot in snapshots:
        pid = await backend(snapshot)
        await owner.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    with pytest.raises(ServiceUnavailable):
        await snapshots[0].fetch(SETTINGS)
    for snapshot in snapshots:  # the one that knows, and the one that does not
        await snapshot.close()
    await fill_the_pool(database)
    await owner.close()
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_a_cancelled_return_leaves_its_place_in_the_pool(
    database: Database, turns: int
) -> None:
    for _ in range(PLACES + 1):
        with pytest.raises(KeyError):
            async with database.reading(ACTOR):
                raise KeyError
        (returning,) = database._returning  # type: ignore[attr-defined]
        for _ in range(turns):
            await asyncio.sleep(0)
        returning.cancel()
        await asyncio.wait([returning])
    await fill_the_pool(database)
