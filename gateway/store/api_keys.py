"""API keys: stored hashed, looked up by their id."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import String, bindparam, or_, select, update

from gateway.models import Account, ApiKey, table_of
from gateway.models.base import Instant
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Row, Statement, any_of

_KEY: Final = table_of(ApiKey)
_ACCOUNT: Final = table_of(Account)
_COLUMNS: Final = tuple(column.name for column in _KEY.columns)
_BY_ID: Final = Statement(select(_KEY).where(_KEY.c.id == bindparam("id", type_=String())))
_ALL: Final = Statement(
    select(*_KEY.c, _ACCOUNT.c.external_id)
    .join_from(_KEY, _ACCOUNT, _ACCOUNT.c.account_id == _KEY.c.account_id, isouter=True)
    .order_by(_KEY.c.created_at, _KEY.c.id)
)
_REVOKE: Final = Statement(
    update(_KEY)
    .where(_KEY.c.id == bindparam("key", type_=String()), _KEY.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at", type_=Instant()))
    .returning(_KEY.c.id)
)

_REVOKE_NAMED: Final = Statement(
    update(_KEY)
    .where(_KEY.c.name == bindparam("of_name", type_=String()), _KEY.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at", type_=Instant()))
)
_USED: Final = Statement(
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


async def by_id(reader: Reader, key_id: str) -> Row | None:
    """Return the stored key."""
    found = await reader.fetch(_BY_ID, id=key_id)
    return found[0] if found else None


async def list_all(reader: Reader) -> Sequence[Row]:
    """Return every key in the order of their making, with its account's `external_id`."""
    return await reader.fetch(_ALL)


async def insert(transaction: Transaction, row: dict[str, Any]) -> None:
    await transaction.insert(_KEY, _COLUMNS, [[row[name] for name in _COLUMNS]])


async def revoke(transaction: Transaction, key_id: str, at: datetime) -> bool:
    """Revoke a key; return whether a valid key was revoked."""
    return bool(await transaction.fetch(_REVOKE, key=key_id, at=at))


async def revoke_named(transaction: Transaction, name: str, at: datetime) -> None:
    """End all keys of a name."""
    await transaction.execute(_REVOKE_NAMED, of_name=name, at=at)


async def mark_used(
    transaction: Transaction, key_ids: Collection[str], *, at: datetime, before: datetime
) -> None:
    """Keep that keys were used at an instant, where their last use that is kept is not later than
    `before`.
    """
    await transaction.execute(_USED, ids=sorted(key_ids), at=at, before=before)
