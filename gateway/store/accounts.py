"""Accounts and their members: made, locked, saved and listed. For the platform and the process
itself: no statement here has a tenant filter.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, Integer, String, Text, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from gateway.models import Account, AccountMember, table_of
from gateway.principal import Role
from gateway.store import sellers
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of, batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert, Upsert, columns_of
from gateway.store.rows import AccountRow, LockedAccount, MemberRow

ACCOUNT: Final = table_of(Account)
MEMBER: Final = table_of(AccountMember)


class NewAccount(NamedTuple):
    """An account's cells."""

    account_id: int
    external_id: str
    name: str
    currency: str
    time_zone: str
    receipt_prefix: str
    stripe_customer_id: str | None
    balance_nanos: int
    ledger_version: int
    balance_at: datetime
    low_balance: str | None
    low_balance_nanos: int | None
    low_balance_days: int | None
    deployment_count: int
    revision: int
    created_at: datetime
    billing: str | None
    pending_time_zone: str | None = None


class AccountState(NamedTuple):
    """The cells of a locked account that a transaction writes."""

    account_id: int
    balance_nanos: int
    ledger_version: int
    balance_at: datetime
    deployment_count: int
    revision: int
    low_balance: str | None


class AccountChange(NamedTuple):
    """Facts of an account that the platform changes."""

    name: str
    currency: str
    stripe_customer_id: str | None
    billing: str | None


class MemberCells(NamedTuple):
    """A member's cells."""

    account_id: int
    subject: str
    role: str
    created_at: datetime


class _Revision(TypedDict):
    account_id: int
    revision: int


class _Role(TypedDict):
    role: str


class _RoleIn(TypedDict):
    account_id: int
    role: str


def _lock(_: DialectName) -> Query:
    # Rows are locked in the order of their keys, so that two transactions never wait for each
    # other. SQLite has one writer and no row locks: there the clause is not rendered.
    wanted = select(ACCOUNT, sellers.issues_receipts().label("issues_receipts"))
    by_key = wanted.where(any_of(ACCOUNT.c.account_id, "account_ids"))
    return by_key.order_by(ACCOUNT.c.account_id).with_for_update()


_LOCK: Final = Statement[LockedAccount](_lock)
_BY_EXTERNAL_ID: Final = Statement[AccountRow](
    select(ACCOUNT).where(any_of(ACCOUNT.c.external_id, "external_ids"))
)
_BY_CUSTOMER: Final = Statement[AccountRow](
    select(ACCOUNT).where(
        ACCOUNT.c.stripe_customer_id == bindparam("stripe_customer_id", type_=String())
    )
)
_WARNED_BY_DAYS: Final = Statement[LockedAccount](
    select(ACCOUNT, sellers.issues_receipts().label("issues_receipts"))
    .where(
        ACCOUNT.c.account_id > bindparam("after", type_=BigInteger()),
        ACCOUNT.c.low_balance_days.is_not(None),
    )
    .order_by(ACCOUNT.c.account_id)
    .limit(bindparam("limit", type_=Integer()))
)


def _insert(dialect: DialectName) -> ClauseElement:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    cells = {name: bindparam(name, type_=ACCOUNT.c[name].type) for name in NewAccount._fields}
    return insert(ACCOUNT).values(cells).on_conflict_do_nothing(index_elements=["external_id"])


_INSERT: Final = Statement[None](_insert)


def _save(dialect: DialectName) -> ClauseElement:
    rows = batch(dialect, **{name: ACCOUNT.c[name].type for name in AccountState._fields})
    changed = [name for name in AccountState._fields if name != "account_id"]
    return (
        update(ACCOUNT)
        .values({name: rows.c[name] for name in changed})
        .where(ACCOUNT.c.account_id == rows.c.account_id)
    )


_SAVE: Final = Statement[None](_save)


_PAGE: Final = Statement[AccountRow](
    select(ACCOUNT)
    .where(ACCOUNT.c.account_id > bindparam("after", type_=BigInteger()))
    .order_by(ACCOUNT.c.account_id)
    .limit(bindparam("limit", type_=Integer()))
)


async def lock(transaction: Transaction, account_ids: Sequence[int]) -> Sequence[LockedAccount]:
    """Lock accounts until the transaction ends and return their rows."""
    return await transaction.fetch(_LOCK, account_ids=list(account_ids))


async def by_external_id(reader: Reader, external_ids: Sequence[str]) -> Sequence[AccountRow]:
    """Return the accounts with external ids."""
    return await reader.fetch(_BY_EXTERNAL_ID, external_ids=list(external_ids))


async def by_customer(reader: Reader, stripe_customer_id: str) -> Sequence[AccountRow]:
    """Return the account of a Stripe customer, if there is one."""
    return await reader.fetch(_BY_CUSTOMER, stripe_customer_id=stripe_customer_id)


async def list_page(reader: Reader, *, after: int, limit: int) -> Sequence[AccountRow]:
    """Return accounts, oldest first, after a key."""
    return await reader.fetch(_PAGE, after=after, limit=limit)


async def warned_by_days(reader: Reader, *, after: int, limit: int) -> Sequence[LockedAccount]:
    """Return accounts with a threshold in days, the first after a key."""
    return await reader.fetch(_WARNED_BY_DAYS, after=after, limit=limit)


async def insert(transaction: Transaction, account: NewAccount) -> None:
    """Add an account; an existing account with the external id stays unchanged."""
    await transaction.execute(_INSERT, **account._asdict())


async def save(transaction: Transaction, states: Sequence[AccountState]) -> None:
    """Write the state of locked accounts."""
    if states:
        await transaction.execute(_SAVE, **columns_of(states))


