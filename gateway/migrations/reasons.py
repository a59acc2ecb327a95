"""Explains to the operator why a database cannot be migrated."""

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from gateway.errors import ConfigurationError, ServiceUnavailable
from gateway.store.engine.postgres_session import tls_reason

_AWAY: Final = ("08", "53", "57P", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR")
_DENIED: Final = "42501"
_REFUSED: Final = "28P01"
_WRONG: Final = (
    "28",
    "3D",
    _DENIED,
    "SQLITE_CANTOPEN",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
    "SQLITE_READONLY",
)
"""Prefixes of SQLSTATEs and of SQLite's error names for a missing role, database or file, or a
missing permission.
"""

OWNER_URL: Final = "GATEWAY_MIGRATION_DATABASE_URL"
RUNTIME_URL: Final = "GATEWAY_DATABASE_URL"
_MADE_BY_OWNER: Final = (
    f" `gateway migrate` creates the role of {RUNTIME_URL} as the owner, named by {OWNER_URL}."
)


@contextmanager
def explained(url: URL, setting: str) -> Iterator[None]:
    """Raise ServiceUnavailable for an unreachable database and ConfigurationError for a wrong URL.
    Any other exception is a fault of a migration.

    `setting` is the name of the setting with the URL. A message names the host and the database, or
    the file, but never the URL: any other part may contain a password.
    """
    place = _place(url)
    try:
        yield
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{place} cannot be reached by TLS: {tls_reason(error)}. Check {setting}."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise ServiceUnavailable(f"{place} cannot be reached: {reason}.") from error
    except DBAPIError as error:
        code, reason = _read(error)
        message = f"{place} cannot be migrated: {reason}."
        if code.startswith(_AWAY):
            raise ServiceUnavailable(message) from error
        if code.startswith(_WRONG):
            raise ConfigurationError(message + _hint(code, setting)) from error
        raise


@contextmanager
def role_explained(role: str) -> Iterator[None]:
    """Raise ConfigurationError where the owner may not create the runtime role."""
    try:
        yield
    except DBAPIError as error:
        if _read(error)[0] != _DENIED:
            raise
        raise ConfigurationError(
            f"The owner may not create the runtime role {role}. Grant the owner CREATEROLE, or "
            "create the role yourself with LOGIN and its password, then migrate again."
        ) from error


def _hint(code: str, setting: str) -> str:
    """Return a hint for a role that may not migrate, is refused or does not exist."""
    if code == _DENIED and setting == OWNER_URL:
        return (
            f" The role of {OWNER_URL} must own the tables and may need permission to create "
            "new ones."
        )
    if code == _DENIED:
        return (
            f" Run `gateway migrate` as the owner: set {OWNER_URL} to the owner's URL and "
            f"{RUNTIME_URL} to the runtime role's URL. The migration then grants the runtime "
            "role its permissions."
        )
    if code == _REFUSED:
        return (
            f" The password in {setting} is wrong, or the role does not exist. `gateway migrate` "
            "never changes the password of an existing role; use `ALTER ROLE`."
            + _MADE_BY_OWNER
            * (setting == RUNTIME_URL)
        )
    if code.startswith("28") and setting == RUNTIME_URL:
        return _MADE_BY_OWNER
    return ""


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"The database {url.database}"
    host, port = url.host or "localhost", f":{url.port}" if url.port else ""
    return f"The database {url.database or ''} at {host}{port}".replace("  ", " ")


def _read(error: DBAPIError) -> tuple[str, str]:
    """Return the driver's error code and message."""
    match error.orig:
        case sqlite3.Error(sqlite_errorname=str(name)) as cause:
            return name, str(cause)
        case BaseException(__cause__=asyncpg.PostgresError(sqlstate=str(state)) as cause):
            return state, str(cause)
    return "", ""
