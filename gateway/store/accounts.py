"""Accounts and their members: making, locking and saving them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Integer, String, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from gateway.models import Account, AccountMember, table_of
from gateway.models.base import Instant
from gateway.store import sellers
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, any_of, batch

ACCOUNT: Final = table_of(Account)
MEMBER: Final = table_of(AccountMember)


class AccountState(NamedTuple):
    """The cells of a locked account that billing changes."""

    account_id: int
    balance_nanos: int
    ledger_version: int
    balance_at: datetime
    deployment_count: int
    revision: int
    low_balance: str | None


def _lock(_dialect: DialectName) -> Any:
    # Rows are locked in the order of their keys, so that two transactions never wait for each
    # other. SQLite has one writer and no row locks: there the clause is not rendered.
    wanted = select(ACCOUNT, sellers.issues_receipts().label("issues_receipts"))
    by_key = wanted.where(any_of(ACCOUNT.c.account_id, "account_ids"))
    return by_key.order_by(ACCOUNT.c.account_id).with_for_update()


_LOCK: Final = Statement(_lock)
_BY_EXTERNAL_ID: Final = Statement(
    select(ACCOUNT).where(any_of(ACCOUNT.c.external_id, "external_ids"))
)
_BY_CUSTOMER: Final = Statement(
    select(ACCOUNT).where(
        ACCOUNT.c.stripe_customer_id == bindparam("stripe_customer_id", type_=String())
    )
)
_WARNED_BY_DAYS: Final = Statement(
    select(ACCOUNT, sellers.issues_receipts().label("issues_receipts"))
    .where(
        ACCOUNT.c.account_id > bindparam("after", type_=BigInteger()),
        ACCOUNT.c.low_balance_days.is_not(None),
    )
    .order_by(ACCOUNT.c.account_id)
    .limit(bindparam("limit", type_=Integer()))
)


def _insert(dialect: DialectName) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    cells = {column.name: bindparam(column.name, type_=column.type) for column in ACCOUNT.columns}
    return insert(ACCOUNT).values(cells).on_conflict_do_nothing(index_elements=["external_id"])


_INSERT: Final = Statement(_insert)


def _save(dialect: DialectName) -> Any:
    columns: dict[str, TypeEngine[Any]] = {
        "account_id": BigInteger(),
        "balance_nanos": BigInteger(),
        "ledger_version": BigInteger(),
        "balance_at": Instant(),
        "deployment_count": Integer(),
        "revision": BigInteger(),
        "low_balance": String(),
    }
    changed = [name for name in columns if name != "account_id"]
    rows = batch(dialect, **columns)
    return (
        update(ACCOUNT)
        .values({name: rows.c[name] for name in changed})
        .where(ACCOUNT.c.account_id == rows.c.account_id)
    )


_SAVE: Final = Statement(_save)


_PAGE: Final = Statement(
    select(ACCOUNT)
    .where(ACCOUNT.c.account_id > bindparam("after", type_=BigInteger()))
    .order_by(ACCOUNT.c.account_id)
    .limit(bindparam("limit", type_=Integer()))
)

_REVISIONS: Final = Statement(
    select(ACCOUNT.c.account_id, ACCOUNT.c.revision).where(
        any_of(ACCOUNT.c.account_id, "account_ids")
    )
)


async def lock(transaction: Transaction, account_ids: Sequence[int]) -> Sequence[Row]:
    """Lock accounts until the transaction ends and return their rows, with `issues_receipts`:
    whether a purchase that settles now has a receipt.
    """
    return await transaction.fetch(_LOCK, account_ids=list(account_ids))


async def by_external_id(reader: Reader, external_ids: Sequence[str]) -> Sequence[Row]:
    """Return the accounts that the platform calls so (for the platform alone: no tenant filter)."""
    return await reader.fetch(_BY_EXTERNAL_ID, external_ids=list(external_ids))


async def by_customer(reader: Reader, stripe_customer_id: str) -> Sequence[Row]:
    """Return the account of a Stripe customer, or None (without a tenant filter)."""
    return await reader.fetch(_BY_CUSTOMER, stripe_customer_id=stripe_customer_id)


async def list_page(reader: Reader, *, after: int, limit: int) -> Sequence[Row]:
    """Return accounts, oldest first, after a key (no tenant filter either)."""
    return await reader.fetch(_PAGE, after=after, limit=limit)


async def warned_by_days(reader: Reader, *, after: int, limit: int) -> Sequence[Row]:
    """Return accounts with a threshold in days, the first after a key (no tenant filter either)."""
    return await reader.fetch(_WARNED_BY_DAYS, after=after, limit=limit)


async def insert(transaction: Transaction, row: dict[str, Any]) -> None:
    """Add an account; an existing account with the external id stays unchanged."""
    await transaction.execute(_INSERT, **row)


async def save(transaction: Transaction, states: Sequence[AccountState]) -> None:
    """Write the states of locked accounts."""
    if states:
        columns = map(list, zip(*states, strict=True))
        cells = dict(zip(AccountState._fields, columns, strict=True))
        await transaction.execute(_SAVE, **cells)


_CHANGE: Final = Statement(
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(
        name=bindparam("name", type_=String()),
        currency=bindparam("currency", type_=String()),
        time_zone=bindparam("time_zone", type_=String()),
        stripe_customer_id=bindparam("stripe_customer_id", type_=String()),
    )
)
_SET_THRESHOLDS: Final = Statement(
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(
        low_balance_nanos=bindparam("nanos", type_=BigInteger()),
        low_balance_days=bindparam("days", type_=Integer()),
    )
)
_REMOVE_MEMBERS: Final = Statement(
    delete(MEMBER).where(MEMBER.c.account_id == bindparam("account_id", type_=BigInteger()))
)


async def change(transaction: Transaction, account_id: int, **columns: Any) -> None:
    """Replace an account's details, except for its low-balance thresholds."""
    await transaction.execute(_CHANGE, key=account_id, **columns)


async def set_thresholds(
    transaction: Transaction, account_id: int, nanos: int | None, days: int | None
) -> None:
    """Replace an account's low-balance thresholds."""
    await transaction.execute(_SET_THRESHOLDS, key=account_id, nanos=nanos, days=days)


async def replace_members(
    transaction: Transaction, account_id: int, members: Sequence[tuple[str, str]], at: Any
) -> None:
    """Make (subject, role) the account's only members."""
    await transaction.execute(_REMOVE_MEMBERS, account_id=account_id)
    columns = ("account_id", "subject", "role", "created_at")
    rows = [(account_id, subject, role, at) for subject, role in members]
    await transaction.insert(MEMBER, columns, rows)


async def revisions(reader: Reader, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return the accounts' revisions, for the process itself: no tenant filter."""
    rows = await reader.fetch(_REVISIONS, account_ids=list(account_ids))
    return {row["account_id"]: row["revision"] for row in rows}
