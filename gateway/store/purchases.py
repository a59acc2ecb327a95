"""Purchases, refunds and disputes: found by the provider's id, and saved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, String, Table, and_, bindparam, select

from gateway.models import CreditPurchase, Dispute, DisputeMovement, Refund, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, batch
from gateway.store.engine.write import Upsert

PURCHASE: Final = table_of(CreditPurchase)
REFUND: Final = table_of(Refund)
DISPUTE: Final = table_of(Dispute)
MOVEMENT: Final = table_of(DisputeMovement)


class MovementRow(NamedTuple):
    """A dispute's movement, by the provider's id: nanos, negative for a withdrawal."""

    account_id: int
    dispute_id: int
    reference: str
    amount_nanos: int
    moved_at: datetime


def _by_reference(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), provider=String(), reference=String())
    same = and_(
        PURCHASE.c.account_id == wanted.c.account_id,
        PURCHASE.c.provider == wanted.c.provider,
        PURCHASE.c.provider_reference == wanted.c.reference,
    )
    return select(PURCHASE).select_from(wanted.join(PURCHASE, same))


def _of(table: Table, key: str) -> Statement:
    """Return what finds rows by (account, key)."""

    def build(dialect: DialectName) -> Any:
        wanted = batch(dialect, account_id=BigInteger(), key=BigInteger())
        same = and_(table.c.account_id == wanted.c.account_id, table.c[key] == wanted.c.key)
        return select(table).select_from(wanted.join(table, same))

    return Statement(build)


_BY_REFERENCE: Final = Statement(_by_reference)
_REFUNDS_OF: Final = _of(REFUND, "purchase_id")
_DISPUTES_OF: Final = _of(DISPUTE, "purchase_id")
_MOVEMENTS_OF: Final = _of(MOVEMENT, "dispute_id")
_FIRST: Final = Statement(
    select(PURCHASE.c.id)
    .where(PURCHASE.c.account_id == bindparam("account_id", type_=BigInteger()))
    .limit(1)
)
_SAVES: Final = {
    table.name: Upsert(table, [column.name for column in table.columns])
    for table in (PURCHASE, REFUND, DISPUTE, MOVEMENT)
}


async def by_reference(
    reader: Reader, references: Sequence[tuple[int, str | None, str]]
) -> Sequence[Row]:
    """Return the purchases with (account, provider, provider's reference)."""
    if not references:
        return []
    accounts, providers, names = zip(*references, strict=True)
    return await reader.fetch(
        _BY_REFERENCE, account_id=list(accounts), provider=list(providers), reference=list(names)
    )


async def exist(reader: Reader, account_id: int) -> bool:
    """Say whether an account has a purchase, in whatever state."""
    return bool(await reader.fetch(_FIRST, account_id=account_id))


async def refunds_of(reader: Reader, purchases: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Return all refunds of purchases (account, id)."""
    return await _fetch(reader, _REFUNDS_OF, purchases)


async def disputes_of(reader: Reader, purchases: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Return all disputes of purchases (account, id)."""
    return await _fetch(reader, _DISPUTES_OF, purchases)


async def movements_of(reader: Reader, disputes: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """Return all movements of disputes (account, id)."""
    return await _fetch(reader, _MOVEMENTS_OF, disputes)


async def _fetch(
    reader: Reader, statement: Statement, wanted: Sequence[tuple[int, int]]
) -> Sequence[Row]:
    if not wanted:
        return []
    accounts, keys = zip(*wanted, strict=True)
    return await reader.fetch(statement, account_id=list(accounts), key=list(keys))


async def save(transaction: Transaction, rows: Sequence[Sequence[Any]]) -> None:
    """Insert or change purchases; cells in the order of the table's columns."""
    await transaction.upsert(_SAVES[PURCHASE.name], rows)


async def save_refunds(transaction: Transaction, rows: Sequence[Sequence[Any]]) -> None:
    """Insert or change refunds; cells in the order of the table's columns."""
    await transaction.upsert(_SAVES[REFUND.name], rows)


async def save_disputes(transaction: Transaction, rows: Sequence[Sequence[Any]]) -> None:
    """Insert or change disputes; cells in the order of the table's columns."""
    await transaction.upsert(_SAVES[DISPUTE.name], rows)


async def save_movements(transaction: Transaction, rows: Sequence[MovementRow]) -> None:
    """Insert or change what disputes moved."""
    await transaction.upsert(_SAVES[MOVEMENT.name], rows)
