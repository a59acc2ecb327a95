"""All rows of an export, in chunks, oldest first, each with its related rows.

One statement runs for the rows, and a few keyed ones for each chunk: no plan has to guess how many
rows there are, and memory does not grow with them. On SQLite each chunk of usage is a statement.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, TypedDict

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    collate,
    func,
    select,
)

from gateway.models import (
    Deployment,
    Dispute,
    DisputeMovement,
    Instant,
    Receipt,
    Refund,
    UsageEvent,
    table_of,
)
from gateway.models.base import instant_from_microseconds
from gateway.principal import Principal
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.statement import microseconds
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.listing import Selection
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.rows import (
    Counted,
    CreditPurchaseRow,
    DisputeMovementRow,
    DisputeRow,
    RefundRow,
)
from gateway.store.tenancy import Scoped, Visible

EVENTS: Final = 500
MOST_EVENTS: Final = 16_000
"""Rows that are read together on SQLite, from one instant."""
PURCHASES: Final = 150
"""Rows of a chunk: as many as are written in some 5 ms at most, for so long does nothing else run.
"""
KNOWN_DEPLOYMENTS: Final = 10_000
"""Most deployments with cached names in an export; beyond this, the cache is emptied."""

_EVENT: Final = table_of(UsageEvent)
_UNSAID: Final = {"account_id", "fingerprint", "quantity_text", "amount_text", "ledger_version"}
_DEPLOYMENT: Final = table_of(Deployment)
_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_MOVEMENT: Final = table_of(DisputeMovement)
_RECEIPT: Final = table_of(Receipt)


class _Event(TypedDict):
    source: str
    event_id: str
    deployment_id: int | None
    resource: str
    unit: str
    quantity_nanos: int
    amount_nanos: int
    correction: bool
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    started_at: int
    ended_at: int
    received_at: int


class ExportedUsage(_Event):
    """A row of `usage_event` with its deployment's columns, which are null without a deployment.
    Instants are microseconds since 1970. A deployment may have no name.
    """

    deployment_external_id: str | None
    deployment_name: str | None


class ExportedRefund(RefundRow):
    """A refund with its credit note and the document that cancels that; null where there is none.
    Their `data` is what they are printed from.
    """

    receipt_number: str | None
    receipt_issued_at: datetime | None
    receipt_seller_id: int | None
    receipt_data: str | None
    cancellation_number: str | None
    cancellation_issued_at: datetime | None
    cancellation_seller_id: int | None
    cancellation_data: str | None


class ExportedDispute(DisputeRow):
    """A dispute with its movements."""

    movements: Sequence[DisputeMovementRow]


class ExportedPurchase(CreditPurchaseRow):
    """A purchase with its receipt (null until it has settled), its refunds in every status and its
    disputes, the oldest first.
    """

    receipt_number: str | None
    receipt_issued_at: datetime | None
    receipt_seller_id: int | None
    refunds: Sequence[ExportedRefund]
    disputes: Sequence[ExportedDispute]


class _Receipt(TypedDict):
    purchase_id: int
    number: str
    issued_at: datetime
    seller_id: int | None


class _Name(TypedDict):
    id: int
    external_id: str
    name: str | None


def _usage_rows(visible: Visible, *columns: Expression) -> Query:
    return select(*columns).where(
        _EVENT.c.account_id == bindparam("account_id", type_=BigInteger()),
        visible(_EVENT.c.account_id),
        _EVENT.c.started_at >= bindparam("start", type_=Instant()),
        _EVENT.c.started_at < bindparam("end", type_=Instant()),
    )


def _usage(visible: Visible) -> Query:
    columns = [
        microseconds(column, visible.dialect).label(column.name)
        if isinstance(column.type, Instant)
        else column
        for column in _EVENT.c
        if column.name not in _UNSAID
    ]
    ids: list[Expression] = [_EVENT.c.source, _EVENT.c.event_id]
    if visible.dialect == "postgresql":
        ids = [collate(each, "C") for each in ids]
    return _usage_rows(visible, *columns).order_by(_EVENT.c.started_at, *ids)


def _usage_arrays(visible: Visible) -> Query:
    """Return some rows of usage as one row: a JSON array of each column."""
    skip, size = (bindparam(name, type_=BigInteger()) for name in ("skip", "size"))
    rows = _usage(visible).limit(size).offset(skip).subquery()
    return select(*(func.json_group_array(each).label(each.name) for each in rows.c))


def _usage_count(visible: Visible) -> Query:
    return _usage_rows(visible, func.count().label("total_count"))


def _of_account(table: Table, key: str, *columns: Expression) -> Callable[[Visible], Query]:
    """Return the builder of a statement of an account's rows by the parameter `keys`."""

    def build(visible: Visible) -> Query:
        return select(*columns).where(
            table.c.account_id == bindparam("account_id", type_=BigInteger()),
            visible(table.c.account_id),
            any_of(table.c[key], "keys"),
        )

    return build


