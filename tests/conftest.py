"""Databases for tests: a real Postgres that starts by itself, and SQLite files.

Each is migrated once into a template; every test gets a copy without rows. `TEST_DATABASE_URL` (an
owner that may create databases and roles, and end connections) replaces the embedded Postgres.
"""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from gateway.migrations import migrate
from gateway.settings import load_settings
from gateway.store import Database, connect
from resolvers.schema import build_schema
from tests.support.lent_databases import LentDatabases, with_database
from tests.support.postgres import running_postgres
from tests.support.shares import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

RUNTIME_ROLE = "gateway_runtime"
TEMPLATE = "gateway_template"

hypothesis_settings.register_profile(
    "default",
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("default")


def as_runtime(url: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{RUNTIME_ROLE}:runtime@{address}").geturl()


@pytest.fixture(scope="session", autouse=True)
def one_schema() -> Iterator[None]:
    """Let all gateways of this process share a schema: to build it takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.app.build_schema", cache(build_schema))
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The owner's URL of a running Postgres."""
    with running_postgres() as url:
        if "TEST_DATABASE_URL" not in os.environ:
            asyncio.run(_lose_data_on_power_cut(url))
        yield url


async def _lose_data_on_power_cut(url: str) -> None:
    """Spare a Postgres that lives for one run the waiting for its disk."""
    connection = await asyncpg.connect(url)
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The owner's URL; beside it stands a migrated database to copy from."""
    asyncio.run(_make_template(postgres_url))
    return postgres_url


async def _make_template(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")
    await connection.execute(f"CREATE DATABASE {TEMPLATE}")
    await connection.close()
    template = with_database(url, TEMPLATE)
    await migrate(template, runtime_url=as_runtime(template))


@pytest.fixture(scope="session")
def postgres_databases(postgres_template: str) -> Iterator[LentDatabases]:
    databases = LentDatabases(postgres_template, TEMPLATE)
    yield databases
    asyncio.run(databases.drop_all())


@pytest.fixture
async def postgres_database_url(postgres_databases: LentDatabases) -> AsyncIterator[str]:
    """The runtime role's URL of a migrated database without rows."""
    async with postgres_databases.lend() as name:
        yield as_runtime(with_database(postgres_databases.owner, name))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated file."""
    path = tmp_path / "gateway.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that uses it runs on both databases."""
    name = "postgres_database_url" if request.param == "postgresql" else "sqlite_database_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open, empty database, as the runtime role."""
    settings = load_settings(
        database_url=SecretStr(database_url),
        database_pool_size=4,
        # Tests ask more at once than a busy machine answers in the usual time.
        database_pool_wait_seconds=60,
        statement_timeout_seconds=20,
    )
    opened = await connect(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def limited_database(
    database_url: str, statement_timeout_seconds: float
) -> AsyncIterator[Database]:
    """An open database with the statement timeout that the test is parametrized with."""
    settings = load_settings(
        database_url=SecretStr(database_url), statement_timeout_seconds=statement_timeout_seconds
    )
    opened = await connect(settings)
    yield opened
    await opened.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of the tests that passed ran on which database."""
    passed = terminalreporter.stats.get("passed", [])
    ran = Counter(name for report in passed for name in _databases(report.nodeid))
    terminalreporter.write_line(
        f"{ran['sqlite']} tests passed on SQLite, {ran['postgresql']} on Postgres."
    )


def _databases(nodeid: str) -> set[str]:
    parameters = nodeid.partition("[")[2].rstrip("]").split("-")
    return {"sqlite", "postgresql"}.intersection(parameters)
