"""Fresh, migrated databases for measurements: Postgres (`TEST_DATABASE_URL`, or one that starts by
itself) and SQLite.
"""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import asyncpg
from pydantic import SecretStr

from gateway.migrations import migrate, switch_row_security
from gateway.settings import load_settings
from gateway.store import Database, connect
from tests.conftest import as_runtime
from tests.support.lent_databases import with_database
from tests.support.postgres import running_postgres


class Fresh(Protocol):
    """Opens an empty database, as the role that serves, and says its URL; it is dropped at the end.
    Without `row_security` Postgres has none, and takes a COPY.
    """

    def __call__(
        self, *, row_security: bool = True
    ) -> AbstractAsyncContextManager[tuple[Database, str]]: ...


@contextmanager
def fresh_databases() -> Iterator[dict[str, Fresh]]:
    """Lend what opens fresh databases, by dialect."""
    with tempfile.TemporaryDirectory() as name, running_postgres() as owner_url:
        yield {"postgresql": _on_postgres(owner_url), "sqlite": _on_sqlite(Path(name))}


async def _opened(url: str) -> Database:
    return await connect(load_settings(database_url=SecretStr(url), database_pool_size=1))


def _on_sqlite(folder: Path) -> Fresh:
    @asynccontextmanager
    async def fresh(*, row_security: bool = True) -> AsyncIterator[tuple[Database, str]]:
        template = folder / "template.sqlite3"
        if not template.exists():
            await migrate(f"sqlite:///{template}")
        with tempfile.TemporaryDirectory(dir=folder) as place:
            path = Path(place) / "gateway.sqlite3"
            shutil.copyfile(template, path)
            url = f"sqlite:///{path}"
            database = await _opened(url)
            try:
                yield database, url
            finally:
                await database.close()

    return fresh


def _on_postgres(owner_url: str) -> Fresh:
    @asynccontextmanager
    async def fresh(*, row_security: bool = True) -> AsyncIterator[tuple[Database, str]]:
        name = f"bench_{secrets.token_hex(6)}"
        owner = await asyncpg.connect(owner_url)
        await owner.execute(f"CREATE DATABASE {name}")
        url = with_database(owner_url, name)
        await migrate(url, runtime_url=as_runtime(url))
        if not row_security:
            await switch_row_security(url, on=False)
        database = await _opened(as_runtime(url))
        try:
            yield database, as_runtime(url)
        finally:
            await database.close()
            await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await owner.close()

    return fresh
