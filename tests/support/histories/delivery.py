"""The ways in which a provider's events arrive: webhooks, lists, or both."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import httpx
from pydantic import SecretStr

from gateway.clock import FixedClock
from gateway.errors import ServiceUnavailable
from gateway.providers.stripe.backfill import Api, backfill
from gateway.providers.stripe.inbox import Inbox
from gateway.settings import Settings, load_settings
from gateway.store import Database, connect
from tests.support.books import Books
from tests.support.histories.api import ListApi
from tests.support.histories.provider import Provider
from tests.support.histories.shapes import BEGIN, Json, instant
from tests.support.stripe import parsed

THREADS = 4
ATTEMPTS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the news of some stories arrives; the books are compared after each step.

    `listed`: lists may be read before all webhooks came; `complete`: all webhooks come.
    """

    name: str
    steps: tuple[Callable[["Post"], Awaitable[None]], ...]
    listed: bool = False
    complete: bool = True


class Post:
    """Brings the news of several stories of one version of the API to the books."""

    def __init__(
        self, books: Books, url: str, providers: Sequence[Provider], random: Random
    ) -> None:
        self.books, self.url, self.providers, self.random = books, url, providers, random
        self.inbox = Inbox(books.database, books.clock, test_mode=False)

    def events(self) -> list[Json]:
        """Return all events, those of all stories side by side in the order of their time."""
        found = [each for provider in self.providers for each in provider.events]
        return sorted(found, key=lambda each: int(each["created"]))

    def shuffled(self, *, twice: float = 0.3) -> list[Json]:
        """Return all events in any order, some of them more than once."""
        events = self.events()
        again = [each for each in events if self.random.random() < twice]
        mixed = [*events, *again]
        self.random.shuffle(mixed)
        return mixed

    async def take(self, events: Sequence[Json]) -> None:
        for each in events:
            await bring(self.inbox, each)

    async def fill(self, at: int | None = None) -> None:
        """Read the lists at an instant of the stories (None: when all is over)."""
        objects = [each for provider in self.providers for each in provider.objects(at)]
        clock = (
            self.books.clock if at is None else FixedClock(datetime.fromtimestamp(instant(at), UTC))
        )
        inbox = Inbox(self.books.database, clock, test_mode=False)
        api = ListApi(self.providers[0].story.version, objects)
        transport = httpx.MockTransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="https://stripe.test") as client:
            await backfill(inbox, Api(client, "rk_live_1", wait_seconds=0), livemode=True)

    def moment(self) -> int:
        """Return an instant in the middle of the stories."""
        instants = [int(each["created"]) - BEGIN for each in self.events()]
        return self.random.choice([*instants, 0])


async def bring(inbox: Inbox, event: Json) -> None:
    """Deliver an event, again while a busy database cannot answer, as the provider does."""
    for _ in range(ATTEMPTS):
        try:
            await inbox.take(parsed(event))
        except ServiceUnavailable:
            await asyncio.sleep(0.5)
        else:
            return
    raise AssertionError("The database never answered.")


async def in_order(post: Post) -> None:
    await post.take(post.events())


async def any_order(post: Post) -> None:
    await post.take(post.shuffled())


async def at_once(post: Post) -> None:
    """Let shuffled events arrive at once: from four threads, or in four tasks of one process."""
    await (by_threads if post.random.random() < 0.5 else by_tasks)(post)


async def by_threads(post: Post) -> None:
    """Let four threads, each with a connection of its own, bring shuffled events at once."""
    events = post.shuffled(twice=0.6)
    parts = [events[number::THREADS] for number in range(THREADS)]
    settings = load_settings(
        database_url=SecretStr(post.url),
        database_pool_size=1,
        database_pool_wait_seconds=60,
        statement_timeout_seconds=60,
    )
    books = post.books
    await asyncio.gather(
        *(asyncio.to_thread(_bring, settings, books, each) for each in parts if each)
    )


def _bring(settings: Settings, books: Books, events: Sequence[Json]) -> None:
    asyncio.run(_bring_all(settings, books, events))


async def _bring_all(settings: Settings, books: Books, events: Sequence[Json]) -> None:
    database: Database = await connect(settings)
    try:
        inbox = Inbox(database, books.clock, test_mode=False)
        for each in events:
            await bring(inbox, each)
    finally:
        await database.close()


async def by_tasks(post: Post) -> None:
    """Let tasks of one process bring shuffled events at once."""
    events = post.shuffled()
    parts = [events[number::THREADS] for number in range(THREADS)]
    await asyncio.gather(*(post.take(each) for each in parts))


async def lists_alone(post: Post) -> None:
    await post.fill()


async def lists_between(post: Post) -> None:
    """Read the lists at some moment, before, between or after the webhooks."""
    events = post.shuffled() if post.random.random() < 0.5 else post.events()
    place = post.random.randint(0, len(events))
    await post.take(events[:place])
    await post.fill(post.moment())
    await post.take(events[place:])
    if post.random.random() < 0.5:
        await post.fill()


async def lists_after_loss(post: Post) -> None:
    """Lose any of the webhooks; what is missing is read from the lists in the end."""
    kept = [each for each in post.shuffled(twice=0) if post.random.random() < 0.5]
    await post.take(kept)
    await post.fill()


WAYS = (
    Way(name="in order", steps=(in_order, in_order)),
    Way(name="any order", steps=(any_order,)),
    Way(name="at once", steps=(at_once,)),
    Way(name="lists", steps=(lists_alone, lists_alone), listed=True, complete=False),
    Way(name="lists between", steps=(lists_between,), listed=True),
    Way(name="lists after loss", steps=(lists_after_loss,), listed=True, complete=False),
)
