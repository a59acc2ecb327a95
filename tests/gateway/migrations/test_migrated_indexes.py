"""An index of a large table is made while the gateway serves."""

import asyncio

import asyncpg
import pytest

from gateway.migrations import indexes, migrate
from gateway.migrations.revisions import head
from tests.support.raw import execute

BEFORE = "0015"
INDEXES = {"ix_rollup_day_large_usage", "ix_rollup_day_usage"}
ADD = "UPDATE rollup_day SET spent_nanos = spent_nanos + 1 WHERE account_id = {}"
ACCOUNT = (
    "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
    "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) "
    "SELECT a, a, a, 'USD', 'UTC', lpad(a::text, 8, '0'), 0, 0, now(), 0, 1, now() "
    "FROM generate_series(1, 2) a"
)
# The second account's sets are too large for an index, whatever compresses them.
DAYS = (
    "INSERT INTO rollup_day (account_id, day, spent_nanos, purchased_nanos, bonus_nanos, "
    "refunded_nanos, adjusted_nanos, deployments, resources) "
    "SELECT a, '2026-11-01', 1, 0, 0, 0, 0, "
    "(SELECT string_agg(sha256((a || '-' || i)::bytea), '') FROM generate_series(1, 200 * a) i), "
    "'{}' FROM generate_series(1, 2) a"
)


async def whole_indexes(url: str) -> set[str]:
    rows = await execute(
        url,
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = 'rollup_day'::regclass AND i.indisvalid AND NOT i.indisprimary",
    )
    return {name for (name,) in rows}


@pytest.fixture
async def large_url(empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database of the revision before, with a table that counts as large."""
    monkeypatch.setattr(indexes, "LARGE_BYTES", 0)
    await migrate(empty_postgres_url, revision=BEFORE)
    await execute(empty_postgres_url, ACCOUNT, DAYS, "SELECT 1")
    return empty_postgres_url


async def test_writers_go_on_while_an_index_is_made(large_url: str) -> None:
    slow, quick = await asyncpg.connect(large_url), await asyncpg.connect(large_url)
    await quick.execute("SET lock_timeout = '2s'")
    open_transaction = slow.transaction()
    await open_transaction.start()
    await slow.execute(ADD.format(1))
    migrating = asyncio.create_task(migrate(large_url))
    other = asyncio.create_task(migrate(large_url))  # it waits for the first, which must not wait
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        for _ in range(1000):
            if await quick.fetchval(waiting):
                break
            await asyncio.sleep(0.02)
        for _ in range(3):
            await quick.execute(ADD.format(2))
        assert not migrating.done()
        await open_transaction.commit()
        await asyncio.gather(migrating, other)
    assert await whole_indexes(large_url) == INDEXES
    await slow.close()
    await quick.close()


async def test_an_index_that_was_left_unfinished_is_made_again(large_url: str) -> None:
    connection = await asyncpg.connect(large_url)
    with pytest.raises(asyncpg.PostgresError, match="index row"):
        await connection.execute(
            "CREATE INDEX CONCURRENTLY ix_rollup_day_usage ON rollup_day "
            "(account_id, day) INCLUDE (deployments)"
        )
    await connection.close()
    assert await whole_indexes(large_url) == set()
    await migrate(large_url)
    assert await whole_indexes(large_url) == INDEXES
    assert await execute(large_url, "SELECT version_num FROM alembic_version") == [(head(),)]
