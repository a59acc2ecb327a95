"""API keys in the database: issued, looked up, revoked."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cachetools import TLRUCache, TTLCache

from gateway.audit.deeds import Act, Deed, record
from gateway.auth import api_keys
from gateway.auth.api_keys import ApiKeyRecord, ApiKeyText, Environment
from gateway.clock import Clock
from gateway.principal import Actor, Permission
from gateway.store import Database, Reader, Snapshot, Transaction
from gateway.store import api_keys as stored
from gateway.store.api_keys import ApiKeyRow, NewApiKey, RevokedKey
from gateway.work.loops import Loops

ACTOR: Final = Actor.job("api_keys")

CACHE_LIFETIME: Final = timedelta(seconds=30)
"""How long a cached key may be out of date: a revocation takes effect within this time."""
CACHE_SIZE: Final = 1_024
USE_RESOLUTION: Final = timedelta(hours=1)
"""How far the stored last use of a key may be behind its true last use."""
USE_WRITE_SECONDS: Final = 60
"""Longest interval between writes of uses; the first use is written at once."""


class _CachedKey(NamedTuple):
    """A stored key, or None for an unknown id, and when it was read."""

    record: ApiKeyRecord | None
    read_at: datetime


class StoredKeys:
    """Finds keys by id, through a cache that also remembers unknown ids."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._cache: TLRUCache[str, _CachedKey, datetime] = TLRUCache(
            CACHE_SIZE,
            ttu=lambda _key, cached, _now: cached.read_at + CACHE_LIFETIME,
            timer=clock.now,
        )

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        cached = self._cache.get(key_id)
        if cached is not None:
            return cached.record
        read_at = self._clock.now()
        async with Snapshot(self._database, ACTOR) as snapshot:
            record = await find_key(snapshot, key_id)
        self._cache[key_id] = _CachedKey(record, read_at)
        return record


class KeyUse:
    """Stores when keys were last used: each key at most once an hour over all processes.

    Requests do not wait: uses are written in the background while `writing` runs. A failed write is
    repeated with the next one.
    """

    def __init__(self, database: Database, clock: Clock, loops: Loops) -> None:
        self._database = database
        self._clock = clock
        self._recent: TTLCache[str, None, datetime] = TTLCache(
            CACHE_SIZE, USE_RESOLUTION, timer=clock.now
        )
        self._pending: set[str] = set()
        self._loop = loops.make(
            "api_keys.write_use", self._write, seconds=USE_WRITE_SECONDS, at_once=False, at_end=True
        )

    def record(self, key_id: str) -> None:
        """Record that a key is used now; it is written in the background."""
        if key_id in self._recent:
            return
        self._recent[key_id] = None
        self._pending.add(key_id)
        self._loop.wake()

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Write recorded uses in the background, and the remaining ones at the end."""
        return self._loop.running()

    async def _write(self) -> None:
        ids = frozenset(self._pending)
        if not ids:
            return
        now = self._clock.now()
        async with self._database.writing(ACTOR) as transaction:
            await stored.mark_used(transaction, ids, at=now, before=now - USE_RESOLUTION)
        self._pending -= ids


async def find_key(reader: Reader, key_id: str) -> ApiKeyRecord | None:
    """Return the stored key, or None for an unknown id."""
    row = await stored.by_id(reader, key_id)
    return None if row is None else _record(row)


async def issue_key(
    transaction: Transaction,
    *,
    environment: Environment,
    name: str,
    scopes: frozenset[Permission],
    actor: Actor,
    clock: Clock,
    account_id: int | None = None,
    expires_at: datetime | None = None,
    pepper: bytes | None = None,
) -> ApiKeyText:
    """Create and store a key: an account key, or a platform key without an account. The key's text
    is returned once and not stored.
    """
    key = api_keys.issue(environment)
    scope = " ".join(sorted(scopes))
    cells = NewApiKey(
        id=key.id,
        account_id=account_id,
        name=name,
        digest=api_keys.digest(key, pepper),
        scopes=scope,
        created_at=clock.now(),
        expires_at=expires_at,
    )
    await stored.insert(transaction, cells)
    details = {"name": name, "scopes": scope, "expiresAt": expires_at}
    act = Act(Deed.API_KEY_CREATED, account_id, key.id, details)
    await record(transaction, actor, [act], clock=clock)
    return key


async def revoke_key(transaction: Transaction, key_id: str, *, actor: Actor, clock: Clock) -> bool:
    """Revoke a key; return whether a valid key was revoked."""
    return await _record_revoked(
        transaction, await stored.revoke(transaction, key_id, clock.now()), actor, clock
    )


async def revoke_named(transaction: Transaction, name: str, *, actor: Actor, clock: Clock) -> None:
    """Revoke all keys of a name."""
    revoked = await stored.revoke_named(transaction, name, clock.now())
    await _record_revoked(transaction, revoked, actor, clock)


async def _record_revoked(
    transaction: Transaction, revoked: Sequence[RevokedKey], actor: Actor, clock: Clock
) -> bool:
    acts = [
        Act(Deed.API_KEY_REVOKED, row["account_id"], row["id"], {"name": row["name"]})
        for row in revoked
    ]
    await record(transaction, actor, acts, clock=clock)
    return bool(acts)


def _record(row: ApiKeyRow) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        account_id=row["account_id"],
        digest=bytes(row["digest"]),
        scopes=frozenset(Permission(scope) for scope in row["scopes"].split()),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
