"""How Postgres reads: what was asked for, however much is stored, and by plans for any key."""

import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.instants import EARLIEST, LATEST
from gateway.principal import Principal
from gateway.store import Page, Selection, Statement
from gateway.store.account_listing import ACCOUNT_BY_ID, ACCOUNTS, accounts_by_external_id
from gateway.store.balance_openings import OpeningKey, balance_openings
from gateway.store.breakdowns import BreakdownKey, breakdowns
from gateway.store.burn import BurnKey, visible_burn_facts
from gateway.store.deployment_listing import DEPLOYMENT_BY_ID, DEPLOYMENTS
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import R
from gateway.store.first_facts import first_facts
from gateway.store.ledger_listing import ledger_rows_by_key
from gateway.store.purchase_listing import CREDIT_PURCHASES, REFUNDS_OF_PURCHASES
from gateway.store.purchase_relations import (
    CREDIT_PURCHASE_BY_ID,
    RECEIPT_BY_ID,
    RECEIPT_BY_PURCHASE,
    REFUND_BY_ID,
    REFUNDS,
)
from gateway.store.rollup_spans import FLOWS, RESOURCES, USAGE, Grain, RollupSpan
from gateway.store.usage_filter import UsageDimension
from gateway.store.usage_plan import UsageSpan
from gateway.windows import zone
from tests.bench.data import SUBJECT, Size, fill
from tests.conftest import RUNTIME_ROLE
from tests.support.lent_databases import with_database

STAFF = Principal(subject=SUBJECT)
LAST = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCOUNTS_FILLED = 100
# The bench's days lie as they are recorded: all accounts' first day, then their second.
SLOTS = """
    INSERT INTO rollup_slot (account_id, slot_at, spent_nanos, purchased_nanos, bonus_nanos,
        refunded_nanos, adjusted_nanos, deployments, resources)
    SELECT a, t, 1, 0, 0, 0, 0, '', '{}' FROM generate_series(1, 20) a,
        generate_series('2026-10-01'::timestamptz, '2026-11-21', interval '1 hour') t
"""


class Explaining:
    """A reader that explains statements in place of returning their rows."""

    dialect: DialectName = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.pages = 0
        self.read_whole: set[str] = set()
        self.explained = 0

    async def fetch(self, statement: Statement[R], /, **parameters: Any) -> Sequence[R]:
        """Count the pages that a statement reads."""
        compiled = statement.compiled(self.dialect)
        text = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled.text}"
        (found,) = await self._connection.fetchrow(text, *compiled.arguments(parameters))
        plan = json.loads(found)[0]["Plan"]
        self.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return []


class ExplainingAnyKey(Explaining):
    """Notes the tables that a statement's plan for any key reads whole."""

    async def fetch(self, statement: Statement[R], /, **parameters: Any) -> Sequence[R]:
        compiled = statement.compiled(self.dialect)
        nulls = ", ".join("NULL" for _ in compiled.names)
        await self._connection.execute(f"PREPARE reading AS {compiled.text}")
        run = f"EXECUTE reading({nulls})" if nulls else "EXECUTE reading"
        found = await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) {run}")
        await self._connection.execute("DEALLOCATE reading")
        nodes = list(walked(json.loads(found)[0]["Plan"]))
        self.explained += 1
        self.read_whole |= {node["Relation Name"] for node in nodes if "Seq" in node["Node Type"]}
        return []


