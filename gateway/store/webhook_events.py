"""Providers' events: recorded once, found by their payment and by its invoices."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    String,
    Table,
    and_,
    bindparam,
    cast,
    exists,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from gateway.models import WebhookEvent, WebhookInvoice, WebhookState, table_of
from gateway.models.base import Instant
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import Statement

EVENT: Final = table_of(WebhookEvent)
INVOICE: Final = table_of(WebhookInvoice)
_REASON_LENGTH: Final = 500


class ReceivedEvent(NamedTuple):
    """A new event's cells: `object_id` is its payment or invoice, `reason` why it is parked."""

    provider: str
    event_id: str
    type: str
    object_id: str | None
    external_id: str | None
    customer_id: str | None
    account_id: int | None
    state: str
    reason: str | None
    payload: str
    created_at: datetime
    received_at: datetime
    applied_at: datetime | None = None


class WebhookEventRow(TypedDict):
    """A row of `webhook_event`."""

    provider: str
    event_id: str
    type: str
    object_id: str | None
    external_id: str | None
    customer_id: str | None
    account_id: int | None
    state: str
    reason: str | None
    payload: str
    created_at: datetime
    received_at: datetime
    applied_at: datetime | None


class StateRow(TypedDict):
    """An event's state, and the reason where it is parked."""

    state: str
    reason: str | None


class _EventId(TypedDict):
    event_id: str


class _PaymentId(TypedDict):
    payment_id: str


class _PaymentOfInvoice(TypedDict):
    payment_id: str
    waits: bool


OF_PROVIDER: Final = EVENT.c.provider == bindparam("of_provider", type_=String())
_PAYMENT: Final = bindparam("of_payment", type_=String())
# One list of both: with an OR in its place, Postgres reads all events.
_OF_PAYMENT: Final = and_(
    OF_PROVIDER,
    EVENT.c.object_id.in_(
        union_all(
            select(cast(_PAYMENT, String)),
            select(INVOICE.c.invoice_id).where(
                INVOICE.c.provider == bindparam("of_provider", type_=String()),
                INVOICE.c.payment_id == _PAYMENT,
            ),
        )
    ),
)


def _unique(table: Table, key: str) -> Callable[[DialectName], ClauseElement]:
    """Return the builder of a row's insert: it returns `key`, or nothing where the row exists."""

    def build(dialect: DialectName) -> ClauseElement:
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        cells = {column.name: bindparam(column.name, type_=column.type) for column in table.columns}
        return insert(table).values(cells).on_conflict_do_nothing().returning(table.c[key])

    return build


_ADD: Final = Statement[_EventId](_unique(EVENT, "event_id"))
_LINK: Final = Statement[_PaymentId](_unique(INVOICE, "payment_id"))
_LOCK: Final = Statement[None](
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=String()), 0)))
)
_BY_PAYMENT: Final = Statement[WebhookEventRow](
    select(EVENT).where(_OF_PAYMENT).order_by(EVENT.c.created_at, EVENT.c.event_id)
)
_WAITING: Final = exists(
    select(EVENT.c.event_id).where(
        EVENT.c.provider == INVOICE.c.provider,
        EVENT.c.object_id == INVOICE.c.payment_id,
        EVENT.c.state == WebhookState.PARKED.value,
    )
)
_OF_INVOICE: Final = Statement[_PaymentOfInvoice](
    select(INVOICE.c.payment_id, _WAITING.label("waits"))
    .where(
        INVOICE.c.provider == bindparam("of_provider", type_=String()),
        INVOICE.c.invoice_id == bindparam("of_invoice", type_=String()),
    )
    .order_by(INVOICE.c.payment_id)
)
_APPLIED: Final = Statement[None](
    update(EVENT)
    .where(OF_PROVIDER, any_of(EVENT.c.event_id, "event_ids"))
    .where(EVENT.c.state != WebhookState.APPLIED.value)
    .values(
        state=WebhookState.APPLIED.value,
        reason=None,
        applied_at=bindparam("at", type_=Instant()),
    )
)
_PARK: Final = Statement[None](
    update(EVENT)
    .where(OF_PROVIDER, any_of(EVENT.c.event_id, "event_ids"))
    .where(EVENT.c.state == WebhookState.PARKED.value)
    .values(reason=bindparam("why", type_=EVENT.c.reason.type))
)
_ASSIGN: Final = Statement[None](
    update(EVENT)
    .where(_OF_PAYMENT, EVENT.c.account_id.is_(None))
    .values(account_id=bindparam("owner", type_=EVENT.c.account_id.type))
)
_ITS_OWN: Final = and_(OF_PROVIDER, EVENT.c.object_id == _PAYMENT)


