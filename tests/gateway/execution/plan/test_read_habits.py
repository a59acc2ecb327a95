"""Operations that are likely to read once take no transaction, and answer the same if they do."""

from collections.abc import Iterator
from contextlib import contextmanager

from asyncpg.connection import LoggedQuery

from gateway.execution.plan.cache import OFTEN, RARELY, ReadHabit
from gateway.ids import encode_global_id
from gateway.principal import Principal
from gateway.store import Database
from resolvers.schema import build_schema
from tests.support.graph import ADA, BOB, Reply, ask, make_engines
from tests.support.rows import account, member, purchase, put, refund

PURCHASES = """
query ($id: ID!) {
  account(id: $id) {
    name
    usage(interval: WEEK, from: "2026-01-01", to: "2026-11-01") { summary { totalDeployments } }
    creditPurchases { totalCount nodes { id refunds { id } receipt { number } } }
  }
}
"""
MINE = {"id": encode_global_id("Account", 1)}


def test_one_more_read_breaks_the_habit() -> None:
    habit = ReadHabit()
    for reads in [1] * (OFTEN - 1) + [2] + [1] * (OFTEN - 1):
        habit.note(reads)
        assert not habit.is_once
    habit.note(1)
    assert habit.is_once
    habit.break_()
    for _ in range(RARELY + OFTEN - 1):
        habit.note(1)
        assert not habit.is_once
    habit.note(1)
    assert habit.is_once


@contextmanager
def sent(database: Database) -> Iterator[list[str]]:
    """Collect the texts that are sent to Postgres; none on SQLite."""
    texts: list[str] = []

    def note(logged: LoggedQuery) -> None:
        if logged.query != "ROLLBACK":  # of the transaction before
            texts.append(logged.query)

    connections = database._pool._open if database.dialect == "postgresql" else ()  # type: ignore[attr-defined]
    for each in connections:
        each.add_query_logger(note)
    yield texts
    for each in connections:
        each.remove_query_logger(note)


async def test_an_operation_that_reads_once_is_one_message_until_it_reads_more(
    database: Database,
) -> None:
    await put(database, account(1), member(1, "ada"), account(2), member(2, "bob"))
    engines = make_engines(build_schema())

    async def answer(principal: Principal = ADA) -> Reply:
        return await ask(database, principal, PURCHASES, MINE, engines=engines)

    for _ in range(OFTEN + 1):
        assert (await answer()).data["account"]["creditPurchases"]["nodes"] == []
    is_postgres = database.dialect == "postgresql"
    with sent(database) as texts:
        assert not (await answer()).errors
    one, *of_reference = texts or [""]
    assert ("gateway_enter($1)" in one) is is_postgres
    assert not is_postgres or "BEGIN" in of_reference[0]
    assert [code for _, code, _ in (await answer(BOB)).errors] == ["NOT_FOUND"]

    await put(database, purchase(1, 3), refund(1, 7, 3))
    with sent(database) as texts:
        found = (await answer()).data["account"]["creditPurchases"]
    assert found["totalCount"] == 1
    assert [refund["id"] for refund in found["nodes"][0]["refunds"]] == [
        encode_global_id("Refund", 1, 7)
    ]
    assert not is_postgres or ["BEGIN" in text for text in texts[:2]] == [False, True]
    with sent(database) as texts:
        assert (await answer()).data["account"]["creditPurchases"] == found
    assert not is_postgres or "BEGIN" in texts[0]
