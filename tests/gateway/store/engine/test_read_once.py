"""Reads that are one statement of Postgres, without a transaction."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, TypedDict

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import BigInteger, Double, bindparam, column, select, text
from structlog.testing import capture_logs

from gateway.errors import DeadlineExceeded, ServiceUnavailable
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, connect
from gateway.store.engine.snapshot import ReadsOnce
from tests.support.books import ACTOR

WAIT_SECONDS = 0.5


class NumberRow(TypedDict):
    n: int


QUOTIENT = Statement[NumberRow](
    select((12 / bindparam("by", type_=BigInteger())).cast(BigInteger()).label("n"))
)
ASLEEP = Statement[NumberRow](
    text("SELECT 1 AS n FROM pg_sleep(:seconds)")
    .bindparams(bindparam("seconds", type_=Double()))
    .columns(column("n", BigInteger()))
)


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    """A database with one connection for reads."""
    settings = load_settings(
        database_url=SecretStr(postgres_database_url),
        database_pool_size=1,
        database_pool_wait_seconds=WAIT_SECONDS,
        statement_timeout_seconds=0.4,
    )
    opened = await connect(settings)
    yield opened
    await opened.close()


def once(database: Database) -> Snapshot:
    snapshot = Snapshot(database, ACTOR)
    snapshot.begin(reads_once=True)
    return snapshot


async def numbers(snapshot: Snapshot, *divisors: int) -> list[Any]:
    """Return the quotient of each divisor, requested together, or the exception."""
    reading = (snapshot.fetch(QUOTIENT, by=by) for by in divisors)
    found = await asyncio.gather(*reading, return_exceptions=True)
    return [each if isinstance(each, BaseException) else each[0]["n"] for each in found]


async def test_a_second_read_cuts_the_snapshot_short(database: Database) -> None:
    async with once(database) as snapshot:
        assert await numbers(snapshot, 3, 4, 6) == [4, 3, 2]
        assert not snapshot.is_cut_short
        (second,) = await numbers(snapshot, 2)
        assert isinstance(second, ReadsOnce)
        assert snapshot.is_cut_short
        snapshot.begin(reads_once=False)
        assert await numbers(snapshot, 2) == [6]
        assert await numbers(snapshot, 1, 12) == [12, 1]


async def test_a_part_that_fails_fails_in_a_transaction(database: Database) -> None:
    async with once(database) as snapshot:
        (error,) = await numbers(snapshot, 0)
        assert isinstance(error, asyncpg.DivisionByZeroError)
        assert not snapshot.is_cut_short
    with capture_logs():
        async with once(database) as snapshot:
            with pytest.raises(DeadlineExceeded):
                await snapshot.fetch(ASLEEP, seconds=1.0)
    async with once(database) as snapshot:
        assert await numbers(snapshot, 2) == [6]


async def test_a_snapshot_in_a_transaction_stays_in_it(database: Database) -> None:
    async with Snapshot(database, ACTOR) as snapshot:
        assert await numbers(snapshot, 2) == [6]
        snapshot.begin(reads_once=True)
        assert await numbers(snapshot, 3) == [4]
        assert await numbers(snapshot, 4) == [3]
        assert not snapshot.is_cut_short


async def test_no_read_waits_twice_for_a_connection(database: Database) -> None:
    async with Snapshot(database, ACTOR) as holding:
        await numbers(holding, 1)
        for _ in range(3):  # a busy machine may be late
            began = monotonic()
            with capture_logs():
                async with once(database) as snapshot:
                    (error,) = await numbers(snapshot, 2)
            took = monotonic() - began
            assert isinstance(error, ServiceUnavailable)
            if took < 2 * WAIT_SECONDS:
                break
        assert took < 2 * WAIT_SECONDS


async def test_a_read_that_is_cancelled_gives_its_connection_back(database: Database) -> None:
    for _ in range(3):
        snapshot = once(database)
        reading = asyncio.create_task(snapshot.fetch(ASLEEP, seconds=0.3))
        await asyncio.sleep(0.05)
        reading.cancel()
        await snapshot.close()
        async with once(database) as other:
            assert await numbers(other, 2) == [6]


async def test_a_dead_connection_is_replaced(database: Database) -> None:
    async with once(database) as snapshot:
        await numbers(snapshot, 1)
    for connection in database._pool._open:  # type: ignore[attr-defined]
        connection.terminate()
    async with once(database) as snapshot:
        assert await numbers(snapshot, 2, 3) == [6, 4]
