"""The change of an account's time zone: how far it is, the facts that it is made of, and its staged
roll-ups, which replace the account's own in one transaction.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from gateway.models import (
    Account,
    Instant,
    LedgerEntry,
    RollupSlot,
    StagedActivity,
    StagedDay,
    StagedLedgerDay,
    StagedProject,
    UsageEvent,
    ZoneChange,
    table_of,
)
from gateway.store import ledger_days
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert
from gateway.store.ledger_days import Day
from gateway.store.rebuild import DerivedDays
from gateway.store.rollups import ACTIVITY, DAY, PROJECT, ActivityCells, DayCells, ProjectCells

CHANGE: Final = table_of(ZoneChange)
_ACCOUNT_TABLE: Final = table_of(Account)
_SLOT: Final = table_of(RollupSlot)
_EVENT: Final = table_of(UsageEvent)
_ENTRY: Final = table_of(LedgerEntry)
_STAGED_LEDGER_DAY: Final = table_of(StagedLedgerDay)
_STAGED: Final[dict[Table, Table]] = {
    DAY: table_of(StagedDay),
    ACTIVITY: table_of(StagedActivity),
    PROJECT: table_of(StagedProject),
    ledger_days.DAY: _STAGED_LEDGER_DAY,
}
"""The staged table of each table."""

_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())


class Progress(NamedTuple):
    """How far a change is: the cells of `zone_change`."""

    account_id: int
    time_zone: str
    version: int
    staged_to: date
    entries_to: int = 0


class ChangingAccount(TypedDict):
    """An account with its progress; null where it has none."""

    time_zone: str
    pending_time_zone: str | None
    ledger_version: int
    staged_zone: str | None
    version: int
    staged_to: date
    entries_to: int


class EntrySpan(TypedDict):
    """The time of a ledger entry's facts: `earliest_at` to `effective_at`, or `effective_at` alone
    where `earliest_at` is null.
    """

    version: int
    cause: str
    effective_at: datetime
    earliest_at: datetime | None


class _At(TypedDict):
    at: datetime | None


class _Day(TypedDict):
    day: date


class _Id(TypedDict):
    account_id: int


_STATE: Final = Statement[ChangingAccount](
    select(
        _ACCOUNT_TABLE.c.time_zone,
        _ACCOUNT_TABLE.c.pending_time_zone,
        _ACCOUNT_TABLE.c.ledger_version,
        CHANGE.c.time_zone.label("staged_zone"),
        CHANGE.c.version,
        CHANGE.c.staged_to,
        CHANGE.c.entries_to,
    )
    .join_from(
        _ACCOUNT_TABLE, CHANGE, CHANGE.c.account_id == _ACCOUNT_TABLE.c.account_id, isouter=True
    )
    .where(_ACCOUNT_TABLE.c.account_id == _ACCOUNT)
)
_BEGIN: Final = Insert(CHANGE, Progress)
_END: Final = Statement[None](delete(CHANGE).where(CHANGE.c.account_id == _ACCOUNT))
_ADVANCE: Final = Statement[_Id](
    update(CHANGE)
    .where(
        CHANGE.c.account_id == _ACCOUNT,
        CHANGE.c.time_zone == bindparam("of_zone", type_=String()),
        CHANGE.c.version == bindparam("of_version", type_=BigInteger()),
        CHANGE.c.staged_to == bindparam("of_staged_to", type_=Date()),
        CHANGE.c.entries_to == bindparam("of_entries_to", type_=BigInteger()),
    )
    .values(
        version=bindparam("new_version", type_=BigInteger()),
        staged_to=bindparam("new_staged_to", type_=Date()),
        entries_to=bindparam("new_entries_to", type_=BigInteger()),
    )
    .returning(CHANGE.c.account_id)
)
_FIRST_SLOT: Final = Statement[_At](
    select(func.min(_SLOT.c.slot_at, type_=Instant()).label("at")).where(
        _SLOT.c.account_id == _ACCOUNT,
        _SLOT.c.slot_at >= bindparam("starts_at", type_=Instant()),
    )
)
_EVENT_AT: Final = Statement[_At](
    select(_EVENT.c.started_at.label("at"))
    .where(
        _EVENT.c.account_id == _ACCOUNT,
        _EVENT.c.started_at >= bindparam("starts_at", type_=Instant()),
    )
    .order_by(_EVENT.c.started_at)
    .limit(1)
    .offset(bindparam("number", type_=Integer()))
)
_SPANS: Final = Statement[EntrySpan](
    select(*(_ENTRY.c[name] for name in EntrySpan.__annotations__))
    .where(
        _ENTRY.c.account_id == _ACCOUNT,
        _ENTRY.c.version > bindparam("after", type_=BigInteger()),
    )
    .order_by(_ENTRY.c.version)
    .limit(bindparam("limit", type_=Integer()))
)


def _clear(table: Table) -> Statement[_Day]:
    """Return the statement that deletes the first rows, and the others of the same day."""
    first = (
        select(table.c.day)
        .where(table.c.account_id == _ACCOUNT)
        .order_by(table.c.day)
        .limit(bindparam("limit", type_=Integer()))
        .subquery("first")
    )
    last = select(func.max(first.c.day)).scalar_subquery()
    is_first = and_(table.c.account_id == _ACCOUNT, table.c.day <= last)
    return Statement[_Day](delete(table).where(is_first).returning(table.c.day))


def _delete_span(table: Table) -> Statement[None]:
    return Statement[None](
        delete(table).where(
            table.c.account_id == _ACCOUNT,
            table.c.day >= bindparam("first_day", type_=Date()),
            table.c.day < bindparam("end_day", type_=Date()),
        )
    )


def _delete(table: Table) -> Statement[None]:
    return Statement[None](delete(table).where(table.c.account_id == _ACCOUNT))


def _copy(table: Table, staged: Table) -> Statement[None]:
    names = [column.name for column in table.columns]
    rows = (
        select(*(staged.c[name] for name in names))
        .where(staged.c.account_id == _ACCOUNT)
        .order_by(*staged.primary_key.columns)
    )
    return Statement[None](insert(table).from_select(names, rows, include_defaults=False))


_CLEARS: Final = tuple(map(_clear, _STAGED.values()))
_DELETE_SPANS: Final = tuple(_delete_span(_STAGED[each]) for each in (DAY, ACTIVITY, PROJECT))
_REPLACES: Final = tuple(
    statement
    for table, staged in _STAGED.items()
    for statement in (_delete(table), _copy(table, staged))
)
_INSERT_DAYS: Final = Insert(_STAGED[DAY], DayCells)
_INSERT_ACTIVITY: Final = Insert(_STAGED[ACTIVITY], ActivityCells)
_INSERT_PROJECTS: Final = Insert(_STAGED[PROJECT], ProjectCells)
_MERGE_LEDGER_DAYS: Final = ledger_days.merging(_STAGED_LEDGER_DAY)


async def state(reader: Reader, account_id: int) -> ChangingAccount:
    """Return an account with the progress of its change."""
    (row,) = await reader.fetch(_STATE, account_id=account_id)
    return row


async def begin(transaction: Transaction, progress: Progress) -> None:
    """Begin a change: nothing is staged."""
    await transaction.insert(_BEGIN, [progress])


async def end(transaction: Transaction, account_id: int) -> None:
    """Forget the progress of an account's change. What is staged is to be cleared."""
    await transaction.execute(_END, account_id=account_id)


