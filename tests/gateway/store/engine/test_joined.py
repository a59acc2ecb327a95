"""Statements that are often requested together are one on Postgres."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypedDict

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import BigInteger, bindparam, cast, column, null, select, text
from structlog.testing import capture_logs

from gateway.column_rows import column as cells
from gateway.errors import DeadlineExceeded
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, connect
from gateway.store.engine.joined import OFTEN, Joins
from gateway.store.engine.sql import ONE_ROW
from tests.support.books import ACTOR
from tests.support.sent import noted


class NumberRow(TypedDict):
    n: int
    twice: int | None


def _numbers(last: str) -> Statement[NumberRow]:
    """Return a statement of the numbers from 1 to a parameter, the last first."""
    series = text(f"generate_series(1, :{last}) AS numbers(n)").bindparams(
        bindparam(last, type_=BigInteger())
    )
    n = column("n", BigInteger())
    twice = text("CASE WHEN n > 1 THEN 2 * n END").columns(column("twice", BigInteger()))
    return Statement[NumberRow](
        select(n, twice.scalar_subquery().label("twice")).select_from(series).order_by(n.desc())
    )


FEW, MANY = _numbers("few"), _numbers("many")
_NUMBERS = text("generate_series(1, :most) AS numbers(n)").bindparams(
    bindparam("most", type_=BigInteger())
)
LOWEST = Statement[NumberRow](
    select(column("n", BigInteger()), cast(null(), BigInteger()).label("twice"))
    .select_from(_NUMBERS)
    .where(text("n = 1"))
    .execution_options(**{ONE_ROW: True})
)
DIVIDED = Statement[NumberRow](
    select((12 / bindparam("by", type_=BigInteger())).cast(BigInteger()).label("n"))
)
ASLEEP = Statement[NumberRow](
    text("SELECT 1 AS n FROM pg_sleep(:seconds)").columns(column("n", BigInteger()))
)


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    settings = load_settings(
        database_url=SecretStr(postgres_database_url), statement_timeout_seconds=0.5
    )
    opened = await connect(settings)
    yield opened
    await opened.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the statements that are sent."""
    return noted(monkeypatch, "fetch")


def joined_at_once(database: Database) -> None:
    database._joins = Joins(often=0)  # type: ignore[attr-defined]


async def test_statements_are_joined_once_they_come_often(
    database: Database, sent: list[str]
) -> None:
    for times in range(1, OFTEN + 2):
        async with Snapshot(database, ACTOR) as snapshot:
            sent.clear()
            few, many, none = await asyncio.gather(
                snapshot.fetch(FEW, few=2),
                snapshot.fetch(MANY, many=3),
                snapshot.fetch(FEW, few=0),
            )
        assert [dict(row) for row in few] == [{"n": 2, "twice": 4}, {"n": 1, "twice": None}]
        assert [row["n"] for row in many] == cells(many, "n") == [3, 2, 1]
        assert list(none) == []
        assert len(sent) == (3 if times <= OFTEN else 1)


async def test_a_row_and_no_row_need_no_arrays(database: Database, sent: list[str]) -> None:
    joined_at_once(database)
    one = {"n": 1, "twice": None}
    many = FEW.compiled("postgresql").bind({"few": 2})
    for first, second in ((0, 1), (1, 0)):
        async with Snapshot(database, ACTOR) as snapshot:
            found = await asyncio.gather(
                snapshot.fetch(LOWEST, most=first),
                snapshot.fetch(LOWEST, most=second),
                snapshot.fetch(FEW, few=2),
            )
        counts = (first, second)
        bound = [LOWEST.compiled("postgresql").bind({"most": count}) for count in counts]
        at_one_time = await database.read_once(ACTOR, [*bound, many]) or []
        for rows, count in zip((*found[:2], *at_one_time[:2]), (*counts, *counts), strict=True):
            assert [dict(row) for row in rows] == [one] * count
        assert [row["n"] for rows in (found[2], at_one_time[2]) for row in rows] == [2, 1, 2, 1]
    assert all("array_agg(c0) AS c0, array_agg(c1)" in text for text in sent)
    assert [text.count("array_agg") for text in sent] == [2] * len(sent)


async def test_a_part_that_fails_fails_alone(database: Database, sent: list[str]) -> None:
    joined_at_once(database)
    async with Snapshot(database, ACTOR) as snapshot:
        (before,) = await snapshot.fetch(FEW, few=1)
        few, divided = await asyncio.gather(
            snapshot.fetch(FEW, few=1), snapshot.fetch(DIVIDED, by=0), return_exceptions=True
        )
    assert not isinstance(few, BaseException)
    assert [dict(row) for row in few] == [dict(before)]
    assert isinstance(divided, asyncpg.DivisionByZeroError)
    sent.clear()
    async with Snapshot(database, ACTOR) as snapshot:
        _, quotients = await asyncio.gather(
            snapshot.fetch(FEW, few=1), snapshot.fetch(DIVIDED, by=4)
        )
    assert [row["n"] for row in quotients] == [3]
    assert len(sent) == 1


async def test_each_part_has_the_whole_timeout(database: Database) -> None:
    joined_at_once(database)
    with capture_logs():
        async with Snapshot(database, ACTOR) as snapshot:
            found = await asyncio.gather(*(snapshot.fetch(ASLEEP, seconds=0.3) for _ in range(2)))
            assert [row["n"] for rows in found for row in rows] == [1, 1]
            with pytest.raises(DeadlineExceeded):
                await asyncio.gather(snapshot.fetch(FEW, few=1), snapshot.fetch(ASLEEP, seconds=1))


async def test_a_joined_statement_that_is_cancelled_stops(database: Database) -> None:
    joined_at_once(database)
    snapshot = Snapshot(database, ACTOR)
    reading = [asyncio.create_task(snapshot.fetch(ASLEEP, seconds=0.4)) for _ in range(2)]
    await asyncio.sleep(0.1)
    await snapshot.close()
    assert all(each.cancelled() or each.cancelling() for each in reading)
    async with Snapshot(database, ACTOR) as other:
        assert len(await other.fetch(FEW, few=5)) == 5
