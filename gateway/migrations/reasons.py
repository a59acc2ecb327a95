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
_DENIED: Final = "42501"
_WRONG: Final = ("28", "3D", _DENIED, "SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_READONLY")
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
            raise ConfigurationError(message + _hint(code)) from error
        raise


@contextmanager
def role_explained(role: str) -> Iterator[None]:
    """Raise ConfigurationError where the owner may not make the role that serves."""
    try:
        yield
    except DBAPIError as error:
        if _read(error)[0] != _DENIED:
            raise
        raise ConfigurationError(
            f"The owner may not make the role {role}, which serves: give the owner CREATEROLE, or "
            "make that role yourself with LOGIN and its password, and migrate again."
        ) from error


def _hint(code: str) -> str:
    """Return what helps a role that may not migrate, or is not there yet."""
    if code == _DENIED:
        return " Migrate as the owner: set GATEWAY_MIGRATION_DATABASE_URL."
    if code.startswith("28"):
        return (
            " `gateway migrate` makes the role of GATEWAY_DATABASE_URL as the owner, whom "
            "GATEWAY_MIGRATION_DATABASE_URL names."
        )
    return ""


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
