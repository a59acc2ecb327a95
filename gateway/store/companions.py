"""Companions: rows of another table that are read with the rows of a page, in its statement.

A field that leads from each row of a page to one row of another table needs no statement of its
own: the page's statement brings that row along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import FromClause, and_, select, true

from gateway.column_rows import column, present, split
from gateway.store.engine.sql import BARRIER, Expression
from gateway.store.relation import Key, Keyed, Wanted, only
from gateway.store.tenancy import Visible


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

    def take(self, name: str, rows: Sequence[Any], keep: Keep) -> Sequence[Any]:
        """Return a page's rows without the companion's, which `keep` gets."""
        rest, part = split(rows, f"{name}.")
        if len(rows):
            keys = [*zip(*(column(rest, mine) for mine in self.key), strict=True)]
            keep(keys, present(part, part.column(self.keyed.key[0])))
        return rest
