"""The ledger for people: all usage recorded on one day (in the account's zone) is one row, any
other entry is one row. Rows are ordered by their last entry.

Each of the two kinds is a `Listing`; a page is the first rows of both, in their common order. So it
costs what a page has and not what the account has used.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from heapq import merge
from operator import itemgetter
from typing import Final, TypeAlias, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    String,
    and_,
    case,
    func,
    literal_column,
    null,
    select,
    type_coerce,
)
from sqlalchemy import (
    cast as sql_cast,
)
from sqlmodel import SQLModel

from gateway.models import (
    Account,
    CreditPurchase,
    Dispute,
    LedgerCause,
    LedgerDay,
    LedgerEntry,
    Refund,
    table_of,
)
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.halves import Part, parts, whole
from gateway.store.listing import Listing
from gateway.store.relation import Key, Keyed
from gateway.store.rows import Counted, LedgerRow
from gateway.store.selection import Page, Selection
from gateway.store.tenancy import Visible

_ACCOUNT: Final = table_of(Account)
_ENTRY: Final = table_of(LedgerEntry)
_DAY: Final = table_of(LedgerDay)

ORDER: Final = ("recorded_at", "version")
"""By `recorded_at` and `version` of a row's last entry: neither goes back within an account."""


def is_move(entries: FromClause) -> ColumnElement[bool]:
    """Return whether an entry is a row of its own. A literal, so that both databases know by the
    text of a statement that the index of such entries has what it reads.
    """
    return entries.c.cause != literal_column("'USAGE'", String())


def _balance(entries: FromClause, part: Part) -> ColumnElement[int]:
    """Return the running sum of the rows up to an entry that is a row of its own, of one part of
    each amount: it may not fit 64 bits, though every balance does.

    Of the entries up to this one, at version v, it lacks those of later rows: usage of a day that
    continues after v. There is at most one such day, the one around v: no other day has a usage
    entry between the first and last version of a day's entries, because neither `recorded_at` nor a
    zone's dates go back as versions grow. What was used on it before v is what the balance lost
    since the day's first usage, less what all other entries moved: they are few.
    """
    day, moves = _DAY.alias("around"), _ENTRY.alias("moves")
    moved = (
        select(func.coalesce(func.sum(part(moves.c.amount_nanos)), 0))
        .where(
            moves.c.account_id == entries.c.account_id,
            is_move(moves),
            moves.c.recorded_at >= day.c.first_at,
            moves.c.recorded_at <= entries.c.recorded_at,
            moves.c.version > day.c.first_version,
            moves.c.version <= entries.c.version,
        )
        .correlate(entries, day)
        .scalar_subquery()
    )
    running = (
        select(case((day.c.version > entries.c.version, part(day.c.opening_nanos) + moved)))
        .where(day.c.account_id == entries.c.account_id, day.c.first_version < entries.c.version)
        .order_by(day.c.first_version.desc())
        .limit(1)
        .correlate(entries)
        .scalar_subquery()
    )
    return func.coalesce(running, part(entries.c.balance_nanos))


def _whole(entry: LedgerRow) -> LedgerRow:
    """Return a row that is an entry with its balance put together."""
    return whole(entry, "balance_nanos")


def _text(model: type[SQLModel], column: str, entries: FromClause, key: str) -> ColumnElement[str]:
    """Return a text of the purchase, refund or dispute that an entry belongs to."""
    table = table_of(model)
    same = and_(table.c.account_id == entries.c.account_id, table.c.id == entries.c[key])
    return select(table.c[column]).where(same).correlate(entries).scalar_subquery()


def _currency(rows: FromClause) -> ColumnElement[str]:
    of_account = select(_ACCOUNT.c.currency).where(_ACCOUNT.c.account_id == rows.c.account_id)
    return of_account.correlate(rows).scalar_subquery().label("currency")


def _entry_columns(visible: Visible, entries: FromClause) -> Sequence[Expression]:
    """Return the columns of a row that is an entry, for `_whole`."""
    description = case(
        (
            entries.c.cause == LedgerCause.REFUND.value,
            _text(Refund, "reason", entries, "refund_id"),
        ),
        (
            entries.c.cause == LedgerCause.DISPUTE.value,
            _text(Dispute, "reason", entries, "dispute_id"),
        ),
        else_=_text(CreditPurchase, "description", entries, "purchase_id"),
    )
    return [
        entries.c.account_id,
        entries.c.version.label("key"),
        entries.c.version,
        entries.c.recorded_at,
        entries.c.cause,
        type_coerce(null(), Date()).label("day"),
        entries.c.amount_nanos,
        *(
            _balance(entries, part).label(name)
            for name, part in parts(visible.dialect, "balance_nanos").items()
        ),
        func.coalesce(entries.c.description, description).label("description"),
        entries.c.purchase_id,
        entries.c.refund_id,
        entries.c.dispute_id,
        _currency(entries),
    ]


def _day_columns(_: Visible, days: FromClause) -> Sequence[Expression]:
    """Return the columns of a row that is a day's usage. Its balance is that after its last entry:
    no usage of its day is later, and what is earlier stands before it.
    """
    return [
        days.c.account_id,
        days.c.first_version.label("key"),
        days.c.version,
        days.c.recorded_at,
        literal_column(f"'{LedgerCause.USAGE.value}'", String()).label("cause"),
        days.c.day,
        days.c.amount_nanos,
        days.c.balance_nanos,
        sql_cast(null(), String()).label("description"),
        *(sql_cast(null(), BigInteger()).label(name) for name in _REFERENCES),
        _currency(days),
    ]


