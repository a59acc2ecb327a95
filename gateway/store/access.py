"""Current access of many subscribers at once, for the process itself (no tenant filter)."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import BigInteger, ColumnElement, String, and_, bindparam, or_, select

from gateway.models import AccountMember, ApiKey, table_of
from gateway.models.base import Instant
from gateway.principal import Role
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import any_of, batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement

_MEMBER: Final = table_of(AccountMember)
_KEY: Final = table_of(ApiKey)


class _Membership(TypedDict):
    account_id: int
    subject: str
    role: str


class _KeyId(TypedDict):
    id: str


def _roles(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), subject=String())
    same = and_(_MEMBER.c.account_id == wanted.c.account_id, _MEMBER.c.subject == wanted.c.subject)
    return select(_MEMBER.c.account_id, _MEMBER.c.subject, _MEMBER.c.role).select_from(
        wanted.join(_MEMBER, same)
    )


def _active(column: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(column.is_(None), column > bindparam("at", type_=Instant()))


_ROLES: Final = Statement[_Membership](_roles)
_ACTIVE_KEYS: Final = Statement[_KeyId](
    select(_KEY.c.id).where(
        any_of(_KEY.c.id, "ids"), _active(_KEY.c.revoked_at), _active(_KEY.c.expires_at)
    )
)


async def roles(
    reader: Reader, memberships: Collection[tuple[int, str]]
) -> dict[tuple[int, str], Role]:
    """Return the roles of those (account, subject) that are members."""
    if not memberships:
        return {}
    accounts, subjects = zip(*memberships, strict=True)
    rows = await reader.fetch(_ROLES, account_id=list(accounts), subject=list(subjects))
    return {(row["account_id"], row["subject"]): Role(row["role"]) for row in rows}


async def active_keys(reader: Reader, ids: Collection[str], at: datetime) -> set[str]:
    """Return those API keys that are neither revoked nor expired."""
    if not ids:
        return set()
    return {row["id"] for row in await reader.fetch(_ACTIVE_KEYS, ids=list(ids), at=at)}
