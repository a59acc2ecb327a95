"""Companions: rows of another table that are read with the rows of a page, in its statement.

A field that leads from each row of a page to one row of another table needs no statement of its
own: the page's statement brings that row along.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import FromClause, and_, func, select, true

from gateway.column_rows import ColumnRows, SparseRows, column, present, split
from gateway.store.engine.sql import BARRIER, DialectName, Expression, Query, one_row
from gateway.store.relation import Key, Keyed, Wanted, only
from gateway.store.tenancy import OnlyKey, Visible

MOST_BETWEEN: Final = 1_000
"""Rows between the companions of a page's first and last key that are read with the page."""


class Beside(NamedTuple):
    """A companion that a page is to bring along, by its name, and the wanted columns."""

    name: str
    wanted: Wanted


Keep: TypeAlias = Callable[[Sequence[Key], Sequence[Any]], None]
"""Gets the keys of a page's rows, and the companion's row of each key or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """At most one row of `keyed` for each row of a page, in the same account. `key` are the page's
    columns with the values of the companion's key.
    """

    keyed: Keyed[Any]
    key: tuple[str, ...]

    def join(
        self, beside: Beside, found: FromClause, page: FromClause, visible: Visible
    ) -> tuple[FromClause, list[Expression]]:
        """Return a page's rows with the companion's beside them, and the companion's columns."""
        keyed = self.keyed
        pairs = zip(keyed.key, self.key, strict=True)
        own = (keyed.table.c[theirs] == page.c[mine] for theirs, mine in pairs)
        matches = and_(*own, keyed.condition)
        wanted = None if beside.wanted is None else beside.wanted.union(keyed.key[:1])
        columns = only(keyed.columns, wanted)(visible, keyed.table)
        if visible.dialect == "postgresql":
            # The offset keeps the look-up at the page's rows, of which Postgres expects many.
            rows = select(*columns).where(matches).offset(BARRIER).lateral(beside.name)
            found, columns = found.outerjoin(rows, true()), [*rows.c]
        else:
            found = found.outerjoin(keyed.table, matches)
        return found, [each.label(f"{beside.name}.{each.key}") for each in columns]

    def between(self, beside: Beside, page: FromClause, key: OnlyKey, visible: Visible) -> Query:
        """Return the companions of a page's keys from `first` to `last`, some `MOST_BETWEEN` of
        them if there are more: each column an array.
        """
        account, theirs = (self.keyed.table.c[name] for name in self.keyed.key)
        wanted = None if beside.wanted is None else beside.wanted.union(self.keyed.key[1:])
        columns = only(self.keyed.columns, wanted)(visible, self.keyed.table)
        _, mine = self.key
        rows = select(*columns).where(
            account == key.c["account_id"],
            theirs >= page.c[f"first_{mine}"],
            theirs <= page.c[f"last_{mine}"],
            self.keyed.condition,
        )
        some = rows.limit(MOST_BETWEEN).subquery()
        arrays: list[Expression] = [func.array_agg(each).label(each.key) for each in some.c]
        return select(*arrays)

    def keep_matches(self, rows: ColumnRows[Any], found: ColumnRows[Any], keep: Keep) -> None:
        """Give `keep` the companions of a page's rows, of those that `between` found; nothing if
        there may be more.
        """
        if len(found) >= MOST_BETWEEN:
            return
        _, theirs = self.keyed.key
        _, mine = self.key
        places = {key: place for place, key in enumerate(found.column(theirs))}
        taken = {at: places[key] for at, key in enumerate(rows.column(mine)) if key in places}
        keys = [*zip(*(rows.column(name) for name in self.key), strict=True)]
        keep(keys, SparseRows(found.take([*taken.values()]), [*taken], len(rows)))

    def take(self, name: str, rows: Sequence[Any], keep: Keep) -> Sequence[Any]:
        """Return a page's rows without the companion's, which `keep` gets."""
        rest, part = split(rows, f"{name}.")
        if len(rows):
            keys = [*zip(*(column(rest, mine) for mine in self.key), strict=True)]
            keep(keys, present(part, part.column(self.keyed.key[0])))
        return rest


Companions: TypeAlias = Mapping[str, Companion]


def joined(
    companions: Companions,
    beside: Sequence[Beside],
    found: FromClause,
    page: FromClause,
    visible: Visible,
) -> tuple[FromClause, list[Expression]]:
    """Return a page's rows with those of its companions, and the companions' columns."""
    columns: list[Expression] = []
    for each in beside:
        found, more = companions[each.name].join(each, found, page, visible)
        columns += more
    return found, columns


def reads_whole(
    dialect: DialectName, beside: Sequence[Beside], conditions: Sequence[object]
) -> bool:
    """Say whether a page of one key is a `whole_page`. Rows that meet conditions may lie far apart,
    and many others between them.
    """
    return dialect == "postgresql" and bool(beside) and not conditions


def whole_page(
    companions: Companions, beside: Sequence[Beside], page: Query, key: OnlyKey, visible: Visible
) -> Query:
    """Return a page with the companions of its rows as one row, each column an array, on Postgres.

    Keys sort by time, as pages do. So the companions of a page lie side by side in their index, and
    are read from the first to the last: a look for each would take Postgres several times as long.
    Some of those between may be of other pages, where a row was recorded long after its time; if
    they are many, none is kept, and the companions are read by their keys.
    """
    rows = page.subquery("page")
    ends = (
        end(rows.c[mine]).label(f"{name}_{mine}")
        for mine in {companions[each.name].key[1] for each in beside}
        for name, end in (("first", func.min), ("last", func.max))
    )
    cells = (func.array_agg(cell).label(cell.key) for cell in rows.c)
    whole = select(*cells, *ends).subquery("whole")
    columns: list[Expression] = [whole.c[cell.key] for cell in rows.c]
    found: FromClause = whole
    for each in beside:
        part = companions[each.name].between(each, whole, key, visible).lateral(each.name)
        found = found.join(part, true())
        columns += [cell.label(f"{each.name}.{cell.key}") for cell in part.c]
    return one_row(select(*columns).select_from(found).where(key.seen))


def apart(
    companions: Companions, rows: Sequence[Any], beside: Mapping[Beside, Keep], *, is_whole: bool
) -> Sequence[Any]:
    """Return the rows of pages, or of a `whole_page`, without the companions; `keep` gets those."""
    if is_whole:
        return _whole_apart(companions, rows, beside)
    for each, keep in beside.items():
        rows = companions[each.name].take(each.name, rows, keep)
    return rows


def _whole_apart(
    companions: Companions, found: Sequence[Any], beside: Mapping[Beside, Keep]
) -> Sequence[Any]:
    if not found:
        return []
    parts: dict[str, dict[str, Sequence[Any]]] = {
        name: {} for name in ("", *(each.name for each in beside))
    }
    for name, cells in {**found[0]}.items():
        part, _, own = name.rpartition(".")
        parts[part][own] = cells or []
    rows = ColumnRows[Any](parts[""])
    for each, keep in beside.items():
        companions[each.name].keep_matches(rows, ColumnRows(parts[each.name]), keep)
    return rows