_CHANGE: Final = Statement[None](
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(
        name=bindparam("name", type_=String()),
        currency=bindparam("currency", type_=String()),
        stripe_customer_id=bindparam("stripe_customer_id", type_=String()),
        billing=bindparam("billing", type_=Text()),
    )
)
_SET_ZONE: Final = Statement[None](
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(time_zone=bindparam("zone", type_=String()))
)
_SET_PENDING_ZONE: Final = Statement[None](
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(pending_time_zone=bindparam("zone", type_=String()))
)
_SET_THRESHOLDS: Final = Statement[None](
    update(ACCOUNT)
    .where(ACCOUNT.c.account_id == bindparam("key", type_=BigInteger()))
    .values(
        low_balance_nanos=bindparam("nanos", type_=BigInteger()),
        low_balance_days=bindparam("days", type_=Integer()),
    )
)
_REVISIONS: Final = Statement[_Revision](
    select(ACCOUNT.c.account_id, ACCOUNT.c.revision).where(
        any_of(ACCOUNT.c.account_id, "account_ids")
    )
)
_OF_ACCOUNT: Final = MEMBER.c.account_id == bindparam("of_account", type_=BigInteger())
_ADD_MEMBERS: Final = Insert(MEMBER, MemberCells)
_PUT_MEMBER: Final = Upsert(MEMBER, MemberCells, kept=("created_at",))
_MEMBERS: Final = Statement[MemberRow](select(MEMBER).where(_OF_ACCOUNT).order_by(MEMBER.c.subject))
_MEMBER_PAGE: Final = Statement[MemberRow](
    select(MEMBER)
    .where(_OF_ACCOUNT, MEMBER.c.subject > bindparam("after", type_=String()))
    .order_by(MEMBER.c.subject)
    .limit(bindparam("limit", type_=Integer()))
)
_REMOVE_MEMBERS: Final = Statement[None](delete(MEMBER).where(_OF_ACCOUNT))
_OF_SUBJECT: Final = MEMBER.c.subject == bindparam("of_subject", type_=String())
_REMOVE_MEMBER: Final = Statement[_Role](
    delete(MEMBER).where(_OF_ACCOUNT, _OF_SUBJECT).returning(MEMBER.c.role)
)
_ROLES_OF: Final = Statement[_RoleIn](
    select(MEMBER.c.account_id, MEMBER.c.role).where(
        any_of(MEMBER.c.account_id, "account_ids"), _OF_SUBJECT
    )
)


async def change(transaction: Transaction, account_id: int, facts: AccountChange) -> None:
    """Replace an account's facts, but not its time zone and its low-balance thresholds."""
    await transaction.execute(_CHANGE, key=account_id, **facts._asdict())


async def set_zone(transaction: Transaction, account_id: int, time_zone: str) -> None:
    """Set an account's time zone, which its daily roll-ups have; no other one is pending then."""
    await transaction.execute(_SET_ZONE, key=account_id, zone=time_zone)


async def set_pending_zone(
    transaction: Transaction, account_id: int, time_zone: str | None
) -> None:
    """Set the time zone that an account's roll-ups are being prepared for; None for none."""
    await transaction.execute(_SET_PENDING_ZONE, key=account_id, zone=time_zone)


async def set_thresholds(
    transaction: Transaction, account_id: int, nanos: int | None, days: int | None
) -> None:
    """Replace an account's low-balance thresholds."""
    await transaction.execute(_SET_THRESHOLDS, key=account_id, nanos=nanos, days=days)


async def replace_members(
    transaction: Transaction, account_id: int, members: Mapping[str, Role], at: datetime
) -> None:
    """Make the account's only members these subjects, with their roles."""
    await transaction.execute(_REMOVE_MEMBERS, of_account=account_id)
    rows = [MemberCells(account_id, subject, role.value, at) for subject, role in members.items()]
    await transaction.insert(_ADD_MEMBERS, rows)


async def put_member(
    transaction: Transaction, account_ids: Sequence[int], subject: str, role: Role, at: datetime
) -> None:
    """Make `subject` a member of the accounts; one who is a member already gets the role."""
    rows = [MemberCells(account_id, subject, role.value, at) for account_id in account_ids]
    await transaction.upsert(_PUT_MEMBER, rows)


async def list_members(reader: Reader, account_id: int) -> Sequence[MemberRow]:
    """Return an account's members in the order of their subjects."""
    return await reader.fetch(_MEMBERS, of_account=account_id)


async def member_page(
    reader: Reader, account_id: int, *, after: str, limit: int
) -> Sequence[MemberRow]:
    """Return a page of an account's members, ordered by subject, after a given subject."""
    return await reader.fetch(_MEMBER_PAGE, of_account=account_id, after=after, limit=limit)


async def remove_member(transaction: Transaction, account_id: int, subject: str) -> Role | None:
    """Remove a member; return the member's role, or None where the subject is no member."""
    removed = await transaction.fetch(_REMOVE_MEMBER, of_account=account_id, of_subject=subject)
    return Role(removed[0]["role"]) if removed else None


async def roles_of(reader: Reader, account_ids: Sequence[int], subject: str) -> Mapping[int, Role]:
    """Return the roles of a subject in those of the accounts that have it as a member."""
    rows = await reader.fetch(_ROLES_OF, account_ids=list(account_ids), of_subject=subject)
    return {row["account_id"]: Role(row["role"]) for row in rows}


async def revisions(reader: Reader, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return the accounts' revisions, which grow with each change that is pushed live."""
    rows = await reader.fetch(_REVISIONS, account_ids=list(account_ids))
    return {row["account_id"]: row["revision"] for row in rows}
