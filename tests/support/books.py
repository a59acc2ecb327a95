"""Billing's write path as tests use it: one call, one transaction."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import TypedDict, Unpack

from gateway.billing.accounts import AccountFacts, put_account
from gateway.billing.book import Book
from gateway.clock import FixedClock
from gateway.ids import KeyFactory
from gateway.money import parse_nanos
from gateway.principal import Actor, Role
from gateway.store import Database
from gateway.store.buyers import BillingDetails

ACTOR = Actor.operator("test")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class MoreFacts(TypedDict, total=False):
    """What an account may have besides its id, name and currency, as in `AccountFacts`."""

    time_zone: str
    members: Sequence[tuple[str, Role]] | None
    stripe_customer_id: str | None
    keeps_customer: bool
    billing: BillingDetails | None
    keeps_billing: bool
    low_balance_nanos: int | None
    low_balance_days: int | None
    created_at: datetime | None


class Books:
    """Opens books on a database, with a clock that stands at `NOW` and repeatable keys."""

    def __init__(self, database: Database, seed: int = 1) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.keys = KeyFactory(self.clock, Random(seed).getrandbits)

    async def account(
        self,
        external_id: str,
        *,
        name: str | None = None,
        currency: str = "USD",
        **facts: Unpack[MoreFacts],
    ) -> int:
        """Put an account and return its key."""
        given = AccountFacts(
            external_id=external_id,
            name=external_id.title() if name is None else name,
            currency=currency,
            **facts,
        )
        async with self.database.writing(ACTOR) as transaction:
            return await put_account(
                transaction, given, actor=ACTOR, clock=self.clock, keys=self.keys
            )

    @asynccontextmanager
    async def open(self, account_ids: Collection[int]) -> AsyncIterator[Book]:
        """Lend a book; it is closed and committed at the end."""
        async with self.database.writing(ACTOR) as transaction:
            book = await Book.open(
                transaction, account_ids, actor=ACTOR, clock=self.clock, keys=self.keys
            )
            yield book
            await book.close()


def usd(text: str) -> int:
    """Return nanos."""
    return parse_nanos(text)
