"""Migrations: once, whole, the same on both databases, and no more than models say."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import (
    CheckConstraint,
    Connection,
    Engine,
    Index,
    create_engine,
    event,
    inspect,
    make_url,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

from gateway.cli.resources import open_database
from gateway.errors import ConfigurationError
from gateway.migrations import can_serve, migrate
from gateway.migrations.reasons import explained
from gateway.migrations.revisions import head
from gateway.models import metadata
from gateway.settings import load_settings
from gateway.store import Snapshot, connect
from tests.support.books import ACTOR
from tests.support.raw import EVERY_ACCOUNT, REFUSALS, execute


async def schema(url: str) -> list[tuple[Any, ...]]:
    """Return everything that the database says about its tables, indexes and triggers."""
    if url.startswith("sqlite"):
        return await execute(url, "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
    return await execute(
        url,
        "SELECT 'column', table_name || '.' || column_name, data_type || is_nullable "
        "FROM information_schema.columns WHERE table_schema = 'public' "
        "UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
        "UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger ORDER BY 1, 2",
    )


async def test_commands_ask_for_a_database_that_is_migrated(empty_url: str) -> None:
    settings = load_settings(database_url=SecretStr(empty_url))
    for _ in range(2):  # nothing is made by having asked
        with pytest.raises(ConfigurationError, match="run `gateway migrate`"):
            async with open_database(settings):
                pass
    await migrate(empty_url)
    async with open_database(settings) as database, Snapshot(database, ACTOR) as snapshot:
        assert await can_serve(snapshot, head())
        assert not await can_serve(snapshot, "0999")


async def test_commands_ask_for_a_migration_that_grants(empty_postgres_url: str, role: str) -> None:
    await execute(empty_postgres_url, f'CREATE ROLE "{role}" LOGIN')
    await migrate(empty_postgres_url)
    runtime = as_role(empty_postgres_url, role, "")
    settings = load_settings(database_url=SecretStr(runtime))
    with pytest.raises(ConfigurationError, match="run `gateway migrate`"):
        async with open_database(settings):
            pass
    await migrate(empty_postgres_url, runtime_url=runtime)
    async with open_database(settings):
        pass


async def test_role_that_no_migration_has_made_is_a_sentence(empty_postgres_url: str) -> None:
    url = make_url(empty_postgres_url).set(username="nobody", password="secret")
    settings = load_settings(database_url=SecretStr(url.render_as_string(hide_password=False)))
    with pytest.raises(ConfigurationError, match="run `gateway migrate`") as raised:
        await connect(settings)
    assert "secret" not in raised.value.message


async def test_migrating_again_changes_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    before = await schema(empty_url)
    await migrate(empty_url)
    assert await schema(empty_url) == before
    assert await execute(empty_url, "SELECT version_num FROM alembic_version") == [(head(),)]


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_a_new_file_is_its_owners_alone(empty_url: str, tmp_path: Path) -> None:
    await migrate(empty_url)
    folder = tmp_path / "deep"
    modes = {each.stat().st_mode & 0o077 for each in (folder, folder / "gateway.sqlite3")}
    assert modes == {0}


async def test_starters_at_the_same_time_migrate_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert await execute(empty_url, "SELECT version_num FROM alembic_version") == [(head(),)]


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).parent.mkdir()
    # The last table of the first migration is in its way.
    await execute(empty_url, "CREATE TABLE receipt (id integer)")
    before = await schema(empty_url)
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_url)
    assert await schema(empty_url) == before


def differences(connection: Connection) -> list[Any]:
    def is_here(item: SchemaItem, *_: Any) -> bool:
        """Say whether the dialect has it: an index may be for one of them alone."""
        condition = item._ddl_if if isinstance(item, Index) else None
        return condition is None or condition.dialect == connection.dialect.name

    options = {"compare_type": True, "include_object": is_here}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


def checks(connection: Connection) -> dict[str, set[Any]]:
    """Return the names of each table's CHECK constraints."""
    inspector = inspect(connection)
    return {
        name: {check["name"] for check in inspector.get_check_constraints(name)}
        for name in metadata.tables
    }


