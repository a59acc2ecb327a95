"""Saved views: a person's own in an account."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypedDict, cast

from sqlalchemy import BigInteger, and_, bindparam, delete, func, select
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import String

from gateway.models import SavedView, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Upsert
from gateway.store.relation import Key, by_position, one_by_position
from gateway.store.tenancy import Scoped, Visible

_VIEW: Final = table_of(SavedView)


class SavedViewRow(TypedDict):
    """A row of `saved_view`."""

    account_id: int
    id: int
    subject: str
    name: str
    interval: str | None
    range: str | None
    from_on: date | None
    to_on: date | None
    time_zone: str | None
    filter: str | None
    group_by: str | None
    then_by: str | None
    created_at: datetime
    updated_at: datetime


class SavedViewCells(NamedTuple):
    """A saved view's cells."""

    account_id: int
    id: int
    subject: str
    name: str
    interval: str | None
    range: str | None
    from_on: date | None
    to_on: date | None
    time_zone: str | None
    filter: str | None
    group_by: str | None
    then_by: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def row(self) -> SavedViewRow:
        """The cells as they are read."""
        return cast("SavedViewRow", self._asdict())


def cells_of(row: SavedViewRow) -> SavedViewCells:
    """Return the cells of a row that was read."""
    cells: Mapping[str, object] = row
    return SavedViewCells._make(cells[name] for name in SavedViewCells._fields)


def _of_accounts(visible: Visible) -> Query:
    keys = visible.of(batch(visible.dialect, account_id=BigInteger()))
    return (
        select(*_VIEW.c, keys.c.n)
        .join_from(keys, _VIEW, _VIEW.c.account_id == keys.c.account_id)
        .where(visible.own(_VIEW.c.subject))
    )


def _by_id(visible: Visible) -> Query:
    keys = visible.of(batch(visible.dialect, account_id=BigInteger(), id=BigInteger()))
    found = and_(_VIEW.c.account_id == keys.c.account_id, _VIEW.c.id == keys.c.id)
    return (
        select(*_VIEW.c, keys.c.n).join_from(keys, _VIEW, found).where(visible.own(_VIEW.c.subject))
    )


def _delete(visible: Visible) -> ClauseElement:
    return (
        delete(_VIEW)
        .where(
            _VIEW.c.account_id == bindparam("account_id", type_=BigInteger()),
            _VIEW.c.id == bindparam("id", type_=BigInteger()),
            visible(_VIEW.c.account_id),
            visible.own(_VIEW.c.subject),
        )
        .returning(*_VIEW.c)
    )


_OF_ACCOUNTS: Final = Scoped[SavedViewRow](_of_accounts)
_BY_ID: Final = Scoped[SavedViewRow](_by_id)
_DELETE: Final = Scoped[SavedViewRow](_delete)
_SAVE: Final = Upsert(_VIEW, SavedViewCells, kept=("subject", "created_at"))
_LOCK: Final = Statement[None](
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=String()), 0)))
)


async def views_by_account(
    reader: Reader, principal: Principal, account_ids: Sequence[int]
) -> list[list[SavedViewRow]]:
    """Return the principal's views of each account, by name without regard to case; an API key has
    none.
    """
    rows = await _OF_ACCOUNTS.fetch(reader, principal, account_id=list(account_ids))
    return [
        sorted(views, key=lambda view: (view["name"].casefold(), view["name"]))
        for views in by_position(rows, len(account_ids))
    ]


async def views_by_id(
    reader: Reader, principal: Principal, keys: Sequence[Key]
) -> list[SavedViewRow | None]:
    """Return the view of each (account, id); None for any that is not the principal's own."""
    accounts, ids = zip(*keys, strict=True)
    rows = await _BY_ID.fetch(reader, principal, account_id=list(accounts), id=list(ids))
    return one_by_position(rows, len(keys))


async def lock(transaction: Transaction, account_id: int, subject: str) -> None:
    """Wait for other transactions that write a person's views of an account. SQLite has one writer
    anyway.
    """
    if transaction.dialect == "postgresql":
        await transaction.fetch(_LOCK, name=f"saved_view {account_id} {subject}")


async def save(transaction: Transaction, view: SavedViewCells) -> None:
    """Insert a view, or change one; the caller has found that it is the principal's own."""
    await transaction.upsert(_SAVE, [view])


async def remove(
    transaction: Transaction, principal: Principal, account_id: int, key: int
) -> SavedViewRow | None:
    """Delete a view and return it; None for one that is not the principal's own."""
    rows = await _DELETE.fetch(transaction, principal, account_id=account_id, id=key)
    return rows[0] if rows else None
