"""Low balances: the rule by itself, and what the books make of it, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.billing.balance import low_balance_sweep
from gateway.billing.balance.low_balance import MARGIN, Thresholds, low_balance
from gateway.billing.balance.low_balance_sweep import sweep
from gateway.billing.balance.runway import Burn
from gateway.billing.book import Book
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.recording import record_usage
from gateway.models import Account, LowBalance, table_of
from gateway.store import Database, Statement, Transaction
from gateway.store.engine.database import Driver
from gateway.store.engine.statement import BoundStatement, CompiledStatement, R
from gateway.work.tasks import Tasks
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, NOW, Books, usd
from tests.support.invariants import check_books
from tests.support.jobs import at_rest, pass_time, worker
from tests.support.tables import table_rows

MONEY, DAYS = LowBalance.MONEY, LowBalance.DAYS
DAY = timedelta(days=1)
WEEK = Thresholds(days=7)
FIFTY = Thresholds(nanos=50)

nanos = st.integers(-(10**15), 10**15)
burns = st.none() | st.builds(Burn, nanos, nanos)
states = st.sampled_from([None, MONEY, DAYS])
thresholds = st.builds(Thresholds, st.none() | nanos, st.none() | st.integers(1, 3660))


@pytest.mark.parametrize(
    ("state", "balance", "burn", "said", "expected"),
    [
        (None, 51, None, FIFTY, None),
        (None, 50, None, FIFTY, MONEY),
        (MONEY, 54, None, FIFTY, MONEY),
        (MONEY, 55, None, FIFTY, None),
        (DAYS, 54, None, FIFTY, None),
        (None, 0, None, Thresholds(nanos=0), MONEY),
        (MONEY, 1, None, Thresholds(nanos=0), None),
        (None, -100, None, Thresholds(nanos=-100), MONEY),
        (MONEY, -91, None, Thresholds(nanos=-100), MONEY),
        (MONEY, -90, None, Thresholds(nanos=-100), None),
        (None, 71, Burn(10, 3), WEEK, None),
        (None, 70, Burn(10, 3), WEEK, DAYS),
        (None, 70, Burn(3, 10), WEEK, DAYS),
        (DAYS, 76, Burn(10, 3), WEEK, DAYS),
        (DAYS, 77, Burn(10, 3), WEEK, None),
        (MONEY, 76, Burn(10, 3), WEEK, DAYS),
        (None, 1, Burn(0, 0), WEEK, None),
        (None, 0, Burn(0, 0), WEEK, DAYS),
        (None, 1, Burn(-5, -9), WEEK, None),
        (None, 1, None, WEEK, None),
        (None, 0, None, WEEK, DAYS),
        (None, 50, Burn(10, 10), Thresholds(50, 7), MONEY),
        (None, 60, Burn(10, 10), Thresholds(50, 7), DAYS),
        (MONEY, 60, Burn(10, 10), Thresholds(50, 7), DAYS),
        (MONEY, -1, Burn(10, 10), Thresholds(), None),
    ],
)
def test_a_balance_is_low_by_its_thresholds(
    state: LowBalance | None,
    balance: int,
    burn: Burn | None,
    said: Thresholds,
    expected: LowBalance | None,
) -> None:
    assert low_balance(state, balance, burn, said) is expected


@given(states, nanos, burns, thresholds)
def test_a_state_is_settled_at_once(
    state: LowBalance | None, balance: int, burn: Burn | None, said: Thresholds
) -> None:
    found = low_balance(state, balance, burn, said)
    assert low_balance(found, balance, burn, said) is found


@given(states, nanos, burns, thresholds, st.integers(0, 10**15))
def test_less_money_is_never_less_low(
    state: LowBalance | None, balance: int, burn: Burn | None, said: Thresholds, less: int
) -> None:
    order = [None, DAYS, MONEY]
    more = low_balance(state, balance, burn, said)
    assert order.index(low_balance(state, balance - less, burn, said)) >= order.index(more)


@given(states, nanos, burns, st.integers(1, 10**12), st.data())
def test_a_balance_that_moves_less_than_the_margin_changes_its_state_once_at_most(
    state: LowBalance | None, lowest: int, burn: Burn | None, threshold: int, data: st.DataObject
) -> None:
    margin = max(threshold // MARGIN, 1)
    balances = data.draw(st.lists(st.integers(lowest, lowest + margin - 1), max_size=20))
    found = walk(state, balances, burn, Thresholds(nanos=threshold))
    assert changes(found[1:]) <= 1


@given(nanos, st.lists(st.integers(10**9, 10**9 + 9 * 10**7), min_size=1, max_size=20))
def test_a_rate_that_moves_less_than_the_margin_changes_the_state_once_at_most(
    balance: int, rates: Sequence[int]
) -> None:
    state: LowBalance | None = None
    found = [state := low_balance(state, balance, Burn(rate, rate), WEEK) for rate in rates]
    assert changes(found) <= 1


def walk(
    state: LowBalance | None, balances: Sequence[int], burn: Burn | None, said: Thresholds
) -> list[LowBalance | None]:
    return [state] + [state := low_balance(state, each, burn, said) for each in balances]


def changes(found: Sequence[LowBalance | None]) -> int:
    return sum(one is not other for one, other in pairwise(found))


async def standing(books: Books) -> tuple[str | None, int]:
    """Return Acme's state and revision."""
    rows = await table_rows(books.database, "account")
    (acme,) = [row for row in rows if row["external_id"] == "acme"]
    return acme["low_balance"], acme["revision"]