def _refunds(visible: Visible) -> Query:
    documents = {"receipt": _RECEIPT.alias("note"), "cancellation": _RECEIPT.alias("cancellation")}
    labels = [
        document.c[column].label(f"{name}_{column}")
        for name, document in documents.items()
        for column in ("number", "issued_at", "seller_id", "data")
    ]
    note, cancellation = documents.values()
    statement = _of_account(_REFUND, "purchase_id", *_REFUND.c, *labels)(visible)
    joined = _REFUND.outerjoin(note, _is_of_refund(note) & note.c.cancels_id.is_(None)).outerjoin(
        cancellation, _is_of_refund(cancellation) & cancellation.c.cancels_id.is_not(None)
    )
    return statement.select_from(joined).order_by(_REFUND.c.created_at, _REFUND.c.id)


def _is_of_refund(document: FromClause) -> ColumnElement[bool]:
    same_account = document.c.account_id == _REFUND.c.account_id
    return and_(same_account, document.c.refund_id == _REFUND.c.id)


def _disputes(visible: Visible) -> Query:
    disputes = _of_account(_DISPUTE, "purchase_id", *_DISPUTE.c)
    return disputes(visible).order_by(_DISPUTE.c.created_at, _DISPUTE.c.id)


def _receipts(visible: Visible) -> Query:
    names = ("purchase_id", "number", "issued_at", "seller_id")
    columns = [_RECEIPT.c[name] for name in names]
    receipts = _of_account(_RECEIPT, "purchase_id", *columns)
    return receipts(visible).where(_RECEIPT.c.refund_id.is_(None))


_USAGE: Final = Scoped[_Event](_usage)
_USAGE_ARRAYS: Final = Scoped[Mapping[str, str]](_usage_arrays)
_USAGE_COUNT: Final = Scoped[Counted](_usage_count)
_REFUNDS: Final = Scoped[ExportedRefund](_refunds)
_DISPUTES: Final = Scoped[DisputeRow](_disputes)
_MOVEMENTS: Final = Scoped[DisputeMovementRow](_of_account(_MOVEMENT, "dispute_id", *_MOVEMENT.c))
_RECEIPTS: Final = Scoped[_Receipt](_receipts)
_DEPLOYMENTS: Final = Scoped[_Name](
    _of_account(_DEPLOYMENT, "id", _DEPLOYMENT.c.id, _DEPLOYMENT.c.external_id, _DEPLOYMENT.c.name)
)


async def count_purchases(stream: Stream, principal: Principal, selection: Selection) -> int:
    """Return how many purchases `purchases` yields."""
    (row,) = await CREDIT_PURCHASES.fetch_totals(stream, principal, [selection])
    return row["total_count"]


async def purchases(
    stream: Stream, principal: Principal, selection: Selection
) -> AsyncGenerator[Chunk[ExportedPurchase]]:
    """Yield an account's selected purchases."""
    account_id = selection.scope[0]
    rows = CREDIT_PURCHASES.chunks(stream, principal, selection, PURCHASES)
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            ids: Sequence[int] = chunk.column("id")
            keys = list(ids)
            refunds = await _refunds_of(stream, principal, account_id, keys)
            disputes = await _disputes_of(stream, principal, account_id, keys)
            rows_of = await _RECEIPTS.fetch(stream, principal, account_id=account_id, keys=keys)
            receipts = {row["purchase_id"]: row for row in rows_of}
            found = [receipts.get(each) for each in ids]
            yield Chunk(
                {
                    **chunk.columns,
                    "receipt_number": [row and row["number"] for row in found],
                    "receipt_issued_at": [row and row["issued_at"] for row in found],
                    "receipt_seller_id": [row and row["seller_id"] for row in found],
                    "refunds": [refunds.get(each, ()) for each in ids],
                    "disputes": [disputes.get(each, ()) for each in ids],
                }
            )


async def _refunds_of(
    stream: Stream, principal: Principal, account_id: int, purchases: list[int]
) -> Mapping[int, Sequence[ExportedRefund]]:
    """Return purchases' refunds by purchase, the oldest first."""
    found: defaultdict[int, list[ExportedRefund]] = defaultdict(list)
    for row in await _REFUNDS.fetch(stream, principal, account_id=account_id, keys=purchases):
        found[row["purchase_id"]].append(row)
    return found


