"""The audit log's rows: added, listed, streamed, and deleted when they are old."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    bindparam,
    delete,
    func,
    select,
)

from gateway.models import Account, AuditEvent, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.engine.write import Insert
from gateway.store.relation import STATEMENTS
from gateway.store.rows import Counted
from gateway.store.tenancy import Scoped, Visible

EVENT: Final = table_of(AuditEvent)
_ACCOUNT: Final = table_of(Account)


class AuditCells(NamedTuple):
    """A new event's cells; `details` is JSON."""

    id: int
    account_id: int | None
    occurred_at: datetime
    actor_kind: str
    actor: str
    deed: str
    target: str | None
    result: str
    request_id: str | None
    details: str | None
    actor_account_id: int | None = None


class AuditEventRow(TypedDict):
    """A row of `audit_event`, with the external id of its account."""

    id: int
    account_id: int | None
    external_id: str | None
    occurred_at: datetime
    actor_kind: str
    actor: str
    deed: str
    target: str | None
    result: str
    request_id: str | None
    details: str | None
    actor_account_id: int | None


class _Deleted(TypedDict):
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """The events between two keys, both excluded, that have each of the given values."""

    lower: int
    upper: int
    account: str | None = None
    actor: str | None = None
    deed: str | None = None
    result: str | None = None
    request_id: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values that are given."""
        return tuple(name for name in _CONDITIONS if getattr(self, name) is not None)

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the statements."""
        given = {f"of_{name}": getattr(self, name) for name in self.names}
        return {"lower": self.lower, "upper": self.upper, **given}


def _value(name: str) -> ColumnElement[str]:
    return bindparam(f"of_{name}", type_=String())


def _of_account() -> ColumnElement[bool]:
    key = select(_ACCOUNT.c.account_id).where(_ACCOUNT.c.external_id == _value("account"))
    return EVENT.c.account_id == key.scalar_subquery()


def _equal(name: str) -> ColumnElement[bool]:
    return EVENT.c[name] == _value(name)


_CONDITIONS: Final[Mapping[str, Callable[[], ColumnElement[bool]]]] = {
    "account": _of_account,
    **{name: partial(_equal, name) for name in ("actor", "deed", "result", "request_id")},
}


def _selected(visible: Visible, names: Sequence[str]) -> list[ColumnElement[bool]]:
    return [
        EVENT.c.id > bindparam("lower", type_=BigInteger()),
        EVENT.c.id < bindparam("upper", type_=BigInteger()),
        visible(EVENT.c.account_id),
        *(_CONDITIONS[name]() for name in names),
    ]


def _columns() -> list[Expression]:
    of_account = select(_ACCOUNT.c.external_id).where(_ACCOUNT.c.account_id == EVENT.c.account_id)
    return [*EVENT.c, of_account.correlate(EVENT).scalar_subquery().label("external_id")]


def _page(names: Sequence[str], visible: Visible) -> Query:
    return (
        select(*_columns())
        .where(*_selected(visible, names))
        .order_by(EVENT.c.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


def _all(names: Sequence[str], visible: Visible) -> Query:
    return select(*_columns()).where(*_selected(visible, names)).order_by(EVENT.c.id)


def _count(names: Sequence[str], visible: Visible) -> Query:
    return select(func.count(EVENT.c.id).label("total_count")).where(*_selected(visible, names))


@lru_cache(STATEMENTS)
def _page_of(names: tuple[str, ...]) -> Scoped[AuditEventRow]:
    return Scoped(partial(_page, names))


@lru_cache(STATEMENTS)
def _all_of(names: tuple[str, ...]) -> Scoped[AuditEventRow]:
    return Scoped(partial(_all, names))


@lru_cache(STATEMENTS)
def _count_of(names: tuple[str, ...]) -> Scoped[Counted]:
    return Scoped(partial(_count, names))


_ADD: Final = Insert(EVENT, AuditCells)


def _delete(of_deed: bool) -> Statement[_Deleted]:
    old = select(EVENT.c.id).where(EVENT.c.id < bindparam("before", type_=BigInteger()))
    if of_deed:
        old = old.where(EVENT.c.deed == _value("deed"))
    first = old.order_by(EVENT.c.id).limit(bindparam("most", type_=Integer()))
    return Statement[_Deleted](delete(EVENT).where(EVENT.c.id.in_(first)).returning(EVENT.c.id))


_DELETE: Final = _delete(of_deed=False)
_DELETE_OF_DEED: Final = _delete(of_deed=True)


async def append(transaction: Transaction, events: Sequence[AuditCells]) -> None:
    """Add events."""
    await transaction.insert(_ADD, events)


async def page(
    reader: Reader, principal: Principal, wanted: AuditFilter, *, limit: int
) -> Sequence[AuditEventRow]:
    """Return the newest events that the principal may see, newest first."""
    statement = _page_of(wanted.names)
    return await statement.fetch(reader, principal, limit=limit, **wanted.parameters)


async def count(reader: Reader, principal: Principal, wanted: AuditFilter) -> int:
    """Return the number of events that the principal may see."""
    (row,) = await _count_of(wanted.names).fetch(reader, principal, **wanted.parameters)
    return row["total_count"]


def chunks(
    stream: Stream, principal: Principal, wanted: AuditFilter, size: int
) -> AsyncGenerator[Chunk[AuditEventRow]]:
    """Return the events that the principal may see, oldest first, `size` at a time."""
    return _all_of(wanted.names).chunks(stream, principal, size, **wanted.parameters)


async def delete_before(
    transaction: Transaction, key: int, *, most: int, deed: str | None = None
) -> int:
    """Delete at most `most` events that are older than a key, of one deed or of all; return their
    number.
    """
    if deed is None:
        return len(await transaction.fetch(_DELETE, before=key, most=most))
    return len(await transaction.fetch(_DELETE_OF_DEED, before=key, most=most, of_deed=deed))
