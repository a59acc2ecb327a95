"""Statements that are requested together, as one statement of Postgres: one round trip for all.

Each statement is a part; its rows travel as one array a column, and one row as it is. To prepare a
statement costs a connection more than some round trips, so that only statements which are often
requested together are joined. An operation that is known to read once needs no transaction around
its statement: a statement is a snapshot of its own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from cachetools import LRUCache

from gateway.column_rows import ColumnRows
from gateway.store.engine.row_security import Entrance
from gateway.store.engine.statement import BoundStatement, CompiledStatement

OFTEN: Final = 20
"""Times that statements run in turn before they are joined."""
MOST_COUNTED: Final = 1_000
MOST_JOINED: Final = 30
"""A connection keeps a hundred prepared statements."""

_Texts: TypeAlias = tuple[str, ...]
_PARAMETER: Final = re.compile(r"\$(\d+)")
_ENTERED: Final = "WHERE entrance.accounts IS NOT NULL OFFSET 0"
_LISTED: Final = "OFFSET 0"
"""The conditions of a part behind an entrance: a part must name it, and a listed text does. The
offset keeps Postgres from merging the part with the entrance, which it then evaluates first.
"""


@dataclass(frozen=True, slots=True)
class Joined:
    """The text of joined statements, and the columns of each part."""

    text: str
    parts: tuple["_Part", ...]

    def rows(self, record: Sequence[Any]) -> list[ColumnRows[Any]]:
        """Return the rows of each statement, from the one record of the joined one."""
        cells = iter(record)
        return [part.rows(cells) for part in self.parts]


class _Part(NamedTuple):
    """The columns of a statement in a joined one: arrays, or where it `has_one_row` the cells of
    that row, and after them whether there is one.
    """

    names: tuple[str, ...]
    has_one_row: bool

    @classmethod
    def of(cls, statement: CompiledStatement[Any]) -> "_Part":
        return cls(statement.columns, statement.has_one_row)

    def rows(self, cells: Iterator[Any]) -> ColumnRows[Any]:
        """Return the rows, from the cells that come next."""
        if not self.has_one_row:
            return ColumnRows({name: next(cells) or [] for name in self.names})
        found = {name: [next(cells)] for name in self.names}
        return ColumnRows(found if next(cells) else dict.fromkeys(found, ()))

    def text(self, statement: str, condition: str) -> str:
        """Return the part for a statement's text, as a table of one row or none."""
        names = [f"c{index}" for index in range(len(self.names))]
        cells = ", ".join(names)
        if not self.has_one_row:
            cells = ", ".join(f"array_agg({name}) AS {name}" for name in names)
        found = ", true AS found" if self.has_one_row else ""
        return f"(SELECT {cells}{found} FROM ({statement}) AS q({', '.join(names)}) {condition})"


@dataclass(frozen=True, slots=True)
class Whole:
    """The text of statements that are a transaction of their own, and how their rows come: by the
    column where there are several of them.
    """

    text: str
    joined: Joined | None

    def rows(self, records: Sequence[Any]) -> list[Sequence[Any]]:
        """Return the rows of each statement, from the records of all."""
        if self.joined is None:
            return [records]
        (record,) = records
        return [*self.joined.rows(tuple(record))]


