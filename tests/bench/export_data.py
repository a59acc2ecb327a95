"""What the measurement of exports exports: an account's usage, purchases, refunds and receipts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final

from sqlmodel import SQLModel

from gateway.billing.accounts import AccountFacts, put_account
from gateway.clock import FixedClock
from gateway.ids import KeyFactory
from gateway.models import CreditPurchase, Receipt, Refund, table_of
from gateway.principal import Role
from gateway.store import Database, Transaction, usage_events
from gateway.store import deployments as stored_deployments
from gateway.store.deployments import DeploymentRow
from gateway.store.engine.write import Insert, W
from gateway.store.purchases import CreditPurchaseCells, RefundCells
from gateway.store.receipts import IssuedReceipt
from gateway.store.usage_events import UsageEventCells
from tests.bench.data import SUBJECT
from tests.support.books import ACTOR

DEPLOYMENTS: Final = 250
RESOURCES: Final = (
    ("GPU", "gpu-hour", 1_800_000_000),
    ("CPU", "cpu-hour", 40_000_000),
    ("MEMORY", "gib-hour", 5_000_000),
    ("STORAGE", "gib-hour", 130_000),
)
END: Final = datetime(2026, 11, 20, tzinfo=UTC)
FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
BATCH: Final = 50_000
Cells = tuple[Any, ...]


def events(account_id: int, count: int) -> Iterator[Cells]:
    """Yield an hourly reading of each deployment's resources, each at a second of its own."""
    draw = Random(1)
    columns = UsageEventCells._fields
    number = 0
    while True:
        hour = FIRST + number // (DEPLOYMENTS * len(RESOURCES)) * HOUR
        for deployment in range(DEPLOYMENTS):
            at = hour + timedelta(seconds=deployment * 14 + draw.randrange(14))
            for resource, unit, price in RESOURCES:
                number += 1
                row = {
                    "account_id": account_id,
                    "source": f"provider-{deployment % 7}",
                    "event_id": f"{deployment}-{resource}-{hour:%Y%m%dT%H}",
                    "fingerprint": b"0123456789abcdef",
                    "deployment_id": deployment + 1,
                    "resource": resource,
                    "unit": unit,
                    "quantity_nanos": draw.randrange(10**9),
                    "amount_nanos": draw.randrange(price),
                    "correction": False,
                    "provider": f"provider-{deployment % 7}",
                    "gpu_model": "h100",
                    "region": "eu-west",
                    "service": "compute",
                    "started_at": at,
                    "ended_at": at + HOUR,
                    "received_at": hour + HOUR,
                    "ledger_version": 1,
                }
                yield tuple(row.get(name) for name in columns)
                if number == count:
                    return


def deployments(account_id: int) -> Iterator[DeploymentRow]:
    for number in range(DEPLOYMENTS):
        row = {
            "account_id": account_id,
            "id": number + 1,
            "ordinal": number,
            "external_id": str(2**63 + number),
            "name": f"worker-{number}",
            "spend_nanos": 0,
            "started_at": FIRST,
            "created_at": FIRST,
        }
        yield DeploymentRow._make(row.get(name) for name in DeploymentRow._fields)


def purchases(account_id: int, count: int) -> Iterator[CreditPurchaseCells]:
    draw = Random(2)
    for number in range(count):
        at = FIRST + number * timedelta(minutes=5)
        refunded = 10**9 if number % 50 == 0 else 0
        row = {
            "account_id": account_id,
            "id": number + 1,
            "kind": "CARD",
            "status": "PARTIALLY_REFUNDED" if refunded else "SUCCEEDED",
            "currency": "USD",
            "amount_nanos": 10**9 * draw.randrange(10, 500),
            "tax_nanos": 10**7 * draw.randrange(1000),
            "bonus_nanos": 0,
            "refunded_nanos": refunded,
            "bonus_reversed_nanos": 0,
            "disputed_nanos": 0,
            "description": "Top-up",
            "payment_method_type": "CARD",
            "payment_method_brand": "visa",
            "payment_method_last4": f"{draw.randrange(10_000):04}",
            "provider": "stripe",
            "provider_reference": f"pi_{number:024}",
            "created_at": at,
            "settled_at": at + timedelta(seconds=3),
            "revision": 0,
            "receipted": True,
        }
        yield CreditPurchaseCells._make(map(row.get, CreditPurchaseCells._fields))


def refunds(account_id: int, count: int) -> Iterator[RefundCells]:
    for number in range(0, count, 50):
        at = FIRST + number * timedelta(minutes=5) + timedelta(days=3)
        row = {
            "account_id": account_id,
            "id": number + 1,
            "purchase_id": number + 1,
            "status": "SUCCEEDED",
            "currency": "USD",
            "amount_nanos": 10**9,
            "tax_nanos": 0,
            "bonus_reversed_nanos": 0,
            "provider": "stripe",
            "provider_reference": f"re_{number:024}",
            "created_at": at,
            "settled_at": at,
            "has_succeeded": True,
        }
        yield RefundCells._make(map(row.get, RefundCells._fields))


def receipts(account_id: int, count: int) -> Iterator[IssuedReceipt]:
    for number in range(count):
        row = {
            "account_id": account_id,
            "id": number + 1,
            "number": f"BENCH000-2025-{number + 1:06}",
            "year": 2025,
            "sequence": number + 1,
            "purchase_id": number + 1,
            "currency": "USD",
            "total_nanos": 10**9,
            "tax_nanos": 0,
            "issued_at": FIRST + number * timedelta(minutes=5),
            "data": "{}",
        }
        yield IssuedReceipt._make(map(row.get, IssuedReceipt._fields))


async def fill(database: Database, rows: int) -> int:
    """Fill one account; return its key."""
    clock = FixedClock(END)
    async with database.writing(ACTOR, unlimited=True) as transaction:
        facts = AccountFacts(
            external_id="bench", name="Bench", currency="USD", members=[(SUBJECT, Role.OWNER)]
        )
        account_id = await put_account(
            transaction, facts, actor=ACTOR, clock=clock, keys=KeyFactory(clock)
        )
        await stored_deployments.save(transaction, list(deployments(account_id)))
        bought = rows // 10
        await usage_events.append(transaction, map(UsageEventCells._make, events(account_id, rows)))
        await insert(transaction, CreditPurchase, purchases(account_id, bought))
        await insert(transaction, Refund, refunds(account_id, bought))
        await insert(transaction, Receipt, receipts(account_id, bought))
    return account_id


async def insert(transaction: Transaction, model: type[SQLModel], cells: Iterator[W]) -> None:
    while batch := list(islice(cells, BATCH)):
        await transaction.insert(Insert(table_of(model), type(batch[0])), batch)
