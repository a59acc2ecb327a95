"""Postgres databases that tests use one after another: to copy one takes longer than most tests."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import asyncpg

MOST_BYTES: Final = 8_000_000
"""Tables and indexes that have grown beyond it would be slow for the tests after."""

# Rows of these change with every change to what a database has beside rows of its tables, or to
# what its planner knows of them.
CATALOGS: Final = (
    "pg_attribute",
    "pg_class",
    "pg_constraint",
    "pg_policy",
    "pg_proc",
    "pg_statistic",
    "pg_trigger",
    "pg_type",
)
STATE: Final = f"""SELECT concat_ws(' ',
    (SELECT string_agg(unnest::text, ',') FROM pg_db_role_setting, unnest(setconfig)
     WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
    (SELECT sum(reltuples) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    {", ".join(f"(SELECT count(*) || '/' || sum(xmin::text::int8) FROM {n})" for n in CATALOGS)})"""
BYTES: Final = """SELECT sum(pg_relation_size(oid)) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace"""
TABLES: Final = """SELECT quote_ident(tablename) FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'"""
RESTART_SEQUENCES: Final = "SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence"
END_OTHERS: Final = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
# Without the triggers that keep rows of the books from being changed.
AS_REPLICA: Final = {"session_replication_role": "replica", "lock_timeout": "10s"}


def with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@dataclass(slots=True)
class LentDatabases:
    """Copies of a template. Between two tests the rows of one are deleted; it is dropped where a
    test has changed anything else.

    `owner` is the URL of a role that may create databases and end connections.
    """

    owner: str
    template: str
    idle: list[str] = field(default_factory=list)
    state: str = ""

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[str]:
        """Lend the name of a migrated database without rows."""
        name = self.idle.pop() if self.idle else await self._create()
        try:
            yield name
        finally:
            if await self._emptied(name):
                self.idle.append(name)
            else:
                await self._drop(name)

    async def drop_all(self) -> None:
        while self.idle:
            await self._drop(self.idle.pop())

    async def _create(self) -> str:
        name = f"test_{secrets.token_hex(6)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {self.template} STRATEGY file_copy")
        if not self.state:
            connection = await asyncpg.connect(with_database(self.owner, name))
            self.state = await connection.fetchval(STATE)
            await connection.close()
        return name

    async def _emptied(self, name: str) -> bool:
        """Delete the rows of a database; return whether that makes it what it was at first."""
        url = with_database(self.owner, name)
        connection = await asyncpg.connect(url, server_settings=AS_REPLICA)
        try:
            await connection.execute(END_OTHERS)
            if await connection.fetchval(BYTES) > MOST_BYTES:
                return False
            if await connection.fetchval(STATE) != self.state:
                return False
            tables = await connection.fetch(TABLES)
            await connection.execute("; ".join(f"DELETE FROM {table}" for (table,) in tables))
            await connection.execute(RESTART_SEQUENCES)
            return True
        finally:
            await connection.close()

    async def _drop(self, name: str) -> None:
        await self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.owner)
        await connection.execute(statement)
        await connection.close()
