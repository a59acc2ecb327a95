"""Pages of rows in a fixed order, for many keys in one statement, and totals over the same rows.

The first rows of each key are a LATERAL with a LIMIT on Postgres. SQLite has none: of several pages
the last row of each is found there first (`LIMIT 1 OFFSET n - 1` for each key), and the page reads
up to it; `row_number()` would read every row of every key.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, Protocol, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Table,
    and_,
    bindparam,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.sql.elements import Tuple
from typing_extensions import TypeVar

from gateway.principal import Principal
from gateway.store.companions import Beside, Companion, Keep, apart, joined, reads_whole, whole_page
from gateway.store.engine.database import Reader
from gateway.store.engine.sql import ColumnType, DialectName, Expression, Query, one_row
from gateway.store.engine.statement import R
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.halves import parts, whole
from gateway.store.relation import STATEMENTS, Columns, Wanted, by_position, one_by_position, only
from gateway.store.rows import Counted
from gateway.store.selection import Conditions, Page, Parameters, Selection
from gateway.store.tenancy import Batched, HasCells, OnlyKey, Scoped, Visible

Condition: TypeAlias = Callable[[FromClause], ColumnElement[bool]]
"""A condition on a table or its alias. Its parameter, if it has one, has the condition's name;
others are among the selection's `parameters`.
"""


T = TypeVar("T", bound=Counted, default=Counted)
"""The totals of a selection."""


class _PageGroup(NamedTuple):
    """The properties that the pages of one statement share."""

    ascending: bool
    limit: int
    conditions: Conditions
    parameters: Parameters


class _PageParts(NamedTuple):
    """The parts of a page's statement: its direction, the names of its conditions, its columns, and
    the companions that it brings along.
    """

    ascending: bool
    names: Sequence[str]
    columns: Columns
    beside: Sequence[Beside]


class Total(NamedTuple):
    """A sum over a selection's rows: of any size, 0 without rows."""

    nanos: ColumnElement[int]
    condition: ColumnElement[bool]

    def columns(self, name: str, dialect: DialectName) -> Iterator[Expression]:
        """Yield the columns of which `whole` makes the total `name`."""
        for label, part in parts(dialect, name).items():
            total = func.sum(part(self.nanos)).filter(self.condition)
            yield func.coalesce(total, 0).label(label)


class Paged(Protocol[R, T]):
    """Rows in a fixed order by key, a page or the totals of many keys at a time."""

    async def fetch_pages(
        self, reader: Reader, principal: Principal, pages: Sequence[Page], /
    ) -> list[Sequence[R]]: ...

    async def fetch_totals(
        self, reader: Reader, principal: Principal, selections: Sequence[Selection], /
    ) -> list[T]: ...


