"""The facts of a month's statement: movements of the ledger's versions, and their usage.

For the process itself: no statement here has a tenant filter. All of it is about versions that
exist, so it never changes, but for names.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)

from gateway.instants import EARLIEST, LATEST
from gateway.models import (
    Account,
    CreditPurchase,
    Deployment,
    Dispute,
    Instant,
    LedgerCause,
    LedgerDay,
    LedgerEntry,
    Receipt,
    Refund,
    RollupDay,
    UsageEvent,
    table_of,
)
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import DialectName, Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.halves import parts, whole
from gateway.store.ledger_listing import is_move
from gateway.store.rows import AccountRow

_ACCOUNT: Final = table_of(Account)
_ENTRY: Final = table_of(LedgerEntry)
_DAY: Final = table_of(LedgerDay)
_EVENT: Final = table_of(UsageEvent)
_DEPLOYMENT: Final = table_of(Deployment)
_PURCHASE: Final = table_of(CreditPurchase)
_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_RECEIPT: Final = table_of(Receipt)
_ROLLUP: Final = table_of(RollupDay)


class Versions(NamedTuple):
    """An account's ledger versions from `first` to `last`, both inclusive; none where `last` is
    before `first`.
    """

    account_id: int
    first: int
    last: int


class Span(NamedTuple):
    """A month: `[start, end)`, and its local days, both inclusive."""

    start: datetime
    end: datetime
    first_day: date
    last_day: date


class EntryAt(TypedDict):
    """An entry of the ledger: its version, the balance after it, and when it was recorded."""

    version: int
    balance_nanos: int
    recorded_at: datetime


class Move(TypedDict):
    """An entry that is not usage, with what it belongs to. `tax_nanos` is the tax of its purchase
    or refund, `taxes` the lines of the purchase's tax as they are stored.
    """

    version: int
    cause: str
    amount_nanos: int
    balance_nanos: int
    recorded_at: datetime
    kind: str | None
    description: str | None
    document: str | None
    tax_nanos: int
    taxes: str | None


class UsedDay(TypedDict):
    """The usage entries of a day: their sum, and the last one with the balance after it."""

    day: date
    amount_nanos: int
    version: int


class PartUsage(TypedDict):
    """Equal quantities of a resource that a deployment used for a project, how many there are, and
    what they cost. On Postgres all quantities are added up. `part` is -1 for usage that began
    before the month, 1 for usage that began after it, else 0.
    """

    part: int
    project: str | None
    deployment_id: int | None
    external_id: str | None
    name: str | None
    resource: str
    unit: str
    quantity_nanos: int
    number: int
    spent_nanos: int


class _Bounds(TypedDict):
    earliest_at: datetime | None
    latest_at: datetime | None
    number: int
    known: int


class _Shown(TypedDict):
    spent_nanos: int


_OF_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())
_FIRST: Final = bindparam("first", type_=BigInteger())
_LAST: Final = bindparam("last", type_=BigInteger())
_START: Final = bindparam("start", type_=Instant())
_END: Final = bindparam("end", type_=Instant())


_OF_PURCHASES: Final = (LedgerCause.PURCHASE, LedgerCause.BONUS)


def _versions(entries: FromClause) -> ColumnElement[bool]:
    return and_(
        entries.c.account_id == _OF_ACCOUNT, entries.c.version >= _FIRST, entries.c.version <= _LAST
    )


def _is_usage(entries: FromClause) -> ColumnElement[bool]:
    return entries.c.cause == LedgerCause.USAGE.value


def _entry_at(condition: ColumnElement[bool]) -> Select[tuple[int, int, datetime]]:
    return select(_ENTRY.c.version, _ENTRY.c.balance_nanos, _ENTRY.c.recorded_at).where(
        _ENTRY.c.account_id == _OF_ACCOUNT, condition
    )


def _moves(_: DialectName) -> Query:
    """Select the entries that are not usage. A refund that takes credit has its credit note, one
    that gives it back the note's cancellation; both count with the tax that they state.
    """
    of_purchase = and_(
        or_(*(_ENTRY.c.cause == cause.value for cause in _OF_PURCHASES)),
        _ENTRY.c.refund_id.is_(None),
        _RECEIPT.c.purchase_id == _ENTRY.c.purchase_id,
        _RECEIPT.c.refund_id.is_(None),
    )
    is_undone = _ENTRY.c.amount_nanos > 0
    of_refund = and_(
        _ENTRY.c.cause == LedgerCause.REFUND.value,
        _RECEIPT.c.refund_id == _ENTRY.c.refund_id,
        _RECEIPT.c.cancels_id.is_not(None) == is_undone,
    )
    documents = and_(_RECEIPT.c.account_id == _ENTRY.c.account_id, or_(of_purchase, of_refund))
    tax = case(
        (_ENTRY.c.cause == LedgerCause.PURCHASE.value, _PURCHASE.c.tax_nanos),
        (
            _ENTRY.c.cause == LedgerCause.REFUND.value,
            func.coalesce(
                _RECEIPT.c.tax_nanos,
                case((is_undone, _REFUND.c.tax_nanos), else_=-_REFUND.c.tax_nanos),
            ),
        ),
        else_=0,
    )
    reason = case(
        (_ENTRY.c.cause == LedgerCause.REFUND.value, _REFUND.c.reason),
        (_ENTRY.c.cause == LedgerCause.DISPUTE.value, _DISPUTE.c.reason),
        else_=_PURCHASE.c.description,
    )
    joined: FromClause = _ENTRY
    for table, name in (
        (_PURCHASE, "purchase_id"),
        (_REFUND, "refund_id"),
        (_DISPUTE, "dispute_id"),
    ):
        same = and_(table.c.account_id == _ENTRY.c.account_id, table.c.id == _ENTRY.c[name])
        joined = joined.outerjoin(table, same)
    names = ("version", "cause", "amount_nanos", "balance_nanos", "recorded_at")
    return (
        select(
            *(_ENTRY.c[name] for name in names),
            _PURCHASE.c.kind,
            func.coalesce(_ENTRY.c.description, reason).label("description"),
            _RECEIPT.c.number.label("document"),
            func.coalesce(tax, 0).label("tax_nanos"),
            _PURCHASE.c.taxes,
        )
        .select_from(joined.outerjoin(_RECEIPT, documents))
        .where(_versions(_ENTRY), is_move(_ENTRY))
        .order_by(_ENTRY.c.version)
    )


def _used_days(dialect: DialectName) -> Query:
    """Select the days of recording: of a day that two statements share, the entries of this one."""
    sums = (
        func.sum(part(_ENTRY.c.amount_nanos)).label(name)
        for name, part in parts(dialect, "amount_nanos").items()
    )
    inside = and_(
        _ENTRY.c.account_id == _DAY.c.account_id,
        _ENTRY.c.version >= _DAY.c.first_version,
        _ENTRY.c.version <= _DAY.c.version,
        _is_usage(_ENTRY),
    )
    return (
        select(_DAY.c.day, *sums, func.max(_ENTRY.c.version).label("version"))
        .join_from(_DAY, _ENTRY, inside)
        .where(
            _DAY.c.account_id == _OF_ACCOUNT,
            _DAY.c.version >= _FIRST,
            _DAY.c.first_version <= _LAST,
            _versions(_ENTRY),
        )
        .group_by(_DAY.c.day)
        .order_by(_DAY.c.day)
    )


def _usage(dialect: DialectName) -> Query:
    part_of_time = case(
        (_EVENT.c.started_at < _START, -1), (_EVENT.c.started_at >= _END, 1), else_=0
    ).label("part")
    names = ("project", "deployment_id", "resource", "unit")
    keys = [part_of_time, *(_EVENT.c[name] for name in names)]
    quantity: list[ColumnElement[int]] = [_EVENT.c.quantity_nanos, func.count().label("number")]
    if dialect == "postgresql":
        total = func.sum(_EVENT.c.quantity_nanos, type_=_EVENT.c.quantity_nanos.type)
        quantity = [total.label("quantity_nanos"), literal_column("1", Integer()).label("number")]
    sums = (
        func.sum(each(_EVENT.c.amount_nanos)).label(name)
        for name, each in parts(dialect, "spent_nanos").items()
    )
    grouped = [*keys, *(quantity[:1] if dialect == "sqlite" else ())]
    used = (
        select(*keys, *quantity, *sums)
        .where(
            _EVENT.c.account_id == _OF_ACCOUNT,
            _EVENT.c.started_at >= bindparam("earliest_at", type_=Instant()),
            _EVENT.c.started_at <= bindparam("latest_at", type_=Instant()),
            _EVENT.c.ledger_version >= _FIRST,
            _EVENT.c.ledger_version <= _LAST,
        )
        .group_by(*grouped)
        .subquery("used")
    )
    same = and_(_DEPLOYMENT.c.account_id == _OF_ACCOUNT, _DEPLOYMENT.c.id == used.c.deployment_id)
    names_of = (_DEPLOYMENT.c.external_id, _DEPLOYMENT.c.name)
    columns: list[Expression] = [*used.c, *names_of]
    joined = used.outerjoin(_DEPLOYMENT, same)
    return select(*columns).select_from(joined)


def _shown(dialect: DialectName) -> Query:
    sums: list[Expression] = [
        func.coalesce(func.sum(part(_ROLLUP.c.spent_nanos)), 0).label(name)
        for name, part in parts(dialect, "spent_nanos").items()
    ]
    return select(*sums).where(
        _ROLLUP.c.account_id == _OF_ACCOUNT,
        _ROLLUP.c.day.between(
            bindparam("first_day", type_=Date()), bindparam("last_day", type_=Date())
        ),
    )


_ACCOUNT_OF: Final = Statement[AccountRow](
    select(_ACCOUNT).where(_ACCOUNT.c.account_id == _OF_ACCOUNT)
)
_ENTRY_OF: Final = Statement[EntryAt](_entry_at(_ENTRY.c.version == _FIRST))
_LAST_BEFORE: Final = Statement[EntryAt](
    _entry_at(and_(_ENTRY.c.version >= _FIRST, _ENTRY.c.recorded_at < _END))
    .order_by(_ENTRY.c.version.desc())
    .limit(1)
)
_MOVES: Final = Statement[Move](_moves)
_USED_DAYS: Final = Statement[UsedDay](_used_days)
_BOUNDS: Final = Statement[_Bounds](
    select(
        func.min(_ENTRY.c.earliest_at).label("earliest_at"),
        func.max(_ENTRY.c.effective_at).label("latest_at"),
        func.count().label("number"),
        func.count(_ENTRY.c.earliest_at).label("known"),
    ).where(_versions(_ENTRY), _is_usage(_ENTRY))
)
_USAGE: Final = Statement[PartUsage](_usage)
_SHOWN: Final = Statement[_Shown](_shown)


async def account_of(reader: Reader, account_id: int) -> AccountRow | None:
    """Return an account."""
    rows = await reader.fetch(_ACCOUNT_OF, account_id=account_id)
    return rows[0] if rows else None


async def entry(reader: Reader, account_id: int, version: int) -> EntryAt | None:
    """Return the entry of a version."""
    rows = await reader.fetch(_ENTRY_OF, account_id=account_id, first=version)
    return rows[0] if rows else None


async def last_entry_before(
    reader: Reader, account_id: int, first: int, end: datetime
) -> EntryAt | None:
    """Return the last entry from a version on that was recorded before an instant."""
    rows = await reader.fetch(_LAST_BEFORE, account_id=account_id, first=first, end=end)
    return rows[0] if rows else None


async def moves(reader: Reader, versions: Versions) -> Sequence[Move]:
    """Return the entries that are not usage, in the order of their versions."""
    return await reader.fetch(_MOVES, **versions._asdict())


async def used_days(reader: Reader, versions: Versions) -> list[UsedDay]:
    """Return the usage entries by the day of recording."""
    rows = await reader.fetch(_USED_DAYS, **versions._asdict())
    return [whole(row, "amount_nanos") for row in rows]


async def usage(reader: Reader, versions: Versions, month: Span) -> list[PartUsage]:
    """Return the usage that the versions recorded. Events are looked up by their start, between the
    earliest and the latest that the entries state.
    """
    (bounds,) = await reader.fetch(_BOUNDS, **versions._asdict())
    if not bounds["number"]:
        return []
    all_known = bounds["known"] == bounds["number"]
    rows = await reader.fetch(
        _USAGE,
        **versions._asdict(),
        start=month.start,
        end=month.end,
        earliest_at=bounds["earliest_at"] if all_known else EARLIEST,
        latest_at=bounds["latest_at"] if all_known else LATEST,
    )
    return [whole(row, "spent_nanos") for row in rows]


async def shown_usage(reader: Reader, account_id: int, month: Span) -> int:
    """Return the spend in nanos that the Usage tab shows for the month."""
    (row,) = await reader.fetch(
        _SHOWN, account_id=account_id, first_day=month.first_day, last_day=month.last_day
    )
    return whole(row, "spent_nanos")["spent_nanos"]
