"""The connections of a process: one budget, and what happens where Postgres allows fewer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import Any, TypedDict
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import DateTime, Integer, column, text

from gateway.errors import ServiceUnavailable
from gateway.settings import load_settings
from gateway.store import Database, Reader, Statement, connect
from gateway.store.engine.databases import connection_shares
from tests.conftest import RUNTIME_ROLE
from tests.support.books import ACTOR
from tests.support.patience import PATIENCE_SECONDS

SETTINGS = load_settings(database_pool_size=4, database_pool_wait_seconds=20, export_slots=2)
BUDGET = sum(connection_shares(SETTINGS).values())
SCARCE = 3


class Backend(TypedDict):
    pid: int


SLEEPING = Statement[Backend](
    text("SELECT pg_backend_pid() AS pid FROM pg_sleep(0.05)").columns(column("pid", Integer()))
)
WRITING = Statement[None](text("DELETE FROM account WHERE account_id = 0"))


@pytest.fixture
async def owner(postgres_template: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres_template)
    yield connection
    await connection.close()


async def opened(url: str, **settings: Any) -> Database:
    changed = SETTINGS.database.model_copy(update={"url": SecretStr(url), **settings})
    return await connect(SETTINGS.model_copy(update={"database": changed}))


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    database = await opened(postgres_database_url)
    yield database
    await database.close()


async def pid(reader: Reader) -> int:
    (row,) = await reader.fetch(SLEEPING)
    return row["pid"]


async def pids_of(database: Database, times: int) -> set[int]:
    """Read, write, export and probe at once, so many times each; return the used backends."""

    async def read() -> int:
        async with database.reading(ACTOR) as driver:
            compiled = SLEEPING.compiled("postgresql")
            (row,) = await driver.fetch(compiled, compiled.arguments({}))
            return row["pid"]

    async def use(lease: Any) -> int:
        async with lease() as reader:
            return await pid(reader)

    uses = (
        partial(database.writing, ACTOR),
        partial(database.exporting, ACTOR),
        database.probing,
    )
    found = await asyncio.gather(
        *(read() for _ in range(times)), *(use(each) for each in uses for _ in range(times))
    )
    return set(found)


async def test_all_uses_together_stay_in_the_budget(database: Database) -> None:
    assert SCARCE < len(await pids_of(database, 8)) <= BUDGET
    assert len(await pids_of(database, 8)) <= BUDGET


async def test_a_pool_that_cannot_grow_waits_for_what_it_has(
    database: Database, owner: Any
) -> None:
    await owner.execute(f"ALTER ROLE {RUNTIME_ROLE} CONNECTION LIMIT {SCARCE}")
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert len(await pids_of(database, 8)) <= SCARCE
    finally:
        await owner.execute(f"ALTER ROLE {RUNTIME_ROLE} CONNECTION LIMIT -1")


async def test_a_wait_for_a_connection_has_an_end(postgres_database_url: str) -> None:
    database = await opened(postgres_database_url, pool_size=1, pool_wait_seconds=0.2)
    async with database.reading(ACTOR):
        with pytest.raises(ServiceUnavailable):
            async with database.reading(ACTOR):
                pass
        async with database.probing() as reader:  # it waits for no request
            assert await pid(reader)
    await database.close()


async def test_connections_to_a_read_only_server_are_replaced(
    postgres_database_url: str, owner: Any
) -> None:
    name = urlsplit(postgres_database_url).path[1:]
    standby = f"ALTER ROLE {RUNTIME_ROLE} IN DATABASE {name} %s default_transaction_read_only"
    await owner.execute(f"{standby % 'SET'} = on")
    database = await opened(postgres_database_url)
    before = await pids_of(database, 4)
    with pytest.raises(ServiceUnavailable):
        async with database.writing(ACTOR) as transaction:
            await transaction.execute(WRITING)
    await owner.execute(standby % "RESET")
    assert not before & await pids_of(database, 4)
    async with database.writing(ACTOR) as transaction:
        await transaction.execute(WRITING)
    await database.close()


async def test_closing_refuses_those_that_wait(postgres_database_url: str) -> None:
    database = await opened(postgres_database_url, pool_size=1)
    async with database.reading(ACTOR):
        waiting = asyncio.create_task(pids_of(database, 1))
        await asyncio.sleep(0)
        await database.close()
        with pytest.raises(ServiceUnavailable):
            await waiting


class Taken(TypedDict):
    taken_at: datetime


TAKEN = Statement[Taken](
    text("SELECT now() AS taken_at").columns(column("taken_at", DateTime(timezone=True)))
)


async def test_each_read_has_a_snapshot_of_its_own(database: Database) -> None:
    compiled = TAKEN.compiled("postgresql")
    taken: list[Taken] = []
    for _ in range(3):
        async with database.reading(ACTOR) as driver:
            taken += await driver.fetch(compiled, [])
            await asyncio.sleep(0.001)
            taken += await driver.fetch(compiled, [])
    instants = [each["taken_at"] for each in taken]
    assert instants[::2] == instants[1::2]
    assert len(set(instants)) == 3


async def test_an_idle_connection_leaves_its_transaction(database: Database, owner: Any) -> None:
    count = (
        f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{RUNTIME_ROLE}'"
        " AND state LIKE 'idle in transaction%' AND pid = ANY($1)"
    )
    used = list(await pids_of(database, 4))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await owner.fetchval(count, used):  # noqa: ASYNC110 - Postgres has no event
            await asyncio.sleep(0.01)
    assert len(await pids_of(database, 8)) <= BUDGET
