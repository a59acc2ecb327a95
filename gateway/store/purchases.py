"""Purchases, refunds and disputes: found by the provider's id, and saved."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, String, Table, and_, bindparam, select

from gateway.models import CreditPurchase, Dispute, DisputeMovement, Refund, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import R, Statement
from gateway.store.engine.write import Upsert
from gateway.store.rows import CreditPurchaseRow, DisputeMovementRow, DisputeRow, RefundRow

PURCHASE: Final = table_of(CreditPurchase)
REFUND: Final = table_of(Refund)
DISPUTE: Final = table_of(Dispute)
MOVEMENT: Final = table_of(DisputeMovement)


class CreditPurchaseCells(NamedTuple):
    """A credit purchase's cells."""

    account_id: int
    id: int
    kind: str
    status: str
    currency: str
    amount_nanos: int
    tax_nanos: int
    bonus_nanos: int
    refunded_nanos: int
    bonus_reversed_nanos: int
    disputed_nanos: int
    description: str | None
    failure_code: str | None
    failure_reason: str | None
    payment_method_type: str | None
    payment_method_name: str | None
    payment_method_brand: str | None
    payment_method_last4: str | None
    payment_method_label: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    status_at: datetime | None
    failed_at: datetime | None
    settled_at: datetime | None
    revision: int
    receipted: bool
    taxes: str | None


class RefundCells(NamedTuple):
    """A refund's cells."""

    account_id: int
    id: int
    purchase_id: int
    status: str
    currency: str
    amount_nanos: int
    tax_nanos: int
    bonus_reversed_nanos: int
    reason: str | None
    failure_reason: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    settled_at: datetime | None
    has_succeeded: bool
    failed_at: datetime | None


class DisputeCells(NamedTuple):
    """A dispute's cells."""

    account_id: int
    id: int
    purchase_id: int
    state: str
    amount_nanos: int
    held_nanos: int
    reason: str | None
    provider: str | None
    provider_reference: str | None
    created_at: datetime
    closed_at: datetime | None


class MovementRow(NamedTuple):
    """The cells of a movement of a dispute's funds."""

    account_id: int
    dispute_id: int
    reference: str
    amount_nanos: int
    moved_at: datetime


class _First(TypedDict):
    id: int


def _by_reference(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), provider=String(), reference=String())
    same = and_(
        PURCHASE.c.account_id == wanted.c.account_id,
        PURCHASE.c.provider == wanted.c.provider,
        PURCHASE.c.provider_reference == wanted.c.reference,
    )
    return select(PURCHASE).select_from(wanted.join(PURCHASE, same))


def _of(table: Table, key: str) -> Callable[[DialectName], Query]:
    """Return the builder of the statement that finds rows by (account, key)."""

    def build(dialect: DialectName) -> Query:
        wanted = batch(dialect, account_id=BigInteger(), key=BigInteger())
        same = and_(table.c.account_id == wanted.c.account_id, table.c[key] == wanted.c.key)
        return select(table).select_from(wanted.join(table, same))

    return build


_BY_REFERENCE: Final = Statement[CreditPurchaseRow](_by_reference)
_REFUNDS_OF: Final = Statement[RefundRow](_of(REFUND, "purchase_id"))
_DISPUTES_OF: Final = Statement[DisputeRow](_of(DISPUTE, "purchase_id"))
_MOVEMENTS_OF: Final = Statement[DisputeMovementRow](_of(MOVEMENT, "dispute_id"))
_FIRST: Final = Statement[_First](
    select(PURCHASE.c.id)
    .where(PURCHASE.c.account_id == bindparam("account_id", type_=BigInteger()))
    .limit(1)
)
_SAVE: Final = Upsert(PURCHASE, CreditPurchaseCells)
_SAVE_REFUND: Final = Upsert(REFUND, RefundCells)
_SAVE_DISPUTE: Final = Upsert(DISPUTE, DisputeCells)
_SAVE_MOVEMENT: Final = Upsert(MOVEMENT, MovementRow)


async def by_reference(
    reader: Reader, references: Sequence[tuple[int, str | None, str]]
) -> Sequence[CreditPurchaseRow]:
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


async def refunds_of(reader: Reader, purchases: Sequence[tuple[int, int]]) -> Sequence[RefundRow]:
    """Return all refunds of purchases (account, id)."""
    return await _fetch(reader, _REFUNDS_OF, purchases)


async def disputes_of(reader: Reader, purchases: Sequence[tuple[int, int]]) -> Sequence[DisputeRow]:
    """Return all disputes of purchases (account, id)."""
    return await _fetch(reader, _DISPUTES_OF, purchases)


async def movements_of(
    reader: Reader, disputes: Sequence[tuple[int, int]]
) -> Sequence[DisputeMovementRow]:
    """Return all movements of disputes (account, id)."""
    return await _fetch(reader, _MOVEMENTS_OF, disputes)


async def _fetch(
    reader: Reader, statement: Statement[R], wanted: Sequence[tuple[int, int]]
) -> Sequence[R]:
    if not wanted:
        return []
    accounts, keys = zip(*wanted, strict=True)
    return await reader.fetch(statement, account_id=list(accounts), key=list(keys))


async def save(transaction: Transaction, rows: Sequence[CreditPurchaseCells]) -> None:
    """Insert or change purchases."""
    await transaction.upsert(_SAVE, rows)


async def save_refunds(transaction: Transaction, rows: Sequence[RefundCells]) -> None:
    """Insert or change refunds."""
    await transaction.upsert(_SAVE_REFUND, rows)


async def save_disputes(transaction: Transaction, rows: Sequence[DisputeCells]) -> None:
    """Insert or change disputes."""
    await transaction.upsert(_SAVE_DISPUTE, rows)


async def save_movements(transaction: Transaction, rows: Sequence[MovementRow]) -> None:
    """Insert or change what disputes moved."""
    await transaction.upsert(_SAVE_MOVEMENT, rows)
