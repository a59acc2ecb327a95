"""Deployments: found by what meters call them, added, changed, and their lifetime spend."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, String, and_, select, update

from gateway.models import Deployment, table_of
from gateway.store.database import Reader, Transaction
from gateway.store.statement import DialectName, Row, Statement, batch
from gateway.store.write import Upsert

DEPLOYMENT: Final = table_of(Deployment)
COLUMNS: Final = tuple(column.name for column in DEPLOYMENT.columns)


def _by_external_id(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), external_id=String())
    same = and_(
        DEPLOYMENT.c.account_id == wanted.c.account_id,
        DEPLOYMENT.c.external_id == wanted.c.external_id,
    )
    return select(DEPLOYMENT).select_from(wanted.join(DEPLOYMENT, same))


def _add_spend(dialect: DialectName) -> Any:
    rows = batch(dialect, account_id=BigInteger(), id=BigInteger(), spend=BigInteger())
    return (
        update(DEPLOYMENT)
        .values(spend_nanos=DEPLOYMENT.c.spend_nanos + rows.c.spend)
        .where(DEPLOYMENT.c.account_id == rows.c.account_id, DEPLOYMENT.c.id == rows.c.id)
    )


_BY_EXTERNAL_ID: Final = Statement(_by_external_id)
_ADD_SPEND: Final = Statement(_add_spend)
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


async def add_spend(transaction: Transaction, spends: Sequence[tuple[int, int, int]]) -> None:
    """Add to lifetime spends: (account, deployment, nanos)."""
    if not spends:
        return
    accounts, ids, amounts = zip(*spends, strict=True)
    await transaction.execute(
        _ADD_SPEND, account_id=list(accounts), id=list(ids), spend=list(amounts)
    )
