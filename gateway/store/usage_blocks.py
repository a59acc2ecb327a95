"""Reads usage in spans of accounts' time by dimension, in one statement: from blocks, and from the
roll-ups of days and the events where blocks have nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    LargeBinary,
    Table,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from gateway.models import (
    Instant,
    QuarteredDay,
    RollupActivity,
    RollupBlock,
    RollupProject,
    UnpackedDay,
    UsageEvent,
    table_of,
)
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.ordered_join import OrderedJoin
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import BARRIER, ColumnType, DialectName, Expression, Query
from gateway.store.halves import parts
from gateway.store.relation import STATEMENTS
from gateway.store.selected_usage import FoundUsage, GroupKey, SelectedUsage
from gateway.store.tenancy import Scoped, Visible
from gateway.store.usage_activity import Read, of_event
from gateway.store.usage_filter import COLUMNS, UsageDimension, UsageFilter, conditions
from gateway.store.usage_lanes import HOUR_BYTES, MARKS
from gateway.store.usage_plan import Kind, Piece, Plan, UsageSpan, plan

_ACTIVITY: Final = table_of(RollupActivity)
_PROJECT: Final = table_of(RollupProject)
_BLOCK: Final = table_of(RollupBlock)
_UNPACKED: Final = table_of(UnpackedDay)
_QUARTERED: Final = table_of(QuarteredDay)
_EVENT: Final = table_of(UsageEvent)

KEYS: Final = ("key", "child", "grandchild")
"""The names of the columns of a shape's dimensions."""
_GROUP_KEYS: Final[tuple[Callable[[FoundUsage], GroupKey], ...]] = (
    lambda row: (row["key"],),
    lambda row: (row["key"], row["child"]),
    lambda row: (row["key"], row["child"], row["grandchild"]),
)
"""Return a row's key, by the number of dimensions."""


class _Shape(NamedTuple):
    """A kind of statement: the dimensions of its rows, those of its filter, and whether parts of
    days are read.
    """

    by: tuple[UsageDimension, ...]
    filtered: frozenset[UsageDimension]
    partial_days: bool


_KINDS: Final[dict[str, ColumnType]] = {
    "account_id": BigInteger(),
    "kind": Integer(),
    "place": Integer(),
    "part": Integer(),
    "block": Integer(),
    "hour": Integer(),
    "first_day": Date(),
    "end_day": Date(),
    "starts_at": Instant(),
    "ends_at": Instant(),
}
_OF_PARTS: Final = ("hour", "starts_at", "ends_at")
"""The columns that only parts of days need."""


def _columns(*, partial_days: bool) -> list[str]:
    return [name for name in _KINDS if partial_days or name not in _OF_PARTS]


def _statement(shape: _Shape, visible: Visible) -> Query:
    names = _columns(partial_days=shape.partial_days)
    wanted = batch(visible.dialect, query=BigInteger(), **{name: _KINDS[name] for name in names})
    pieces = select(visible.of(wanted)).cte("pieces")
    unpacked = _unpacked(pieces, visible.dialect).cte("unpacked")
    arms = _Arms(shape, visible.dialect)
    found = [
        arms.of_blocks(pieces.select().where(pieces.c.kind == Kind.DAYS.value).subquery("days")),
        arms.row(unpacked, {"day": unpacked.c.day}),
        *arms.of_unpacked_days(unpacked),
    ]
    if shape.partial_days:
        quartered = _quartered(pieces, visible.dialect).cte("quartered")
        events = _events(pieces, unpacked, quartered).cte("ranges")
        day = {"kind": _constant(Kind.QUARTERED), "day": quartered.c.day}
        found.append(arms.row(quartered, day))
        found.append(arms.of_blocks(_rows_of_hours(pieces, events), are_hours=True))
        found.append(arms.of_events(events))
    return select(union_all(*found).subquery("found"))


def _unpacked(pieces: CTE, dialect: DialectName) -> Query:
    """Return the days that blocks do not have, by `query` and `account_id`."""
    inside = and_(
        _UNPACKED.c.account_id == pieces.c.account_id,
        _UNPACKED.c.day >= pieces.c.first_day,
        _UNPACKED.c.day < pieces.c.end_day,
    )
    place = {name: pieces.c[name] for name in ("query", "account_id")}
    days = {"day": _UNPACKED.c.day}
    return _joined(pieces, place, _UNPACKED, inside, days, dialect).where(
        pieces.c.kind == Kind.UNPACKED.value
    )


def _quartered(pieces: CTE, dialect: DialectName) -> Query:
    """Return the days of pieces of events that are quartered, by `query`."""
    same = and_(
        _QUARTERED.c.account_id == pieces.c.account_id, _QUARTERED.c.day == pieces.c.first_day
    )
    days = {"day": _QUARTERED.c.day}
    return _joined(pieces, {"query": pieces.c.query}, _QUARTERED, same, days, dialect).where(
        pieces.c.kind == Kind.EVENTS.value, pieces.c.part > 0
    )


