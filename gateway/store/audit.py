"""An account's stored figures against what they are derived from: statements that return a row for
each place where the two differ, and the facts that the roll-ups are derived from, in their order.

A difference has `place` (what names the row within its account), `expected` (what follows from the
facts) and `found` (what is stored); either is None where there is none.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    func,
    null,
    select,
)

from gateway.models import (
    Account,
    CreditPurchase,
    Deployment,
    Dispute,
    LedgerCause,
    LedgerEntry,
    Receipt,
    ReceiptSequence,
    Refund,
    RollupActivity,
    RollupDay,
    RollupSlot,
    UsageEvent,
    table_of,
)
from gateway.store.statement import DialectName, Row, Statement, microseconds
from gateway.store.stream import Chunk, Stream

CHUNK_ROWS: Final = 5_000

_ACCOUNT: Final = table_of(Account)
_ENTRY: Final = table_of(LedgerEntry)
_EVENT: Final = table_of(UsageEvent)
_DEPLOYMENT: Final = table_of(Deployment)
_PURCHASE: Final = table_of(CreditPurchase)
_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_RECEIPT: Final = table_of(Receipt)
_SEQUENCE: Final = table_of(ReceiptSequence)

_KEY: Final = bindparam("account_id", type_=BigInteger())


def _difference(
    place: ColumnElement[Any], expected: ColumnElement[Any], found: ColumnElement[Any]
) -> Select[Any]:
    """Return the rows in which two columns, neither of them null, are not the same."""
    columns = (place.label("place"), expected.label("expected"), found.label("found"))
    return select(*columns).where(expected != found)


def _sums(table: Table, key: str, total: ColumnElement[Any], *where: Any) -> Subquery:
    """Return `total` by a column of an account's rows."""
    by = table.c[key]
    return (
        select(by.label("key"), func.sum(total).label("total"))
        .where(table.c.account_id == _KEY, by.is_not(None), *where)
        .group_by(by)
        .subquery()
    )


def _total(sums: Subquery) -> ColumnElement[Any]:
    return func.coalesce(sums.c.total, 0)


def _numbered(table: Table, order: str, *partition: str) -> Subquery:
    """Return an account's rows with `n`, each one's place in an order from 1."""
    by = [table.c[name] for name in partition]
    n = func.row_number().over(partition_by=by or None, order_by=table.c[order]).label("n")
    return select(*table.c, n).where(table.c.account_id == _KEY).subquery()


def _versions() -> Select[Any]:
    entries = _numbered(_ENTRY, "version")
    return _difference(entries.c.version, entries.c.n, entries.c.version)


def _balances_after() -> Select[Any]:
    before = func.lag(_ENTRY.c.balance_nanos, 1, 0).over(order_by=_ENTRY.c.version)
    entries = (
        select(_ENTRY.c.version, _ENTRY.c.balance_nanos, _ENTRY.c.amount_nanos, before.label("was"))
        .where(_ENTRY.c.account_id == _KEY)
        .subquery()
    )
    return _difference(
        entries.c.version, entries.c.was + entries.c.amount_nanos, entries.c.balance_nanos
    )


def _instants(dialect: DialectName) -> Select[Any]:
    """Return the entries that are recorded before the one before them."""
    at = microseconds(_ENTRY.c.recorded_at, dialect)
    before = func.lag(at, 1, at).over(order_by=_ENTRY.c.version)
    entries = (
        select(_ENTRY.c.version, at.label("at"), before.label("before"))
        .where(_ENTRY.c.account_id == _KEY)
        .subquery()
    )
    later = case((entries.c.before > entries.c.at, entries.c.before), else_=entries.c.at)
    return _difference(entries.c.version, later, entries.c.at)


def _account(stored: str, derived: ColumnElement[Any], table: Table) -> Select[Any]:
    """Return where a column of the account is not what is derived from the rows of a table."""
    facts = select(derived).where(table.c.account_id == _KEY).scalar_subquery()
    return _difference(null(), facts, _ACCOUNT.c[stored]).where(_ACCOUNT.c.account_id == _KEY)


def _usage_entries() -> Select[Any]:
    events = _sums(_EVENT, "ledger_version", _EVENT.c.amount_nanos)
    return (
        _difference(_ENTRY.c.version, -_total(events), _ENTRY.c.amount_nanos)
        .select_from(_ENTRY.outerjoin(events, events.c.key == _ENTRY.c.version))
        .where(_ENTRY.c.account_id == _KEY, _ENTRY.c.cause == LedgerCause.USAGE.value)
    )


def _unbooked_usage() -> Select[Any]:
    events = _sums(_EVENT, "ledger_version", _EVENT.c.amount_nanos)
    booked = and_(
        _ENTRY.c.account_id == _KEY,
        _ENTRY.c.version == events.c.key,
        _ENTRY.c.cause == LedgerCause.USAGE.value,
    )
    columns = (events.c.key.label("place"), (-events.c.total).label("expected"))
    return (
        select(*columns, null().label("found"))
        .select_from(events.outerjoin(_ENTRY, booked))
        .where(_ENTRY.c.version.is_(None))
    )


