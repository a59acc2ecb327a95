"""From the settings to a `Database`."""

from collections.abc import Mapping
from pathlib import Path

from gateway.settings import Settings
from gateway.store.engine.database import Database
from gateway.store.engine.postgres import PostgresDatabase
from gateway.store.engine.postgres_pool import Use
from gateway.store.engine.sqlite import SqliteDatabase

SQLITE = "sqlite:///"
DATABASE_FILE = "gateway.sqlite3"


def database_url(settings: Settings) -> str:
    """Return the URL of the role that serves: the setting, or the embedded database's file."""
    if settings.database.url is None:
        return f"{SQLITE}{(settings.data_dir / DATABASE_FILE).absolute()}"
    return settings.database.url.get_secret_value()


def direct_url(settings: Settings) -> str:
    """Return the URL of the role that serves, past any pooler."""
    direct = settings.database.listen_url
    return direct.get_secret_value() if direct else database_url(settings)


def sqlite_path(url: str) -> Path:
    """Return the file of an SQLite URL (`sqlite:///relative`, `sqlite:////absolute`)."""
    return Path(url.removeprefix(SQLITE))


def build_database(settings: Settings) -> Database:
    """Return the database that the settings name, closed. It must be migrated before `open`."""
    url, limits = database_url(settings), settings.database
    if url.startswith("sqlite"):
        return SqliteDatabase(
            sqlite_path(url),
            pool_size=limits.pool_size,
            wait_seconds=limits.pool_wait_seconds,
            statement_timeout_seconds=limits.statement_timeout_seconds,
        )
    return PostgresDatabase(
        url,
        shares=connection_shares(settings),
        wait_seconds=limits.pool_wait_seconds,
        statement_timeout_seconds=limits.statement_timeout_seconds,
        pooled=limits.pooler,
    )


def connection_shares(settings: Settings) -> Mapping[Use, int]:
    """Return the connections to Postgres that a process may use at once. One more listens for
    changes.
    """
    size = settings.database.pool_size
    return {
        "read": size,
        "write": max(2, size // 2),
        "export": settings.exports.slots,
        "probe": 1,
    }


async def connect(settings: Settings) -> Database:
    """Return the database that the settings name, open.

    Raises ConfigurationError where there is no such file, or Postgres refuses the role.
    """
    database = build_database(settings)
    await database.open()
    return database
