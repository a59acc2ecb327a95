"""Answered requests by idempotency key."""

from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, String, bindparam, select

from gateway.models import IdempotencyKey, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert

_TABLE: Final = table_of(IdempotencyKey)


class AnsweredRow(TypedDict):
    """A row of `idempotency_key`: `response` is the answer as JSON."""

    account_id: int
    key: str
    fingerprint: bytes
    response: str
    created_at: datetime


class AnsweredRequest(NamedTuple):
    """A request's key in its account, 16 bytes of its content, and the answer as JSON."""

    account_id: int
    key: str
    fingerprint: bytes
    response: str
    created_at: datetime


_ADD: Final = Insert(_TABLE, AnsweredRequest)
_BY_KEY: Final = Statement[AnsweredRow](
    select(_TABLE).where(
        _TABLE.c.account_id == bindparam("account_id", type_=BigInteger()),
        _TABLE.c.key == bindparam("key", type_=String()),
    )
)


async def by_key(reader: Reader, account_id: int, key: str) -> AnsweredRequest | None:
    """Return the answered request of an account that has the key."""
    found = await reader.fetch(_BY_KEY, account_id=account_id, key=key)
    return AnsweredRequest(**found[0]) if found else None


async def insert(transaction: Transaction, request: AnsweredRequest) -> None:
    """Keep an answered request."""
    await transaction.insert(_ADD, [request])
