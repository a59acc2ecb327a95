"""Who may read an account: adding one without touching the others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.models import AccountMember, table_of
from gateway.principal import Role
from gateway.store.database import Transaction
from gateway.store.write import Upsert

_COLUMNS: Final = ("account_id", "subject", "role", "created_at")
_PUT: Final = Upsert(table_of(AccountMember), _COLUMNS, kept=("created_at",))


async def put(
    transaction: Transaction, account_ids: Sequence[int], subject: str, role: Role, at: datetime
) -> None:
    """Make `subject` a member of the accounts; one who is a member already gets the role."""
    rows = [(account_id, subject, role.value, at) for account_id in account_ids]
    await transaction.upsert(_PUT, rows)
