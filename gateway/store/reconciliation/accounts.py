"""Compares an account's stored figures with their sources: statements that return a row for each
place where the two differ, and the facts that the roll-ups are derived from, in their order.

A difference has `place` (what names the row within its account), `expected` (what follows from the
facts) and `found` (what is stored); either is None where there is none.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import (
    Table,
    and_,
    case,
    func,
    null,
    select,
)

from gateway.models import (
    Account,
    Deployment,
    LedgerCause,
    LedgerEntry,
    RollupActivity,
    RollupDay,
    RollupProject,
    RollupSlot,
    UsageEvent,
    table_of,
)
from gateway.store.engine.sql import DialectName, Expression, Query
from gateway.store.engine.statement import Statement, microseconds
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.reconciliation.purchases import PURCHASE_CHECKS
from gateway.store.reconciliation.shapes import (
    KEY,
    DifferenceRow,
    difference,
    numbered,
    sums,
    total,
)
from gateway.store.reconciliation.statements import STATEMENT_CHECKS
from gateway.store.rows import ActivityRow, DayRow, ProjectRow, SlotRow

CHUNK_ROWS: Final = 5_000

_ACCOUNT: Final = table_of(Account)
_ENTRY: Final = table_of(LedgerEntry)
_EVENT: Final = table_of(UsageEvent)
_DEPLOYMENT: Final = table_of(Deployment)


def _versions() -> Query:
    entries = numbered(_ENTRY, "version")
    return difference(entries.c.version, entries.c.n, entries.c.version)


def _balances_after() -> Query:
    before = func.lag(_ENTRY.c.balance_nanos, 1, 0).over(order_by=_ENTRY.c.version)
    entries = (
        select(_ENTRY.c.version, _ENTRY.c.balance_nanos, _ENTRY.c.amount_nanos, before.label("was"))
        .where(_ENTRY.c.account_id == KEY)
        .subquery()
    )
    return difference(
        entries.c.version, entries.c.was + entries.c.amount_nanos, entries.c.balance_nanos
    )


def _instants(dialect: DialectName) -> Query:
    """Return the entries that are recorded before the one before them."""
    at = microseconds(_ENTRY.c.recorded_at, dialect)
    before = func.lag(at, 1, at).over(order_by=_ENTRY.c.version)
    entries = (
        select(_ENTRY.c.version, at.label("at"), before.label("before"))
        .where(_ENTRY.c.account_id == KEY)
        .subquery()
    )
    later = case((entries.c.before > entries.c.at, entries.c.before), else_=entries.c.at)
    return difference(entries.c.version, later, entries.c.at)


def _account(stored: str, derived: Expression, table: Table) -> Query:
    """Return a statement of accounts with a column that differs from the sums of a table's rows."""
    facts = select(derived).where(table.c.account_id == KEY).scalar_subquery()
    return difference(null(), facts, _ACCOUNT.c[stored]).where(_ACCOUNT.c.account_id == KEY)


def _usage_entries() -> Query:
    events = sums(_EVENT, "ledger_version", _EVENT.c.amount_nanos)
    return (
        difference(_ENTRY.c.version, -total(events), _ENTRY.c.amount_nanos)
        .select_from(_ENTRY.outerjoin(events, events.c.key == _ENTRY.c.version))
        .where(_ENTRY.c.account_id == KEY, _ENTRY.c.cause == LedgerCause.USAGE.value)
    )


def _unbooked_usage() -> Query:
    events = sums(_EVENT, "ledger_version", _EVENT.c.amount_nanos)
    booked = and_(
        _ENTRY.c.account_id == KEY,
        _ENTRY.c.version == events.c.key,
        _ENTRY.c.cause == LedgerCause.USAGE.value,
    )
    columns = (events.c.key.label("place"), (-events.c.total).label("expected"))
    return (
        select(*columns, null().label("found"))
        .select_from(events.outerjoin(_ENTRY, booked))
        .where(_ENTRY.c.version.is_(None))
    )


def _unknown_deployments() -> Query:
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
            _EVENT.c.account_id == KEY,
            _EVENT.c.deployment_id.is_not(None),
            _DEPLOYMENT.c.id.is_(None),
        )
        .group_by(_EVENT.c.deployment_id)
    )


def _deployment_spends() -> Query:
    events = sums(_EVENT, "deployment_id", _EVENT.c.amount_nanos)
    return (
        difference(_DEPLOYMENT.c.external_id, total(events), _DEPLOYMENT.c.spend_nanos)
        .select_from(_DEPLOYMENT.outerjoin(events, events.c.key == _DEPLOYMENT.c.id))
        .where(_DEPLOYMENT.c.account_id == KEY)
    )


def _ordinals() -> Query:
    deployments = numbered(_DEPLOYMENT, "ordinal")
    return difference(deployments.c.external_id, deployments.c.n - 1, deployments.c.ordinal)


