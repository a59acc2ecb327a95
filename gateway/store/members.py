"""Members of an account: list, add and remove single members."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Integer, String, bindparam, delete, select

from gateway.models import AccountMember, table_of
from gateway.principal import Role
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Row, Statement
from gateway.store.engine.write import Upsert

_MEMBER: Final = table_of(AccountMember)
_COLUMNS: Final = ("account_id", "subject", "role", "created_at")
_PUT: Final = Upsert(_MEMBER, _COLUMNS, kept=("created_at",))
_OF_ACCOUNT: Final = _MEMBER.c.account_id == bindparam("of_account", type_=BigInteger())
_LIST: Final = Statement(select(_MEMBER).where(_OF_ACCOUNT).order_by(_MEMBER.c.subject))
_PAGE: Final = Statement(
    select(_MEMBER)
    .where(_OF_ACCOUNT, _MEMBER.c.subject > bindparam("after", type_=String()))
    .order_by(_MEMBER.c.subject)
    .limit(bindparam("limit", type_=Integer()))
)
_REMOVE: Final = Statement(
    delete(_MEMBER)
    .where(_OF_ACCOUNT, _MEMBER.c.subject == bindparam("of_subject", type_=String()))
    .returning(_MEMBER.c.subject)
)


async def put(
    transaction: Transaction, account_ids: Sequence[int], subject: str, role: Role, at: datetime
) -> None:
    """Make `subject` a member of the accounts; one who is a member already gets the role."""
    rows = [(account_id, subject, role.value, at) for account_id in account_ids]
    await transaction.upsert(_PUT, rows)


async def list_all(reader: Reader, account_id: int) -> Sequence[Row]:
    """Return an account's members in the order of their subjects."""
    return await reader.fetch(_LIST, of_account=account_id)


async def list_page(reader: Reader, account_id: int, *, after: str, limit: int) -> Sequence[Row]:
    """Return a page of an account's members, ordered by subject, after a given subject."""
    return await reader.fetch(_PAGE, of_account=account_id, after=after, limit=limit)


async def remove(transaction: Transaction, account_id: int, subject: str) -> bool:
    """Remove a member; return False where the subject is no member."""
    return bool(await transaction.fetch(_REMOVE, of_account=account_id, of_subject=subject))