def _unknown_deployments() -> Select[Any]:
    same = and_(
        _DEPLOYMENT.c.account_id == _EVENT.c.account_id,
        _DEPLOYMENT.c.id == _EVENT.c.deployment_id,
    )
    return (
        select(
            _EVENT.c.deployment_id.label("place"),
            null().label("expected"),
            func.count().label("found"),
        )
        .select_from(_EVENT.outerjoin(_DEPLOYMENT, same))
        .where(
            _EVENT.c.account_id == _KEY,
            _EVENT.c.deployment_id.is_not(None),
            _DEPLOYMENT.c.id.is_(None),
        )
        .group_by(_EVENT.c.deployment_id)
    )


def _deployment_spends() -> Select[Any]:
    events = _sums(_EVENT, "deployment_id", _EVENT.c.amount_nanos)
    return (
        _difference(_DEPLOYMENT.c.external_id, _total(events), _DEPLOYMENT.c.spend_nanos)
        .select_from(_DEPLOYMENT.outerjoin(events, events.c.key == _DEPLOYMENT.c.id))
        .where(_DEPLOYMENT.c.account_id == _KEY)
    )


def _ordinals() -> Select[Any]:
    deployments = _numbered(_DEPLOYMENT, "ordinal")
    return _difference(deployments.c.external_id, deployments.c.n - 1, deployments.c.ordinal)


def _purchase_entries() -> Select[Any]:
    entries = _sums(_ENTRY, "purchase_id", _ENTRY.c.amount_nanos)
    purchase = _PURCHASE.c
    gained = purchase.amount_nanos + purchase.bonus_nanos
    credited = gained - purchase.refunded_nanos - purchase.bonus_reversed_nanos
    settled = purchase.settled_at.is_not(None)
    return (
        _difference(purchase.id, case((settled, credited), else_=0), _total(entries))
        .select_from(_PURCHASE.outerjoin(entries, entries.c.key == purchase.id))
        .where(purchase.account_id == _KEY)
    )


def _refunded() -> Select[Any]:
    refunds = _sums(
        _REFUND, "purchase_id", _REFUND.c.amount_nanos, _REFUND.c.settled_at.is_not(None)
    )
    held = _DISPUTE.c.debited_nanos - _DISPUTE.c.credited_nanos
    disputes = _sums(_DISPUTE, "purchase_id", held)
    return (
        _difference(_PURCHASE.c.id, _total(refunds) + _total(disputes), _PURCHASE.c.refunded_nanos)
        .select_from(
            _PURCHASE.outerjoin(refunds, refunds.c.key == _PURCHASE.c.id).outerjoin(
                disputes, disputes.c.key == _PURCHASE.c.id
            )
        )
        .where(_PURCHASE.c.account_id == _KEY)
    )


def _documents(table: Table, key: str, total: ColumnElement[Any], *same: Any) -> Select[Any]:
    """Return what has settled without its document, or with one of another total, or with one
    though no receipt was issued for its purchase.
    """
    of_it = and_(_RECEIPT.c.account_id == _KEY, _RECEIPT.c[key] == table.c.id, *same)
    purchase = _PURCHASE.alias("documented")
    of_purchase = purchase.c.id == (table.c.id if table is _PURCHASE else table.c.purchase_id)
    expected = case((purchase.c.receipted, total))
    return (
        select(
            table.c.id.label("place"),
            expected.label("expected"),
            _RECEIPT.c.total_nanos.label("found"),
        )
        .select_from(
            table.join(purchase, and_(purchase.c.account_id == _KEY, of_purchase)).outerjoin(
                _RECEIPT, of_it
            )
        )
        .where(
            table.c.account_id == _KEY,
            table.c.settled_at.is_not(None),
            expected.is_distinct_from(_RECEIPT.c.total_nanos),
        )
    )


def _receipts() -> Select[Any]:
    total = _PURCHASE.c.amount_nanos + _PURCHASE.c.tax_nanos
    return _documents(_PURCHASE, "purchase_id", total, _RECEIPT.c.refund_id.is_(None))


def _credit_notes() -> Select[Any]:
    return _documents(_REFUND, "refund_id", -_REFUND.c.amount_nanos - _REFUND.c.tax_nanos)


def _receipt_numbers() -> Select[Any]:
    receipts = _numbered(_RECEIPT, "sequence", "year")
    return _difference(receipts.c.number, receipts.c.n, receipts.c.sequence)


