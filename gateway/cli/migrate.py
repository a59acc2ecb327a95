"""`gateway migrate`: brings the database to this version's schema."""

import asyncio
from collections.abc import Iterator

import typer

from gateway.cli.messages import complain
from gateway.cli.resources import read_settings
from gateway.migrations import migrate as migrate_to_head
from gateway.settings import Settings
from gateway.store.engine.databases import database_url, direct_url


def migrate() -> None:
    """Migrate the database to this version's schema, as the owner."""
    settings = read_settings()
    asyncio.run(migrate_database(settings))
    typer.echo("The database is up to date.")
    for warning in _warnings(settings):
        complain(f"Warning: {warning}")


async def migrate_database(settings: Settings) -> None:
    """Migrate the database to the revision of this version, as the owner."""
    owner = settings.database.migration_url
    # The lock of migrations belongs to a session: it does not go through a pooler.
    owner_url = owner.get_secret_value() if owner else direct_url(settings)
    await migrate_to_head(owner_url, runtime_url=database_url(settings))


def _warnings(settings: Settings) -> Iterator[str]:
    """Yield a warning where an owner is set but no runtime role."""
    if settings.database.migration_url is not None and settings.database.url is None:
        yield (
            "GATEWAY_DATABASE_URL: is not set, so no runtime role was created or granted "
            "permissions. Set GATEWAY_DATABASE_URL to the runtime role's URL and migrate again "
            "before `gateway serve`."
        )
