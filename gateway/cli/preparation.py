"""What happens before the gateway listens: migrations, and in dev the demo's data and tokens."""

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
    """Bring the database to this code's revision, as its owner."""
    runtime_url = database_url(settings)
    owner = settings.database.migration_url
    owner_url = owner.get_secret_value() if owner else runtime_url
    await migrate(owner_url, runtime_url=runtime_url)


def migration_warnings(settings: Settings) -> Iterator[str]:
    """Yield a sentence where an owner migrates, and nobody says who will serve."""
    if settings.database.migration_url is not None and settings.database.url is None:
        yield (
            "GATEWAY_DATABASE_URL: is not set, so no role that serves was made or granted "
            "anything. Set it to that role's URL and migrate again before `gateway serve`."
        )


async def name_seller(settings: Settings) -> None:
    """Put the seller's details that the settings give in force for the receipts to come."""
    seller = read_seller(settings)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock())
    finally:
        await database.close()


async def name_demo_seller(settings: Settings) -> None:
    """Put a seller in force for the demo's receipts where none is. A running server named its own,
    which its receipts go on with; this shell may not know it.
    """
    seller = read_seller(settings, default_name=DEMO_NAME)
    database = await connect(settings)
    try:
        await keep_seller(database, seller, SystemClock(), replace=False)
    finally:
        await database.close()


async def require_seller(settings: Settings, database: Database) -> None:
    """See that receipts which a command issues say who sells: what a server put in force, else what
    the settings give. Raises ConfigurationError where neither says so.
    """
    async with Snapshot(database) as snapshot:
        if await sellers.newest_id(snapshot) is not None:
            return
    if problems := list(missing_seller(settings)):
        raise ConfigurationError("\n".join(problems))
    await keep_seller(database, read_seller(settings), SystemClock())


def write_dev_tokens(settings: Settings, people: Sequence[Person], clock: Clock) -> Path:
    """Write the demo people with a token each to `dev-tokens.json`, mode 0600; return its path."""
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
