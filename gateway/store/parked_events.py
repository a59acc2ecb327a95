"""Providers' parked events: listed, counted, found by the account that they name, deleted."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from gateway.models import AuditEvent, WebhookState, table_of
from gateway.models.account import Account
from gateway.models.base import Instant
from gateway.store.engine.database import Reader, Transaction
from gateway.store.engine.parameters import any_of
from gateway.store.engine.statement import Statement
from gateway.store.webhook_events import EVENT, INVOICE, OF_PROVIDER, WebhookEventRow

_ACCOUNT: Final = table_of(Account)
_AUDIT: Final = table_of(AuditEvent)


class ParkedEventRow(WebhookEventRow):
    """A parked event; `owner` is the external id of the account that it was given."""

    owner: str | None


class AccountClaim(TypedDict):
    """The account as named in an event of a payment, or of one of its invoices."""

    payment: str
    type: str
    external_id: str | None
    customer_id: str | None


class ChangedAccountRow(TypedDict):
    """An account in the audit log: the key of the audit event, and the account's names."""

    id: int
    external_id: str
    stripe_customer_id: str | None


class OwnerlessPayment(NamedTuple):
    """A payment of which parked events have no account: whether an event of it, also of its
    invoices, names an account that exists, and when the newest of them was received.
    """

    payment: str
    names_account: bool
    received_at: datetime


class _Ownerless(TypedDict):
    payment: str
    names_account: bool
    received_at: datetime


class _ObjectId(TypedDict):
    object_id: str


class _EventId(TypedDict):
    event_id: str


class _Parked(TypedDict):
    parked: int


# No parameter, so that the partial index fits.
_IS_PARKED: Final[ColumnElement[bool]] = EVENT.c.state == literal_column(
    f"'{WebhookState.PARKED.value}'"
)
_IS_OWNERLESS: Final = EVENT.c.account_id.is_(None)
_PAYMENTS: Final = any_of(EVENT.c.object_id, "payments")
_LINKED: Final = and_(
    INVOICE.c.provider == bindparam("of_provider", type_=String()),
    any_of(INVOICE.c.payment_id, "payments"),
)
_OF_INVOICE: Final = and_(
    EVENT.c.provider == INVOICE.c.provider, EVENT.c.object_id == INVOICE.c.invoice_id
)

_NAMED: Final = (EVENT.c.type, EVENT.c.external_id, EVENT.c.customer_id)
_CLAIMS: Final = Statement[AccountClaim](
    union_all(
        select(EVENT.c.object_id.label("payment"), *_NAMED).where(OF_PROVIDER, _PAYMENTS),
        select(INVOICE.c.payment_id.label("payment"), *_NAMED)
        .join_from(INVOICE, EVENT, _OF_INVOICE)
        .where(_LINKED),
    )
)


def _next_parked() -> Select[tuple[str]]:
    """Return the next payments with a parked event, each once, read off the index."""
    return (
        select(EVENT.c.object_id)
        .where(_IS_PARKED, OF_PROVIDER, EVENT.c.object_id > bindparam("after", type_=String()))
        .distinct()
        .order_by(EVENT.c.object_id)
        .limit(bindparam("most", type_=Integer()))
    )


_NEXT_PARKED: Final = Statement[_ObjectId](_next_parked())
_first: Final = (
    select(EVENT.c.object_id)
    .where(_IS_PARKED, OF_PROVIDER)
    .distinct()
    .limit(bindparam("most", type_=Integer()))
    .subquery()
)
_COUNT: Final = Statement[_Parked](select(func.count().label("parked")).select_from(_first))
_PARKED_EVENTS: Final = Statement[ParkedEventRow](
    select(EVENT, _ACCOUNT.c.external_id.label("owner"))
    .join_from(EVENT, _ACCOUNT, _ACCOUNT.c.account_id == EVENT.c.account_id, isouter=True)
    .where(OF_PROVIDER, _PAYMENTS, _IS_PARKED)
    .order_by(EVENT.c.object_id, EVENT.c.created_at, EVENT.c.event_id)
)