async def adjust(books: Books, account_id: int, amount: str, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd(amount), source=SourceKey.adjustment(key), occurred_at=NOW
        )


async def use(books: Books, account_id: int, *charges: tuple[timedelta, str]) -> None:
    """Record usage, each so long ago."""
    async with books.open([account_id]) as book:
        records = [
            event(account_id, f"e:{ago}", started_at=NOW - ago, amount=usd(amount))
            for ago, amount in charges
        ]
        await record_usage(book, records)


async def test_a_balance_that_falls_is_low_until_it_is_well_above(books: Books) -> None:
    account_id = await books.account("acme", low_balance_nanos=usd("50"))
    assert await standing(books) == ("MONEY", 1)
    await adjust(books, account_id, "54.99", "a:1")
    assert await standing(books) == ("MONEY", 2)
    await adjust(books, account_id, "0.01", "a:2")
    assert await standing(books) == (None, 3)
    await adjust(books, account_id, "-4", "a:3")
    assert await standing(books) == (None, 4)
    await adjust(books, account_id, "-1", "a:4")
    assert await standing(books) == ("MONEY", 5)
    await check_books(books.database)


async def test_a_balance_is_low_by_the_usage_that_the_same_batch_brings(books: Books) -> None:
    opened = NOW - 10 * DAY
    account_id = await books.account("acme", low_balance_days=7, created_at=opened)
    await adjust(books, account_id, "100", "a:1")
    assert await standing(books) == (None, 2)
    # A mean of 10 a day over 7 complete days; 30 are left.
    await use(books, account_id, *((n * DAY, "10") for n in range(1, 8)))
    assert await standing(books) == ("DAYS", 3)
    await adjust(books, account_id, "46", "a:2")
    assert await standing(books) == ("DAYS", 4)
    await adjust(books, account_id, "1", "a:3")
    assert await standing(books) == (None, 5)


async def test_what_was_known_already_changes_no_state(books: Books) -> None:
    account_id = await books.account("acme", low_balance_days=7, created_at=NOW - 10 * DAY)
    await adjust(books, account_id, "100", "a:1")
    charges = [(n * DAY, "10") for n in range(1, 8)]
    await use(books, account_id, *charges)
    before = await standing(books)
    await use(books, account_id, *charges)
    assert await standing(books) == before


async def test_other_thresholds_count_at_once_and_begin_anew(books: Books) -> None:
    account_id = await books.account("acme", low_balance_nanos=usd("50"))
    await adjust(books, account_id, "52", "a:1")
    assert await standing(books) == ("MONEY", 2)
    await books.account("acme", low_balance_nanos=usd("50"))
    assert await standing(books) == ("MONEY", 2)
    await books.account("acme", low_balance_nanos=usd("51"))
    assert await standing(books) == (None, 3)
    await books.account("acme", low_balance_nanos=usd("52"))
    assert await standing(books) == ("MONEY", 4)
    await books.account("acme")
    assert await standing(books) == (None, 5)