_CHECKS: Final[Mapping[str, Statement[DifferenceRow]]] = {
    "ledger entry's version": Statement[DifferenceRow](_versions()),
    "ledger entry's balance": Statement[DifferenceRow](_balances_after()),
    "ledger entry's instant": Statement[DifferenceRow](_instants),
    "account's balance": Statement[DifferenceRow](
        _account("balance_nanos", func.coalesce(func.sum(_ENTRY.c.amount_nanos), 0), _ENTRY)
    ),
    "account's ledger version": Statement[DifferenceRow](
        _account("ledger_version", func.count(), _ENTRY)
    ),
    "usage entry's amount": Statement[DifferenceRow](_usage_entries()),
    "usage without its entry": Statement[DifferenceRow](_unbooked_usage()),
    "usage of an unknown deployment": Statement[DifferenceRow](_unknown_deployments()),
    "deployment's spend": Statement[DifferenceRow](_deployment_spends()),
    "deployment's ordinal": Statement[DifferenceRow](_ordinals()),
    "account's deployments": Statement[DifferenceRow](
        _account("deployment_count", func.count(), _DEPLOYMENT)
    ),
    **PURCHASE_CHECKS,
    **STATEMENT_CHECKS,
}
CHECKS: Final = tuple(_CHECKS)


async def differences(stream: Stream, check: str, account_id: int) -> Sequence[DifferenceRow]:
    """Return the differences that a check, one of `CHECKS`, finds in an account."""
    return await stream.fetch(_CHECKS[check], account_id=account_id)


class AuditedAccount(TypedDict):
    """An account of a reconciliation."""

    account_id: int
    external_id: str
    time_zone: str


class MoveRow(TypedDict):
    """A ledger entry that is not usage's."""

    cause: str
    amount_nanos: int
    effective_at: datetime


class CheckedUsage(TypedDict):
    """The columns of a usage event from which the roll-ups are derived."""

    started_at: datetime
    deployment_id: int | None
    resource: str
    unit: str
    provider: str | None
    gpu_model: str | None
    project: str | None
    quantity_nanos: int
    amount_nanos: int
    correction: bool


class _Ordinal(TypedDict):
    id: int
    ordinal: int


_ACCOUNTS: Final = Statement[AuditedAccount](
    select(_ACCOUNT.c.account_id, _ACCOUNT.c.external_id, _ACCOUNT.c.time_zone).order_by(
        _ACCOUNT.c.account_id
    )
)
_MOVES: Final = Statement[MoveRow](
    select(_ENTRY.c.cause, _ENTRY.c.amount_nanos, _ENTRY.c.effective_at)
    .where(_ENTRY.c.account_id == KEY, _ENTRY.c.cause != LedgerCause.USAGE.value)
    .order_by(_ENTRY.c.effective_at)
)
_ORDINALS: Final = Statement[_Ordinal](
    select(_DEPLOYMENT.c.id, _DEPLOYMENT.c.ordinal).where(_DEPLOYMENT.c.account_id == KEY)
)
USAGE_COLUMNS: Final = tuple(CheckedUsage.__annotations__)
_USAGE: Final = Statement[CheckedUsage](
    select(*(_EVENT.c[name] for name in USAGE_COLUMNS))
    .where(_EVENT.c.account_id == KEY)
    .order_by(_EVENT.c.started_at)
)


def _rollup(table: Table) -> Query:
    keys = (column for column in table.primary_key if column.name != "account_id")
    return select(table).where(table.c.account_id == KEY).order_by(*keys)


_SLOTS: Final = Statement[SlotRow](_rollup(table_of(RollupSlot)))
_DAYS: Final = Statement[DayRow](_rollup(table_of(RollupDay)))
_ACTIVITY: Final = Statement[ActivityRow](_rollup(table_of(RollupActivity)))
_PROJECTS: Final = Statement[ProjectRow](_rollup(table_of(RollupProject)))


async def accounts(stream: Stream) -> Sequence[AuditedAccount]:
    """Return every account."""
    return await stream.fetch(_ACCOUNTS)


async def moves(stream: Stream, account_id: int) -> Sequence[MoveRow]:
    """Return all entries that are not usage's."""
    return await stream.fetch(_MOVES, account_id=account_id)


async def ordinals(stream: Stream, account_id: int) -> Mapping[int, int]:
    """Return the deployments' ordinals by their keys."""
    rows = await stream.fetch(_ORDINALS, account_id=account_id)
    return {row["id"]: row["ordinal"] for row in rows}


def usage(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[CheckedUsage]]:
    """Return the `USAGE_COLUMNS` of an account's events, in the order of their time."""
    return stream.chunks(_USAGE, CHUNK_ROWS, account_id=account_id)


def slots(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[SlotRow]]:
    """Return the stored quarter hours, in their order."""
    return stream.chunks(_SLOTS, CHUNK_ROWS, account_id=account_id)


def days(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[DayRow]]:
    """Return the stored days, in their order."""
    return stream.chunks(_DAYS, CHUNK_ROWS, account_id=account_id)


def activity(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[ActivityRow]]:
    """Return the stored rows of breakdowns, in the order of their days."""
    return stream.chunks(_ACTIVITY, CHUNK_ROWS, account_id=account_id)


def projects(stream: Stream, account_id: int) -> AsyncGenerator[Chunk[ProjectRow]]:
    """Return the stored parts of breakdowns that name a project, in the order of their days."""
    return stream.chunks(_PROJECTS, CHUNK_ROWS, account_id=account_id)