async def _disputes_of(
    stream: Stream, principal: Principal, account_id: int, purchases: list[int]
) -> Mapping[int, Sequence[ExportedDispute]]:
    """Return purchases' disputes with their movements, by purchase and the oldest first."""
    found: defaultdict[int, list[ExportedDispute]] = defaultdict(list)
    rows = await _DISPUTES.fetch(stream, principal, account_id=account_id, keys=purchases)
    if not rows:
        return found
    moved: defaultdict[int, list[DisputeMovementRow]] = defaultdict(list)
    keys = [row["id"] for row in rows]
    for each in await _MOVEMENTS.fetch(stream, principal, account_id=account_id, keys=keys):
        moved[each["dispute_id"]].append(each)
    for row in rows:
        found[row["purchase_id"]].append({**row, "movements": moved[row["id"]]})
    return found


async def count_usage(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> int:
    """Return how many events `usage` yields."""
    (row,) = await _USAGE_COUNT.fetch(
        stream, principal, account_id=account_id, start=start, end=end
    )
    return row["total_count"]


async def usage(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> AsyncGenerator[Chunk[ExportedUsage]]:
    """Yield an account's usage that starts in [start, end)."""
    names = _Names(stream, principal, account_id)
    span = (account_id, start, end)
    rows = _arrays if stream.dialect == "sqlite" else _records
    async with aclosing(rows(stream, principal, *span)) as chunks:
        async for chunk in chunks:
            yield Chunk({**chunk.columns, **await names.of(chunk.column("deployment_id"))})


def _records(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> AsyncGenerator[Chunk[_Event]]:
    return _USAGE.chunks(stream, principal, EVENTS, account_id=account_id, start=start, end=end)


async def _arrays(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> AsyncGenerator[Chunk[_Event]]:
    """Yield the rows of `_records`, each chunk by a statement of its own that returns one row.

    SQLite makes the arrays without Python's lock, so that the last chunk is written meanwhile. A
    row would take the lock, and a fifth of a microsecond for each of its cells.

    A chunk begins at the last instant of the one before, after that instant's rows in it. All rows
    of the instant are sorted for this: an instant with many is read in ever larger parts.
    """
    at, skip, size = start, 0, EVENTS
    while True:
        (arrays,) = await _USAGE_ARRAYS.fetch(
            stream, principal, account_id=account_id, start=at, end=end, skip=skip, size=size
        )
        columns: dict[str, list[Any]] = {name: orjson.loads(arrays[name]) for name in arrays}
        columns["quantity_nanos"] = [*map(int, columns["quantity_nanos"])]
        columns["correction"] = [*map(bool, columns["correction"])]
        instants = columns["started_at"]
        for first in range(0, len(instants), EVENTS):
            last = first + EVENTS
            yield Chunk({name: cells[first:last] for name, cells in columns.items()})
        if len(instants) < size:
            return
        began, at = at, instant_from_microseconds(instants[-1])
        seen = len(instants) - bisect_left(instants, instants[-1])
        skip = skip + seen if at == began else seen
        size = min(2 * size, MOST_EVENTS) if seen == len(instants) else EVENTS


class _Names:
    """External ids and names of deployments, each read once for a while."""

    def __init__(self, stream: Stream, principal: Principal, account_id: int) -> None:
        self._stream = stream
        self._principal = principal
        self._account_id = account_id
        self._external_ids: dict[int | None, str | None] = {}
        self._names: dict[int | None, str | None] = {}

    async def of(self, ids: Sequence[int | None]) -> Mapping[str, Sequence[str | None]]:
        """Return the columns of the deployments with these keys."""
        wanted = set(ids)
        if not self._names.keys() >= wanted:
            if len(self._names) + len(wanted) > KNOWN_DEPLOYMENTS:
                self._external_ids.clear()
                self._names.clear()
            await self._read(wanted - self._names.keys())
        return {
            "deployment_external_id": [*map(self._external_ids.__getitem__, ids)],
            "deployment_name": [*map(self._names.__getitem__, ids)],
        }

    async def _read(self, ids: set[int | None]) -> None:
        self._external_ids |= dict.fromkeys(ids)
        self._names |= dict.fromkeys(ids)
        keys = [each for each in ids if each is not None]
        rows = await _DEPLOYMENTS.fetch(
            self._stream, self._principal, account_id=self._account_id, keys=keys
        )
        for row in rows:
            self._external_ids[row["id"]], self._names[row["id"]] = row["external_id"], row["name"]