_REFERENCES: Final = ("purchase_id", "refund_id", "dispute_id")

_ENTRIES: Final = Listing[LedgerRow, Counted](
    _ENTRY,
    scope=("account_id",),
    order=ORDER,
    columns=_entry_columns,
    conditions={"move": is_move, "cause": lambda entries: any_of(entries.c.cause, "cause")},
)
# An account has few days: its are read and put in order without an index, which would have to
# change with every batch of usage.
_DAYS: Final = Listing[LedgerRow, Counted](
    _DAY, scope=("account_id",), order=ORDER, columns=_day_columns
)

Split: TypeAlias = Callable[[Selection], Selection | None]
"""Return the part of a selection with one kind of row; None if empty."""


def _entries_of(selection: Selection) -> Selection | None:
    conditions: list[tuple[str, tuple[str, ...]]] = [("move", ())]
    for name, causes in selection.conditions:
        others = tuple(cause for cause in causes if cause != LedgerCause.USAGE.value)
        if not others:
            return None
        conditions.append((name, others))
    return replace(selection, conditions=tuple(conditions))


def _days_of(selection: Selection) -> Selection | None:
    if any(LedgerCause.USAGE.value not in causes for _, causes in selection.conditions):
        return None
    return replace(selection, conditions=())


_KINDS: Final[Sequence[tuple[Listing[LedgerRow, Counted], Split]]] = (
    (_ENTRIES, _entries_of),
    (_DAYS, _days_of),
)
_place: Final = itemgetter(*ORDER)


class LedgerRows:
    """The rows of accounts' ledgers, read as those of a `Listing`; a selection's only condition is
    `cause`, any of some.

    """

    order: Final = ORDER

    async def fetch_pages(
        self, reader: Reader, principal: Principal, pages: Sequence[Page]
    ) -> list[Sequence[LedgerRow]]:
        """Return each page's rows, from the end at which it begins: two statements for all pages of
        one direction, limit and causes.
        """
        found: list[list[LedgerRow]] = [[] for _ in pages]
        for listing, split in _KINDS:
            mine = _mine((page.selection for page in pages), split)
            wanted = [replace(pages[index], selection=part) for index, part in mine]
            parts = await listing.fetch_pages(reader, principal, wanted)
            for (index, _), rows in zip(mine, parts, strict=True):
                found[index] += map(_whole, rows)
        return [
            sorted(rows, key=_place, reverse=not page.ascending)[: page.limit]
            for page, rows in zip(pages, found, strict=True)
        ]

    async def fetch_totals(
        self, reader: Reader, principal: Principal, selections: Sequence[Selection]
    ) -> list[Counted]:
        """Return each selection's `total_count`: two statements for all of the same causes."""
        counts = [0] * len(selections)
        for listing, split in _KINDS:
            mine = _mine(selections, split)
            totals = await listing.fetch_totals(reader, principal, [part for _, part in mine])
            for (index, _), row in zip(mine, totals, strict=True):
                counts[index] += row["total_count"]
        return [{"total_count": count} for count in counts]

    async def chunks(
        self, stream: Stream, principal: Principal, selection: Selection, size: int
    ) -> AsyncGenerator[Chunk[LedgerRow]]:
        """Yield a selection's rows in order; days are kept in memory, as there are few."""
        days: list[LedgerRow] = []
        if (of_days := _days_of(selection)) is not None:
            async with aclosing(_DAYS.chunks(stream, principal, of_days, size)) as chunks:
                async for chunk in chunks:
                    days += chunk.rows()
        if (of_entries := _entries_of(selection)) is not None:
            async with aclosing(_ENTRIES.chunks(stream, principal, of_entries, size)) as chunks:
                async for chunk in chunks:
                    entries = [*map(_whole, chunk.rows())]
                    last = _place(entries[-1])
                    count = sum(_place(day) < last for day in days)
                    yield _by_column([*merge(entries, days[:count], key=_place)])
                    del days[:count]
        for start in range(0, len(days), size):
            yield _by_column(days[start : start + size])


def _mine(selections: Iterable[Selection], split: Split) -> list[tuple[int, Selection]]:
    """Return the rows of each selection that are of one kind, with the selection's number."""
    parts = ((index, split(selection)) for index, selection in enumerate(selections))
    return [(index, part) for index, part in parts if part is not None]


def _by_column(rows: Sequence[LedgerRow]) -> Chunk[LedgerRow]:
    cells = cast("Sequence[Mapping[str, object]]", rows)
    return Chunk({name: [row[name] for row in cells] for name in LedgerRow.__annotations__})


LEDGER: Final = LedgerRows()

_ENTRY_BY_VERSION: Final = Keyed[LedgerRow](
    _ENTRY, "account_id", "version", columns=_entry_columns, condition=is_move(_ENTRY)
)
_DAY_BY_VERSION: Final = Keyed[LedgerRow](_DAY, "account_id", "first_version", columns=_day_columns)


async def ledger_rows_by_key(
    reader: Reader, principal: Principal, keys: Sequence[Key]
) -> list[LedgerRow | None]:
    """Return the row of each (account, version of the row's first entry); None for what is no
    row's first entry, or not the principal's. Two statements for a batch.
    """
    entries = await _ENTRY_BY_VERSION.fetch(reader, principal, keys)
    days = await _DAY_BY_VERSION.fetch(reader, principal, keys)
    return [_whole(entry) if entry else day for entry, day in zip(entries, days, strict=True)]
