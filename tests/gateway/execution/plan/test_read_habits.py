"""Operations that are likely to read once take no transaction, and answer the same if they do."""

from collections.abc import Awaitable
from typing import Any

import asyncpg
import pytest

from gateway.execution.plan.cache import OFTEN, RARELY, ReadHabit
from gateway.ids import encode_global_id
from gateway.principal import Principal
from gateway.store import Database
from gateway.waves import Wave
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


def test_one_more_read_ends_the_habit() -> None:
    habit = ReadHabit()
    for reads in [1] * (OFTEN - 1) + [2] + [1] * (OFTEN - 1):
        habit.note(reads, reads)
        assert not habit.is_once
    habit.note(1, 1)
    assert habit.is_once
    habit.end()
    for _ in range(RARELY + OFTEN - 1):
        habit.note(1, 1)
        assert not habit.is_once
    habit.note(1, 1)
    assert habit.is_once


def test_one_more_statement_makes_an_operation_no_single_one() -> None:
    habit = ReadHabit()
    for statements in [1] * (OFTEN - 1) + [2] + [1] * (OFTEN - 1):
        habit.note(1, statements)
        assert not habit.is_single
    assert habit.is_once
    habit.note(1, 1)
    assert habit.is_single
    habit.end()
    assert not habit.is_single


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are sent to Postgres, but for the ends of the transactions before."""
    texts: list[str] = []
    for name in ("fetch", "execute"):
        original = getattr(asyncpg.Connection, name)

        async def noting(
            connection: Any, text: str, *rest: Any, original: Any = original, **more: Any
        ) -> Any:
            if text != "ROLLBACK":
                texts.append(text)
            return await original(connection, text, *rest, **more)

        monkeypatch.setattr(asyncpg.Connection, name, noting)
    return texts


async def test_an_operation_that_reads_once_is_one_message_until_it_reads_more(
    database: Database, sent: list[str]
) -> None:
    await put(database, account(1), member(1, "ada"), account(2), member(2, "bob"))
    engines = make_engines(build_schema())

    async def answer(principal: Principal = ADA) -> Reply:
        return await ask(database, principal, PURCHASES, MINE, engines=engines)

    for _ in range(OFTEN + 1):
        assert (await answer()).data["account"]["creditPurchases"]["nodes"] == []
    is_postgres = database.dialect == "postgresql"
    sent.clear()
    assert not (await answer()).errors
    one, *of_reference = sent or [""]
    assert ("set_config('app.principal', $1" in one) is is_postgres
    assert not is_postgres or "BEGIN" in of_reference[0]
    assert [code for _, code, _ in (await answer(BOB)).errors] == ["NOT_FOUND"]

    await put(database, purchase(1, 3), refund(1, 7, 3))
    sent.clear()
    found = (await answer()).data["account"]["creditPurchases"]
    assert found["totalCount"] == 1
    assert [refund["id"] for refund in found["nodes"][0]["refunds"]] == [
        encode_global_id("Refund", 1, 7)
    ]
    assert not is_postgres or ["BEGIN" in text for text in sent[:2]] == [False, True]
    sent.clear()
    assert (await answer()).data["account"]["creditPurchases"] == found
    assert not is_postgres or "BEGIN" in sent[0]


NODE = "query ($id: ID!) { node(id: $id) { id ... on Refund { amount { amount } } } }"
NAMES = "query ($id: ID!) { account(id: $id) { id name } again: account(id: $id) { name } }"
NAME = "query ($id: ID!) { account(id: $id) { id name balance { available { amount } } } }"


async def test_an_operation_of_one_statement_runs_without_a_wave_until_it_has_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(database, account(1), member(1, "ada"), purchase(1, 3), refund(1, 7, 3))
    engines, alone = make_engines(build_schema()), 0
    original = Wave.outcome_alone

    async def counting(wave: Wave, awaitable: Awaitable[Any]) -> Any:
        nonlocal alone
        alone += 1
        return await original(wave, awaitable)

    monkeypatch.setattr(Wave, "outcome_alone", counting)
    unknown, kept = encode_global_id("Account", 9), encode_global_id("Refund", 1, 7)
    for text, expected in ((NAME, 8), (NAMES, 0), (NODE, 5)):
        for _ in range(OFTEN):
            await ask(database, ADA, text, {"id": unknown}, engines=engines)
        assert alone == 0
        for id_ in (unknown, "wrong", kept, MINE["id"]):
            for principal in (ADA, BOB):
                await ask(database, principal, text, {"id": id_}, engines=engines)
        assert alone == expected, text
        alone = 0
