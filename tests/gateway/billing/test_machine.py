"""Anything that may happen to an account, in any order, against a model of a few integers."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import asyncpg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr

from gateway.billing.book import Book
from gateway.billing.credits.posting import adjust_balance, grant_credit
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeMovement
from gateway.billing.purchases.recording import load_purchases, record_purchase
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import ServiceUnavailable
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind, DisputeStatus
from gateway.settings import load_settings
from gateway.store import Database, Transaction, connect
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, Books, usd
from tests.support.facts import PROVIDER, START, Facts, dispute, purchase, record, refund
from tests.support.graph import PLATFORM, data_of
from tests.support.invariants import check_books
from tests.support.tables import table_rows

CENT = 10**7
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
EXAMPLES = settings().max_examples
IS_SMALL = EXAMPLES <= 50
numbers = count()
ACCOUNT = """query ($account: ID!) {
  account(id: $account) { balance { available { amount } } creditPurchases { totalCount } }
}"""

amounts = st.integers(1, 10**12)
Step = Callable[[], Awaitable[None]]


class Crash(Exception):
    """The end of a transaction that would have been committed."""


@dataclass
class Dying:
    """A driver whose connection goes at one of its statements, and with it the transaction."""

    driver: Any
    left: int
    end: Step

    async def fetch(self, *arguments: Any) -> Any:
        return await self.run(self.driver.fetch, *arguments)

    async def execute_many(self, *arguments: Any) -> Any:
        return await self.run(self.driver.execute_many, *arguments)

    async def load(self, *arguments: Any) -> Any:
        return await self.run(self.driver.load, *arguments)

    async def run(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        if not self.left:
            await self.end()
        self.left -= 1
        return await call(*arguments)


@dataclass(slots=True)
class Model:
    """A purchase as a few integers. `moved` is the money that its dispute withdrew and returned."""

    name: str
    amount: int
    bonus: int
    settled: bool = False
    refunded: int = 0
    moved: list[DisputeMovement] = field(default_factory=list)
    decided: bool = False

    @property
    def held(self) -> int:
        """What the dispute holds: credit in whole cents, up."""
        money = max(-sum(each.amount for each in self.moved), 0)
        share = Fraction(money * self.amount, self.amount + self.amount // 5)
        credit = math.ceil(share / CENT) * CENT if self.amount // 5 else money
        return min(credit, self.amount - self.refunded)

    @property
    def left(self) -> int:
        return self.amount - self.refunded - self.held

    @property
    def credited(self) -> int:
        if not self.settled:
            return 0
        is_open = bool(self.held) and not self.decided
        return self.left + (self.bonus if self.left or is_open else 0)


class LedgerMachine(RuleBasedStateMachine):
    """One account of one database. Each rule is a transaction; each may be told again later."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        super().__init__()
        self.runner = runner
        self.url = url
        number = next(numbers)
        self.books = Books(runner.run(open_database(url)), seed=number)
        # Keys of one millisecond are few enough for two of a thousand accounts to have the same.
        self.books.clock.instant += timedelta(milliseconds=number)
        self.purchases: list[Model] = []
        self.steps: list[Step] = []
        self.other = 0
        self.grants = 0
        self.documents: dict[str, Any] = {}
        self.version = 0
        self.at = START

    @initialize(time_zone=st.sampled_from(ZONES))
    def begin(self, time_zone: str) -> None:
        self.name = f"account-{next(numbers)}"
        self.account_id = self.run(self.books.account(self.name, time_zone=time_zone))

    def run(self, step: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await step

        return self.runner.run(awaited())

    def tick(self) -> datetime:
        self.at += timedelta(hours=7, minutes=11)
        return self.at

    def save(self, model: Model, facts: Facts) -> None:
        async def step() -> None:
            async with self.books.open([self.account_id]) as book:
                await load_purchases(book, [(self.account_id, PROVIDER, model.name)])
                assert record(book, self.account_id, facts, model.name)

        self.run(step())
        self.steps.append(step)

    def facts_of(self, model: Model, **changes: Any) -> Facts:
        terms = {"amount": model.amount, "tax": model.amount // 5, "bonus": model.bonus}
        return purchase(self.account_id, reference=model.name, **terms, **changes)

    @rule(amount=amounts, bonus=st.integers(0, 10**9))
    def buy(self, amount: int, bonus: int) -> None:
        model = Model(f"pi_{len(self.purchases)}", amount, bonus)
        self.purchases.append(model)
        self.save(model, self.facts_of(model))

    def pick(self, data: st.DataObject) -> Model:
        model: Model = data.draw(st.sampled_from(self.purchases))
        return model

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        model = self.pick(data)
        self.save(model, self.facts_of(model, succeeded_at=self.tick()))
        model.settled = True

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        model = self.pick(data)
        self.save(model, self.facts_of(model, failed_at=self.tick(), failure_code="declined"))

    @precondition(lambda self: any(each.left for each in self.purchases))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        model = data.draw(st.sampled_from([each for each in self.purchases if each.left]))
        amount = data.draw(st.integers(1, model.left) | st.just(model.left))
        name = f"re_{next(numbers)}"
        facts = refund(name, "1", created_at=self.tick())
        self.save(model, replace(facts, amount=amount))
        model.refunded += amount

    @precondition(lambda self: self.purchases)
    @rule(data=st.data(), amount=st.integers(-(10**12), 10**12))
    def move_money(self, data: st.DataObject, amount: int) -> None:
        model = self.pick(data)
        model.moved.append(
            DisputeMovement(reference=f"txn_{next(numbers)}", amount=amount, at=self.tick())
        )
        self.save(model, replace(self.dispute_of(model), movements=(model.moved[-1],)))

    def dispute_of(self, model: Model) -> DisputeFacts:
        return dispute("1", reference=f"dp_{self.name}_{model.name}")

    @precondition(lambda self: any(each.moved and not each.decided for each in self.purchases))
    @rule(data=st.data(), state=st.sampled_from([DisputeStatus.WON, DisputeStatus.LOST]))
    def decide(self, data: st.DataObject, state: DisputeStatus) -> None:
        undecided = [each for each in self.purchases if each.moved and not each.decided]
        model = data.draw(st.sampled_from(undecided))
        self.save(model, replace(self.dispute_of(model), state=state, closed_at=self.tick()))
        model.decided = True

    @rule(amount=amounts, kind=st.sampled_from(["COUPON", "MANUAL_CREDIT", "TRIAL_GRANT"]))
    def grant(self, amount: int, kind: str) -> None:
        async def step() -> None:
            async with self.books.open([self.account_id]) as book:
                given = CreditPurchaseKind(kind)
                at = self.tick()
                grant_credit(book, self.account_id, given, amount, currency="USD", occurred_at=at)

        self.run(step())
        self.other += amount
        self.grants += 1

    @rule(amount=st.integers(-(10**12), 10**12))
    def adjust(self, amount: int) -> None:
        async def step() -> None:
            async with self.books.open([self.account_id]) as book:
                key = f"adjust:{next(numbers)}"
                adjust_balance(
                    book,
                    self.account_id,
                    amount,
                    source=SourceKey.adjustment(key),
                    occurred_at=self.tick(),
                )

        self.run(step())
        self.other += amount

    @rule(
        charges=st.lists(
            st.tuples(
                st.integers(0, 10**11),
                st.integers(-3000, 3000),
                st.none() | st.sampled_from(["a", "b", "c"]),
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def use(self, charges: list[tuple[int, int, str | None, bool]]) -> None:
        batch = [self.charge(*charge) for charge in charges]

        async def step() -> None:
            async with self.books.open([self.account_id]) as book:
                await record_usage(book, batch)

        self.run(step())
        self.steps.append(step)
        self.other -= sum(each.amount for each in batch)

    def charge(
        self, amount: int, minutes: int, deployment: str | None, correction: bool
    ) -> UsageRecord:
        return event(
            self.account_id,
            str(next(numbers)),
            amount=-amount if correction else amount,
            correction=correction,
            deployment=deployment,
            provider=deployment and f"provider-{deployment}",
            resource="GPU" if deployment else "OTHER",
            started_at=self.at + timedelta(minutes=minutes),
        )

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.run(data.draw(st.sampled_from(self.steps))())

    @rule(amount=amounts, statement=st.integers(0, 12))
    def crash(self, amount: int, statement: int) -> None:
        """The connection goes at some statement, or everything is written and no commit comes."""

        async def step() -> None:
            async with self.books.database.writing(ACTOR) as transaction:
                die(transaction, self.url, statement)
                clock, keys = self.books.clock, self.books.keys
                book = await Book.open(
                    transaction, [self.account_id], actor=ACTOR, clock=clock, keys=keys
                )
                name = f"pi_lost_{next(numbers)}"
                facts = purchase(self.account_id, reference=name, amount=amount, succeeded_at=START)
                record_purchase(book, facts)
                await record_usage(book, [self.charge(amount, 0, "lost", correction=False)])
                await book.close()
                raise Crash

        with pytest.raises((Crash, ServiceUnavailable)):
            self.run(step())

    @rule()
    def restart(self) -> None:
        self.run(self.books.database.close())
        self.books.database = self.run(open_database(self.url))

    @rule()
    def read(self) -> None:
        """Ask the graph, as the page does."""
        account = {"account": encode_global_id("Account", self.account_id)}
        data = self.run(data_of(self.books.database, PLATFORM, ACCOUNT, account))["account"]
        assert usd(data["balance"]["available"]["amount"]) == self.balance
        assert data["creditPurchases"]["totalCount"] == len(self.purchases) + self.grants

    @rule(time_zone=st.sampled_from(ZONES))
    def move(self, time_zone: str) -> None:
        assert self.run(self.books.account(self.name, time_zone=time_zone)) == self.account_id

    @property
    def balance(self) -> int:
        return self.other + sum(each.credited for each in self.purchases)

    def teardown(self) -> None:
        self.run(self.books.database.close())

    @invariant()
    def books_are_right(self) -> None:
        if not hasattr(self, "account_id"):
            return
        assert self.run(check_books(self.books.database, self.account_id)) == [self.balance]
        documents, version = self.run(self.facts())
        assert documents.items() >= self.documents.items()
        assert version >= self.version
        self.documents, self.version = documents, version

    async def facts(self) -> tuple[dict[str, Any], int]:
        """Return the receipts by their numbers, and the ledger's version."""
        receipts = await table_rows(self.books.database, "receipt")
        accounts = await table_rows(self.books.database, "account")
        (account,) = (row for row in accounts if row["account_id"] == self.account_id)
        mine = {row["number"]: row for row in receipts if row["account_id"] == self.account_id}
        return mine, account["ledger_version"]


def die(transaction: Transaction, url: str, statement: int) -> None:
    """Let a transaction's connection go at one of its statements."""
    driver: Any = transaction._driver

    async def end() -> None:
        if transaction.dialect == "sqlite":
            raise Crash
        connection = await asyncpg.connect(url)
        backend = driver._connection.get_server_pid()
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", backend)
        await connection.close()

    dying: Any = Dying(driver, statement, end)
    transaction._driver = dying
    transaction._bulk = transaction._bulk and dying


async def open_database(url: str) -> Database:
    return await connect(load_settings(database_url=SecretStr(url), database_pool_size=2))


@pytest.mark.timeout(0 if not IS_SMALL else 300)
def test_the_books_agree_with_a_model(database_url: str) -> None:
    limits = settings(
        max_examples=10 if IS_SMALL else EXAMPLES,
        stateful_step_count=15 if IS_SMALL else 50,
    )

    class Machine(LedgerMachine):
        def __init__(self) -> None:
            super().__init__(runner, database_url)

    with asyncio.Runner() as runner:
        run_state_machine_as_test(Machine, settings=limits)
