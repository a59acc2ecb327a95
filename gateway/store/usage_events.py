"""Usage events: finds the recorded events of a batch and adds the new ones."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    String,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import Instant, UsageEvent, table_of
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of, batch
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement
from gateway.store.engine.stored_json import dumps
from gateway.store.engine.write import Insert

EVENT: Final = table_of(UsageEvent)


class UsageEventCells(NamedTuple):
    """A usage event's cells."""

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
    started_at: datetime
    ended_at: datetime
    project: str | None
    received_at: datetime
    ledger_version: int


class ChargedPlace(NamedTuple):
    """The key of a day's summed charges; `begins` is the day's first instant, and
    `deployment_id` is 0 for none.
    """

    account_id: int
    begins: datetime
    source: str
    deployment_id: int
    resource: str


class _FoundEvent(TypedDict):
    account_id: int
    source: str
    event_id: str
    fingerprint: bytes


class _Latest(TypedDict):
    started_at: datetime


class _Charged(TypedDict):
    account_id: int
    begins: datetime
    source: str
    deployment_id: int
    resource: str
    high: int
    low: int


_ADD: Final = Insert(EVENT, UsageEventCells)

EventKey = tuple[int, str, str]
"""account, source, event id"""

_FOUND: Final = (EVENT.c.account_id, EVENT.c.source, EVENT.c.event_id, EVENT.c.fingerprint)


def _known(dialect: DialectName) -> Query:
    # A row for each meter, with its events as one JSON list: cheaper than an array for each column.
    meters = batch(dialect, account_id=BigInteger(), source=String(), event_ids=Text())
    of_meter = and_(EVENT.c.account_id == meters.c.account_id, EVENT.c.source == meters.c.source)
    if dialect == "sqlite":
        each = func.json_each(meters.c.event_ids).table_valued("value", name="each_id")
        wanted = EVENT.c.event_id.in_(select(each.c.value).correlate(meters))
        return select(*_FOUND).select_from(meters.join(EVENT, and_(of_meter, wanted)))
    items = func.jsonb_array_elements_text(cast(meters.c.event_ids, JSONB))
    each = items.table_valued(column("value", String())).render_derived(name="each_id")
    # The first event from there on, which is it or is not: that order and limit hold Postgres to a
    # look-up by the primary key for each event. Without statistics, as in a new table, it would
    # else read all of an account's events, for each.
    event = (
        select(*_FOUND)
        .where(of_meter, EVENT.c.event_id >= each.c.value)
        .order_by(EVENT.c.event_id)
        .limit(1)
        .lateral("event")
    )
    found = meters.join(each, true()).join(event, event.c.event_id == each.c.value)
    return select(event).select_from(found)


_KNOWN: Final = Statement[_FoundEvent](_known)
_LATEST: Final = Statement[_Latest](
    select(EVENT.c.started_at)
    .where(
        EVENT.c.account_id == bindparam("account_id", type_=BigInteger()),
        EVENT.c.source == bindparam("source", type_=String()),
    )
    .order_by(EVENT.c.started_at.desc())
    .limit(1)
)


_HALF: Final = 2**32
_DAY: Final = timedelta(days=1)


def _charged(dialect: DialectName) -> Query:
    days = batch(dialect, account_id=BigInteger(), begins=Instant(), ends=Instant())
    of_day = and_(
        EVENT.c.account_id == days.c.account_id,
        EVENT.c.started_at >= days.c.begins,
        EVENT.c.started_at < days.c.ends,
    )
    deployment_id = func.coalesce(EVENT.c.deployment_id, 0)
    place = (
        days.c.account_id,
        days.c.begins,
        EVENT.c.source,
        deployment_id.label("deployment_id"),
        EVENT.c.resource,
    )
    # In two halves, which no number of events makes too large for 64 bits.
    low = EVENT.c.amount_nanos % _HALF
    high = cast((EVENT.c.amount_nanos - low) / _HALF, BigInteger)
    return (
        select(
            *place,
            cast(func.sum(high), BigInteger).label("high"),
            cast(func.sum(low), BigInteger).label("low"),
        )
        .select_from(days.join(EVENT, of_day))
        .where(any_of(deployment_id, "deployment_ids"))
        .group_by(*place)
    )


_CHARGED: Final = Statement[_Charged](_charged)


async def charged(
    reader: Reader, days: Collection[tuple[int, datetime]], *, deployment_ids: Sequence[int]
) -> dict[ChargedPlace, int]:
    """Return the nanos of the events that start within a day of an instant of an account, for these
    deployments (0 for none).
    """
    accounts, begins = zip(*sorted(days), strict=True)
    rows = await reader.fetch(
        _CHARGED,
        account_id=list(accounts),
        begins=list(begins),
        ends=[each + _DAY for each in begins],
        deployment_ids=list(deployment_ids),
    )
    return {
        ChargedPlace(
            row["account_id"], row["begins"], row["source"], row["deployment_id"], row["resource"]
        ): row["high"] * _HALF + row["low"]
        for row in rows
    }


async def known(transaction: Transaction, keys: Iterable[EventKey]) -> dict[EventKey, bytes]:
    """Return the fingerprints of recorded events."""
    meters: dict[tuple[int, str], list[str]] = {}
    for account_id, source, event_id in keys:
        meters.setdefault((account_id, source), []).append(event_id)
    rows = await transaction.fetch(
        _KNOWN,
        account_id=[account_id for account_id, _ in meters],
        source=[source for _, source in meters],
        event_ids=[dumps(event_ids) for event_ids in meters.values()],
    )
    return {(row["account_id"], row["source"], row["event_id"]): row["fingerprint"] for row in rows}


async def latest(reader: Reader, account_id: int, source: str) -> datetime | None:
    """Return when an account's last usage of a source began, or None where it has none."""
    rows = await reader.fetch(_LATEST, account_id=account_id, source=source)
    return rows[0]["started_at"] if rows else None


async def append(transaction: Transaction, events: Iterator[UsageEventCells]) -> None:
    """Add events, which are read while they are sent."""
    await transaction.insert(_ADD, events)
