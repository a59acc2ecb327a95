"""Monthly statements: issued, found by number, listed, and the accounts that lack one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, NotRequired, TypedDict, cast

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
)

from gateway.models import Account, Instant, Job, LedgerEntry, MonthlyStatement, table_of
from gateway.principal import Principal
from gateway.store import sellers
from gateway.store.buyers import Buyer
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stored_json import loads
from gateway.store.engine.write import Insert
from gateway.store.listing import Listing
from gateway.store.purchase_relations import all_but_data
from gateway.store.relation import Keyed
from gateway.store.rows import Counted, StatementRow
from gateway.store.taxes import PrintedTax
from gateway.store.tenancy import Scoped, Visible

STATEMENT: Final = table_of(MonthlyStatement)
_ACCOUNT: Final = table_of(Account)
_ENTRY: Final = table_of(LedgerEntry)
_JOB: Final = table_of(Job)


class IssuedStatement(NamedTuple):
    """A statement's cells; `data` is what its document is printed from, as JSON."""

    account_id: int
    id: int
    number: str
    month: str
    first_version: int
    last_version: int
    currency: str
    opening_nanos: int
    closing_nanos: int
    ended_at: datetime
    issued_at: datetime
    data: str
    seller_id: int | None = None


class StatementMovement(TypedDict):
    """A movement of the balance: its cause, the kind and description of its purchase, the number of
    its receipt or credit note, and an exact decimal.
    """

    cause: str
    kind: NotRequired[str]
    description: NotRequired[str]
    document: NotRequired[str]
    amount: str


class StatementDay(TypedDict):
    """The movements that were recorded on a day of the account's zone, and the balance after."""

    date: str
    movements: list[StatementMovement]
    balance: str


class StatementResource(TypedDict):
    """The usage of a resource: exact decimals."""

    resource: str
    unit: str
    quantity: str
    spent: str


class StatementDeployment(TypedDict):
    """The usage of a deployment (null: of none) for a project (null: for none)."""

    project: str | None
    deployment: str | None
    externalId: str | None
    spent: str
    resources: list[StatementResource]


class StatementUsage(TypedDict):
    """The usage of a part: `MONTH` began in the month, `EARLIER` and `LATER` before and after."""

    part: str
    spent: str
    deployments: list[StatementDeployment]


class StatementData(TypedDict):
    """The data that a statement is printed from: instants are ISO 8601, dates too, amounts exact
    decimals. `usageShown` is the spend that the Usage tab showed for the month at issue.
    """

    format: int
    number: str
    month: str
    issuedAt: str
    timeZone: str
    currency: str
    buyer: Buyer
    opening: str
    days: list[StatementDay]
    closing: str
    usage: list[StatementUsage]
    usageShown: str
    taxes: list[PrintedTax]


def parse_statement(data: str) -> StatementData:
    """Return the content of a statement's `data`."""
    return cast("StatementData", loads(data))


class StatementDocumentRow(TypedDict):
    """The principal's role in the account of a statement's number, and what its document is printed
    from: null where there is no such statement.
    """

    role: str
    data: str | None
    seller_id: int | None


class LastStatement(TypedDict):
    """The end of an account's chain of statements."""

    month: str
    last_version: int
    closing_nanos: int


class DueZone(NamedTuple):
    """A zone, its latest month that has ended, and when that was."""

    time_zone: str
    month: str
    ends_at: datetime


class _Zone(TypedDict):
    time_zone: str


class _AccountId(TypedDict):
    account_id: int


STATEMENTS: Final = Listing[StatementRow, Counted](
    STATEMENT, scope=("account_id",), order=("ended_at", "id"), columns=all_but_data
)
STATEMENT_BY_ID: Final = Keyed[StatementRow](STATEMENT, "account_id", "id", columns=all_but_data)


