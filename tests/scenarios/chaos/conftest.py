"""A Postgres that the scenarios may stop and freeze, migrated, and a gateway's settings for it."""

import asyncio
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from gateway.migrations import migrate
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import connect
from tests.conftest import as_runtime
from tests.support.postgres import OwnPostgres, own_postgres
from tests.support.served import issued_key


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnPostgres]:
    with own_postgres() as postgres:
        asyncio.run(migrate(postgres.url, runtime_url=as_runtime(postgres.url)))
        yield postgres


@pytest.fixture(scope="session")
def key(postgres: OwnPostgres) -> str:
    """A key with every scope."""
    return asyncio.run(_issue_key(as_runtime(postgres.url)))


async def _issue_key(url: str) -> str:
    database = await connect(load_settings(database_url=SecretStr(url)))
    key = await issued_key(database, Permission.ADMIN)
    await database.close()
    return key.text
