"""Charges of imported cost files: the current ones, and their corrections."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Integer, String, and_, bindparam, func, or_, select, update

from gateway.models import Deployment, ImportedCharge, Instant, LedgerEntry, UsageEvent, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.statement import DialectName, Row, Statement, batch, keys

CHARGE: Final = table_of(ImportedCharge)
_EVENT: Final = table_of(UsageEvent)
_ENTRY: Final = table_of(LedgerEntry)
_DEPLOYMENT: Final = table_of(Deployment)


class NewCharge(NamedTuple):
    """An imported charge that counts: its digest in hexadecimal, and its event's id."""

    account_id: int
    digest: str
    event_id: str
    is_usage: bool
    issuer: str
    billing_account: str
    started_at: datetime


Span = tuple[datetime, datetime]
"""first and last instant, both inclusive"""

Place = tuple[datetime, str]
"""A charge's place within its account: when it starts, and its event's id."""

_COUNTS: Final = CHARGE.c.restated.is_(None)


def _counting(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), digest=String())
    same = and_(CHARGE.c.account_id == wanted.c.account_id, CHARGE.c.digest == wanted.c.digest)
    columns = (CHARGE.c.account_id, CHARGE.c.digest, CHARGE.c.issuer, CHARGE.c.billing_account)
    return (
        select(*columns, func.count().label("number"))
        .select_from(wanted.join(CHARGE, same))
        .where(_COUNTS)
        .group_by(*columns)
    )


def _page() -> Any:
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


def _take_back(dialect: DialectName) -> Any:
    rows = batch(
        dialect, account_id=BigInteger(), digest=String(), event_id=String(), number=Integer()
    )
    return (
        update(CHARGE)
        .values(restated=rows.c.number)
        .where(*(CHARGE.c[name] == rows.c[name] for name in ("account_id", "digest", "event_id")))
    )


def _usage(dialect: DialectName) -> Any:
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


def _entries(dialect: DialectName) -> Any:
    wanted = batch(dialect, account_id=BigInteger(), source_key=String())
    same = and_(*(_ENTRY.c[name] == wanted.c[name] for name in ("account_id", "source_key")))
    return select(_ENTRY).select_from(wanted.join(_ENTRY, same))


def _restatements() -> Any:
    # The last entry of an index, for each account: an account may have had many rows restated.
    wanted = keys("account_ids")
    of_account = and_(CHARGE.c.account_id == wanted.c.value, CHARGE.c.restated.is_not(None))
    last = select(func.max(CHARGE.c.restated)).where(of_account).scalar_subquery()
    return select(wanted.c.value.label("account_id"), last.label("number")).select_from(wanted)


_COUNTING: Final = Statement(_counting)
_PAGE: Final = Statement(_page())
_TAKE_BACK: Final = Statement(_take_back)
_USAGE: Final = Statement(_usage)
_ENTRIES: Final = Statement(_entries)
_RESTATEMENTS: Final = Statement(_restatements())


async def append(transaction: Transaction, charges: Sequence[NewCharge]) -> None:
    """Add charges that count."""
    await transaction.insert(CHARGE, NewCharge._fields, charges)


async def counting(reader: Reader, charges: Collection[tuple[int, str]]) -> Sequence[Row]:
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
    reader: Reader, account_id: int, span: Span, after: Place | None, limit: int
) -> Sequence[Row]:
    """Return an account's charges of a span that count, in the order of their places, the first
    ones after a place.
    """
    start, event_id = after or (span[0], "")
    return await reader.fetch(
        _PAGE, account_id=account_id, after=start, event_id=event_id, last=span[1], limit=limit
    )


async def restatements(reader: Reader, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return how many restatements there were by account, but for those without any."""
    rows = await reader.fetch(_RESTATEMENTS, account_ids=list(account_ids))
    return {row["account_id"]: row["number"] for row in rows if row["number"] is not None}


async def take_back(transaction: Transaction, charges: Sequence[Row], number: int) -> None:
    """Let charges no longer count, by an account's restatement of this number."""
    await transaction.execute(
        _TAKE_BACK,
        **{
            name: [charge[name] for charge in charges]
            for name in ("account_id", "digest", "event_id")
        },
        number=[number] * len(charges),
    )


async def usage(
    reader: Reader, account_id: int, source: str, event_ids: Sequence[str]
) -> Sequence[Row]:
    """Return usage events, each with its deployment's external id as `deployment`."""
    count = len(event_ids)
    return await reader.fetch(
        _USAGE, account_id=[account_id] * count, source=[source] * count, event_id=list(event_ids)
    )


async def entries(reader: Reader, account_id: int, source_keys: Sequence[str]) -> Sequence[Row]:
    """Return ledger entries by the facts that they come from."""
    return await reader.fetch(
        _ENTRIES, account_id=[account_id] * len(source_keys), source_key=list(source_keys)
    )