class Counting:
    """A driver that counts its calls."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.calls = 0

    async def fetch(self, statement: CompiledStatement[R], arguments: list[object]) -> Sequence[R]:
        self.calls += 1
        return await self.driver.fetch(statement, arguments)

    async def fetch_together(
        self, statements: Sequence[BoundStatement[Any]]
    ) -> list[Sequence[Any]] | None:
        self.calls += 1
        return await self.driver.fetch_together(statements)

    async def execute_many(self, statement: CompiledStatement[None], arguments: Any) -> None:
        self.calls += 1
        await self.driver.execute_many(statement, arguments)


async def statements(books: Books, account_ids: Sequence[int], name: str) -> int:
    """Return how many statements a batch of an event for each account takes."""
    async with books.database.writing(ACTOR) as transaction:
        driver = Counting(transaction._driver)
        counted = Transaction(driver, transaction.dialect)
        book = await Book.open(
            counted, account_ids, actor=ACTOR, clock=books.clock, keys=books.keys
        )
        await record_usage(book, [event(each, name) for each in account_ids])
        await book.close()
    return driver.calls


async def test_a_batch_takes_one_statement_more_for_thresholds_in_days_and_none_for_others(
    database: Database,
) -> None:
    books = Books(database)
    plain = [await books.account(f"plain-{n}") for n in range(50)]
    mixed = [await books.account("any"), await books.account("both", low_balance_days=7)]
    warned = [await books.account(f"days-{n}", low_balance_days=7) for n in range(50)]
    money = [await books.account(f"money-{n}", low_balance_nanos=1) for n in range(50)]
    expected = await statements(books, plain[:1], "one")
    assert await statements(books, plain, "many") == expected
    assert await statements(books, money, "many") == expected
    assert await statements(books, warned[:1], "one") == expected + 1
    assert await statements(books, warned, "many") == expected + 1
    assert await statements(books, mixed, "many") == expected + 1


async def sweep_at(books: Books, days: float) -> int:
    books.clock.instant = NOW + days * DAY
    return await sweep(books.database, clock=books.clock, usage_delay_seconds=3600)


async def test_what_time_alone_changes_is_swept(books: Books) -> None:
    account_id = await books.account("acme", low_balance_days=7, created_at=NOW - 10 * DAY)
    await books.account("other", created_at=NOW - 10 * DAY)
    await adjust(books, account_id, "40", "a:1")
    # Sent at once, and not yet in the complete days and hours that burn goes by.
    await use(books, account_id, (timedelta(minutes=10), "10"))
    assert await standing(books) == (None, 3)
    assert await sweep_at(books, 0) == 0
    assert await sweep_at(books, 1 / 12) == 1
    assert await standing(books) == ("DAYS", 4)
    assert await sweep_at(books, 1 / 12) == 0
    # A week later nothing burns, and nothing is written.
    assert await sweep_at(books, 10) == 1
    assert await standing(books) == (None, 5)


async def test_many_accounts_are_swept_part_by_part(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(low_balance_sweep, "TOGETHER", 2)
    for number in range(5):
        key = await books.account(f"{number}", low_balance_days=7, created_at=NOW - 10 * DAY)
        await adjust(books, key, "40", "a:1")
        await use(books, key, (timedelta(minutes=10), "10"))
    assert await sweep_at(books, 1 / 12) == 5
    assert await sweep_at(books, 10) == 5
    await check_books(books.database)


async def test_an_account_at_fault_keeps_no_other_from_its_sweep(books: Books) -> None:
    keys = {}
    for name in ("first", "broken", "last"):
        keys[name] = await books.account(name, low_balance_days=7, created_at=NOW - 10 * DAY)
        await adjust(books, keys[name], "40", "a:1")
        await use(books, keys[name], (timedelta(minutes=10), "10"))
    zone_of = Statement[None](
        update(table_of(Account))
        .where(table_of(Account).c.account_id == keys["broken"])
        .values(time_zone="Nowhere/Atall")
    )
    async with books.database.writing(ACTOR) as transaction:
        await transaction.execute(zone_of)
    assert await sweep_at(books, 1 / 12) == 2


async def test_burn_beyond_64_bits_refuses_no_event(books: Books) -> None:
    account_id = await books.account("acme", low_balance_days=7, created_at=NOW - 10 * DAY)
    # The last 24 hours lie on two days, each of which fits.
    for hours in (16, 3):
        books.clock.instant = NOW - timedelta(hours=hours - 3)
        at = books.clock.instant - timedelta(hours=3)
        if hours == 16:
            await adjust(books, account_id, "5000000000", "a:1")
        async with books.open([account_id]) as book:
            charge = event(account_id, f"{hours}", started_at=at, amount=usd("5000000000"))
            await record_usage(book, [charge._replace(deployment=None)])
    assert (await standing(books))[0] == "DAYS"
    await check_books(books.database)


async def test_a_worker_sweeps_now_and_again(books: Books) -> None:
    account_id = await books.account("acme", low_balance_days=7, created_at=NOW - 10 * DAY)
    await adjust(books, account_id, "40", "a:1")
    await use(books, account_id, (timedelta(minutes=10), "10"))
    books.clock.instant = NOW + DAY / 12
    tasks = Tasks()
    low_balance_sweep.register(tasks, books.database, books.clock, 3600)
    async with worker(books.database, tasks).running():
        await asyncio.sleep(0.1)
        assert (await standing(books))[0] is None  # the first sweep comes after a pause
        await pass_time(books.database, 2 * low_balance_sweep.SWEEP_SECONDS)
        await at_rest(books.database)
        assert await standing(books) == ("DAYS", 4)
