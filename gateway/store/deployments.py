"""Deployments: found by external id, added, changed, and their usage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Self

from sqlalchemy import BigInteger, String, and_, select, update
from sqlalchemy.sql import ClauseElement

from gateway.models import Deployment, Instant, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch, batch_of_texts
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Upsert, columns_of
from gateway.store.rows import StoredDeployment

DEPLOYMENT: Final = table_of(Deployment)


class DeploymentRow(NamedTuple):
    """A deployment's cells; None where unknown."""

    account_id: int
    id: int
    ordinal: int
    external_id: str
    spend_nanos: int
    started_at: datetime
    created_at: datetime
    name: str | None = None
    provider: str | None = None
    gpu_model: str | None = None
    region: str | None = None
    service: str | None = None
    cpu_nanos: int | None = None
    gpu_nanos: int | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    closed_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_until: datetime | None = None
    facts_at: str | None = None
    project: str | None = None

    @classmethod
    def of(cls, row: StoredDeployment) -> Self:
        """Return a row that was read."""
        cells: Mapping[str, object] = row
        return cls._make(cells[name] for name in cls._fields)


class DeploymentUsage(NamedTuple):
    """A batch's additions to a deployment: nanos of lifetime spend, and the period of its latest
    usage.
    """

    account_id: int
    id: int
    spend: int
    last_used_at: datetime | None
    last_used_until: datetime | None


def _by_external_id(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), external_id=String())
    same = and_(
        DEPLOYMENT.c.account_id == wanted.c.account_id,
        DEPLOYMENT.c.external_id == wanted.c.external_id,
    )
    return select(DEPLOYMENT).select_from(wanted.join(DEPLOYMENT, same))


def _add_usage(dialect: DialectName) -> ClauseElement:
    rows = batch_of_texts(
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


_BY_EXTERNAL_ID: Final = Statement[StoredDeployment](_by_external_id)
_ADD_USAGE: Final = Statement[None](_add_usage)
_SAVE: Final = Upsert(
    DEPLOYMENT, DeploymentRow, kept=("ordinal", "external_id", "spend_nanos", "created_at")
)


async def by_external_id(
    reader: Reader, names: Sequence[tuple[int, str]]
) -> Sequence[StoredDeployment]:
    """Return the deployments with (account, external id)."""
    if not names:
        return []
    accounts, external_ids = zip(*names, strict=True)
    return await reader.fetch(
        _BY_EXTERNAL_ID, account_id=list(accounts), external_id=list(external_ids)
    )


async def save(transaction: Transaction, rows: Sequence[DeploymentRow]) -> None:
    """Insert deployments, or change their descriptions."""
    await transaction.upsert(_SAVE, rows)


async def add_usage(transaction: Transaction, usage: Sequence[DeploymentUsage]) -> None:
    """Add to lifetime spends, and replace the periods of the latest usage."""
    if usage:
        await transaction.execute(_ADD_USAGE, **columns_of(usage))