_OTHER: Final = EVENT.alias("other")
_NAMES_ACCOUNT: Final = or_(
    exists(select(_ACCOUNT.c.account_id).where(_ACCOUNT.c.external_id == _OTHER.c.external_id)),
    exists(
        select(_ACCOUNT.c.account_id).where(_ACCOUNT.c.stripe_customer_id == _OTHER.c.customer_id)
    ),
)


def _ownerless() -> Select[tuple[str, bool, datetime]]:
    page = (
        select(EVENT.c.provider, EVENT.c.object_id, func.max(EVENT.c.received_at).label("at"))
        .where(_IS_PARKED, _IS_OWNERLESS, OF_PROVIDER)
        .where(EVENT.c.object_id > bindparam("after", type_=String()))
        .group_by(EVENT.c.provider, EVENT.c.object_id)
        .order_by(EVENT.c.provider, EVENT.c.object_id)
        .limit(bindparam("most", type_=Integer()))
        .cte("page")
    )
    own = and_(_OTHER.c.provider == page.c.provider, _OTHER.c.object_id == page.c.object_id)
    of_invoice = and_(
        _OTHER.c.provider == INVOICE.c.provider, _OTHER.c.object_id == INVOICE.c.invoice_id
    )
    # Nested, because SQLite would join in the other order and read all events.
    by_invoice = exists(
        select(INVOICE.c.invoice_id).where(
            INVOICE.c.provider == page.c.provider,
            INVOICE.c.payment_id == page.c.object_id,
            exists(select(_OTHER.c.event_id).where(of_invoice, _NAMES_ACCOUNT)),
        )
    )
    named = or_(exists(select(_OTHER.c.event_id).where(own, _NAMES_ACCOUNT)), by_invoice)
    return select(
        page.c.object_id.label("payment"),
        named.label("names_account"),
        page.c.at.label("received_at"),
    ).order_by(page.c.object_id)


_OWNERLESS: Final = Statement[_Ownerless](_ownerless())


def _naming(column: str) -> tuple[Select[tuple[str]], Select[tuple[str]]]:
    """Return the payments that an event without an account names by itself, and as an invoice."""
    named = select(EVENT.c.object_id.label("payment")).where(
        OF_PROVIDER, _IS_OWNERLESS, any_of(EVENT.c[column], f"{column}s")
    )
    paid = select(INVOICE.c.payment_id.label("payment")).where(
        INVOICE.c.provider == bindparam("of_provider", type_=String()),
        INVOICE.c.invoice_id.in_(named),
    )
    return named, paid


# Materialized, because SQLite would read all payments for the sake of the order.
_naming_any: Final = (
    union_all(*_naming("external_id"), *_naming("customer_id"))
    .cte("named")
    .prefix_with("MATERIALIZED")
)
_NAMING: Final = Statement[_ObjectId](
    select(_naming_any.c.payment.label("object_id"))
    .where(_naming_any.c.payment > bindparam("after", type_=String()))
    .distinct()
    .order_by(_naming_any.c.payment)
    .limit(bindparam("most", type_=Integer()))
)
_WAITING: Final = Statement[_ObjectId](
    select(EVENT.c.object_id)
    .where(OF_PROVIDER, _PAYMENTS, _IS_PARKED, _IS_OWNERLESS)
    .distinct()
    .order_by(EVENT.c.object_id)
)
# The audit event is written in the transaction that makes or changes the account.
_CHANGED: Final = Statement[ChangedAccountRow](
    select(_AUDIT.c.id, _ACCOUNT.c.external_id, _ACCOUNT.c.stripe_customer_id)
    .join_from(_AUDIT, _ACCOUNT, _ACCOUNT.c.account_id == _AUDIT.c.account_id)
    .where(
        any_of(_AUDIT.c.deed, "deeds"),
        _AUDIT.c.id > bindparam("after", type_=BigInteger()),
    )
    .order_by(_AUDIT.c.id)
    .limit(bindparam("most", type_=Integer()))
)
_DELETE: Final = Statement[_EventId](
    delete(EVENT)
    .where(OF_PROVIDER, _PAYMENTS, _IS_PARKED, _IS_OWNERLESS)
    .where(EVENT.c.received_at < bindparam("before", type_=Instant()))
    .returning(EVENT.c.event_id)
)
_UNLINK: Final = Statement[None](
    delete(INVOICE).where(
        _LINKED,
        ~exists(
            select(EVENT.c.event_id).where(
                EVENT.c.provider == INVOICE.c.provider, EVENT.c.object_id == INVOICE.c.payment_id
            )
        ),
    )
)