def _move(old: WebhookState, new: WebhookState) -> Statement[_EventId]:
    """Return the update of a payment's own events from one state to another."""
    return Statement[_EventId](
        update(EVENT)
        .where(_ITS_OWN, EVENT.c.state == old.value)
        .values(state=new.value)
        .returning(EVENT.c.event_id)
    )


_IGNORE: Final = _move(WebhookState.PARKED, WebhookState.IGNORED)
_UNIGNORE: Final = _move(WebhookState.IGNORED, WebhookState.PARKED)
_STATE: Final = Statement[StateRow](
    select(EVENT.c.state, EVENT.c.reason).where(
        OF_PROVIDER, EVENT.c.event_id == bindparam("named", type_=String())
    )
)


async def lock(transaction: Transaction, provider: str, object_id: str) -> None:
    """Let one transaction at a time work on an object. SQLite has one writer anyway."""
    if transaction.dialect == "postgresql":
        await transaction.fetch(_LOCK, name=f"{provider}:{object_id}")


async def add(transaction: Transaction, event: ReceivedEvent) -> bool:
    """Record an event; return False where it is recorded already."""
    return bool(await transaction.fetch(_ADD, **event._asdict()))


async def link(
    transaction: Transaction, provider: str, invoice_id: str, payment_ids: Collection[str]
) -> None:
    """Record that payments paid an invoice, or parts of it."""
    for payment_id in payment_ids:
        await transaction.fetch(
            _LINK, provider=provider, invoice_id=invoice_id, payment_id=payment_id
        )


async def of_payment(reader: Reader, provider: str, payment_id: str) -> Sequence[WebhookEventRow]:
    """Return all events of a payment and of its invoices, oldest first."""
    return await reader.fetch(_BY_PAYMENT, of_provider=provider, of_payment=payment_id)


async def of_invoice(reader: Reader, provider: str, invoice_id: str) -> Mapping[str, bool]:
    """Return the payments of an invoice, by their names in order, and whether an event of each
    waits.
    """
    rows = await reader.fetch(_OF_INVOICE, of_provider=provider, of_invoice=invoice_id)
    return {row["payment_id"]: bool(row["waits"]) for row in rows}


async def mark_applied(
    transaction: Transaction, provider: str, event_ids: Collection[str], at: datetime
) -> None:
    """Say of events that they took effect."""
    await transaction.execute(_APPLIED, of_provider=provider, event_ids=sorted(event_ids), at=at)


async def keep_parked(
    transaction: Transaction, provider: str, event_ids: Collection[str], reason: str
) -> None:
    """Say of parked events why they wait."""
    await transaction.execute(
        _PARK, of_provider=provider, event_ids=sorted(event_ids), why=reason[:_REASON_LENGTH]
    )


async def assign(transaction: Transaction, provider: str, payment_id: str, account_id: int) -> None:
    """Give the events of a payment and of its invoices their account."""
    await transaction.execute(
        _ASSIGN, of_provider=provider, of_payment=payment_id, owner=account_id
    )


async def ignore(transaction: Transaction, provider: str, payment_id: str) -> int:
    """Keep a payment's parked events as ignored ones; return how many."""
    return len(await transaction.fetch(_IGNORE, of_provider=provider, of_payment=payment_id))


async def unignore(transaction: Transaction, provider: str, payment_id: str) -> int:
    """Park a payment's ignored events again; return how many."""
    return len(await transaction.fetch(_UNIGNORE, of_provider=provider, of_payment=payment_id))


async def state(reader: Reader, provider: str, event_id: str) -> StateRow:
    """Return the state of an event."""
    (row,) = await reader.fetch(_STATE, of_provider=provider, named=event_id)
    return row
