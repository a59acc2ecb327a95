"""Statements of one export on SQLite that begin where the last one ended."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from threading import Event

import pytest
from sqlalchemy import BigInteger, String, bindparam, cast, select, type_coerce

from gateway.errors import DeadlineExceeded
from gateway.store import Database
from gateway.store.engine import sqlite_stream
from gateway.store.engine.sqlite_stream import SqliteStream, Texts
from gateway.store.engine.statement import Statement
from tests.support.books import ACTOR

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NUMBER = bindparam("n", type_=BigInteger())
NEXT = Statement[Texts](select(cast(type_coerce(NUMBER, BigInteger()) + 1, String()).label("n")))

Next = Callable[[Texts], dict[str, object] | None]


def rows(stream: object, following: Next) -> AsyncGenerator[Texts]:
    assert isinstance(stream, SqliteStream)
    return stream.follow(NEXT, following, n=0)


def until(last: int) -> Next:
    def following(row: Texts) -> dict[str, object] | None:
        return None if int(row["n"]) == last else {"n": int(row["n"])}

    return following


@pytest.mark.parametrize("characters", [1, 3, 1000])
async def test_each_statement_follows_the_one_before(
    database: Database, monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    monkeypatch.setattr(sqlite_stream, "AHEAD", characters)
    async with database.exporting(ACTOR) as stream:
        async with aclosing(rows(stream, until(7))) as found:
            assert [int(row["n"]) async for row in found] == [1, 2, 3, 4, 5, 6, 7]
        async with aclosing(rows(stream, until(1))) as found:
            assert [row async for row in found] == [{"n": "1"}]


async def test_a_row_is_read_while_another_is_used(database: Database) -> None:
    read = Event()

    def following(row: Texts) -> dict[str, object] | None:
        if row["n"] == "2":
            read.set()
        return until(2)(row)

    async with (
        database.exporting(ACTOR) as stream,
        aclosing(rows(stream, following)) as found,
    ):
        await anext(found)
        assert read.wait(10)  # the event loop stands still


async def test_rows_before_a_fault_still_come(database: Database) -> None:
    def following(row: Texts) -> dict[str, object] | None:
        if row["n"] == "3":
            raise DeadlineExceeded("It takes too long.")
        return {"n": int(row["n"])}

    async with database.exporting(ACTOR) as stream:
        async with aclosing(rows(stream, following)) as some:
            assert [(await anext(some))["n"] for _ in range(2)] == ["1", "2"]
            with pytest.raises(DeadlineExceeded, match="too long"):
                await anext(some)
        async with aclosing(rows(stream, until(1))) as some:
            assert [row async for row in some] == [{"n": "1"}]


async def test_a_reader_that_leaves_stops_the_statements(database: Database) -> None:
    read: list[str] = []

    def following(row: Texts) -> dict[str, object]:
        read.append(row["n"])
        return {"n": int(row["n"])}

    async with database.exporting(ACTOR) as stream:
        async with aclosing(rows(stream, following)) as found:
            assert (await anext(found))["n"] == "1"
        count = len(read)
        async with aclosing(rows(stream, until(1))) as found:
            assert [row async for row in found] == [{"n": "1"}]
        assert len(read) == count