def walked(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from walked(below)


@pytest.fixture
async def connection(postgres_template: str, postgres_database_url: str) -> Any:
    name = urlsplit(postgres_database_url).path.removeprefix("/")
    owner = await asyncpg.connect(with_database(postgres_template, name))
    await fill(
        with_database(postgres_template, name), Size(accounts=ACCOUNTS_FILLED, last_day=LAST)
    )
    await owner.execute(SLOTS)
    await owner.execute("VACUUM ANALYZE rollup_slot")
    # The plans of the role that serves have the policies of row-level security.
    await owner.execute(f"SET ROLE {RUNTIME_ROLE}")
    accounts = ",".join(map(str, range(1, ACCOUNTS_FILLED + 1)))
    for name, value in (("app.principal", SUBJECT), ("app.accounts", f"{{{accounts}}}")):
        await owner.execute("SELECT set_config($1, $2, false)", name, value)
    yield owner
    await owner.close()


def days(count: int) -> RollupSpan:
    return RollupSpan(1, Grain.DAY, LAST - timedelta(days=count - 1), LAST + timedelta(days=1))


def selection(account_id: int) -> Selection:
    return Selection(scope=(account_id,), lower=(EARLIEST, -1), upper=(LATEST, -1))


def page(scope: tuple[int, ...], *, ascending: bool = False) -> Page:
    found = Selection(scope=scope, lower=(EARLIEST, -1), upper=(LATEST, -1))
    return Page(selection=found, ascending=ascending, limit=50)


Read: TypeAlias = Callable[[Any], Coroutine[Any, Any, Any]]

COUNT = frozenset({"total_count"})
HOURS = RollupSpan(1, Grain.SLOT, NOON - timedelta(days=7), NOON)
ALL_ACCOUNTS = Page(
    selection=Selection(scope=(), lower=(0,), upper=(2**62,)), ascending=True, limit=50
)
ONE_OR_MANY: list[Callable[[Any, Sequence[int]], Coroutine[Any, Any, Any]]] = [
    lambda reader, ids: ACCOUNT_BY_ID.fetch(reader, STAFF, [(each,) for each in ids]),
    lambda reader, ids: CREDIT_PURCHASES.fetch_pages(reader, STAFF, [page((i,)) for i in ids]),
    lambda reader, ids: CREDIT_PURCHASES.fetch_totals(reader, STAFF, [*map(selection, ids)]),
    lambda reader, ids: CREDIT_PURCHASES.fetch_totals(reader, STAFF, [*map(selection, ids)], COUNT),
    lambda reader, ids: RECEIPT_BY_PURCHASE.fetch(reader, STAFF, [(each, 1) for each in ids]),
    *(
        lambda reader, ids, rows=rows, span=span: rows.fetch(
            reader, STAFF, [span._replace(account_id=each) for each in ids]
        )
        for rows in (USAGE, RESOURCES, FLOWS)
        for span in (days(7), HOURS)
    ),
]
"""Reads by accounts' keys: one key has another statement than many."""
READS: list[Read] = [
    *(
        lambda reader, read=read, ids=ids: read(reader, ids)
        for read in ONE_OR_MANY
        for ids in ([1], [1, 2])
    ),
    lambda reader: accounts_by_external_id(reader, STAFF, ["a"]),
    lambda reader: ACCOUNTS.fetch_pages(reader, STAFF, [ALL_ACCOUNTS]),
    lambda reader: CREDIT_PURCHASES.fetch_pages(reader, STAFF, [page((1,), ascending=True)]),
    lambda reader: REFUNDS_OF_PURCHASES.fetch_totals(reader, STAFF, [selection(1)]),
    lambda reader: CREDIT_PURCHASE_BY_ID.fetch(reader, STAFF, [(1, 1)]),
    lambda reader: REFUND_BY_ID.fetch(reader, STAFF, [(1, 1)]),
    lambda reader: REFUNDS.fetch_pages(reader, STAFF, [page((1, 1))]),
    lambda reader: RECEIPT_BY_ID.fetch(reader, STAFF, [(1, 1)]),
    lambda reader: DEPLOYMENT_BY_ID.fetch(reader, STAFF, [(1, 1)]),
    lambda reader: DEPLOYMENTS.fetch_pages(reader, STAFF, [page((1,))]),
    lambda reader: ledger_rows_by_key(reader, STAFF, [(1, 1, 1)]),
    lambda reader: first_facts(reader, STAFF, [1]),
    lambda reader: balance_openings(reader, STAFF, [OpeningKey(1, LAST, NOON, NOON)]),
    lambda reader: visible_burn_facts(reader, STAFF, [BurnKey(1, LAST, LAST, NOON, NOON)]),
    lambda reader: breakdowns(
        reader,
        STAFF,
        [
            BreakdownKey(each, 10, UsageSpan(1, LAST, LAST, NOON, NOON, NOON, NOON, zone("UTC")))
            for each in UsageDimension
        ],
    ),
]
"""Every statement that a page of the console takes, or more."""


async def test_statements_read_their_rows_and_none_beside_them(connection: Any) -> None:
    for count, most in ((7, 20), (365, 24)):  # the places of an index's pages differ by run
        explaining = Explaining(connection)
        await USAGE.fetch(explaining, STAFF, [days(count)])
        assert explaining.pages <= most  # the year's days lie on 365 pages of the table
    explaining = Explaining(connection)
    with suppress(KeyError):  # it returns no totals
        await CREDIT_PURCHASES.fetch_totals(explaining, STAFF, [selection(1)], COUNT)
    assert explaining.pages <= 12  # its purchases lie on 100 pages of the table

    explaining = ExplainingAnyKey(connection)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for read in READS:
        with suppress(KeyError):
            await read(explaining)
    assert explaining.explained >= len(READS)
    large = {
        row["relname"]
        for row in await connection.fetch("SELECT relname FROM pg_class WHERE relpages > 100")
    }
    assert large >= {"credit_purchase", "receipt", "rollup_day", "rollup_slot"}
    assert explaining.read_whole & large == set()


async def test_a_person_is_looked_up_once_for_a_selection(connection: Any) -> None:
    explaining = Explaining(connection)
    with suppress(KeyError):
        await CREDIT_PURCHASES.fetch_totals(explaining, STAFF, [selection(1)])
    assert explaining.pages <= 112  # 100 purchases, on as many pages
