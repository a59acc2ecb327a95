"""Billing's write path as tests use it: one call, one transaction."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random

from gateway.billing.accounts import AccountFacts, put_account
from gateway.billing.book import Book
from gateway.clock import FixedClock
from gateway.ids import KeyFactory
from gateway.money import parse_nanos
from gateway.store import Database

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Books:
    """Opens books on a database, with a clock that stands at `NOW` and repeatable keys."""

    def __init__(self, database: Database, seed: int = 1) -> None:
        self.database = database
        self.clock = FixedClock(NOW)
        self.keys = KeyFactory(self.clock, Random(seed).getrandbits)

    async def account(self, external_id: str, **facts: object) -> int:
        """Put an account and return its key."""
        said = {"name": external_id.title(), "currency": "USD", **facts}
        async with self.database.writing() as transaction:
            return await put_account(
                transaction,
                AccountFacts(external_id=external_id, **said),
                clock=self.clock,
                keys=self.keys,
            )

    @asynccontextmanager
    async def open(self, account_ids: Collection[int]) -> AsyncIterator[Book]:
        """Lend a book; it is closed and committed at the end."""
        async with self.database.writing() as transaction:
            book = await Book.open(transaction, account_ids, clock=self.clock, keys=self.keys)
            yield book
            await book.close()


def usd(text: str) -> int:
    """Return nanos."""
    return parse_nanos(text)
