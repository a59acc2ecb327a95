"""From a database URL to an open `Database`."""

from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.settings import Settings
from gateway.store.engine.database import Database
from gateway.store.engine.postgres import open_postgres
from gateway.store.engine.sqlite import SqliteDatabase

SQLITE = "sqlite:///"
DATABASE_FILE = "gateway.sqlite3"


def database_url(settings: Settings) -> str:
    """Return the URL of the role that serves: the setting, or the embedded database's file."""
    if settings.database.url is None:
        return f"{SQLITE}{(settings.data_dir / DATABASE_FILE).absolute()}"
    return settings.database.url.get_secret_value()


def sqlite_path(url: str) -> Path:
    """Return the file of an SQLite URL (`sqlite:///relative`, `sqlite:////absolute`)."""
    return Path(url.removeprefix(SQLITE))


async def connect(settings: Settings) -> Database:
    """Open the database that the settings name. It must have been migrated.

    Raises ConfigurationError where there is no such file, or Postgres refuses the role.
    """
    url = database_url(settings)
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        # SQLite itself would make an empty one.
        if not path.is_file():
            raise ConfigurationError(f"There is no database at {path}: run `gateway migrate`.")
        return SqliteDatabase(
            path,
            pool_size=settings.database.pool_size,
            wait_seconds=settings.database.pool_wait_seconds,
            statement_timeout_seconds=settings.database.statement_timeout_seconds,
        )
    return await open_postgres(
        url,
        pool_size=settings.database.pool_size,
        export_slots=settings.exports.slots,
        wait_seconds=settings.database.pool_wait_seconds,
        statement_timeout_seconds=settings.database.statement_timeout_seconds,
    )
