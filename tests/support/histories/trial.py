"""One trial: delivers stories in every way, and compares the books at the end."""

from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any, Final

from gateway.clock import FixedClock
from gateway.ids import KeyFactory
from gateway.store import Database
from tests.support.books import NOW, Books
from tests.support.histories.delivery import WAYS, Post, Way
from tests.support.histories.figures import (
    TALLIES,
    Comparison,
    Tables,
    check_accounts,
    compare,
    picture,
    read,
)
from tests.support.histories.model import Expected, expect
from tests.support.histories.provider import Provider
from tests.support.histories.story import Story

_numbers: Final = count()
_keys: Final = KeyFactory(FixedClock(NOW))
"""The keys of all trials: the clock stands, so that keys of several factories would meet."""


async def try_stories(
    database: Database,
    url: str,
    kind: str,
    stories: Sequence[Story],
    random: Random,
    ways: Sequence[Way] = WAYS,
) -> list[str]:
    """Tell stories of one version in each way, each to accounts of its own; return what differs."""
    trial = next(_numbers)
    tally = TALLIES[kind]
    tally.counts["histories"] += len(stories)
    books = Books(database)
    books.keys = _keys
    differences: list[str] = []
    first: dict[str, Any] = {}
    for number, way in enumerate(ways):
        tag = f"{trial:x}w{number}"
        tally.counts["deliveries"] += len(stories)
        comparison = Comparison(tally, way.name)
        providers, accounts = await _providers(books, stories, tag)
        post = Post(books, url, providers, random)
        for step in way.steps:
            await step(post)
            await check_accounts(database, comparison, *accounts)
            tables = await read(database, *accounts)
            for place, provider in enumerate(providers):
                _compare(comparison, tables, provider, way, first, place)
        differences += comparison.differences
    return differences


async def _providers(
    books: Books, stories: Sequence[Story], tag: str
) -> tuple[list[Provider], list[int]]:
    """Play the stories to one account for each currency."""
    accounts: dict[str, int] = {}
    providers = []
    for place, story in enumerate(stories):
        name = f"{tag}{story.currency.lower()}"
        if name not in accounts:
            accounts[name] = await books.account(
                name, currency=story.currency, stripe_customer_id=f"cus_{name}"
            )
        providers.append(Provider(story, f"{tag}s{place}", name))
    return providers, list(accounts.values())


def _reference(provider: Provider, expected: Expected) -> str:
    payment = provider.story.payments[expected.number]
    if payment.intent:
        return provider.shapes.name("pi", expected.number)
    return provider.shapes.name("ch", expected.number, 0)


def _compare(
    comparison: Comparison,
    tables: Tables,
    provider: Provider,
    way: Way,
    first: dict[str, Any],
    place: int,
) -> None:
    for expected in expect(provider.story):
        reference = _reference(provider, expected)
        before = len(comparison.differences)
        compare(comparison, tables, reference, expected, listed=way.listed, complete=way.complete)
        # How a list shows a payment that has not settled, it says of the end alone.
        is_whole = expected.settled_at is not None or not way.listed
        if is_whole and len(comparison.differences) == before:
            found = picture(tables, reference, times=not way.listed)
            key = f"{place}.{expected.number} {way.listed}"
            _compare_pictures(comparison, first, key, found)


def _compare_pictures(comparison: Comparison, first: dict[str, Any], key: str, found: Any) -> None:
    """Compare a telling with the first one, but for the instants that a list does not say."""
    for name, value in found.items():
        comparison.same(f"{name} as first told", value, first.setdefault(f"{key} {name}", value))
