"""Why a database cannot be migrated, as a sentence for whoever operates it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from gateway.errors import ConfigurationError, ServiceUnavailable

_AWAY: Final = ("08", "53", "57P", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")
_WRONG: Final = ("28", "3D", "42501", "SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_READONLY")
"""Beginnings of SQLSTATEs and of SQLite's names: no such role, database or file, no permission."""


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Raise ServiceUnavailable for a database that is away and ConfigurationError for a URL that is
    wrong; what else is raised is a fault of a migration.

    A message names the host and the database, or the file. A password may stand anywhere else in a
    URL, so no URL is printed.
    """
    place = _place(url)
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise ServiceUnavailable(f"{place} cannot be reached: {reason}.") from error
    except DBAPIError as error:
        code, reason = _read(error)
        message = f"{place} cannot be migrated: {reason}."
        if code.startswith(_AWAY):
            raise ServiceUnavailable(message) from error
        if code.startswith(_WRONG):
            raise ConfigurationError(message) from error
        raise


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"The database {url.database}"
    host, port = url.host or "localhost", f":{url.port}" if url.port else ""
    return f"The database {url.database or ''} at {host}{port}".replace("  ", " ")


def _read(error: DBAPIError) -> tuple[str, str]:
    """Return the driver's code and what it says."""
    match error.orig:
        case sqlite3.Error(sqlite_errorname=str(name)) as cause:
            return name, str(cause)
        case BaseException(__cause__=asyncpg.PostgresError(sqlstate=str(state)) as cause):
            return state, str(cause)
    return "", ""
