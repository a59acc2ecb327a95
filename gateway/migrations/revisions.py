"""Revisions of the database, and which versions of the code serve which.

Revisions are numbers of four digits. A migration of the same thousand only adds: what the version
before it reads and writes keeps its meaning, so that both serve while one replaces the other. A
migration that takes something away begins the next thousand.
"""

from functools import cache
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gateway.errors import ConfigurationError

BREAK: Final = 1_000


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """Return the revision that this code needs."""
    revision = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert revision is not None  # noqa: S101  # there always is one
    return revision


def serves(needed: str, stored: str) -> bool:
    """Return whether code that needs a revision serves a database that is at the stored one."""
    is_number = stored.isascii() and stored.isdigit()
    return is_number and needed <= stored and int(needed) // BREAK == int(stored) // BREAK


def is_later(connection: Connection) -> bool:
    """Return whether a later version has migrated the database. Raises ConfigurationError where
    this code does not serve it.
    """
    stored, needed = MigrationContext.configure(connection).get_current_revision(), head()
    if stored is None or stored <= needed:
        return False
    if not serves(needed, stored):
        raise ConfigurationError(
            f"The database is at revision {stored}, which this version cannot serve; it needs "
            f"{needed}. Run the version that migrated the database."
        )
    return True