def _events(pieces: CTE, unpacked: CTE, quartered: CTE) -> Query:
    """Return the pieces of events that are read."""
    is_unpacked, is_quartered = (
        exists().where(days.c.query == pieces.c.query, days.c.day == pieces.c.first_day)
        for days in (unpacked, quartered)
    )
    is_read = or_(
        pieces.c.first_day.is_(None), is_unpacked, and_(pieces.c.part > 0, not_(is_quartered))
    )
    return select(pieces).where(pieces.c.kind == Kind.EVENTS.value, is_read).offset(BARRIER)


def _rows_of_hours(pieces: CTE, events: CTE) -> FromClause:
    """Return the pieces of hours that are read."""
    names = ("query", "part", "block")
    is_needed = exists().where(*(events.c[name] == pieces.c[name] for name in names))
    is_other = and_(pieces.c.kind == Kind.OTHER_HOURS.value, is_needed)
    is_read = or_(pieces.c.kind == Kind.HOURS.value, is_other)
    return select(pieces).where(is_read).offset(BARRIER).subquery("hours")


def _joined(
    source: FromClause,
    outer: Mapping[str, Expression],
    table: Table,
    inside: ColumnElement[bool],
    inner: Mapping[str, Expression],
    dialect: DialectName,
    selected: Iterable[ColumnElement[bool]] = (),
) -> Query:
    """Return columns of a source's rows, `outer`, and of selected rows `inside`, `inner`."""
    around = [column.label(name) for name, column in outer.items()]
    columns = [column.label(name) for name, column in inner.items()]
    if dialect == "sqlite":
        # A condition on the table alone would have SQLite read all of it first, to see which
        # look-ups in it are in vain.
        is_row = case((source.c.query > 0, and_(true(), *selected)), else_=false())
        return select(*around, *columns).select_from(
            OrderedJoin(source, table, and_(inside, is_row))
        )
    # The offset keeps the range in the index's condition: see `rollup_spans`.
    rows = select(*columns).where(inside, *selected).offset(BARRIER).lateral("rows")
    return select(*around, *rows.c).select_from(source.join(rows, true()))


