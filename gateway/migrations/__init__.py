"""Migrations: the same ones on both databases, run by the owner under a lock."""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypedDict

import asyncpg
from alembic import command
from sqlalchemy import (
    URL,
    Connection,
    Integer,
    String,
    column,
    create_engine,
    inspect,
    make_url,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ClauseElement

from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.migrations import row_security
from gateway.migrations.indexes import create_large_indexes
from gateway.migrations.reasons import OWNER_URL, RUNTIME_URL, explained, role_explained
from gateway.migrations.revisions import alembic_config, head, is_later, serves
from gateway.migrations.row_security import Protection
from gateway.migrations.scram import scram_verifier
from gateway.store import Database, Reader, Statement
from gateway.store.engine.database import within
from gateway.store.engine.postgres_session import CONNECT_SECONDS
from gateway.store.engine.sql import DialectName

FACTS: Final = ("ledger_entry", "receipt", "seller", "statement", "usage_event")
"""Tables with immutable rows."""
AUDIT: Final = "audit_event"
"""A table of immutable rows that are deleted when they are old."""


class _Revision(TypedDict):
    version_num: str


class _Found(TypedDict):
    found: int


_REVISION: Final = Statement[_Revision](
    text("SELECT version_num FROM alembic_version").columns(column("version_num", String()))
)

_ROW_SECURITY: Final = Statement[_Found](
    text("SELECT row_security_active('account')::int AS found").columns(column("found", Integer()))
)

LOCK: Final = 0x6269_6C6C_696E_67
"""The advisory lock of migrations ("billing" in ASCII)."""

LOCK_PAUSE_SECONDS: Final = 0.1
READY_SECONDS: Final = 2
"""Longest readiness check."""


def _find_table(dialect: DialectName) -> ClauseElement:
    found = {
        "postgresql": "SELECT 1 AS found "
        "WHERE has_table_privilege(to_regclass('alembic_version'), 'SELECT')",
        "sqlite": "SELECT 1 AS found FROM sqlite_master WHERE name = 'alembic_version'",
    }
    return text(found[dialect]).columns(column("found", Integer()))


# Looked for first: each driver has an error of its own for a missing table or a missing grant.
_TABLE: Final = Statement[_Found](_find_table)


async def can_serve(reader: Reader, needed: str) -> bool:
    """Return whether code that needs a revision serves the database; none serves one that was never
    migrated, or not for the role that reads.
    """
    if not await reader.fetch(_TABLE):
        return False
    stored = [row["version_num"] for row in await reader.fetch(_REVISION)]
    return bool(stored) and serves(needed, *stored)


def readiness_check(database: Database) -> Callable[[], Awaitable[None]]:
    """Return a check that raises ServiceUnavailable where the database does not answer or is not at
    a revision that this code serves.
    """
    revision = head()

    async def check() -> None:
        async with within(READY_SECONDS), database.probing() as reader:
            if not await can_serve(reader, revision):
                raise ServiceUnavailable("The database has not been migrated to this version.")

    return check


async def row_security_holds(reader: Reader) -> bool:
    """Return whether row-level security has an effect for the role that reads; on SQLite true."""
    if reader.dialect == "sqlite":
        return True
    return bool((await reader.fetch(_ROW_SECURITY))[0]["found"])


async def migrate(url: str, *, runtime_url: str | None = None, revision: str = "head") -> None:
    """Bring the database at `url` (the owner's) to a revision; wait for another who is doing so.
    `head` leaves one as it is that a later version has migrated.

    The role of `runtime_url`, where it is another one, is granted what serving needs and no more.
    Raises ServiceUnavailable or ConfigurationError where the database cannot be opened or changed.
    """
    setting = RUNTIME_URL if runtime_url in (None, url) else OWNER_URL
    with explained(make_url(url), setting):
        if url.startswith("sqlite"):
            await asyncio.to_thread(_migrate_sqlite, url, revision)
        else:
            await _migrate_postgres(url, runtime_url, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(alembic_config(connection), revision)


def _upgrade_postgres(connection: Connection, revision: str) -> None:
    """Upgrade with the rows of every account in sight: the owner is under the policies too."""
    connection.execute(row_security.EVERY_ACCOUNT)
    known = text("SELECT to_regclass('alembic_version')")
    is_new_database = connection.execute(known).scalar() is None
    _upgrade(connection, revision)
    row_security.enforce_on_new_tables(connection, is_new_database=is_new_database)


def _migrate_sqlite(url: str, revision: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _file_lock(path.with_name(f"{path.name}.lock")):
        if path.exists():
            _check_not_empty(path)
            _migrate_file(path, revision)
        else:  # made beside its place: a start that is killed leaves no half of it
            new = path.with_name(f"{path.name}.new")
            new.unlink(missing_ok=True)
            _migrate_file(new, revision)
            new.rename(path)


def _check_not_empty(path: Path) -> None:
    if path.stat().st_size == 0:
        raise ConfigurationError(
            f"The database {path} is empty, although it was made before: restore it from a "
            "backup, or remove it to begin with a new one."
        )


def _migrate_file(path: Path, revision: str) -> None:
    if not path.exists():
        path.touch(mode=0o600)  # SQLite itself would let others read it
    # Without a transaction of our own, Python's driver would commit each table as it is made.
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        connect_args={"isolation_level": None},
        hide_parameters=True,
    )
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        if revision != "head" or not is_later(connection):
            _upgrade(connection, revision)


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _migrate_postgres(url: str, runtime_url: str | None, revision: str) -> None:
    owner = make_url(url)
    runtime = make_url(runtime_url) if runtime_url else owner
    async with _guarded(url) as (engine, guard):
        if revision == "head":
            if await guard.run_sync(is_later):
                return
            await guard.run_sync(create_large_indexes)
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade_postgres, revision)
            if runtime.username and runtime.username != owner.username:
                await connection.run_sync(_grant, runtime)


@asynccontextmanager
async def _guarded(url: str) -> AsyncIterator[tuple[AsyncEngine, AsyncConnection]]:
    """Lend an engine of the owner and a connection outside transactions, which holds the lock of
    migrations.
    """
    # The driver reads the URL itself: SQLAlchemy does not know libpq's parameters, such as sslmode.
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        hide_parameters=True,
        async_creator=partial(asyncpg.connect, url, timeout=CONNECT_SECONDS),
    )
    try:
        async with engine.connect() as guard:
            await guard.execution_options(isolation_level="AUTOCOMMIT")
            await _take_lock(guard)
            yield engine, guard
    finally:
        await engine.dispose()


