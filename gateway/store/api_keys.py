"""API keys: stored hashed, looked up by their id."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import String, bindparam, or_, select, update

from gateway.models import Account, ApiKey, table_of
from gateway.models.base import Instant
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert

_KEY: Final = table_of(ApiKey)
_ACCOUNT: Final = table_of(Account)


class ApiKeyRow(TypedDict):
    """A row of `api_key`."""

    id: str
    account_id: int | None
    name: str
    digest: bytes
    scopes: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class ListedKey(ApiKeyRow):
    """A key with its account's external id; null for a key of the platform."""

    external_id: str | None


class NewApiKey(NamedTuple):
    """A new key's cells."""

    id: str
    account_id: int | None
    name: str
    digest: bytes
    scopes: str
    created_at: datetime
    expires_at: datetime | None


class RevokedKey(TypedDict):
    """A key that was revoked."""

    id: str
    account_id: int | None
    name: str


_ADD: Final = Insert(_KEY, NewApiKey)
_BY_ID: Final = Statement[ApiKeyRow](
    select(_KEY).where(_KEY.c.id == bindparam("id", type_=String()))
)
_ALL: Final = Statement[ListedKey](
    select(*_KEY.c, _ACCOUNT.c.external_id)
    .join_from(_KEY, _ACCOUNT, _ACCOUNT.c.account_id == _KEY.c.account_id, isouter=True)
    .order_by(_KEY.c.created_at, _KEY.c.id)
)
_REVOKE: Final = Statement[RevokedKey](
    update(_KEY)
    .where(_KEY.c.id == bindparam("key", type_=String()), _KEY.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at", type_=Instant()))
    .returning(_KEY.c.id, _KEY.c.account_id, _KEY.c.name)
)
_REVOKE_NAMED: Final = Statement[RevokedKey](
    update(_KEY)
    .where(_KEY.c.name == bindparam("of_name", type_=String()), _KEY.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at", type_=Instant()))
    .returning(_KEY.c.id, _KEY.c.account_id, _KEY.c.name)
)
_USED: Final = Statement[None](
    update(_KEY)
    .where(
        any_of(_KEY.c.id, "ids"),
        or_(
            _KEY.c.last_used_at.is_(None),
            _KEY.c.last_used_at <= bindparam("before", type_=Instant()),
        ),
    )
    .values(last_used_at=bindparam("at", type_=Instant()))
)


async def by_id(reader: Reader, key_id: str) -> ApiKeyRow | None:
    """Return the stored key."""
    found = await reader.fetch(_BY_ID, id=key_id)
    return found[0] if found else None


async def list_all(reader: Reader) -> Sequence[ListedKey]:
    """Return every key, the oldest first."""
    return await reader.fetch(_ALL)


async def insert(transaction: Transaction, key: NewApiKey) -> None:
    """Add a key."""
    await transaction.insert(_ADD, [key])


async def revoke(transaction: Transaction, key_id: str, at: datetime) -> Sequence[RevokedKey]:
    """Revoke a key; return it, unless there is no such valid key."""
    return await transaction.fetch(_REVOKE, key=key_id, at=at)


async def revoke_named(transaction: Transaction, name: str, at: datetime) -> Sequence[RevokedKey]:
    """Revoke all keys of a name; return them."""
    return await transaction.fetch(_REVOKE_NAMED, of_name=name, at=at)


async def mark_used(
    transaction: Transaction, key_ids: Collection[str], *, at: datetime, before: datetime
) -> None:
    """Keep that keys were used at an instant, where their last use that is kept is not later than
    `before`.
    """
    await transaction.execute(_USED, ids=sorted(key_ids), at=at, before=before)