def _document(visible: Visible) -> Query:
    """Select the account with this receipt prefix, and the data of one of its statements."""
    key = _ACCOUNT.c.account_id
    return (
        select(visible.role(key).label("role"), STATEMENT.c.data, STATEMENT.c.seller_id)
        .select_from(_ACCOUNT)
        .outerjoin(
            STATEMENT,
            and_(
                STATEMENT.c.account_id == key,
                STATEMENT.c.number == bindparam("number", type_=String()),
            ),
        )
        .where(visible(key), _ACCOUNT.c.receipt_prefix == bindparam("prefix", type_=String()))
    )


def _of_last(column: str) -> ColumnElement[int]:
    """Return a column of the account's last statement, 0 without one."""
    last = (
        select(STATEMENT.c[column])
        .where(STATEMENT.c.account_id == _ACCOUNT.c.account_id)
        .order_by(STATEMENT.c.month.desc())
        .limit(1)
        .correlate(_ACCOUNT)
        .scalar_subquery()
    )
    return func.coalesce(last, 0)


def _due(dialect: DialectName) -> Query:
    """Select accounts without the statement of their zone's last month and without a job for it.
    The balance was not 0, or the ledger moved before the month's end.
    """
    zones = batch(dialect, time_zone=String(), month=String(), ends_at=Instant())
    key = _ACCOUNT.c.account_id
    is_stated = exists().where(STATEMENT.c.account_id == key, STATEMENT.c.month >= zones.c.month)
    has_moved = exists().where(
        _ENTRY.c.account_id == key,
        _ENTRY.c.version == _of_last("last_version") + 1,
        _ENTRY.c.recorded_at < zones.c.ends_at,
    )
    has_job = exists().where(
        _JOB.c.account_id == key, _JOB.c.task == bindparam("task", type_=String())
    )
    return (
        select(key)
        .join_from(_ACCOUNT, zones, zones.c.time_zone == _ACCOUNT.c.time_zone)
        .where(
            key > bindparam("after", type_=BigInteger()),
            _ACCOUNT.c.ledger_version > 0,
            ~is_stated,
            or_(_of_last("closing_nanos") != 0, has_moved),
            ~has_job,
        )
        .order_by(key)
        .limit(bindparam("limit", type_=Integer()))
    )


_OF_ACCOUNT: Final = bindparam("account_id", type_=BigInteger())
_DOCUMENT: Final = Scoped[StatementDocumentRow](_document)
_LAST: Final = Statement[LastStatement](
    select(STATEMENT.c.month, STATEMENT.c.last_version, STATEMENT.c.closing_nanos)
    .where(STATEMENT.c.account_id == _OF_ACCOUNT)
    .order_by(STATEMENT.c.month.desc())
    .limit(1)
)
_ZONES: Final = Statement[_Zone](select(_ACCOUNT.c.time_zone).distinct())
_DUE: Final = Statement[_AccountId](_due)
_ADD: Final = Insert(STATEMENT, IssuedStatement)


async def last(reader: Reader, account_id: int) -> LastStatement | None:
    """Return the account's last statement."""
    rows = await reader.fetch(_LAST, account_id=account_id)
    return rows[0] if rows else None


async def time_zones(reader: Reader) -> list[str]:
    """Return the zones that accounts have."""
    return [row["time_zone"] for row in await reader.fetch(_ZONES)]


async def due(
    reader: Reader, zones: Sequence[DueZone], *, task: str, after: int, limit: int
) -> list[int]:
    """Return accounts that lack a statement and have no job of a task, the first after a key."""
    named = dict(zip(DueZone._fields, map(list, zip(*zones, strict=True)), strict=True))
    rows = await reader.fetch(_DUE, **named, task=task, after=after, limit=limit)
    return [row["account_id"] for row in rows]


async def append(transaction: Transaction, statement: IssuedStatement) -> None:
    """Add a statement, issued by the current seller."""
    seller_id = await sellers.newest_id(transaction)
    await transaction.insert(_ADD, [statement._replace(seller_id=seller_id)])


async def find_document(
    reader: Reader, principal: Principal, prefix: str, number: str
) -> StatementDocumentRow | None:
    """Return the statement of a number in the account of a prefix; None where the principal may not
    read the account.
    """
    rows = await _DOCUMENT.fetch(reader, principal, prefix=prefix, number=number)
    return rows[0] if rows else None