async def claims(
    reader: Reader, provider: str, payment_ids: Sequence[str]
) -> Sequence[AccountClaim]:
    """Return the accounts as named in the events of payments and of their invoices."""
    return await reader.fetch(_CLAIMS, of_provider=provider, payments=list(payment_ids))


async def count(reader: Reader, provider: str, *, most: int) -> int:
    """Return the number of payments with a parked event, counted up to `most`."""
    (row,) = await reader.fetch(_COUNT, of_provider=provider, most=most)
    return int(row["parked"])


async def payments(reader: Reader, provider: str, *, after: str, most: int) -> Sequence[str]:
    """Return the next payments, by their names, with a parked event."""
    rows = await reader.fetch(_NEXT_PARKED, of_provider=provider, after=after, most=most)
    return [row["object_id"] for row in rows]


async def of_payments(
    reader: Reader, provider: str, payment_ids: Sequence[str]
) -> Sequence[ParkedEventRow]:
    """Return the parked events of payments, by payment and the oldest first."""
    return await reader.fetch(_PARKED_EVENTS, of_provider=provider, payments=list(payment_ids))


async def ownerless(
    reader: Reader, provider: str, *, after: str, most: int
) -> Sequence[OwnerlessPayment]:
    """Return the next payments, by their names, of which parked events have no account."""
    rows = await reader.fetch(_OWNERLESS, of_provider=provider, after=after, most=most)
    return [
        OwnerlessPayment(row["payment"], bool(row["names_account"]), row["received_at"])
        for row in rows
    ]


async def naming(
    reader: Reader,
    provider: str,
    *,
    external_ids: Collection[str],
    customer_ids: Collection[str],
    after: str,
    most: int,
) -> Sequence[str]:
    """Return the next payments and invoices, by their names, of which events without an account
    have one of the accounts' names.
    """
    rows = await reader.fetch(
        _NAMING,
        of_provider=provider,
        external_ids=sorted(external_ids),
        customer_ids=sorted(customer_ids),
        after=after,
        most=most,
    )
    return [row["object_id"] for row in rows]


async def waiting(reader: Reader, provider: str, payment_ids: Sequence[str]) -> Sequence[str]:
    """Return the payments, by their names, of which parked events have no account."""
    rows = await reader.fetch(_WAITING, of_provider=provider, payments=list(payment_ids))
    return [row["object_id"] for row in rows]


async def changed_accounts(
    reader: Reader, deeds: Collection[str], *, after: int, most: int
) -> Sequence[ChangedAccountRow]:
    """Return the accounts of the next audit events of these deeds, after a key of the log."""
    return await reader.fetch(_CHANGED, deeds=sorted(deeds), after=after, most=most)


async def drop(
    transaction: Transaction, provider: str, payment_ids: Sequence[str], before: datetime
) -> int:
    """Delete the parked events of payments that have no account and were received before an
    instant; return their number.
    """
    named = {"of_provider": provider, "payments": list(payment_ids)}
    deleted = await transaction.fetch(_DELETE, **named, before=before)
    await transaction.execute(_UNLINK, **named)
    return len(deleted)
