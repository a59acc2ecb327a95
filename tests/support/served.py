"""The whole gateway in this process, called without a socket, on a test's database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from gateway.app import create_app
from gateway.auth.api_keys import ApiKeyText
from gateway.auth.key_store import issue_key
from gateway.clock import SystemClock
from gateway.principal import Permission
from gateway.settings import load_settings
from gateway.store import Database
from tests.support.books import ACTOR

BASE_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Served:
    """A client of the gateway, and the database below it."""

    client: httpx.AsyncClient
    database: Database

    async def key(self, *scopes: Permission, account_id: int | None = None) -> dict[str, str]:
        """Return the header of a new API key."""
        key = await issued_key(self.database, *scopes, account_id=account_id)
        return {"authorization": f"Bearer {key.text}"}


async def issued_key(
    database: Database, *scopes: Permission, account_id: int | None = None
) -> ApiKeyText:
    """Return a new API key."""
    async with database.writing(ACTOR) as transaction:
        return await issue_key(
            transaction,
            environment="dev",
            name="test",
            scopes=frozenset(scopes),
            actor=ACTOR,
            clock=SystemClock(),
            account_id=account_id,
        )


@asynccontextmanager
async def serving(
    database: Database, url: str, folder: Path, **changes: Any
) -> AsyncIterator[Served]:
    """Serve the gateway in dev mode, with its keys in a folder; `changes` are settings."""
    settings = load_settings(
        environment="dev",
        database_url=SecretStr(url),
        data_dir=folder,
        # Tests ask more at once than a busy machine answers in the usual time.
        database_pool_wait_seconds=60,
        **changes,
    )
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL) as client,
    ):
        yield Served(client, database)
