"""Charges of imported cost files, and their corrections."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, Integer, String, and_, bindparam, func, or_, select, update
from sqlalchemy.sql import ClauseElement

from gateway.models import Deployment, ImportedCharge, Instant, LedgerEntry, UsageEvent, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import batch, keys
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.write import Insert
from gateway.store.rows import LedgerEntryRow

CHARGE: Final = table_of(ImportedCharge)
_EVENT: Final = table_of(UsageEvent)
_ENTRY: Final = table_of(LedgerEntry)
_DEPLOYMENT: Final = table_of(Deployment)


class NewCharge(NamedTuple):
    """A charge's cells: it counts until it is taken back."""

    account_id: int
    digest: str
    event_id: str
    is_usage: bool
    issuer: str | None
    billing_account: str | None
    started_at: datetime


class ImportedChargeRow(TypedDict):
    """A charge that counts."""

    account_id: int
    digest: str
    event_id: str
    is_usage: bool
    issuer: str | None
    billing_account: str | None
    started_at: datetime


class CountedCharges(TypedDict):
    """How many charges of a digest count."""

    account_id: int
    digest: str
    issuer: str | None
    billing_account: str | None
    number: int


class ImportedEventRow(TypedDict):
    """A row of `usage_event`, with the name that its meter has for its deployment."""

    account_id: int
    source: str
    event_id: str
    fingerprint: bytes
    deployment_id: int | None
    resource: str
    unit: str
    quantity_nanos: int
    quantity_text: str | None
    amount_nanos: int
    amount_text: str | None
    correction: bool
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    project: str | None
    started_at: datetime
    ended_at: datetime
    received_at: datetime
    ledger_version: int
    deployment: str | None


class _Restatement(TypedDict):
    account_id: int
    number: int | None


class ChargeSpan(NamedTuple):
    """A span of time, both ends inclusive."""

    first: datetime
    last: datetime


class Place(NamedTuple):
    """A charge's place within its account."""

    started_at: datetime
    event_id: str


_COUNTS: Final = CHARGE.c.restated.is_(None)


def _counting(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), digest=String())
    same = and_(CHARGE.c.account_id == wanted.c.account_id, CHARGE.c.digest == wanted.c.digest)
    columns = (CHARGE.c.account_id, CHARGE.c.digest, CHARGE.c.issuer, CHARGE.c.billing_account)
    return (
        select(*columns, func.count().label("number"))
        .select_from(wanted.join(CHARGE, same))
        .where(_COUNTS)
        .group_by(*columns)
    )


def _page() -> Query:
    after, event_id = bindparam("after", type_=Instant()), bindparam("event_id", type_=String())
    return (
        select(*(CHARGE.c[name] for name in NewCharge._fields))
        .where(
            CHARGE.c.account_id == bindparam("account_id", type_=BigInteger()),
            _COUNTS,
            CHARGE.c.started_at >= after,
            CHARGE.c.started_at <= bindparam("last", type_=Instant()),
            or_(CHARGE.c.started_at > after, CHARGE.c.event_id > event_id),
        )
        .order_by(CHARGE.c.started_at, CHARGE.c.event_id)
        .limit(bindparam("limit", type_=Integer()))
    )


def _take_back(dialect: DialectName) -> ClauseElement:
    rows = batch(
        dialect, account_id=BigInteger(), digest=String(), event_id=String(), number=Integer()
    )
    return (
        update(CHARGE)
        .values(restated=rows.c.number)
        .where(*(CHARGE.c[name] == rows.c[name] for name in ("account_id", "digest", "event_id")))
    )


def _usage(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), source=String(), event_id=String())
    same = and_(
        *(_EVENT.c[name] == wanted.c[name] for name in ("account_id", "source", "event_id"))
    )
    of_event = and_(
        _DEPLOYMENT.c.account_id == _EVENT.c.account_id, _DEPLOYMENT.c.id == _EVENT.c.deployment_id
    )
    return select(*_EVENT.c, _DEPLOYMENT.c.external_id.label("deployment")).select_from(
        wanted.join(_EVENT, same).outerjoin(_DEPLOYMENT, of_event)
    )


def _entries(dialect: DialectName) -> Query:
    wanted = batch(dialect, account_id=BigInteger(), source_key=String())
    same = and_(*(_ENTRY.c[name] == wanted.c[name] for name in ("account_id", "source_key")))
    return select(_ENTRY).select_from(wanted.join(_ENTRY, same))


def _restatements() -> Query:
    # The last entry of an index, for each account: an account may have had many rows restated.
    wanted = keys("account_ids")
    of_account = and_(CHARGE.c.account_id == wanted.c.value, CHARGE.c.restated.is_not(None))
    last = select(func.max(CHARGE.c.restated)).where(of_account).scalar_subquery()
    return select(wanted.c.value.label("account_id"), last.label("number")).select_from(wanted)


_ADD: Final = Insert(CHARGE, NewCharge)
_COUNTING: Final = Statement[CountedCharges](_counting)
_PAGE: Final = Statement[ImportedChargeRow](_page())
_TAKE_BACK: Final = Statement[None](_take_back)
_USAGE: Final = Statement[ImportedEventRow](_usage)
_ENTRIES: Final = Statement[LedgerEntryRow](_entries)
_RESTATEMENTS: Final = Statement[_Restatement](_restatements())


async def append(transaction: Transaction, charges: Sequence[NewCharge]) -> None:
    """Add charges that count."""
    await transaction.insert(_ADD, charges)


async def counting(
    reader: Reader, charges: Collection[tuple[int, str]]
) -> Sequence[CountedCharges]:
    """Return the `number` of charges that count for each of (account, digest), by `issuer` and
    `billing_account`.
    """
    wanted = list(dict.fromkeys(charges))
    return await reader.fetch(
        _COUNTING,
        account_id=[account_id for account_id, _ in wanted],
        digest=[digest for _, digest in wanted],
    )


async def page(
    reader: Reader, account_id: int, span: ChargeSpan, after: Place | None, limit: int
) -> Sequence[ImportedChargeRow]:
    """Return an account's charges of a span that count, in the order of their places, the first
    ones after a place.
    """
    start, event_id = after or (span.first, "")
    return await reader.fetch(
        _PAGE, account_id=account_id, after=start, event_id=event_id, last=span.last, limit=limit
    )


async def restatements(reader: Reader, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return how many restatements there were by account, but for those without any."""
    rows = await reader.fetch(_RESTATEMENTS, account_ids=list(account_ids))
    return {row["account_id"]: row["number"] for row in rows if row["number"] is not None}


async def take_back(
    transaction: Transaction, charges: Sequence[ImportedChargeRow], number: int
) -> None:
    """Let charges no longer count, by an account's restatement of this number."""
    await transaction.execute(
        _TAKE_BACK,
        account_id=[charge["account_id"] for charge in charges],
        digest=[charge["digest"] for charge in charges],
        event_id=[charge["event_id"] for charge in charges],
        number=[number] * len(charges),
    )


async def usage(
    reader: Reader, account_id: int, source: str, event_ids: Sequence[str]
) -> Sequence[ImportedEventRow]:
    """Return usage events, each with its deployment's external id as `deployment`."""
    count = len(event_ids)
    return await reader.fetch(
        _USAGE, account_id=[account_id] * count, source=[source] * count, event_id=list(event_ids)
    )


async def entries(
    reader: Reader, account_id: int, source_keys: Sequence[str]
) -> Sequence[LedgerEntryRow]:
    """Return ledger entries by the facts that they come from."""
    return await reader.fetch(
        _ENTRIES, account_id=[account_id] * len(source_keys), source_key=list(source_keys)
    )
