"""Prepares the database before the gateway listens: migrations, the seller, and in dev the demo's
data and tokens.
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.cli.start_checks import missing_seller
from gateway.clock import Clock, SystemClock
from gateway.dev.demo.people import Person
from gateway.dev.keys import dev_key
from gateway.dev.people import TOKENS_FILE
from gateway.dev.tokens import mint
from gateway.errors import ConfigurationError
from gateway.migrations import migrate
from gateway.receipts.seller import DEMO_NAME, keep_seller, read_seller
from gateway.settings import Settings
from gateway.store import Database, Snapshot, sellers
from gateway.store.engine.databases import connect, database_url


async def migrate_database(settings: Settings) -> None:
    """Migrate the database to the revision of this version, as the owner."""
    runtime_url = database_url(settings)
    owner = settings.database.migration_url
    owner_url = owner.get_secret_value() if owner else runtime_url
    await migrate(owner_url, runtime_url=runtime_url)


def migration_warnings(settings: Settings) -> Iterator[str]:
    """Yield a warning where an owner is set but no runtime role."""
    if settings.database.migration_url is not None and settings.database.url is None:
        yield (
            "GATEWAY_DATABASE_URL: is not set, so no runtime role was created or granted "
            "permissions. Set GATEWAY_DATABASE_URL to the runtime role's URL and migrate again "
            "before `gateway serve`."
        )


async def name_seller(settings: Settings) -> None:
    """Store the seller's details from the settings for future receipts."""
    seller = read_seller(settings)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock())
    finally:
        await database.close()


async def name_demo_seller(settings: Settings) -> None:
    """Store a seller for the demo's receipts where none is stored. The seller of a running server
    stays.
    """
    seller = read_seller(settings, default_name=DEMO_NAME)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock(), replace=False)
    finally:
        await database.close()


async def require_seller(settings: Settings, database: Database) -> None:
    """Make sure that a seller is stored before a command issues receipts: the stored one, or else
    the settings'. Raises ConfigurationError where there is neither.
    """
    async with Snapshot(database) as snapshot:
        if await sellers.newest_id(snapshot) is not None:
            return
    if problems := list(missing_seller(settings)):
        raise ConfigurationError("\n".join(problems))
    await keep_seller(database, read_seller(settings), SystemClock())


def write_dev_tokens(settings: Settings, people: Sequence[Person], clock: Clock) -> Path:
    """Write the demo people, each with a token, to `dev-tokens.json`, mode 0600; return its
    path.
    """
    key = dev_key(settings.data_dir)
    content = {
        "graphqlUrl": f"{settings.base_url}/graphql",
        "people": [
            {
                "name": person.name,
                "subject": person.subject,
                "token": mint(key, person.subject, clock),
                "accounts": [{"id": each.id, "name": each.name} for each in person.accounts],
            }
            for person in people
        ],
    }
    path = settings.data_dir / TOKENS_FILE
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=settings.data_dir, prefix=f".{TOKENS_FILE}-", delete=False
    ) as draft:
        json.dump(content, draft, ensure_ascii=False, indent=2)
    Path(draft.name).replace(path)
    return path
