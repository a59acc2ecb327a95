"""Accounts that changed: told in the transaction that changed them, heard in every process."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select

from gateway.models import Account, table_of
from gateway.store.engine.database import Reader
from gateway.store.engine.statement import Statement, any_of

_ACCOUNT: Final = table_of(Account)
_REVISIONS: Final = Statement(
    select(_ACCOUNT.c.account_id, _ACCOUNT.c.revision).where(
        any_of(_ACCOUNT.c.account_id, "account_ids")
    )
)


async def revisions(reader: Reader, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return the accounts' revisions (for the process itself: no tenant filter)."""
    rows = await reader.fetch(_REVISIONS, account_ids=list(account_ids))
    return {row["account_id"]: row["revision"] for row in rows}
