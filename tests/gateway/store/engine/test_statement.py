"""Lists as parameters, on both databases."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import BigInteger, Date, select
from sqlalchemy.sql import ClauseElement, FromClause

from gateway.models import Account, Instant, Receipt, table_of
from gateway.store import Database, Snapshot, Statement, any_of, batch
from gateway.store.engine.parameters import batch_of_texts
from tests.support.books import ACTOR

ACCOUNT, RECEIPT = table_of(Account), table_of(Receipt)
Make = Callable[..., FromClause]
MOMENT = datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("make", [batch, batch_of_texts])
async def test_a_batch_is_a_table_of_positions(database: Database, make: Make) -> None:
    statement = Statement[Mapping[str, object]](
        lambda dialect: select(
            make(dialect, account_id=BigInteger(), first=Date(), at=Instant())
        ).order_by("n")
    )
    async with Snapshot(database, ACTOR) as snapshot:
        rows = await snapshot.fetch(
            statement,
            account_id=[2**63 - 1, -(2**63), None],
            first=[date(2026, 1, 1), date(2026, 2, 28), None],
            at=[MOMENT, MOMENT, None],
        )
    assert [dict(row) for row in rows] == [
        {"n": 1, "account_id": 2**63 - 1, "first": date(2026, 1, 1), "at": MOMENT},
        {"n": 2, "account_id": -(2**63), "first": date(2026, 2, 28), "at": MOMENT},
        {"n": 3, "account_id": None, "first": None, "at": None},
    ]


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        (
            select(ACCOUNT.c.name).where(any_of(ACCOUNT.c.external_id, "keys")),
            "(external_id=?)",
        ),
        (
            select(RECEIPT.c.number).where(
                RECEIPT.c.account_id == 1,
                any_of(RECEIPT.c.purchase_id, "keys"),
                RECEIPT.c.refund_id.is_(None),
            ),
            "(account_id=? AND purchase_id=?)",
        ),
    ],
    ids=["accounts", "receipts"],
)
def test_a_list_is_looked_up_in_the_index(
    sqlite_database_url: str, statement: ClauseElement, columns: str
) -> None:
    compiled = Statement[None](statement).compiled("sqlite")
    connection = sqlite3.connect(sqlite_database_url.removeprefix("sqlite:///"))
    arguments = compiled.arguments({"keys": [1, 2]})
    plan = connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", arguments).fetchall()
    connection.close()
    words = plan[0][-1].partition(" (")
    assert words[0].startswith("SEARCH ")
    assert f"({words[2]}" == columns
