"""All rows of an export, in chunks, oldest first, each with its related rows.

One statement runs for the rows, and a few keyed ones for each chunk: no plan has to guess how many
rows there are, and memory does not grow with them.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
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
from gateway.principal import Principal
from gateway.store.engine.statement import Row, any_of, microseconds
from gateway.store.engine.stream import Chunk, Stream
from gateway.store.listing import Selection
from gateway.store.purchase_listing import CREDIT_PURCHASES
from gateway.store.tenancy import Scoped, Visible

EVENTS: Final = 500
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


def _usage_rows(visible: Visible, *columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).where(
        _EVENT.c.account_id == bindparam("account_id", type_=BigInteger()),
        visible(_EVENT.c.account_id),
        _EVENT.c.started_at >= bindparam("start", type_=Instant()),
        _EVENT.c.started_at < bindparam("end", type_=Instant()),
    )


def _usage(visible: Visible) -> Select[Any]:
    columns = [
        microseconds(column, visible.dialect).label(column.name)
        if isinstance(column.type, Instant)
        else column
        for column in _EVENT.c
        if column.name not in _UNSAID
    ]
    ids: list[ColumnElement[Any]] = [_EVENT.c.source, _EVENT.c.event_id]
    if visible.dialect == "postgresql":
        ids = [collate(each, "C") for each in ids]
    return _usage_rows(visible, *columns).order_by(_EVENT.c.started_at, *ids)


def _usage_count(visible: Visible) -> Select[Any]:
    return _usage_rows(visible, func.count().label("total_count"))


def _of_account(
    table: Table, key: str, *columns: ColumnElement[Any]
) -> Callable[[Visible], Select[Any]]:
    """Return what builds a statement of an account's rows by the parameter `keys`."""

    def build(visible: Visible) -> Select[Any]:
        return select(*columns).where(
            table.c.account_id == bindparam("account_id", type_=BigInteger()),
            visible(table.c.account_id),
            any_of(table.c[key], "keys"),
        )

    return build


def _refunds(visible: Visible) -> Select[Any]:
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


def _disputes(visible: Visible) -> Select[Any]:
    disputes = _of_account(_DISPUTE, "purchase_id", *_DISPUTE.c)
    return disputes(visible).order_by(_DISPUTE.c.created_at, _DISPUTE.c.id)


def _receipts(visible: Visible) -> Select[Any]:
    names = ("purchase_id", "number", "issued_at", "seller_id")
    columns = [_RECEIPT.c[name] for name in names]
    receipts = _of_account(_RECEIPT, "purchase_id", *columns)
    return receipts(visible).where(_RECEIPT.c.refund_id.is_(None))


_USAGE: Final = Scoped(_usage)
_USAGE_COUNT: Final = Scoped(_usage_count)
_REFUNDS: Final = Scoped(_refunds)
_DISPUTES: Final = Scoped(_disputes)
_MOVEMENTS: Final = Scoped(_of_account(_MOVEMENT, "dispute_id", *_MOVEMENT.c))
_RECEIPTS: Final = Scoped(_receipts)
_DEPLOYMENTS: Final = Scoped(
    _of_account(_DEPLOYMENT, "id", _DEPLOYMENT.c.id, _DEPLOYMENT.c.external_id, _DEPLOYMENT.c.name)
)


async def count_purchases(stream: Stream, principal: Principal, selection: Selection) -> int:
    """Return how many purchases `purchases` yields."""
    (row,) = await CREDIT_PURCHASES.fetch_totals(stream, principal, [selection])
    count: int = row["total_count"]
    return count


async def purchases(
    stream: Stream, principal: Principal, selection: Selection
) -> AsyncGenerator[Chunk]:
    """Yield an account's selected purchases with `receipt_number`, `receipt_issued_at`,
    `receipt_seller_id`, `refunds` and `disputes`.
    """
    account_id = selection.scope[0]
    rows = CREDIT_PURCHASES.chunks(stream, principal, selection, PURCHASES)
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            about = {"account_id": account_id, "keys": list(chunk["id"])}
            refunds = _by_purchase(await _REFUNDS.fetch(stream, principal, **about))
            disputes = _by_purchase(await _with_movements(stream, principal, about))
            receipts = {
                row["purchase_id"]: row for row in await _RECEIPTS.fetch(stream, principal, **about)
            }
            found = [receipts.get(each, _NO_RECEIPT) for each in chunk["id"]]
            yield {
                **chunk,
                "receipt_number": [row["number"] for row in found],
                "receipt_issued_at": [row["issued_at"] for row in found],
                "receipt_seller_id": [row["seller_id"] for row in found],
                "refunds": [refunds.get(each, ()) for each in chunk["id"]],
                "disputes": [disputes.get(each, ()) for each in chunk["id"]],
            }


async def _with_movements(
    stream: Stream, principal: Principal, about: Mapping[str, Any]
) -> Sequence[Row]:
    """Return purchases' disputes, each with its rows of `movements`."""
    disputes = await _DISPUTES.fetch(stream, principal, **about)
    moved: defaultdict[int, list[Row]] = defaultdict(list)
    if disputes:
        named = {**about, "keys": [row["id"] for row in disputes]}
        for row in await _MOVEMENTS.fetch(stream, principal, **named):
            moved[row["dispute_id"]].append(row)
    return [{**row, "movements": moved[row["id"]]} for row in disputes]


def _by_purchase(rows: Sequence[Row]) -> Mapping[int, list[Row]]:
    """Return the rows grouped by purchase, in their order."""
    grouped: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["purchase_id"]].append(row)
    return grouped


_NO_RECEIPT: Final[Row] = {"number": None, "issued_at": None, "seller_id": None}


async def count_usage(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> int:
    """Return how many events `usage` yields."""
    (row,) = await _USAGE_COUNT.fetch(
        stream, principal, account_id=account_id, start=start, end=end
    )
    count: int = row["total_count"]
    return count


async def usage(
    stream: Stream, principal: Principal, account_id: int, start: datetime, end: datetime
) -> AsyncGenerator[Chunk]:
    """Yield an account's usage that starts in [start, end), with `deployment_external_id` and
    `deployment_name`.
    """
    names = _Names(stream, principal, account_id)
    rows = _USAGE.chunks(stream, principal, EVENTS, account_id=account_id, start=start, end=end)
    async with aclosing(rows) as chunks:
        async for chunk in chunks:
            found = await names.of(chunk["deployment_id"])
            yield {
                **chunk,
                "deployment_external_id": [external_id for external_id, _ in found],
                "deployment_name": [name for _, name in found],
            }


class _Names:
    """External ids and names of deployments, each read once for a while."""

    def __init__(self, stream: Stream, principal: Principal, account_id: int) -> None:
        self._stream = stream
        self._principal = principal
        self._account_id = account_id
        self._known: dict[int | None, tuple[str | None, str | None]] = {}

    async def of(self, ids: Sequence[int | None]) -> list[tuple[str | None, str | None]]:
        wanted = set(ids)
        if not self._known.keys() >= wanted:
            if len(self._known) + len(wanted) > KNOWN_DEPLOYMENTS:
                self._known.clear()
            await self._read(wanted - self._known.keys())
        return [self._known[each] for each in ids]

    async def _read(self, ids: set[int | None]) -> None:
        self._known |= dict.fromkeys(ids, (None, None))
        keys = [each for each in ids if each is not None]
        rows = await _DEPLOYMENTS.fetch(
            self._stream, self._principal, account_id=self._account_id, keys=keys
        )
        self._known |= {row["id"]: (row["external_id"], row["name"]) for row in rows}
