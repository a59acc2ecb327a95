"""API keys in the database: issued, looked up, revoked."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from cachetools import TLRUCache, TTLCache

from gateway.auth import api_keys
from gateway.auth.api_keys import ApiKeyRecord, ApiKeyText, Environment
from gateway.clock import Clock
from gateway.principal import Permission
from gateway.store import Database, Reader, Snapshot, Transaction
from gateway.store import api_keys as stored
from gateway.store.api_keys import ApiKeyRow, NewApiKey
from gateway.work.loops import Loops

KEPT: Final = timedelta(seconds=30)
"""How long a cached key may be out of date: a revocation takes effect within this time."""
MOST_KEPT: Final = 1_024
USE_KEPT: Final = timedelta(hours=1)
"""How far the stored last use of a key may lag behind."""
WRITE_SECONDS: Final = 60
"""Longest interval between writes of uses; the first use is written at once."""


class _Known(NamedTuple):
    """The stored key; None for an unknown key."""

    record: ApiKeyRecord | None
    read_at: datetime


class StoredKeys:
    """Looks keys up by their ids; each answer, also that there is none, is kept for a while."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: TLRUCache[str, _Known, datetime] = TLRUCache(
            MOST_KEPT, ttu=lambda _key, known, _now: known.read_at + KEPT, timer=clock.now
        )

    async def find(self, key_id: str) -> ApiKeyRecord | None:
        known = self._known.get(key_id)
        if known is not None:
            return known.record
        read_at = self._clock.now()
        async with Snapshot(self._database) as snapshot:
            record = await find_key(snapshot, key_id)
        self._known[key_id] = _Known(record, read_at)
        return record


class KeyUse:
    """Keeps when keys were used: each at most once an hour, however many processes there are.

    Requests do not wait: uses are written in the background while `writing` runs. A failed write is
    repeated with the next one.
    """

    def __init__(self, database: Database, clock: Clock, loops: Loops) -> None:
        self._database = database
        self._clock = clock
        self._noted: TTLCache[str, None, datetime] = TTLCache(MOST_KEPT, USE_KEPT, timer=clock.now)
        self._pending: set[str] = set()
        self._loop = loops.make(
            "api_keys.write_use", self._write, seconds=WRITE_SECONDS, at_once=False, at_end=True
        )

    def note(self, key_id: str) -> None:
        """Note that a key was used just now."""
        if key_id in self._noted:
            return
        self._noted[key_id] = None
        self._pending.add(key_id)
        self._loop.wake()

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Write noted uses, and the remaining ones at the end."""
        return self._loop.running()

    async def _write(self) -> None:
        ids = frozenset(self._pending)
        if not ids:
            return
        now = self._clock.now()
        async with self._database.writing() as transaction:
            await stored.mark_used(transaction, ids, at=now, before=now - USE_KEPT)
        self._pending -= ids


async def find_key(reader: Reader, key_id: str) -> ApiKeyRecord | None:
    """Return the stored key."""
    row = await stored.by_id(reader, key_id)
    return None if row is None else _record(row)


async def issue_key(
    transaction: Transaction,
    *,
    environment: Environment,
    name: str,
    scopes: frozenset[Permission],
    now: datetime,
    account_id: int | None = None,
    expires_at: datetime | None = None,
    pepper: bytes | None = None,
) -> ApiKeyText:
    """Create and store a key: an account key, or a platform key without an account. The key's text
    is returned once and not stored.
    """
    key = api_keys.issue(environment)
    cells = NewApiKey(
        id=key.id,
        account_id=account_id,
        name=name,
        digest=api_keys.digest(key, pepper),
        scopes=" ".join(sorted(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    await stored.insert(transaction, cells)
    return key


def _record(row: ApiKeyRow) -> ApiKeyRecord:
    return ApiKeyRecord(
        id=row["id"],
        account_id=row["account_id"],
        digest=bytes(row["digest"]),
        scopes=frozenset(Permission(scope) for scope in row["scopes"].split()),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
