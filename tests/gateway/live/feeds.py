"""Feeds, sinks and listeners in place of a graph, sockets and a database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from gateway.errors import GatewayError, ServiceUnavailable
from gateway.live.changes import ChangeHandler
from gateway.live.hub import Hub, Update
from tests.support.patience import PATIENCE_SECONDS


@dataclass
class World:
    """Accounts that have a revision each, and a store that can be away."""

    revisions: dict[int, int] = field(default_factory=dict)
    away: bool = False
    reads: int = 0

    async def read(self, account_ids: Collection[int]) -> Mapping[int, int]:
        await asyncio.sleep(0)
        if self.away:
            raise ServiceUnavailable("away")
        return {each: self.revisions[each] for each in account_ids}

    async def revision(self, account_id: int) -> int:
        self.reads += 1
        return (await self.read([account_id]))[account_id]


@dataclass(frozen=True)
class RevisionFeed:
    """Has the account's revision as its update; equal for one account and name."""

    account_id: int
    world: World = field(compare=False)
    name: str = "balance"

    async def first(self) -> tuple[int, Update | None]:
        now = await self.world.revision(self.account_id)
        return now, update(now)

    async def since(self, revision: int) -> tuple[int, Sequence[Update]]:
        now = await self.world.revision(self.account_id)
        return now, [update(now)] if now > revision else []


def update(revision: int, key: int = 0) -> Update:
    return Update(revision=revision, key=key, payload=str(revision).encode())


@dataclass(eq=False)
class ListSink:
    offered: list[int] = field(default_factory=list)
    ended: list[GatewayError | None] = field(default_factory=list)

    def offer(self, update: Update) -> None:
        self.offered.append(update.revision)

    def end(self, error: GatewayError | None) -> None:
        self.ended.append(error)


class SilentListener:
    """Announces nothing: tests call the hub."""

    connected = True

    async def run(self, handler: ChangeHandler) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def running_hub(world: World) -> AsyncIterator[Hub]:
    hub = Hub()
    async with hub.running(SilentListener(), world.read):
        yield hub


@dataclass
class ListHandler:
    heard: list[tuple[int, int]] = field(default_factory=list)
    looks: int = 0

    def changed(self, account_id: int, revision: int) -> None:
        self.heard.append((account_id, revision))

    def missed(self) -> None:
        self.looks += 1


async def until(condition: Callable[[], object]) -> None:
    """Wait until a function is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
