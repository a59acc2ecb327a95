"""The instant of the first fact in an account's roll-ups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import BigInteger, func, select

from gateway.models import RollupSlot, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Query
from gateway.store.tenancy import Scoped, Visible

_SLOT: Final = table_of(RollupSlot).c


class _First(TypedDict):
    n: int
    first_at: datetime | None


def _statement(visible: Visible) -> Query:
    keys = batch(visible.dialect, account_id=BigInteger())
    # The filter stands outside: within, Postgres would read all of an account's quarter hours
    # instead of the first one in the primary key.
    first = select(func.min(_SLOT.slot_at)).where(_SLOT.account_id == keys.c.account_id)
    return select(keys.c.n, first.scalar_subquery().label("first_at")).where(
        visible(keys.c.account_id)
    )


_FIRST: Final = Scoped[_First](_statement)


async def first_facts(
    reader: Reader, principal: Principal, account_ids: Sequence[int]
) -> list[datetime | None]:
    """Return the beginning of the UTC quarter hour of each account's first credit, debit or usage,
    by the facts' own time; None where there is none, or the account is not the principal's.
    """
    found: list[datetime | None] = [None] * len(account_ids)
    for row in await _FIRST.fetch(reader, principal, account_id=list(account_ids)):
        found[row["n"] - 1] = row["first_at"]
    return found
