"""A large, plain data set: any number of equal accounts, each two years old.

A full one (`scale=1`) has 2,000 accounts with 100 purchases and 5,000 usage events each. Twenty
deployments take turns, a nightly job each, metered every three minutes; weeks have a night off.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Final

from gateway.billing.accounts import AccountFacts, put_account
from gateway.billing.book import Book
from gateway.billing.purchases.purchase_state import PurchaseFacts
from gateway.billing.purchases.recording import record_purchase
from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.clock import Clock, FixedClock
from gateway.dev.demo.buying import PROVIDER
from gateway.dev.demo.cast import GPU_PRICES, LEADER
from gateway.dev.demo.chance import external_id, jitter, number
from gateway.dev.demo.fill import SEED
from gateway.dev.demo.metering import SOURCE
from gateway.dev.demo.report import DemoReport, Progress, silent
from gateway.dev.demo.story import DAY, HOUR, midnight
from gateway.ids import KeyFactory
from gateway.models import CreditPurchaseKind
from gateway.money import NANOS
from gateway.principal import Actor, Role
from gateway.store import Database, Transaction, accounts

ACCOUNTS: Final = 2_000
PURCHASES: Final = 100
EVENTS: Final = 5_000
DAYS: Final = 730
ACTOR: Final = Actor.operator("demo")
DEPLOYMENTS: Final = 20
TOGETHER: Final = 4
"""Accounts that one transaction fills."""
OWNER: Final = "scale@demo"

_PROVIDERS: Final = ("hetzner-gpu", "northpole.cloud", "lambda-west", "basement-gpus")
_RESOURCES: Final = (("GPU", "gpu-hour", 1_000_000_000), ("CPU", "cpu-hour", 67_000_000))
_MILLISECOND: Final = timedelta(milliseconds=1)
_READINGS: Final = 4
_READING: Final = timedelta(minutes=3)


async def fill_scale(
    database: Database,
    *,
    clock: Clock,
    seed: int = SEED,
    end: datetime | None = None,
    scale: float = 1.0,
    progress: Progress = silent,
) -> DemoReport:
    """Add the set's missing accounts with all their data; `progress` counts usage events.

    Accounts belong to the subject `OWNER`. The same seed and end give the same facts.
    """
    end = end or clock.now()
    count = max(1, round(ACCOUNTS * scale))
    parts = iter(range(first, min(count, first + TOGETHER)) for first in range(0, count, TOGETHER))
    events = 0

    async def work() -> None:
        nonlocal events
        for numbers in parts:
            async with database.writing(ACTOR, unlimited=True) as transaction:
                names = await _missing(transaction, numbers)
                made = await _Part(transaction, seed, end, names).fill() if names else 0
            events += made
            progress(numbers.stop * EVENTS, count * EVENTS)

    # Two at once on Postgres: while one waits for the server, the other makes its rows.
    async with asyncio.TaskGroup() as workers:
        for _ in range(2 if database.dialect == "postgresql" else 1):
            workers.create_task(work())
    return DemoReport(events=events)


async def _missing(transaction: Transaction, numbers: range) -> dict[str, int]:
    """Return the missing accounts: their numbers by external id."""
    names = {f"scale-{each:06}": each for each in numbers}
    for row in await accounts.by_external_id(transaction, list(names)):
        del names[row["external_id"]]
    return names


class _Part:
    """Some accounts, in one transaction."""

    def __init__(
        self, transaction: Transaction, seed: int, end: datetime, names: Mapping[str, int]
    ) -> None:
        self.transaction = transaction
        self.seed = seed
        self.names = names
        self.begin = midnight(end - DAYS * DAY)
        # A millisecond for each account, so that two parts never make the same key.
        first = min(names.values())
        self.clock = FixedClock(end - DAY + first * _MILLISECOND)
        draw = Random(f"{seed} {end} {first}").getrandbits  # noqa: S311  # repeatable is meant
        self.keys = KeyFactory(self.clock, draw)

    async def fill(self) -> int:
        """Add the accounts; return how many events are new."""
        names = self.names
        ids = [await self._account(name) for name in names]
        book = await Book.open(self.transaction, ids, actor=ACTOR, clock=self.clock, keys=self.keys)
        for account_id, each in zip(ids, names.values(), strict=True):
            self._buy(book, account_id, each)
        records = [
            record
            for account_id, each in zip(ids, names.values(), strict=True)
            for record in self._usage(account_id, each)
        ]
        facts = {
            (account_id, name): DeploymentFacts(
                name=f"worker-{turn + 1}", gpu_nanos=NANOS, cpu_nanos=8 * NANOS
            )
            for account_id, each in zip(ids, names.values(), strict=True)
            for turn, name in enumerate(self._deployments(each))
        }
        stated = [facts[each.account_id, each.deployment] for each in records if each.deployment]
        result = await record_usage(book, records, stated)
        await book.close()
        return result.accepted

    async def _account(self, name: str) -> int:
        facts = AccountFacts(
            external_id=name,
            name=name.title(),
            currency="USD",
            members=[(OWNER, Role.OWNER)],
            created_at=self.begin,
        )
        return await put_account(
            self.transaction, facts, actor=ACTOR, clock=self.clock, keys=self.keys
        )

    def _buy(self, book: Book, account_id: int, each: int) -> None:
        key = number(self.seed, "buys", each) & 0xFFFFFFFF
        for turn in range(PURCHASES):
            at = self.begin + turn * (DAYS * DAY // PURCHASES) + jitter(key, turn) * HOUR / 10
            facts = PurchaseFacts(
                account_id=account_id,
                kind=CreditPurchaseKind.CARD,
                amount=(10 + jitter(key, turn) % 90) * NANOS,
                currency="USD",
                created_at=at,
                payment_method=LEADER.methods[turn % 2],
                provider=PROVIDER,
                reference=f"demo_pi_{self.seed:x}_{each:x}_{turn:x}",
                succeeded_at=at,
            )
            if turn % 10 == 9:
                facts = replace(
                    facts, succeeded_at=None, failed_at=at, failure_code="card_declined"
                )
            record_purchase(book, facts)

    def _deployments(self, each: int) -> list[str]:
        return [external_id(self.seed, each, turn) for turn in range(DEPLOYMENTS)]

    def _usage(self, account_id: int, each: int) -> Iterator[UsageRecord]:
        """Yield an account's events, night by night."""
        key = number(self.seed, "uses", each) & 0xFFFFFFFF
        deployments = self._deployments(each)
        nights = (day for day in range(DAYS) if (day + each) % 7)
        readings = ((night, reading) for night in nights for reading in range(_READINGS))
        for night, reading in islice(readings, EVENTS // len(_RESOURCES)):
            turn = (night + each) % DEPLOYMENTS
            at = self.begin + night * DAY + 2 * HOUR + reading * _READING
            load = 500 + jitter(key, night * _READINGS + reading) // 2
            yield from _charges(account_id, deployments[turn], turn, at, load)


def _charges(
    account_id: int, deployment: str, turn: int, at: datetime, load: int
) -> Iterator[UsageRecord]:
    """Yield a reading's charge for each resource; `load` is in thousandths."""
    minute = f"{at:%Y%m%dT%H%M}"
    provider = _PROVIDERS[turn % len(_PROVIDERS)]
    gpu_model = tuple(GPU_PRICES)[turn % len(GPU_PRICES)]
    for resource, unit, price in _RESOURCES:
        yield UsageRecord(
            account_id=account_id,
            source=SOURCE,
            event_id=f"{deployment}-{resource}-{minute}",
            deployment=deployment,
            resource=resource,
            unit=unit,
            quantity=NANOS // 20,
            quantity_text=None,
            amount=price * load // 20_000,
            amount_text=None,
            correction=False,
            provider=provider,
            gpu_model=gpu_model,
            region=None,
            service="compute",
            sku=None,
            started_at=at,
            ended_at=at + _READING,
        )
