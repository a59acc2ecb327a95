"""Providers' events: recorded once, found by what they are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.models import WebhookEvent, WebhookState, table_of
from gateway.models.account import Account
from gateway.models.base import Instant
from gateway.store.database import Reader, Transaction
from gateway.store.statement import DialectName, Row, Statement, any_of

EVENT: Final = table_of(WebhookEvent)
_ACCOUNT: Final = table_of(Account)

_OF_PROVIDER: Final = EVENT.c.provider == bindparam("of_provider", type_=String())
_OF_OBJECT: Final = and_(_OF_PROVIDER, EVENT.c.object_id == bindparam("of_object", type_=String()))


def _add(dialect: DialectName) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    cells = {column.name: bindparam(column.name, type_=column.type) for column in EVENT.columns}
    unique = insert(EVENT).values(cells).on_conflict_do_nothing()
    return unique.returning(EVENT.c.event_id)


_ADD: Final = Statement(_add)
_LOCK: Final = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=String()), 0)))
)
_BY_OBJECT: Final = Statement(
    select(EVENT).where(_OF_OBJECT).order_by(EVENT.c.created_at, EVENT.c.event_id)
)
_APPLIED: Final = Statement(
    update(EVENT)
    .where(_OF_PROVIDER, any_of(EVENT.c.event_id, "event_ids"))
    .where(EVENT.c.state == WebhookState.PARKED.value)
    .values(state=WebhookState.APPLIED.value, applied_at=bindparam("at", type_=Instant()))
)
_ASSIGN: Final = Statement(
    update(EVENT)
    .where(_OF_OBJECT, EVENT.c.account_id.is_(None))
    .values(account_id=bindparam("owner", type_=EVENT.c.account_id.type))
)
_SAID: Final = EVENT.alias("said")


def _is_witness(event: Any) -> ColumnElement[bool]:
    """Say whether an event is of the payment itself, and not of a document beside it."""
    return or_(event.c.type.like("payment_intent.%"), event.c.type.like("charge.%"))


def _said(*what: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say whether there is such an event of the same object."""
    same = and_(_SAID.c.provider == EVENT.c.provider, _SAID.c.object_id == EVENT.c.object_id)
    return exists(select(_SAID.c.event_id).where(same, *what))


# Whose an object is, as the inbox decides it: what the payment itself says goes before what its
# documents say, a name before a customer.
_NAMED: Final = _said(_is_witness(_SAID), _SAID.c.external_id.is_not(None))
_OWNED: Final = or_(
    and_(
        exists(select(_ACCOUNT.c.account_id).where(_ACCOUNT.c.external_id == EVENT.c.external_id)),
        or_(_is_witness(EVENT), not_(_NAMED)),
    ),
    and_(
        exists(
            select(_ACCOUNT.c.account_id).where(
                _ACCOUNT.c.stripe_customer_id == EVENT.c.customer_id
            )
        ),
        not_(_NAMED),
        or_(_is_witness(EVENT), not_(_said(_SAID.c.external_id.is_not(None)))),
    ),
)
_DUE: Final = Statement(
    select(EVENT.c.object_id)
    .where(
        EVENT.c.state == WebhookState.PARKED.value,
        _OF_PROVIDER,
        EVENT.c.account_id.is_(None),
        EVENT.c.object_id > bindparam("after", type_=String()),
        _OWNED,
        _said(_is_witness(_SAID)),
    )
    .distinct()
    .order_by(EVENT.c.object_id)
    .limit(bindparam("most", type_=Integer()))
)
_PARKED: Final = Statement(
    select(func.count(EVENT.c.object_id.distinct()).label("parked")).where(
        EVENT.c.state == WebhookState.PARKED.value, _OF_PROVIDER
    )
)


async def lock(transaction: Transaction, provider: str, object_id: str) -> None:
    """Let one transaction at a time work on an object. SQLite has one writer anyway."""
    if transaction.dialect == "postgresql":
        await transaction.fetch(_LOCK, name=f"{provider}:{object_id}")


async def add(transaction: Transaction, row: dict[str, Any]) -> bool:
    """Record an event; False where it is recorded already."""
    return bool(await transaction.fetch(_ADD, **row))


async def of_object(reader: Reader, provider: str, object_id: str) -> Sequence[Row]:
    """Return all events of an object, oldest first."""
    return await reader.fetch(_BY_OBJECT, of_provider=provider, of_object=object_id)


async def mark_applied(
    transaction: Transaction, provider: str, event_ids: Sequence[str], at: datetime
) -> None:
    """Say of parked events that they took effect."""
    await transaction.execute(_APPLIED, of_provider=provider, event_ids=list(event_ids), at=at)


async def assign(transaction: Transaction, provider: str, object_id: str, account_id: int) -> None:
    """Give an object's events their account."""
    await transaction.execute(_ASSIGN, of_provider=provider, of_object=object_id, owner=account_id)


async def due(reader: Reader, provider: str, *, after: str, most: int) -> Sequence[str]:
    """Return the next objects, by their names, with parked events whose account exists by now."""
    rows = await reader.fetch(_DUE, of_provider=provider, after=after, most=most)
    return [row["object_id"] for row in rows]


async def parked(reader: Reader, provider: str) -> int:
    """Return of how many objects something waits."""
    (row,) = await reader.fetch(_PARKED, of_provider=provider)
    return int(row["parked"])
