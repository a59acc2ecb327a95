"""API keys in the database: issued, looked up, revoked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from gateway.auth import api_keys
from gateway.auth.api_keys import ApiKeyRecord, ApiKeyText, Environment
from gateway.clock import Clock
from gateway.principal import Scope
from gateway.store import Database, Reader, Row, Snapshot, Transaction
from gateway.store import api_keys as stored

KEPT: Final = timedelta(seconds=30)
"""How long what is known of a key may be out of date: a revocation takes effect within it."""
MOST_KEPT: Final = 1_024

_Known: TypeAlias = tuple[datetime, ApiKeyRecord | None]


class StoredKeys:
    """Looks keys up by their ids; each answer, also that there is none, is kept for a while."""

    def __init__(self, database: Callable[[], Database], clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        now = self._clock.now()
        known = self._known.get(key_id)
        if known is not None and now - known[0] < KEPT:
            return known[1]
        async with Snapshot(self._database()) as snapshot:
            record = await find_key(snapshot, key_id)
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key_id] = (now, record)
        return record


async def find_key(reader: Reader, key_id: str) -> ApiKeyRecord | None:
    """Return what is stored of a key."""
    row = await stored.by_id(reader, key_id)
    return None if row is None else _record(row)


async def issue_key(
    transaction: Transaction,
    *,
    environment: Environment,
    name: str,
    scopes: frozenset[Scope],
    now: datetime,
    account_id: int | None = None,
    expires_at: datetime | None = None,
    pepper: bytes | None = None,
) -> ApiKeyText:
    """Make and store a key, whose text cannot be had again; of the platform where no account is
    named.
    """
    key = api_keys.issue(environment)
    row = {
        "id": key.id,
        "account_id": account_id,
        "name": name,
        "digest": api_keys.digest(key, pepper),
        "scopes": " ".join(sorted(scopes)),
        "created_at": now,
        "expires_at": expires_at,
        "revoked_at": None,
    }
    await stored.insert(transaction, row)
    return key


def _record(row: Row) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        account_id=row["account_id"],
        digest=bytes(row["digest"]),
        scopes=frozenset(Scope(scope) for scope in row["scopes"].split()),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
