"""Accounts with usage and other flows, inserted directly into a database.

The roll-ups are derived here from the facts by brute force: nothing of the product's own derivation
or calendar is used, so that each can be wrong only by itself.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import SQLModel

from gateway.models import (
    Account,
    AccountMember,
    Deployment,
    RollupActivity,
    RollupDay,
    RollupProject,
    RollupSlot,
    UsageEvent,
    table_of,
)
from gateway.principal import Permission, Principal
from gateway.store import Database, Statement, Transaction
from gateway.windows import zone
from tests.support.books import ACTOR

QUARTER = timedelta(minutes=15)
CREATED_AT = datetime(2000, 1, 1, tzinfo=UTC)
FLOWS = ("spent_nanos", "purchased_nanos", "bonus_nanos", "refunded_nanos", "adjusted_nanos")
PLATFORM = Principal(
    subject="platform", key_id="platform", scopes=frozenset({Permission.BILLING_READ})
)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A usage event; `deployment` is an ordinal."""

    at: datetime
    nanos: int
    deployment: int | None = None
    resource: str = "GPU"
    unit: str = "gpu-hour"
    quantity_nanos: int = 0
    provider: str | None = None
    gpu_model: str | None = None
    project: str | None = None
    correction: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one account did; `flows` are (instant, column of a roll-up, nanos)."""

    account_id: int
    events: Sequence[Event] = ()
    flows: Sequence[tuple[datetime, str, int]] = ()
    time_zone: str = "UTC"
    currency: str = "USD"
    created_at: datetime = CREATED_AT
    balance_nanos: int = 0
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> Any:
        return {
            "account_id": self.account_id,
            "external_id": f"customer-{self.account_id}",
            "name": "Ada",
            "currency": self.currency,
            "time_zone": self.time_zone,
            "receipt_prefix": f"{self.account_id:08}",
            "balance_nanos": self.balance_nanos,
            "balance_at": self.created_at,
            "created_at": self.created_at,
        }


def deployment_id(ordinal: int | None) -> int:
    """The key of a deployment; 0 for none. Keys descend, so that they differ from any count."""
    return 0 if ordinal is None else 1_000_000 - ordinal


def shown_day(instant: datetime, name: str) -> date:
    """The latest date that the clocks of a zone have shown by an instant, looked at each quarter
    hour, when a date is shown first.
    """
    local, quarter = zone(name), quarter_of(instant)
    return max((quarter - n * QUARTER).astimezone(local).date() for n in range(17))


def quarter_of(instant: datetime) -> datetime:
    return instant - (instant - CREATED_AT) % QUARTER


def stored_set(members: set[int]) -> bytes:
    """One bit a member, little-endian, behind the count of zero bytes that were cut off below."""
    if not members:
        return b""
    offset = min(members) // 8
    body = sum(1 << (member - 8 * offset) for member in members)
    assert offset < 0x80
    return bytes([offset]) + body.to_bytes(max(members) // 8 - offset + 1, "little")


async def insert_facts(database: Database, *accounts: Facts) -> None:
    """Insert accounts with everything that is derived from their facts."""
    async with database.writing(ACTOR) as transaction:
        for model, rows_of in _ROWS.items():
            rows = [row for facts in accounts for row in rows_of(facts)]
            await insert_rows(transaction, model, rows)


async def insert_rows(
    transaction: Transaction, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows; a column that they leave out has its default."""
    if rows:
        defaults = {
            column.name: getattr(column.default, "arg", None) for column in table_of(model).c
        }
        await transaction.execute_many(_insert(model), [{**defaults, **row} for row in rows])


_INSERTS: dict[type[SQLModel], Statement[None]] = {}


def _insert(model: type[SQLModel]) -> Statement[None]:
    if model not in _INSERTS:
        values = {
            column.name: bindparam(column.name, type_=column.type) for column in table_of(model).c
        }
        _INSERTS[model] = Statement[None](insert(table_of(model)).values(values))
    return _INSERTS[model]