def _receipt_sequences() -> Select[Any]:
    receipts = (
        select(_RECEIPT.c.year, func.max(_RECEIPT.c.sequence).label("last"))
        .where(_RECEIPT.c.account_id == _KEY)
        .group_by(_RECEIPT.c.year)
        .subquery()
    )
    last = func.coalesce(receipts.c.last, 0)
    return (
        _difference(_SEQUENCE.c.year, last, _SEQUENCE.c.last_sequence)
        .select_from(_SEQUENCE.outerjoin(receipts, receipts.c.year == _SEQUENCE.c.year))
        .where(_SEQUENCE.c.account_id == _KEY)
    )


_CHECKS: Final[Mapping[str, Statement]] = {
    "ledger entry's version": Statement(_versions()),
    "ledger entry's balance": Statement(_balances_after()),
    "ledger entry's instant": Statement(_instants),
    "account's balance": Statement(
        _account("balance_nanos", func.coalesce(func.sum(_ENTRY.c.amount_nanos), 0), _ENTRY)
    ),
    "account's ledger version": Statement(_account("ledger_version", func.count(), _ENTRY)),
    "usage entry's amount": Statement(_usage_entries()),
    "usage without its entry": Statement(_unbooked_usage()),
    "usage of an unknown deployment": Statement(_unknown_deployments()),
    "deployment's spend": Statement(_deployment_spends()),
    "deployment's ordinal": Statement(_ordinals()),
    "account's deployments": Statement(_account("deployment_count", func.count(), _DEPLOYMENT)),
    "purchase's ledger entries": Statement(_purchase_entries()),
    "purchase's refunded sum": Statement(_refunded()),
    "receipt's total": Statement(_receipts()),
    "credit note's total": Statement(_credit_notes()),
    "receipt's number": Statement(_receipt_numbers()),
    "last receipt's number": Statement(_receipt_sequences()),
}
CHECKS: Final = tuple(_CHECKS)


async def differences(stream: Stream, check: str, account_id: int) -> Sequence[Row]:
    """Return where a check, one of `CHECKS`, finds a difference in an account."""
    return await stream.fetch(_CHECKS[check], account_id=account_id)


_ACCOUNTS: Final = Statement(
    select(_ACCOUNT.c.account_id, _ACCOUNT.c.external_id, _ACCOUNT.c.time_zone).order_by(
        _ACCOUNT.c.account_id
    )
)
_MOVES: Final = Statement(
    select(_ENTRY.c.cause, _ENTRY.c.amount_nanos, _ENTRY.c.effective_at)
    .where(_ENTRY.c.account_id == _KEY, _ENTRY.c.cause != LedgerCause.USAGE.value)
    .order_by(_ENTRY.c.effective_at)
)
_ORDINALS: Final = Statement(
    select(_DEPLOYMENT.c.id, _DEPLOYMENT.c.ordinal).where(_DEPLOYMENT.c.account_id == _KEY)
)
USAGE_COLUMNS: Final = (
    "started_at",
    "deployment_id",
    "resource",
    "unit",
    "provider",
    "gpu_model",
    "quantity_nanos",
    "amount_nanos",
    "correction",
)
_USAGE: Final = Statement(
    select(*(_EVENT.c[name] for name in USAGE_COLUMNS))
    .where(_EVENT.c.account_id == _KEY)
    .order_by(_EVENT.c.started_at)
)


def _rollup(table: Table) -> Statement:
    return Statement(
        select(table)
        .where(table.c.account_id == _KEY)
        .order_by(*(column for column in table.primary_key if column.name != "account_id"))
    )


_SLOTS: Final = _rollup(table_of(RollupSlot))
_DAYS: Final = _rollup(table_of(RollupDay))
_ACTIVITY: Final = _rollup(table_of(RollupActivity))


async def accounts(stream: Stream) -> Sequence[Row]:
    """Return every account: `account_id`, `external_id` and `time_zone`."""
    return await stream.fetch(_ACCOUNTS)


async def moves(stream: Stream, account_id: int) -> Sequence[Row]:
    """Return `cause`, `amount_nanos` and `effective_at` of all entries that are not usage's."""
    return await stream.fetch(_MOVES, account_id=account_id)


async def ordinals(stream: Stream, account_id: int) -> Mapping[int, int]:
    """Return the deployments' ordinals by their keys."""
    rows = await stream.fetch(_ORDINALS, account_id=account_id)
    return {row["id"]: row["ordinal"] for row in rows}


def usage(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return the `USAGE_COLUMNS` of an account's events, in the order of their time."""
    return stream.chunks(_USAGE, CHUNK_ROWS, account_id=account_id)


def slots(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return the stored quarter hours, in their order."""
    return stream.chunks(_SLOTS, CHUNK_ROWS, account_id=account_id)


def days(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return the stored days, in their order."""
    return stream.chunks(_DAYS, CHUNK_ROWS, account_id=account_id)


def activity(stream: Stream, account_id: int) -> AsyncGenerator[Chunk]:
    """Return the stored rows of breakdowns, in the order of their days."""
    return stream.chunks(_ACTIVITY, CHUNK_ROWS, account_id=account_id)
