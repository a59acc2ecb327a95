"""Rows that Postgres packs into one are those that it would return."""

from collections.abc import AsyncIterator
from datetime import date
from typing import TypedDict

import pytest
from pydantic import SecretStr
from sqlalchemy import BigInteger, Date, Text, bindparam, cast, column, select, text

from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, connect
from gateway.store.engine.packed import packed, unpacked
from gateway.store.engine.sql import ColumnType
from tests.support.books import ACTOR


class DayRow(TypedDict):
    day: date
    nanos: int
    name: str


ROWS = (
    select(
        cast(text("date '1999-12-30' + n::int"), Date()).label("day"),
        cast(text("(n - 2) * 9223372036854775807"), BigInteger()).label("nanos"),
        cast(text("'row ' || n"), Text()).label("name"),
    )
    .select_from(
        text("generate_series(1, :count) AS numbers(n)").bindparams(
            bindparam("count", type_=BigInteger())
        )
    )
    .order_by(column("day").desc())
)
PLAIN = Statement[DayRow](ROWS)
PACKED = Statement[DayRow](packed(ROWS.subquery("rows")))
KINDS: dict[str, ColumnType] = {"day": Date(), "nanos": BigInteger(), "name": Text()}


@pytest.fixture
async def database(postgres_database_url: str) -> AsyncIterator[Database]:
    opened = await connect(load_settings(database_url=SecretStr(postgres_database_url)))
    yield opened
    await opened.close()


async def test_packed_rows_are_the_rows(database: Database) -> None:
    for count in (0, 1, 3):
        async with Snapshot(database, ACTOR) as snapshot:
            plain = [dict(row) for row in await snapshot.fetch(PLAIN, count=count)]
            (row,) = await snapshot.fetch(PACKED, count=count)
        assert len(plain) == count
        assert [*unpacked([row], KINDS)] == plain
