"""What happens before the gateway listens."""

from gateway.migrations import migrate
from gateway.settings import Settings
from gateway.store.connect import database_url


async def migrate_database(settings: Settings) -> None:
    """Bring the database to this code's revision, as its owner."""
    runtime_url = database_url(settings)
    owner = settings.migration_database_url
    owner_url = owner.get_secret_value() if owner else runtime_url
    await migrate(owner_url, runtime_url=runtime_url)


def local_url(settings: Settings) -> str:
    """Return the base URL: the public one, or where it listens."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"