class _Arms:
    """The parts of a statement, each of the columns of `FoundUsage`."""

    def __init__(self, shape: _Shape, dialect: DialectName) -> None:
        self._by = dict(zip(KEYS, shape.by, strict=False))
        self._filtered = shape.filtered
        self._dialect: DialectName = dialect
        sums = parts(dialect, "spent_nanos")
        self._sums = sums
        kinds: dict[str, ColumnType] = {"kind": Integer(), "place": Integer()}
        kinds |= {key: _BLOCK.c[COLUMNS[dimension]].type for key, dimension in self._by.items()}
        kinds |= {"day": Date(), "spent": LargeBinary(), "active": LargeBinary()}
        self._kinds = kinds | dict.fromkeys((*sums, "events"), BigInteger())

    def row(self, source: FromClause, cells: Mapping[str, Expression]) -> Query:
        """Return a row for each of `source`, a query's; cells that are not named are null."""
        cells = {"kind": _constant(Kind.UNPACKED), **cells}
        columns = (
            cells[name] if name in cells else cast(null(), kind)
            for name, kind in self._kinds.items()
        )
        named = (column.label(name) for name, column in zip(self._kinds, columns, strict=True))
        return select(source.c.query.label("n"), *named).select_from(source)

    def of_blocks(self, pieces: FromClause, *, are_hours: bool = False) -> Query:
        """Return the rows of blocks."""
        names = ("account_id", "part", "block")
        inside = and_(*(_BLOCK.c[name] == pieces.c[name] for name in names))
        selected = self._selected(partial(_column, _BLOCK))
        cells = self._keys(partial(_column, _BLOCK))
        cells["spent"], cells["active"] = _BLOCK.c.spent, _BLOCK.c.active
        if are_hours:
            hour = pieces.c.hour - 1
            for name, size in (("spent", HOUR_BYTES), ("active", MARKS)):
                piece = func.substr(_BLOCK.c[name], hour * size + 1, size)
                cells[name] = type_coerce(piece, LargeBinary())
        place = {"query": pieces.c.query, "kind": pieces.c.kind, "place": pieces.c.place}
        rows = _joined(pieces, place, _BLOCK, inside, cells, self._dialect, selected)
        return self._of(rows.subquery("blocks"))

    def of_unpacked_days(self, unpacked: CTE) -> Iterator[Query]:
        """Yield the days' usage of roll-ups. What names no project is what is left of all."""
        if UsageDimension.PROJECT not in {*self._by.values(), *self._filtered}:
            yield self._of_days(unpacked, _ACTIVITY, partial(_column, _ACTIVITY), 1)
            return
        yield self._of_days(unpacked, _PROJECT, partial(_column, _PROJECT), 1)
        yield self._of_days(unpacked, _ACTIVITY, partial(_without_project, _ACTIVITY), 1)
        yield self._of_days(unpacked, _PROJECT, partial(_without_project, _PROJECT), -1)

    def _of_days(self, unpacked: CTE, table: Table, read: Read, sign: int) -> Query:
        names = ("account_id", "day")
        inside = and_(*(table.c[name] == unpacked.c[name] for name in names))
        selected = self._selected(read)
        cells = self._keys(read)
        cells["nanos"], cells["events"] = table.c.spent_nanos, table.c.events
        place = {"query": unpacked.c.query, "day": unpacked.c.day}
        found = _joined(unpacked, place, table, inside, cells, self._dialect, selected).subquery(
            "days"
        )
        return self._of(found, sign)

    def of_events(self, wanted: CTE) -> Query:
        """Return sums of events."""
        inside = and_(
            _EVENT.c.account_id == wanted.c.account_id,
            _EVENT.c.started_at >= wanted.c.starts_at,
            _EVENT.c.started_at < wanted.c.ends_at,
        )
        selected = self._selected(of_event)
        cells = self._keys(of_event)
        cells["nanos"] = _EVENT.c.amount_nanos
        cells["events"] = case((_EVENT.c.correction, 0), else_=1)
        place = {name: wanted.c[name] for name in ("query", "kind", "place")}
        rows = _joined(wanted, place, _EVENT, inside, cells, self._dialect, selected).subquery(
            "events"
        )
        group = [column for column in rows.c if column.name not in {"nanos", "events"}]
        summed = (
            select(
                *group,
                *(func.sum(part(rows.c.nanos)).label(name) for name, part in self._sums.items()),
                cast(func.sum(rows.c.events), BigInteger()).label("events"),
            )
            .group_by(*group)
            .subquery("summed")
        )
        return self._of(summed)

    def _of(self, found: FromClause, sign: int = 1) -> Query:
        """Return the rows of a subquery with columns named as cells; `nanos` is all of
        the spend.
        """
        cells: dict[str, Expression] = {column.name: column for column in found.c}
        if "nanos" in cells:
            nanos = cells.pop("nanos")
            cells |= {name: sign * part(nanos) for name, part in self._sums.items()}
            cells["events"] = sign * cells["events"]
        return self.row(found, cells)

    def _keys(self, read: Read) -> dict[str, Expression]:
        return {key: read(dimension) for key, dimension in self._by.items()}

    def _selected(self, read: Read) -> Iterator[ColumnElement[bool]]:
        return conditions(self._filtered, read)


def _constant(kind: Kind) -> ColumnElement[int]:
    return literal_column(str(kind.value), Integer())


def _column(table: Table, dimension: UsageDimension) -> Expression:
    return table.c[COLUMNS[dimension]]


def _without_project(table: Table, dimension: UsageDimension) -> Expression:
    if dimension is UsageDimension.PROJECT:
        return literal("", _PROJECT.c.project.type)
    return _column(table, dimension)


@lru_cache(maxsize=STATEMENTS)
def _of(shape: _Shape) -> Scoped[FoundUsage]:
    return Scoped[FoundUsage](partial(_statement, shape))


Spans: TypeAlias = tuple[UsageSpan, ...]
"""Spans of an account, at least one; none of them lies in another."""


async def selected_usage(
    reader: Reader,
    principal: Principal,
    by: tuple[UsageDimension, ...],
    selected: UsageFilter,
    keys: Sequence[Spans],
) -> list[SelectedUsage]:
    """Return the usage of each key's spans, by the values of some dimensions. One statement; it
    reads events only where a span cuts hours of days that are not quartered, and in days that the
    blocks do not have.
    """
    plans = [plan(spans) for spans in keys]
    found = [SelectedUsage(each) for each in plans]
    if not any(each.pieces for each in plans):
        return found
    partial_days = any(span.has_partial_days for spans in keys for span in spans)
    rows = await _of(_Shape(by, selected.dimensions, partial_days)).fetch(
        reader,
        principal,
        **selected.parameters(),
        **_parameters(plans, partial_days=partial_days),
    )
    key_of = _GROUP_KEYS[len(by) - 1]
    for row in rows:
        found[row["n"] - 1].add(row, key_of(row))
    return found


def _parameters(plans: Sequence[Plan], *, partial_days: bool) -> dict[str, list[object]]:
    names = _columns(partial_days=partial_days)
    queries = [number for number, each in enumerate(plans, 1) for _ in each.pieces]
    columns = dict(
        zip(
            Piece._fields,
            zip(*(p for each in plans for p in each.pieces), strict=True),
            strict=True,
        )
    )
    return {"query": [*queries], **{name: [*columns[name]] for name in names}}
