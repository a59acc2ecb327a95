"""Requests that were answered, by the key that their sender gave them."""

from typing import Any, Final

from sqlalchemy import BigInteger, String, bindparam, select

from gateway.models import IdempotencyKey, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Row, Statement

_TABLE: Final = table_of(IdempotencyKey)
_COLUMNS: Final = tuple(column.name for column in _TABLE.columns)
_BY_KEY: Final = Statement(
    select(_TABLE).where(
        _TABLE.c.account_id == bindparam("account_id", type_=BigInteger()),
        _TABLE.c.key == bindparam("key", type_=String()),
    )
)


async def by_key(reader: Reader, account_id: int, key: str) -> Row | None:
    """Return the answered request of an account that has the key."""
    found = await reader.fetch(_BY_KEY, account_id=account_id, key=key)
    return found[0] if found else None


async def insert(transaction: Transaction, **row: Any) -> None:
    await transaction.insert(_TABLE, _COLUMNS, [[row[name] for name in _COLUMNS]])