class Joins:
    """The joined statements of a database, and how often others were requested together."""

    def __init__(self, often: int = OFTEN) -> None:
        self._often = often
        self._times: LRUCache[_Texts, int] = LRUCache(MOST_COUNTED)
        self._joined: LRUCache[_Texts, Joined] = LRUCache(MOST_JOINED)
        self._whole: dict[_Texts, Whole] = {}

    def of(self, statements: Sequence[BoundStatement[Any]]) -> Joined | None:
        """Return the joined statement; None where these are not joined."""
        texts = _texts(statements)
        if joined := self._joined.get(texts):
            return joined
        times = self._times[texts] = self._times.get(texts, 0) + 1
        if times <= self._often or not _can_join(statements):
            return None
        joined = self._joined[texts] = _join([each.statement for each in statements])
        return joined

    def whole(self, statements: Sequence[BoundStatement[Any]], entrance: Entrance) -> Whole | None:
        """Return the statements as a transaction of their own; None where one cannot be joined."""
        texts = (entrance.setting, *[each.statement.text for each in statements])
        whole = self._whole.get(texts)
        if whole is None and _can_join(statements):
            if len(self._whole) >= MOST_JOINED:
                self._whole.clear()
            whole = self._whole[texts] = _whole([each.statement for each in statements], entrance)
        return whole

    def drop(self, statements: Sequence[BoundStatement[Any]]) -> None:
        """Run statements in turn for a while: joined they failed."""
        texts = _texts(statements)
        self._joined.pop(texts, None)
        self._times.pop(texts, None)


def _texts(statements: Sequence[BoundStatement[Any]]) -> _Texts:
    return tuple([each.statement.text for each in statements])


def _can_join(statements: Sequence[BoundStatement[Any]]) -> bool:
    """Say whether statements can be parts: arrays of arrays would have to be of one length."""
    return all(each.statement.has_scalars or each.statement.has_one_row for each in statements)


def _join(statements: Sequence[CompiledStatement[Any]]) -> Joined:
    texts = [*_moved(statements, [each.text for each in statements], before=0)]
    joins = _joins(statements, texts, [""] * len(texts))
    text = f"SELECT {_columns(statements)} FROM (SELECT) AS one{joins}"
    return Joined(text, tuple(map(_Part.of, statements)))


def _whole(statements: Sequence[CompiledStatement[Any]], entrance: Entrance) -> Whole:
    """Return statements behind the entrance of their caller: each part needs its value, so that
    Postgres evaluates the entrance first.
    """
    named = [*_moved(statements, [each.accounts for each in statements], before=1)]
    if not all(named):
        named = []
    is_listed = [bool(named and entrance.lists_accounts and each.listed) for each in statements]
    texts = [
        each.listed if it else each.text for each, it in zip(statements, is_listed, strict=True)
    ]
    texts = [*_moved(statements, texts, before=1)]
    conditions = [_LISTED if it else _ENTERED for it in is_listed]
    entered = f"(SELECT {entrance.columns(named)} OFFSET 0) AS entrance(accounts, person)"
    if len(statements) == 1:
        part = f"LATERAL (SELECT q.* FROM ({texts[0]}) AS q {conditions[0]}) AS p"
        return Whole(f"SELECT p.* FROM {entered}, {part}", None)
    text = f"SELECT {_columns(statements)} FROM {entered}{_joins(statements, texts, conditions)}"
    return Whole(text, Joined(text, tuple(map(_Part.of, statements))))


def _columns(statements: Sequence[CompiledStatement[Any]]) -> str:
    return ", ".join(f"p{number}.*" for number in range(len(statements)))


def _joins(
    statements: Sequence[CompiledStatement[Any]], texts: Sequence[str], conditions: Sequence[str]
) -> str:
    """Return the joins of the parts, each with its condition."""
    parts = (
        _Part.of(each).text(text, condition)
        for each, text, condition in zip(statements, texts, conditions, strict=True)
    )
    return "".join(
        f" LEFT JOIN LATERAL {part} AS p{number} ON true" for number, part in enumerate(parts)
    )


def _moved(
    statements: Sequence[CompiledStatement[Any]], texts: Sequence[str], *, before: int
) -> Iterator[str]:
    """Yield a text of each statement with the places of its parameters in the joined one; `before`
    is the number of parameters before those of the first.
    """
    for each, text in zip(statements, texts, strict=True):
        yield _PARAMETER.sub(partial(_later, before), text)
        before += len(each.names)


def _later(by: int, parameter: re.Match[str]) -> str:
    return f"${int(parameter[1]) + by}"
