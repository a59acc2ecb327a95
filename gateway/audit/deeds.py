"""Deeds: what an audit event says was done. Each is written in the transaction that does it."""

import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.clock import Clock
from gateway.ids import RANDOM_BITS, first_key
from gateway.principal import Actor
from gateway.store import Transaction, audit_events
from gateway.store.audit_events import AuditCells
from gateway.store.engine.stored_json import dumps

DONE: Final = "DONE"
"""The result of a deed that was done; any other result is the code of an error."""
TARGET_LENGTH: Final = 300
ACTOR_LENGTH: Final = 255


class Deed(StrEnum):
    """The kinds of deeds."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    TIME_ZONE_CHANGED = "time_zone.changed"
    LOW_BALANCE_CHANGED = "low_balance.changed"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    CREDIT_GIVEN = "credit.given"
    BALANCE_ADJUSTED = "balance.adjusted"
    USAGE_CORRECTED = "usage.corrected"
    USAGE_IMPORTED = "usage.imported"
    USAGE_RECORDED = "usage.recorded"
    PAYMENT_RECORDED = "payment.recorded"
    PAYMENT_RETRIED = "payment.retried"
    PAYMENT_IGNORED = "payment.ignored"
    PAYMENTS_READ = "payments.read"
    PAYMENTS_DROPPED = "payments.dropped"
    SELLER_CHANGED = "seller.changed"
    JOB_RETRIED = "job.retried"
    JOB_DROPPED = "job.dropped"
    DATA_READ = "data.read"


class Act(NamedTuple):
    """A deed, its account (None for the platform, or for several accounts) and its target: the name
    of a subject, a key or a payment. `details` has no secret and no text of a query.
    """

    deed: Deed
    account_id: int | None = None
    target: str | None = None
    details: Mapping[str, object] | None = None


class _EventKeys:
    """Hands out keys by the instants of events. Events of one millisecond keep their order.

    The last key of each of the newest milliseconds is kept: instants of concurrent events come in
    any order. Another process may draw the same key: the store raises KeyTaken then.
    """

    def __init__(self) -> None:
        self._last: OrderedDict[int, int] = OrderedDict()

    def new(self, at: datetime) -> int:
        first = first_key(at)
        last = self._last.pop(first, None)
        key = first | secrets.randbits(RANDOM_BITS) if last is None else last + 1
        self._last[first] = key
        if len(self._last) > _MILLISECONDS:
            self._last.popitem(last=False)
        return key

    def redraw(self, instants: Sequence[datetime]) -> list[int]:
        """Return other keys of instants, of which another process has drawn one."""
        self._last.clear()
        return [self.new(at) for at in instants]


_MILLISECONDS: Final = 1_000
_keys: Final = _EventKeys()


async def record(
    transaction: Transaction, actor: Actor, acts: Sequence[Act], *, clock: Clock
) -> None:
    """Write the events of acts, in the transaction of the deeds."""
    if acts:
        now = clock.now()
        events = [cells(act, actor, result=DONE, at=now) for act in acts]
        await audit_events.append(transaction, events)


def with_other_keys(events: Sequence[AuditCells]) -> list[AuditCells]:
    """Return events under other keys of their instants."""
    keys = _keys.redraw([event.occurred_at for event in events])
    return [event._replace(id=key) for event, key in zip(events, keys, strict=True)]


def cells(act: Act, actor: Actor, *, result: str, at: datetime) -> AuditCells:
    """Return a new event's cells."""
    return AuditCells(
        id=_keys.new(at),
        account_id=act.account_id,
        occurred_at=at,
        actor_kind=actor.kind.value,
        actor=actor.name[:ACTOR_LENGTH],
        deed=act.deed.value,
        target=None if act.target is None else act.target[:TARGET_LENGTH],
        result=result,
        request_id=actor.request_id,
        details=None if act.details is None else dumps(act.details),
        actor_account_id=actor.own_account,
    )
