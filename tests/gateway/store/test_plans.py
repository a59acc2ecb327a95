"""How much Postgres reads for a statement: what was asked for, however much is stored."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from gateway.instants import EARLIEST, LATEST
from gateway.principal import Principal
from gateway.store import Selection, Statement
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import R
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.rollup_spans import USAGE, Grain, Span

STAFF = Principal(subject="staff")
LAST = date(2026, 11, 20)

FILL = (
    """
    INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix,
        balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at)
    SELECT a, a, a, 'USD', 'UTC', lpad(a::text, 8, '0'), 0, 0, now(), 0, 1, now()
    FROM generate_series(1, 2000) a
    """,
    """
    INSERT INTO account_member (account_id, subject, role, created_at)
    SELECT a, 'staff', 'OWNER', now() FROM generate_series(1, 2000) a
    """,
    """
    INSERT INTO rollup_day (account_id, day, spent_nanos, purchased_nanos, bonus_nanos,
        refunded_nanos, adjusted_nanos, deployments, resources)
    SELECT a, d, 1, 0, 0, 0, 0, '', '{}' FROM generate_series(1, 3) a,
        generate_series('2016-11-21'::date, '2026-11-20', interval '1 day') d
    """,
    """
    INSERT INTO credit_purchase (account_id, id, kind, status, currency, amount_nanos, tax_nanos,
        bonus_nanos, refunded_nanos, bonus_reversed_nanos, disputed_nanos, created_at, settled_at,
        revision, receipted)
    SELECT a, a * 1000 + p, 'COUPON', 'SUCCEEDED', 'USD', 1, 0, 0, 0, 0, 0, now(), now(), 1, false
    FROM generate_series(1, 3) a, generate_series(1, 100) p
    """,
)


class Explaining:
    """A reader that counts the pages of a statement in place of returning its rows."""

    dialect: DialectName = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.pages = 0

    async def fetch(self, statement: Statement[R], /, **parameters: Any) -> Sequence[R]:
        compiled = statement.compiled(self.dialect)
        text = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled.text}"
        (found,) = await self._connection.fetchrow(text, *compiled.arguments(parameters))
        plan = json.loads(found)[0]["Plan"]
        self.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return []


@pytest.fixture
async def explaining(postgres_database_url: str) -> Any:
    connection = await asyncpg.connect(postgres_database_url)
    for statement in FILL:
        await connection.execute(statement)
    yield Explaining(connection)
    await connection.close()


@pytest.mark.parametrize("days", [7, 365])
async def test_a_span_is_read_and_no_day_beside_it(explaining: Any, days: int) -> None:
    span = Span(1, Grain.DAY, LAST - timedelta(days=days), LAST)
    await USAGE.fetch(explaining, STAFF, [span])
    assert explaining.pages <= 12 + days // 20


async def test_a_person_is_looked_up_once_for_a_selection(explaining: Any) -> None:
    selection = Selection(scope=(1,), lower=(EARLIEST, -1), upper=(LATEST, -1))
    with suppress(KeyError):  # it returns no totals
        await CREDIT_PURCHASES.fetch_totals(explaining, STAFF, [selection])
    assert explaining.pages <= 20