class Listing(Generic[R, T]):
    """A table's rows R by key (`scope`) in the order of an instant and a key, and totals T.

    `columns` are what a row has (default: the table's), `totals` what is added up over a selection
    beside `total_count`, `companions` what a page may bring along. Statements are made on first use
    and kept: one for each direction and set of conditions.
    """

    def __init__(
        self,
        table: Table,
        *,
        scope: tuple[str, ...],
        order: tuple[str, ...],
        columns: Columns = lambda _, rows: list(rows.c),
        conditions: Mapping[str, Condition] | None = None,
        totals: Mapping[str, Total] | None = None,
        companions: Mapping[str, Companion] | None = None,
    ) -> None:
        self.order: Final = order
        self.companions: Final = companions or {}
        self._table = table
        self._scope = scope
        self._columns = columns
        self._conditions = conditions or {}
        self._totals = totals or {}
        self._whole_statement = lru_cache(STATEMENTS)(self._make_whole_statement)
        self._page_statement = lru_cache(STATEMENTS)(self._make_page_statement)
        self._total_statement = lru_cache(STATEMENTS)(self._make_total_statement)

    async def fetch_pages(
        self,
        reader: Reader,
        principal: Principal,
        pages: Sequence[Page],
        columns: Wanted = None,
        beside: Mapping[Beside, Keep] = MappingProxyType({}),
    ) -> list[Sequence[R]]:
        """Return each page's rows, from the end at which it begins: one statement for all pages of
        one direction, limit and conditions. Rows have the columns of the order whatever is wanted,
        and those of the keys of what is `beside`.
        """
        along, wanted = tuple(beside), None
        if columns is not None:
            keys = (self.companions[each.name].key for each in beside)
            wanted = columns.union(self.order, *keys)
        found: list[Sequence[R]] = [[] for _ in pages]
        groups: dict[_PageGroup, list[int]] = {}
        for index, page in enumerate(pages):
            selection = page.selection
            group = _PageGroup(
                page.ascending, page.limit, selection.conditions, selection.parameters
            )
            groups.setdefault(group, []).append(index)
        for (ascending, limit, conditions, parameters), indexes in groups.items():
            statement = self._page_statement(ascending, _names(conditions), wanted, along)
            rows = await statement.fetch(
                reader,
                principal,
                self._keys([pages[index].selection for index in indexes]),
                limit=limit,
                **dict(conditions + parameters),
            )
            is_whole = len(indexes) == 1 and reads_whole(reader.dialect, along, conditions)
            rows = apart(self.companions, rows, beside, is_whole=is_whole)
            for index, part in zip(indexes, by_position(rows, len(indexes)), strict=True):
                found[index] = part
        return found

    async def fetch_totals(
        self,
        reader: Reader,
        principal: Principal,
        selections: Sequence[Selection],
        columns: Wanted = None,
    ) -> list[T]:
        """Return each selection's `total_count` and the wanted totals: one statement for all
        selections of the same conditions. A count alone is read off the index.
        """
        wanted = frozenset(self._totals if columns is None else columns - {"total_count"})
        found: dict[int, T] = {}
        groups: dict[tuple[Conditions, Parameters], list[int]] = {}
        for index, selection in enumerate(selections):
            group = (selection.conditions, selection.parameters)
            groups.setdefault(group, []).append(index)
        for (conditions, parameters), indexes in groups.items():
            statement = self._total_statement(_names(conditions), wanted)
            keys = self._keys([selections[index] for index in indexes])
            rows = await statement.fetch(reader, principal, keys, **dict(conditions + parameters))
            for index, row in zip(indexes, one_by_position(rows, len(indexes)), strict=True):
                if row is not None:
                    found[index] = whole(row, *wanted)
        return [found[index] for index in range(len(selections))]

    def chunks(
        self, stream: Stream, principal: Principal, selection: Selection, size: int
    ) -> AsyncGenerator[Chunk[R]]:
        """Return a selection's rows in order, `size` at a time; see `Stream.chunks`."""
        statement = self._whole_statement(_names(selection.conditions))
        arguments: dict[str, object] = dict(selection.conditions + selection.parameters)
        arguments |= zip(self._scope, selection.scope, strict=True)
        for end, place in (("lower", selection.lower), ("upper", selection.upper)):
            names_of_end = (f"{end}_{name}" for name in self.order)
            arguments |= zip(names_of_end, place, strict=True)
        return statement.chunks(stream, principal, size, **arguments)

    def _keys(self, selections: Sequence[Selection]) -> dict[str, Sequence[object]]:
        """Return selections as the columns of a batch."""
        keys: dict[str, Sequence[object]] = {}
        for index, name in enumerate(self._scope):
            keys[name] = [selection.scope[index] for selection in selections]
        for index, name in enumerate(self.order):
            keys[f"lower_{name}"] = [selection.lower[index] for selection in selections]
            keys[f"upper_{name}"] = [selection.upper[index] for selection in selections]
        return keys

    def _make_whole_statement(self, names: Sequence[str]) -> Scoped[R]:
        return Scoped[R](lambda visible: self._build_whole(visible, names))

    def _make_page_statement(
        self,
        ascending: bool,
        names: Sequence[str],
        wanted: Wanted,
        beside: tuple[Beside, ...],
    ) -> Batched[R]:
        parts = _PageParts(ascending, names, only(self._columns, wanted), beside)
        return Batched[R](lambda visible: self._build_page(visible, parts))

    def _make_total_statement(self, names: Sequence[str], wanted: Collection[str]) -> Batched[T]:
        totals = {name: self._totals[name] for name in sorted(wanted)}
        return Batched[T](lambda visible: self._build_totals(visible, names, totals))

    def _build_whole(self, visible: Visible, names: Sequence[str]) -> Query:
        # Parameters rather than a table of spans, so that the order can be read off the index.
        place = self._place(self._table)

        def end(name: str) -> Tuple:
            columns = ((self._table.c[each], f"{name}_{each}") for each in self.order)
            return tuple_(*(bindparam(each, type_=column.type) for column, each in columns))

        return (
            select(*self._columns(visible, self._table))
            .where(
                *(
                    self._table.c[name] == bindparam(name, type_=BigInteger())
                    for name in self._scope
                ),
                visible(self._table.c.account_id),
                *(self._conditions[name](self._table) for name in names),
                place > end("lower"),
                place < end("upper"),
            )
            .order_by(*self._ordered(self._table, True))
        )

    def _build_page(self, visible: Visible, parts: "_PageParts") -> Query:
        if key := visible.only_key(**self._kinds()):
            return self._page_of_one(visible, parts, key)
        build = self._page_up_to if visible.dialect == "sqlite" else self._lateral_page
        return build(visible, parts)

    def _page_of_one(self, visible: Visible, parts: "_PageParts", key: OnlyKey) -> Query:
        rows = select(*parts.columns(visible, self._table))
        if reads_whole(visible.dialect, parts.beside, parts.names):
            cut = self._cut(rows, parts, key)
            return whole_page(self.companions, parts.beside, cut, key, visible)
        rows = rows.where(key.seen)
        if visible.dialect == "sqlite":
            found, others = joined(self.companions, parts.beside, self._table, self._table, visible)
            return self._cut(rows.add_columns(*others).select_from(found), parts, key)
        # Cut before companions are joined, whatever Postgres expects of the number of rows.
        page = self._cut(rows, parts, key).subquery("page")
        found, others = joined(self.companions, parts.beside, page, page, visible)
        rows = select(page, *others).select_from(found)
        return rows.order_by(*self._ordered(page, parts.ascending))

    def _cut(self, rows: Query, parts: "_PageParts", key: HasCells) -> Query:
        """Return the first rows of a selection."""
        return (
            rows.where(self._inside(self._table, key, parts.names))
            .order_by(*self._ordered(self._table, parts.ascending))
            .limit(bindparam("limit", type_=Integer()))
        )

    def _lateral_page(self, visible: Visible, parts: "_PageParts") -> Query:
        spans = visible.keys(**self._kinds())
        rows = select(*parts.columns(visible, self._table))
        page = self._cut(rows, parts, spans).lateral("page")
        found, others = joined(
            self.companions, parts.beside, spans.join(page, true()), page, visible
        )
        return (
            select(page, *others, spans.c.n)
            .select_from(found)
            .order_by(spans.c.n, *self._ordered(page, parts.ascending))
        )

    def _page_up_to(self, visible: Visible, parts: "_PageParts") -> Query:
        ascending, names = parts.ascending, parts.names
        spans = visible.of(self._spans(visible))
        others = self._table.alias("others")

        def last(name: str) -> Expression:
            return (
                select(others.c[name])
                .where(self._inside(others, spans, names))
                .order_by(*self._ordered(others, ascending))
                .limit(1)
                .offset(bindparam("limit", type_=Integer()) - 1)
                .correlate(spans)
                .scalar_subquery()
            )

        # Where there are fewer rows, the last that there could be: the span's end is excluded.
        end, step = ("upper", -1) if ascending else ("lower", 1)
        ends: dict[str, Expression] = {n: spans.c[f"{end}_{n}"] for n in self.order}
        ends[self.order[-1]] += step
        lasts = (func.coalesce(last(name), ends[name]).label(f"last_{name}") for name in ends)
        edges = _materialized(select(*spans.c, *lasts), "edges")
        place, edge = self._place(self._table), self._place(edges, "last_")
        inside = (
            and_(place > self._place(edges, "lower_"), place <= edge)
            if ascending
            else and_(place >= edge, place < self._place(edges, "upper_"))
        )
        page = edges.join(self._table, self._matches(self._table, edges, names))
        found, more = joined(self.companions, parts.beside, page, self._table, visible)
        return (
            select(*parts.columns(visible, self._table), *more, edges.c.n)
            .select_from(found)
            .where(inside)
            .order_by(edges.c.n, *self._ordered(self._table, ascending))
        )

    def _build_totals(
        self, visible: Visible, names: Sequence[str], totals: Mapping[str, Total]
    ) -> Query:
        count = func.count(self._table.c[self.order[-1]]).label("total_count")
        sums = [
            column
            for name, total in totals.items()
            for column in total.columns(name, visible.dialect)
        ]
        figures: list[Expression] = [count, *sums]
        if key := visible.only_key(**self._kinds()):
            return one_row(select(*figures).where(self._inside(self._table, key, names), key.seen))
        spans = self._spans(visible)
        inside = and_(self._inside(self._table, spans, names), visible(spans.c.account_id))
        if visible.dialect == "sqlite":
            joined = spans.outerjoin(self._table, inside)
            return select(spans.c.n, *figures).select_from(joined).group_by(spans.c.n)
        found = select(*figures).where(inside).lateral("totals")
        return select(spans.c.n, found).select_from(spans.join(found, true()))

    def _spans(self, visible: Visible) -> FromClause:
        """Return the selections of a batch as a table, read once."""
        spans = visible.batch(**self._kinds())
        return _materialized(select(spans), "spans") if visible.dialect == "sqlite" else spans

    def _kinds(self) -> dict[str, ColumnType]:
        """Return the types of a batch's columns."""
        kinds: dict[str, ColumnType] = dict.fromkeys(self._scope, BigInteger())
        for name in self.order:
            for end in ("lower", "upper"):
                kinds[f"{end}_{name}"] = self._table.c[name].type
        return kinds

    def _inside(
        self, rows: FromClause, spans: HasCells, names: Sequence[str]
    ) -> ColumnElement[bool]:
        place = self._place(rows)
        return and_(
            self._matches(rows, spans, names),
            place > self._place(spans, "lower_"),
            place < self._place(spans, "upper_"),
        )

    def _matches(
        self, rows: FromClause, spans: HasCells, names: Sequence[str]
    ) -> ColumnElement[bool]:
        return and_(
            *(rows.c[name] == spans.c[name] for name in self._scope),
            *(self._conditions[name](rows) for name in names),
        )

    def _place(self, rows: HasCells, prefix: str = "") -> Tuple:
        return tuple_(*(rows.c[f"{prefix}{name}"] for name in self.order))

    def _ordered(self, rows: FromClause, ascending: bool) -> list[Expression]:
        columns: list[Expression] = [rows.c[name] for name in self.order]
        return columns if ascending else [column.desc() for column in columns]


def _names(conditions: Conditions) -> tuple[str, ...]:
    return tuple(name for name, _ in conditions)


def _materialized(rows: Query, name: str) -> FromClause:
    # Without it SQLite would take a span's values out of the JSON again for every row.
    return rows.cte(name).prefix_with("MATERIALIZED")
