"""All usage events of an export, in chunks, the earliest first, each with its deployment's names.

One statement runs for the events on Postgres; on SQLite each chunk is a statement.
"""

from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, TypeAlias, TypedDict

import orjson
from sqlalchemy import BigInteger, Column, Text, bindparam, cast, collate, func, select

from gateway.models import Deployment, Instant, UsageEvent, table_of
from gateway.models.base import Quantity, instant_from_microseconds
from gateway.principal import Principal
from gateway.store.engine.sql import DialectName, Expression, Query
from gateway.store.engine.sqlite_stream import SqliteStream, Texts
from gateway.store.engine.statement import microseconds
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.exports import of_account
from gateway.store.relation import STATEMENTS
from gateway.store.rows import Counted
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import of_event
from gateway.store.usage_filter import EVERYTHING, UsageDimension, UsageFilter, conditions

EVENTS: Final = 500
"""Rows of a chunk: as many as are written in some 5 ms at most, for so long does nothing else run.
"""
MOST_EVENTS: Final = 16_000
"""Rows that are read together on SQLite, from one instant."""
KNOWN_DEPLOYMENTS: Final = 10_000
"""Most deployments with cached names in an export; beyond this, the cache is emptied."""

_EVENT: Final = table_of(UsageEvent)
_UNSAID: Final = {"account_id", "fingerprint", "quantity_text", "amount_text", "ledger_version"}
_DEPLOYMENT: Final = table_of(Deployment)

_Filtered: TypeAlias = frozenset[UsageDimension]
"""The dimensions that a filter looks at."""


class _Event(TypedDict):
    source: str
    event_id: str
    deployment_id: int | None
    resource: str
    unit: str
    quantity_nanos: int
    amount_nanos: int
    correction: bool
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    project: str | None
    started_at: int
    ended_at: int
    received_at: int


class ExportedUsage(_Event):
    """A row of `usage_event` with its deployment's columns, which are null without a deployment.
    Instants are microseconds since 1970. A deployment may have no name.
    """

    deployment_external_id: str | None
    deployment_name: str | None


class _Name(TypedDict):
    id: int
    external_id: str
    name: str | None


def _usage_rows(filtered: _Filtered, visible: Visible, *columns: Expression) -> Query:
    return select(*columns).where(
        _EVENT.c.account_id == bindparam("account_id", type_=BigInteger()),
        visible(_EVENT.c.account_id),
        _EVENT.c.started_at >= bindparam("start", type_=Instant()),
        _EVENT.c.started_at < bindparam("end", type_=Instant()),
        *conditions(filtered, of_event),
    )


def _usage(filtered: _Filtered, visible: Visible) -> Query:
    columns = [
        _quickly_read(column, visible.dialect) for column in _EVENT.c if column.name not in _UNSAID
    ]
    ids: list[Expression] = [_EVENT.c.source, _EVENT.c.event_id]
    if visible.dialect == "postgresql":
        ids = [collate(each, "C") for each in ids]
    return _usage_rows(filtered, visible, *columns).order_by(_EVENT.c.started_at, *ids)


def _quickly_read(column: Column[Any], dialect: DialectName) -> Expression:
    """Return a column as integers or texts, which cost the drivers least: instants are microseconds
    and quantities are their digits, see `_converted`.
    """
    match column.type:
        case Instant():
            return microseconds(column, dialect).label(column.name)
        case Quantity() if dialect == "postgresql":
            return cast(column, Text()).label(column.name)
    return column


def _converted(columns: Mapping[str, Sequence[Any]]) -> Chunk[_Event]:
    """Return the rows of `_quickly_read` columns."""
    return Chunk({**columns, "quantity_nanos": [*map(int, columns["quantity_nanos"])]})


def _usage_arrays(filtered: _Filtered, visible: Visible) -> Query:
    """Return some rows of usage as one row: a JSON array of each column."""
    skip, size = (bindparam(name, type_=BigInteger()) for name in ("skip", "size"))
    rows = _usage(filtered, visible).limit(size).offset(skip).subquery()
    return select(*(func.json_group_array(each).label(each.name) for each in rows.c))


def _usage_count(filtered: _Filtered, visible: Visible) -> Query:
    return _usage_rows(filtered, visible, func.count().label("total_count"))


class _UsageStatements:
    """The statements of usage with a filter that looks at some dimensions."""

    def __init__(self, filtered: _Filtered) -> None:
        self.rows = Scoped[_Event](partial(_usage, filtered))
        self.arrays = Scoped[Texts](partial(_usage_arrays, filtered))
        self.count = Scoped[Counted](partial(_usage_count, filtered))


@lru_cache(maxsize=STATEMENTS)
def _usage_statements(filtered: _Filtered) -> _UsageStatements:
    return _UsageStatements(filtered)