async def advance(transaction: Transaction, before: Progress, after: Progress) -> bool:
    """Change the progress, and lock it until the transaction ends; False where it is not `before`,
    because the change was ended or another process goes on with it.
    """
    rows = await transaction.fetch(
        _ADVANCE,
        account_id=before.account_id,
        of_zone=before.time_zone,
        of_version=before.version,
        of_staged_to=before.staged_to,
        of_entries_to=before.entries_to,
        new_version=after.version,
        new_staged_to=after.staged_to,
        new_entries_to=after.entries_to,
    )
    return bool(rows)


async def clear(transaction: Transaction, account_id: int, *, limit: int) -> int:
    """Delete about `limit` staged rows of each table; return how many there were."""
    number = 0
    for statement in _CLEARS:
        number += len(await transaction.fetch(statement, account_id=account_id, limit=limit))
    return number


async def first_slot(reader: Reader, account_id: int, starts_at: datetime) -> datetime | None:
    """Return the first quarter hour from an instant on that has facts."""
    (row,) = await reader.fetch(_FIRST_SLOT, account_id=account_id, starts_at=starts_at)
    return row["at"]


async def event_at(
    reader: Reader, account_id: int, starts_at: datetime, number: int
) -> datetime | None:
    """Return when the usage event starts that `number` others precede, counted from an instant."""
    rows = await reader.fetch(_EVENT_AT, account_id=account_id, starts_at=starts_at, number=number)
    return rows[0]["at"] if rows else None


async def spans(reader: Reader, account_id: int, *, after: int, limit: int) -> Sequence[EntrySpan]:
    """Return the time of the facts of the first entries after a version."""
    return await reader.fetch(_SPANS, account_id=account_id, after=after, limit=limit)


async def stage(
    transaction: Transaction, account_id: int, first_day: date, end_day: date, rows: DerivedDays
) -> None:
    """Replace the staged rows of the days before `end_day`."""
    for statement in _DELETE_SPANS:
        await transaction.execute(
            statement, account_id=account_id, first_day=first_day, end_day=end_day
        )
    await transaction.insert(_INSERT_DAYS, rows.days)
    await transaction.insert(_INSERT_ACTIVITY, rows.activity)
    await transaction.insert(_INSERT_PROJECTS, rows.projects)


async def stage_ledger_days(transaction: Transaction, days: Sequence[Day]) -> None:
    """Add days of the ledger, or add later entries to staged ones."""
    await transaction.upsert(_MERGE_LEDGER_DAYS, days)


async def replace(transaction: Transaction, account_id: int) -> None:
    """Replace a locked account's daily roll-ups by the staged ones."""
    for statement in _REPLACES:
        await transaction.execute(statement, account_id=account_id)
