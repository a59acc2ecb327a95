"""Rows inserted directly into a database, with defaults for the columns that a test leaves out."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import SQLModel

from gateway.models import (
    Account,
    AccountMember,
    CreditPurchase,
    Deployment,
    Dispute,
    LedgerDay,
    LedgerEntry,
    MonthlyStatement,
    Receipt,
    Refund,
    SavedView,
    table_of,
)
from gateway.principal import Role
from gateway.store import Database, Statement
from tests.support.books import ACTOR

T0 = datetime(2026, 11, 1, tzinfo=UTC)
UNIT = 10**9


@cache
def _insert(model: type[SQLModel]) -> Statement[None]:
    table = table_of(model)
    return Statement[None](
        insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.columns})
    )


async def put(database: Database, *rows: SQLModel) -> None:
    """Insert the rows in one transaction, in their order."""
    async with database.writing(ACTOR) as transaction:
        for row in rows:
            await transaction.execute(_insert(type(row)), **row.model_dump())


def account(account_id: int, **values: Any) -> Account:
    defaults: dict[str, Any] = {
        "external_id": f"customer-{account_id}",
        "name": f"Customer {account_id}",
        "currency": "USD",
        "receipt_prefix": f"{account_id:08}",
        "balance_at": T0,
        "created_at": T0,
    }
    return Account(account_id=account_id, **(defaults | values))


def member(account_id: int, subject: str, role: Role = Role.OWNER) -> AccountMember:
    return AccountMember(account_id=account_id, subject=subject, role=role.value, created_at=T0)


def purchase(account_id: int, id_: int, **values: Any) -> CreditPurchase:
    """Return a settled purchase of 10, `id_` minutes after T0."""
    created_at = values.get("created_at", T0 + timedelta(minutes=id_))
    defaults: dict[str, Any] = {
        "kind": "CARD",
        "status": "SUCCEEDED",
        "currency": "USD",
        "amount_nanos": 10 * UNIT,
        "created_at": created_at,
        "settled_at": created_at,
    }
    return CreditPurchase(account_id=account_id, id=id_, **(defaults | values))


def refund(account_id: int, id_: int, purchase_id: int, **values: Any) -> Refund:
    defaults: dict[str, Any] = {
        "status": "SUCCEEDED",
        "currency": "USD",
        "amount_nanos": UNIT,
        "created_at": T0 + timedelta(minutes=id_),
    }
    return Refund(account_id=account_id, id=id_, purchase_id=purchase_id, **(defaults | values))


def receipt(account_id: int, id_: int, purchase_id: int, **values: Any) -> Receipt:
    defaults: dict[str, Any] = {
        "number": f"{account_id:08}-2026-{id_:06}",
        "year": 2026,
        "sequence": id_,
        "currency": "USD",
        "total_nanos": 10 * UNIT,
        "issued_at": T0,
        "data": "{}",
    }
    return Receipt(account_id=account_id, id=id_, purchase_id=purchase_id, **(defaults | values))


def deployment(account_id: int, id_: int, **values: Any) -> Deployment:
    started_at = values.get("started_at", T0 + timedelta(minutes=id_))
    defaults: dict[str, Any] = {
        "ordinal": id_,
        "external_id": str(2**64 - id_),
        "started_at": started_at,
        "created_at": T0,
    }
    return Deployment(account_id=account_id, id=id_, **(defaults | values))


def entry(account_id: int, version: int, **values: Any) -> LedgerEntry:
    """Return an entry of a purchase of 10, `version` minutes after T0 (or at `at`)."""
    at = values.pop("at", T0 + timedelta(minutes=version))
    defaults: dict[str, Any] = {
        "cause": "PURCHASE",
        "amount_nanos": 10 * UNIT,
        "balance_nanos": 10 * UNIT,
        "source_key": f"test:{version}",
        "effective_at": at,
        "recorded_at": at,
    }
    return LedgerEntry(account_id=account_id, version=version, **(defaults | values))


def ledger_day(account_id: int, version: int, **values: Any) -> LedgerDay:
    """Return the day (T0's) of one usage entry of 1, `version` minutes after T0."""
    at = T0 + timedelta(minutes=version)
    defaults: dict[str, Any] = {
        "day": T0.date(),
        "amount_nanos": -UNIT,
        "opening_nanos": UNIT,
        "balance_nanos": 0,
        "first_version": version,
        "first_at": at,
        "recorded_at": at,
    }
    return LedgerDay(account_id=account_id, version=version, **(defaults | values))


def dispute(account_id: int, id_: int, purchase_id: int, **values: Any) -> Dispute:
    defaults: dict[str, Any] = {"state": "OPEN", "amount_nanos": UNIT, "created_at": T0}
    return Dispute(account_id=account_id, id=id_, purchase_id=purchase_id, **(defaults | values))


def saved_view(account_id: int, id_: int, subject: str, **values: Any) -> SavedView:
    defaults: dict[str, Any] = {"name": f"View {id_}", "created_at": T0, "updated_at": T0}
    return SavedView(account_id=account_id, id=id_, subject=subject, **(defaults | values))


def statement(account_id: int, id_: int, **values: Any) -> MonthlyStatement:
    """Return the statement of October 2026, of a month without movement."""
    defaults: dict[str, Any] = {
        "number": f"{account_id:08}-S2026-10",
        "month": "2026-10",
        "first_version": 1,
        "last_version": 0,
        "currency": "USD",
        "opening_nanos": 0,
        "closing_nanos": 0,
        "ended_at": T0,
        "issued_at": T0,
        "data": "{}",
    }
    return MonthlyStatement(account_id=account_id, id=id_, **(defaults | values))