async def switch_row_security(url: str, *, on: bool | None) -> Sequence[Protection]:
    """Turn row-level security on or off for each table with policies, with None for none; return
    the tables. `url` is the owner's, on Postgres.

    Each table is locked for a moment, by itself. Raises ServiceUnavailable where another
    transaction holds one for too long; the tables before it are done.
    """
    with explained(make_url(url), OWNER_URL):
        async with _guarded(url) as (_, guard):
            if on is not None:
                await guard.run_sync(row_security.switch, on=on)
            return await guard.run_sync(row_security.protections)


async def _take_lock(connection: AsyncConnection) -> None:
    """Wait for other migrations and keep them waiting for as long as the connection is open.

    It tries again and again: a statement that waits holds a snapshot, and an index that is made
    CONCURRENTLY waits for the end of those.
    """
    attempt = text("SELECT pg_try_advisory_lock(:lock)")
    while True:
        if await connection.scalar(attempt, {"lock": LOCK}):
            return
        await asyncio.sleep(LOCK_PAUSE_SECONDS)


def _grant(connection: Connection, runtime: URL) -> None:
    """Let the runtime role read and write rows, and only add facts; make it if there is none.

    It owns nothing and cannot bypass row-level security.
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    role = quote(str(runtime.username))
    found = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(found, {"role": runtime.username}).scalar() is None:
        with role_explained(str(runtime.username)):
            connection.exec_driver_sql(
                f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS "
                f"PASSWORD '{scram_verifier(str(runtime.password or ''))}'"
            )
    # Large sets of rows are loaded by way of a temporary table.
    stages = text("SELECT has_database_privilege(:role, current_database(), 'TEMPORARY')")
    if not connection.execute(stages, {"role": runtime.username}).scalar():
        name = connection.execute(text("SELECT current_database()")).scalar()
        connection.exec_driver_sql(f"GRANT TEMPORARY ON DATABASE {quote(str(name))} TO {role}")
    # An earlier revision has not all of them.
    facts = ", ".join(filter(inspect(connection).has_table, FACTS))
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {role}",
        f"REVOKE UPDATE, DELETE ON {facts} FROM {role}",
        f"REVOKE UPDATE ON {AUDIT} FROM {role}",
    ):
        connection.exec_driver_sql(statement)
