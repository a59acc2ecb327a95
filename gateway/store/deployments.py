"""Deployments: found by external id, added, changed, and their usage."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, String, and_, select, update

from gateway.models import Deployment, Instant, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, batch, written_batch
from gateway.store.engine.write import Upsert

DEPLOYMENT: Final = table_of(Deployment)
COLUMNS: Final = tuple(column.name for column in DEPLOYMENT.columns)


def _by_external_id(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), external_id=String())
    same = and_(
        DEPLOYMENT.c.account_id == wanted.c.account_id,
        DEPLOYMENT.c.external_id == wanted.c.external_id,
    )
    return select(DEPLOYMENT).select_from(wanted.join(DEPLOYMENT, same))


def _add_usage(dialect: DialectName) -> Any:
    rows = written_batch(
        dialect,
        account_id=BigInteger(),
        id=BigInteger(),
        spend=BigInteger(),
        last_used_at=Instant(),
        last_used_until=Instant(),
    )
    return (
        update(DEPLOYMENT)
        .values(
            spend_nanos=DEPLOYMENT.c.spend_nanos + rows.c.spend,
            last_used_at=rows.c.last_used_at,
            last_used_until=rows.c.last_used_until,
        )
        .where(DEPLOYMENT.c.account_id == rows.c.account_id, DEPLOYMENT.c.id == rows.c.id)
    )


_BY_EXTERNAL_ID: Final = Statement(_by_external_id)
_ADD_USAGE: Final = Statement(_add_usage)
_SAVE: Final = Upsert(
    DEPLOYMENT, COLUMNS, kept=("ordinal", "external_id", "spend_nanos", "created_at")
)


async def by_external_id(reader: Reader, names: Sequence[tuple[int, str]]) -> Sequence[Row]:
    """Return the deployments with (account, external id)."""
    if not names:
        return []
    accounts, external_ids = zip(*names, strict=True)
    return await reader.fetch(
        _BY_EXTERNAL_ID, account_id=list(accounts), external_id=list(external_ids)
    )


async def save(transaction: Transaction, rows: Sequence[Sequence[Any]]) -> None:
    """Insert deployments, or change what describes them; cells in the order of `COLUMNS`."""
    await transaction.upsert(_SAVE, rows)


Usage: TypeAlias = tuple[int, int, int, datetime | None, datetime | None]
"""account, deployment, nanos to add to its lifetime spend, and the period of its latest usage"""


async def add_usage(transaction: Transaction, usage: Sequence[Usage]) -> None:
    """Add to lifetime spends, and say what the latest usage is now."""
    if not usage:
        return
    accounts, ids, spends, starts, ends = map(list, zip(*usage, strict=True))
    await transaction.execute(
        _ADD_USAGE,
        account_id=accounts,
        id=ids,
        spend=spends,
        last_used_at=starts,
        last_used_until=ends,
    )
