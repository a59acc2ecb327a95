"""Behind PgBouncer in transaction mode, where each transaction may have another connection."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypedDict

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Integer, String, column, text
from structlog.testing import capture_logs

from gateway.errors import ConfigurationError, DeadlineExceeded
from gateway.live.changes import PostgresChangeListener
from gateway.principal import Permission, Role
from gateway.settings import load_settings
from gateway.store import Database, Snapshot, Statement, connect
from gateway.store.engine.database import Reader
from gateway.store.engine.postgres_session import BEHIND_POOLER
from gateway.work.loops import Loops
from tests.support.books import ACTOR, Books
from tests.support.patience import PATIENCE_SECONDS
from tests.support.pgbouncer import pgbouncer
from tests.support.processes import GatewayProcess, gateway_process
from tests.support.replicas import version_of, watching
from tests.support.served import issued_key

SESSION = (
    *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"),
    *("TimeZone", "plan_cache_mode", "jit"),
)
DEFAULTS = ["0", "0", "0", "auto", "on"]


class SettingRow(TypedDict):
    name: str
    setting: str


class Answer(TypedDict):
    n: int


SETTINGS = Statement[SettingRow](
    text(f"SELECT name, setting FROM pg_settings WHERE name IN {SESSION}").columns(
        column("name", String()), column("setting", String())
    )
)
SLOW = Statement[Answer](text("SELECT 1 AS n FROM pg_sleep(60)").columns(column("n", Integer())))


@pytest.fixture
def pooled_url(postgres_database_url: str) -> Iterator[str]:
    with pgbouncer(postgres_database_url) as url:
        yield url


async def opened(url: str, **settings: Any) -> Database:
    values = {"database_url": SecretStr(url), "database_pooler": True, **settings}
    return await connect(load_settings(**values))


@pytest.fixture
async def pooled(pooled_url: str) -> AsyncIterator[Database]:
    database = await opened(pooled_url, statement_timeout_seconds=0.3)
    yield database
    await database.close()


async def session(reader: Reader) -> list[str]:
    found = {row["name"]: row["setting"] for row in await reader.fetch(SETTINGS)}
    return [found[name] for name in SESSION]


async def test_timeouts_are_in_force_and_leave_nothing_behind(
    pooled: Database, pooled_url: str
) -> None:
    for _ in range(4):  # on each of the pooler's connections
        async with Snapshot(pooled, ACTOR) as snapshot:
            read = await session(snapshot)
        async with pooled.writing(ACTOR) as transaction:
            written = await session(transaction)
        async with pooled.exporting(ACTOR) as stream:
            exported = await session(stream)
        assert read == ["300", "2000", "10000", "UTC", "force_generic_plan", "off"]
        assert written == ["300", "2000", "10000", "UTC", "force_custom_plan", "off"]
        assert exported == ["60000", "2000", "0", "UTC", "auto", "off"]
    other = await asyncpg.connect(pooled_url, statement_cache_size=0)
    for _ in range(4):
        found = [await other.fetchval(f"SHOW {name}") for name in SESSION if name != "TimeZone"]
        assert found == DEFAULTS
    await other.close()
    with pytest.raises(DeadlineExceeded):
        async with Snapshot(pooled, ACTOR) as snapshot:
            await snapshot.fetch(SLOW)


@pytest.mark.parametrize("ignored", ["extra_float_digits", "statement_timeout, lock_timeout, jit"])
async def test_a_pooler_without_its_setting_is_refused(
    postgres_database_url: str, ignored: str
) -> None:
    more = ", idle_in_transaction_session_timeout" if "jit" in ignored else ""
    with (
        pgbouncer(postgres_database_url, ignore_startup_parameters=ignored + more) as url,
        pytest.raises(ConfigurationError) as caught,
    ):
        await opened(url, database_pooler=False)
    assert caught.value.message == BEHIND_POOLER


class Heard:
    def __init__(self) -> None:
        self.polls = 0
        self.polled_twice = asyncio.Event()

    def changed(self, account_id: int, revision: int) -> None:
        raise AssertionError("nothing is heard through a pooler")

    def missed(self) -> None:
        self.polls += 1
        if self.polls == 2:
            self.polled_twice.set()


async def test_listening_through_a_pooler_falls_back_to_polling_aloud(
    pooled: Database, pooled_url: str
) -> None:
    listener, heard = PostgresChangeListener(pooled_url, Loops()), Heard()
    with capture_logs() as logs:
        task = asyncio.create_task(listener.run(heard))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await heard.polled_twice.wait()
        assert not listener.connected
        task.cancel()
        await asyncio.wait([task])
    assert [each["event"] for each in logs] == ["live.not_listening"]


@pytest.fixture
async def gateway(
    pooled: Database, pooled_url: str, postgres_database_url: str, tmp_path: Path
) -> AsyncIterator[GatewayProcess]:
    async with gateway_process(
        pooled_url,
        tmp_path,
        database_pooler="1",
        listen_database_url=postgres_database_url,
    ) as gateway:
        yield gateway


async def test_requests_and_subscriptions_are_served(
    pooled: Database, gateway: GatewayProcess
) -> None:
    account = await Books(pooled).account("acme", members=[("ada", Role.OWNER)])
    key = await issued_key(pooled, Permission.ADMIN)
    headers = {"authorization": f"Bearer {key.text}"}
    credit = {"account": "acme", "kind": "COUPON", "amount": "1", "currency": "USD"}
    query = {"query": '{ account(externalId: "acme") { name balance { available { amount } } } }'}
    async with (
        httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=60) as client,
        watching(gateway, account) as subscriber,
    ):
        assert await version_of(subscriber) == 0
        answers = await asyncio.gather(
            *(
                client.post("/v1/credits", json=credit, headers={"idempotency-key": str(number)})
                for number in range(10)
            ),
            *(client.post("/graphql", json=query) for _ in range(30)),
            *(client.get("/exports/ledger", params={"account": "acme"}) for _ in range(2)),
            client.get("/readyz"),
        )
        assert {answer.status_code for answer in answers} == {200, 201}
        assert not [each for each in answers if '"errors"' in each.text]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await version_of(subscriber) < 10:
                pass