def _deployments(facts: Facts) -> list[dict[str, Any]]:
    used = {event.deployment for event in facts.events}
    ordinals = sorted(ordinal for ordinal in used if ordinal is not None)
    return [
        {
            "account_id": facts.account_id,
            "id": deployment_id(ordinal),
            "ordinal": ordinal,
            "external_id": f"external-{ordinal}",
            "name": f"name-{ordinal}" if ordinal % 2 else None,
            "started_at": facts.created_at,
            "created_at": facts.created_at,
        }
        for ordinal in ordinals
    ]


def _events(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "account_id": facts.account_id,
            "source": "meter",
            "event_id": str(number),
            "fingerprint": b"",
            "deployment_id": deployment_id(event.deployment) or None,
            "resource": event.resource,
            "unit": event.unit,
            "quantity_nanos": event.quantity_nanos,
            "amount_nanos": event.nanos,
            "correction": event.correction,
            "provider": event.provider,
            "gpu_model": event.gpu_model,
            "project": event.project,
            "started_at": event.at,
            "ended_at": event.at,
            "received_at": event.at,
            "ledger_version": 1,
        }
        for number, event in enumerate(facts.events)
    ]


def _members(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "account_id": facts.account_id,
            "subject": subject,
            "role": role,
            "created_at": facts.created_at,
        }
        for subject, role in facts.members.items()
    ]


def _days(facts: Facts) -> list[dict[str, Any]]:
    return _rollup(facts, "day", lambda instant: shown_day(instant, facts.time_zone))


def _slots(facts: Facts) -> list[dict[str, Any]]:
    return _rollup(facts, "slot_at", quarter_of)


def _rollup(facts: Facts, at: str, key_of: Any) -> list[dict[str, Any]]:
    sums: dict[Any, dict[str, int]] = defaultdict(lambda: dict.fromkeys(FLOWS, 0))
    active: dict[Any, set[int]] = defaultdict(set)
    quantities: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for instant, flow, nanos in facts.flows:
        sums[key_of(instant)][flow] += nanos
    for event in facts.events:
        key = key_of(event.at)
        sums[key]["spent_nanos"] += event.nanos
        quantities[key][f"{event.resource}\x1f{event.unit}"] += event.quantity_nanos
        if event.deployment is not None and not event.correction:
            active[key].add(event.deployment)
    return [
        {
            "account_id": facts.account_id,
            at: key,
            **flows,
            "deployments": stored_set(active[key]),
            "resources": json.dumps(quantities[key]),
        }
        for key, flows in sums.items()
    ]


def _activity(facts: Facts) -> list[dict[str, Any]]:
    return _by_dimension(facts, facts.events)


def _projects(facts: Facts) -> list[dict[str, Any]]:
    named = [event for event in facts.events if event.project is not None]
    return _by_dimension(facts, named, "project")


def _by_dimension(facts: Facts, events: Sequence[Event], *names: str) -> list[dict[str, Any]]:
    found: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for event in events:
        key = (
            shown_day(event.at, facts.time_zone),
            deployment_id(event.deployment),
            event.resource,
            event.provider or "",
            event.gpu_model or "",
            *(getattr(event, name) for name in names),
        )
        found[key][0] += event.nanos
        found[key][1] += not event.correction
    columns = ("day", "deployment_id", "resource", "provider", "gpu_model", *names)
    return [
        {
            "account_id": facts.account_id,
            **dict(zip(columns, key, strict=True)),
            "spent_nanos": nanos,
            "events": charges,
        }
        for key, (nanos, charges) in found.items()
    ]


_ROWS: dict[type[SQLModel], Callable[[Facts], list[dict[str, Any]]]] = {
    Account: lambda facts: [facts.account],
    AccountMember: _members,
    Deployment: _deployments,
    UsageEvent: _events,
    RollupDay: _days,
    RollupSlot: _slots,
    RollupActivity: _activity,
    RollupProject: _projects,
}