async def test_the_migrated_schema_is_the_models(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        engine = create_engine(database_url, poolclass=NullPool)
        with engine.connect() as connection:
            found = differences(connection), checks(connection)
    else:
        url = make_url(database_url).set(drivername="postgresql+asyncpg")
        async_engine = create_async_engine(url, poolclass=NullPool)
        async with async_engine.connect() as async_connection:
            found = (
                await async_connection.run_sync(differences),
                await async_connection.run_sync(checks),
            )
    named = {
        name: {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}
        for name, table in metadata.tables.items()
    }
    assert found == ([], named)


@pytest.fixture
async def role(empty_postgres_url: str) -> AsyncIterator[str]:
    """The name of a role that is not there, and is gone afterwards."""
    name = f"Runtime-{secrets.token_hex(4)}"
    yield name
    owner = await asyncpg.connect(empty_postgres_url)
    await owner.execute(f'DROP OWNED BY "{name}"')
    await owner.execute(f'DROP ROLE "{name}"')
    await owner.close()


async def test_a_missing_runtime_role_is_made_with_its_password(
    empty_postgres_url: str, role: str
) -> None:
    password = 'it\'s 100% \\ :secret "quoted" ünïcode'
    runtime = as_role(empty_postgres_url, role, password)
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    await migrate(empty_postgres_url, runtime_url=runtime)
    event.remove(Engine, "before_cursor_execute", note)
    assert [text for text in sent if "secret" in text] == []
    assert [text for text in sent if text.startswith("CREATE ROLE")]
    stored = await execute(
        empty_postgres_url, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'"
    )
    assert stored[0][0].startswith("SCRAM-SHA-256$")
    assert await execute(runtime, "SELECT current_user::text, count(*) FROM account") == [(role, 0)]
    with pytest.raises(REFUSALS, match="permission denied"):
        await execute(runtime, "DELETE FROM ledger_entry")
    # Again, with the role there: its password stays, its rights are given again.
    await migrate(empty_postgres_url, runtime_url=as_role(empty_postgres_url, role, "other"))
    assert stored == await execute(
        empty_postgres_url, f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'"
    )


def as_role(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    credentials = f"{quote(role, safe='')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{credentials}@{address}").geturl()


async def test_a_role_that_owns_serves_too(empty_postgres_url: str) -> None:
    await migrate(empty_postgres_url, runtime_url=empty_postgres_url)
    assert await execute(empty_postgres_url, "SELECT count(*) FROM account") == [(0,)]


async def test_what_postgres_refuses_is_told(empty_postgres_url: str, role: str) -> None:
    await execute(empty_postgres_url, f'CREATE ROLE "{role}" LOGIN')
    missing = urlsplit(empty_postgres_url)._replace(path="/nowhere").geturl()
    for url, reason in (
        (
            as_role(empty_postgres_url, role, ""),
            "permission denied for schema public. Run `gateway migrate` as the owner: set",
        ),
        (
            as_role(empty_postgres_url, f"{role}-2", ""),
            f'role "{role}-2" does not exist. `gateway migrate` creates the role of',
        ),
        (missing, 'database "nowhere" does not exist'),
    ):
        with pytest.raises(ConfigurationError, match=reason):
            await migrate(url)


def test_a_refused_password_names_its_setting() -> None:
    # The server of the tests trusts everybody, so its answer is made here.
    driver = Exception()
    driver.__cause__ = asyncpg.InvalidPasswordError("password authentication failed")
    never = "`gateway migrate` never changes the password of an existing role; use `ALTER ROLE`"
    for setting in ("GATEWAY_DATABASE_URL", "GATEWAY_MIGRATION_DATABASE_URL"):
        with (
            pytest.raises(ConfigurationError) as caught,
            explained(make_url("postgresql://owner@127.0.0.1/gateway"), setting),
        ):
            raise DBAPIError("", {}, driver)
        assert (
            f"The password in {setting} is wrong, or the role does not exist"
            in caught.value.message
        )
        assert never in caught.value.message
        assert ("creates the role" in caught.value.message) == (setting == "GATEWAY_DATABASE_URL")


async def test_an_owner_that_makes_no_roles_is_told_what_helps(
    empty_postgres_url: str, role: str
) -> None:
    await execute(empty_postgres_url, f'CREATE ROLE "{role}" LOGIN')
    await execute(empty_postgres_url, f'GRANT CREATE ON SCHEMA public TO "{role}"')
    runtime = as_role(empty_postgres_url, f"{role}-2", "other")
    with pytest.raises(ConfigurationError, match="Grant the owner CREATEROLE, or create the role"):
        await migrate(as_role(empty_postgres_url, role, ""), runtime_url=runtime)


async def test_updates_of_a_roll_up_leave_its_indexes_alone(postgres_database_url: str) -> None:
    connection = await asyncpg.connect(postgres_database_url, server_settings=EVERY_ACCOUNT)
    try:
        await connection.execute(
            "INSERT INTO rollup_activity SELECT 1, '2026-11-01', id, 'GPU', '', '', 0, 0 "
            "FROM generate_series(1, 1000) AS id"
        )
        async with connection.transaction():
            await connection.execute(
                "UPDATE rollup_activity SET events = 1 WHERE deployment_id % 5 = 0"
            )
            changed = await connection.fetchrow(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables "
                "WHERE relname = 'rollup_activity'"
            )
    finally:
        await connection.close()
    assert changed is not None
    assert tuple(changed) == (200, 200)
