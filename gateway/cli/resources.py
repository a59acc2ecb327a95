"""The settings and the database of a command."""

import os
import pwd
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.cli.messages import complain
from gateway.errors import ConfigurationError
from gateway.migrations import can_serve
from gateway.migrations.revisions import head
from gateway.principal import Actor
from gateway.settings import SETTINGS, Settings, load_settings
from gateway.settings.environment import unknown_variables
from gateway.store import Database, Snapshot, connect


def read_settings(*, dev: bool = False) -> Settings:
    """Return the settings, in dev mode with `dev`. Warns of unknown variables."""
    for warning in unknown_variables(SETTINGS):
        complain(f"Warning: {warning}")
    return load_settings(environment="dev") if dev else load_settings()


def operator() -> Actor:
    """Return the operator: the user of the operating system."""
    user = os.getuid()
    try:
        return Actor.operator(pwd.getpwuid(user).pw_name)
    except KeyError:  # a container's user may have no name
        return Actor.operator(str(user))


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """Yield the settings' database, closed at the end; raises ConfigurationError where it is not
    migrated.
    """
    database = await connect(settings)
    try:
        async with Snapshot(database, operator()) as snapshot:
            if not await can_serve(snapshot, head()):
                raise ConfigurationError(
                    "The database has not been migrated to this version: run `gateway migrate`."
                )
        yield database
    finally:
        await database.close()