_DEPLOYMENTS: Final = Scoped[_Name](
    of_account(_DEPLOYMENT, "id", _DEPLOYMENT.c.id, _DEPLOYMENT.c.external_id, _DEPLOYMENT.c.name)
)


class UsageSelection(NamedTuple):
    """An account's usage that starts in [start, end) and passes a filter."""

    account_id: int
    start: datetime
    end: datetime
    filter: UsageFilter = EVERYTHING

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the statements."""
        return {
            "account_id": self.account_id,
            "start": self.start,
            "end": self.end,
            **self.filter.parameters(),
        }


async def count_usage(stream: Stream, principal: Principal, selected: UsageSelection) -> int:
    """Return how many events `usage` yields."""
    statements = _usage_statements(selected.filter.dimensions)
    (row,) = await statements.count.fetch(stream, principal, **selected.parameters())
    return row["total_count"]


async def usage(
    stream: Stream, principal: Principal, selected: UsageSelection
) -> AsyncGenerator[Chunk[ExportedUsage]]:
    """Yield an account's selected usage."""
    names = _Names(stream, principal, selected.account_id)
    rows = (
        _arrays(stream, principal, selected)
        if isinstance(stream, SqliteStream)
        else _records(stream, principal, selected)
    )
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            yield Chunk({**chunk.columns, **await names.of(chunk.column("deployment_id"))})


async def _records(
    stream: Stream, principal: Principal, selected: UsageSelection
) -> AsyncGenerator[Chunk[_Event]]:
    statements = _usage_statements(selected.filter.dimensions)
    rows = statements.rows.chunks(stream, principal, EVENTS, **selected.parameters())
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            yield _converted(chunk.columns)


async def _arrays(
    stream: SqliteStream, principal: Principal, selected: UsageSelection
) -> AsyncGenerator[Chunk[_Event]]:
    """Yield the rows of `_records`, each chunk by a statement of its own that returns one row.

    SQLite makes the arrays without Python's lock, so that the last chunk is written meanwhile. A
    row would take the lock, and a fifth of a microsecond for each of its cells.
    """
    arrays, place = _usage_statements(selected.filter.dimensions).arrays, _Place(selected)
    rows = arrays.follow(stream, principal, place.after, **place.parameters())
    async with aclosing(rows) as found:
        async for row in found:
            columns: dict[str, list[Any]] = {name: orjson.loads(row[name]) for name in row}
            columns["correction"] = [*map(bool, columns["correction"])]
            for first in range(0, len(columns["started_at"]), EVENTS):
                last = first + EVENTS
                yield _converted({name: cells[first:last] for name, cells in columns.items()})


class _Place:
    """The beginning of a chunk of arrays: the last instant of the one before, after that instant's
    rows in it. All rows of the instant are sorted for this: an instant with many is read in ever
    larger parts.
    """

    def __init__(self, selected: UsageSelection) -> None:
        self._selected = selected.parameters()
        self._at = selected.start
        self._skip = 0
        self._size = EVENTS

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the statement."""
        return {**self._selected, "start": self._at, "skip": self._skip, "size": self._size}

    def after(self, row: Texts) -> dict[str, object] | None:
        """Return the parameters of the statement after the one with this row."""
        instants: list[int] = orjson.loads(row["started_at"])
        if len(instants) < self._size:
            return None
        began, self._at = self._at, instant_from_microseconds(instants[-1])
        seen = len(instants) - bisect_left(instants, instants[-1])
        self._skip = self._skip + seen if self._at == began else seen
        self._size = min(2 * self._size, MOST_EVENTS) if seen == len(instants) else EVENTS
        return self.parameters()


class _Names:
    """External ids and names of deployments, each read once for a while."""

    def __init__(self, stream: Stream, principal: Principal, account_id: int) -> None:
        self._stream = stream
        self._principal = principal
        self._account_id = account_id
        self._external_ids: dict[int | None, str | None] = {}
        self._names: dict[int | None, str | None] = {}

    async def of(self, ids: Sequence[int | None]) -> Mapping[str, Sequence[str | None]]:
        """Return the columns of the deployments with these keys."""
        wanted = set(ids)
        if not self._names.keys() >= wanted:
            if len(self._names) + len(wanted) > KNOWN_DEPLOYMENTS:
                self._external_ids.clear()
                self._names.clear()
            await self._read(wanted - self._names.keys())
        return {
            "deployment_external_id": [*map(self._external_ids.__getitem__, ids)],
            "deployment_name": [*map(self._names.__getitem__, ids)],
        }

    async def _read(self, ids: set[int | None]) -> None:
        self._external_ids |= dict.fromkeys(ids)
        self._names |= dict.fromkeys(ids)
        keys = [each for each in ids if each is not None]
        rows = await _DEPLOYMENTS.fetch(
            self._stream, self._principal, account_id=self._account_id, keys=keys
        )
        for row in rows:
            self._external_ids[row["id"]], self._names[row["id"]] = row["external_id"], row["name"]
