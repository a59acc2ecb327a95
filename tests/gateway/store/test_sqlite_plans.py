"""How SQLite reads one key: straight off an index, in its order."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.store import Page, Selection, Statement
from gateway.store.account_listing import ACCOUNT_BY_ID
from gateway.store.companions import Beside
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import R
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.rollup_spans import USAGE, Grain, RollupSpan
from tests.support.graph import ADA, PLATFORM
from tests.support.rows import T0

YEAR = RollupSpan(1, Grain.DAY, date(2025, 11, 21), date(2026, 11, 21))
ALL = Selection(scope=(1,), lower=(T0.replace(year=2000), -1), upper=(T0.replace(year=2100), -1))


class Explaining:
    """A reader that explains statements in place of returning their rows."""

    dialect: DialectName = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.steps: list[str] = []
        self.statements = 0

    async def fetch(self, statement: Statement[R], /, **parameters: Any) -> Sequence[R]:
        compiled = statement.compiled(self.dialect)
        text = f"EXPLAIN QUERY PLAN {compiled.text}"
        self.steps += (
            step[3] for step in self._connection.execute(text, compiled.arguments(parameters))
        )
        self.statements += 1
        return []


@pytest.fixture
def explaining(sqlite_database_url: str) -> Iterator[Explaining]:
    path = urlsplit(sqlite_database_url).path.removeprefix("/")
    with closing(sqlite3.connect(path)) as connection:
        yield Explaining(connection)


async def test_one_key_is_read_off_an_index_without_a_sort(explaining: Explaining) -> None:
    for principal in (ADA, PLATFORM):
        await USAGE.fetch(explaining, principal, [YEAR])
        await ACCOUNT_BY_ID.fetch(explaining, principal, [(1,)])
        for ascending in (True, False):
            page = Page(selection=ALL, ascending=ascending, limit=3)
            beside = {Beside("receipt", None): lambda *_: None}
            await CREDIT_PURCHASES.fetch_pages(explaining, principal, [page], None, beside)
        with suppress(KeyError):  # there always is a row of totals
            await CREDIT_PURCHASES.fetch_totals(explaining, principal, [ALL])
    assert explaining.statements == 10
    used = {step.split()[0] for step in explaining.steps}
    assert used <= {"SEARCH", "SCALAR", "CORRELATED"}, explaining.steps
