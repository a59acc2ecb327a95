"""Who is told what: one reading and one encoding for all who asked for the same.

The hub knows nothing of GraphQL, HTTP or SQL. A `Feed` reads what is new, a `Sink` takes it to one
subscriber, and positions are revisions of the account.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

import structlog

from gateway.errors import DeadlineExceeded, GatewayError, ServiceUnavailable
from gateway.live.changes import Signals

SHARED_SECONDS: Final = 1
"""How long a snapshot may serve others that ask for the same, while nothing has changed."""
READING_LIMIT: Final = 4
"""Feeds that read at the same time."""
PUSHED_AT_ONCE: Final = 500
"""Subscribers served before everything else gets its turn."""
FAILED: Final = "Internal error; the log has it."
RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1, 2)

log = structlog.get_logger(__name__)

_AWAY: Final = (ServiceUnavailable, DeadlineExceeded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What subscribers get, encoded.

    `position` is the revision that it reflects. An update that a slow reader has not taken yet is
    replaced by the next one with the same `key`: 0 for a balance, its id for a purchase.
    """

    position: int
    key: int
    payload: bytes


class Feed(Protocol):
    """One operation on one account; equal feeds share all work. Both may raise GatewayError."""

    @property
    def account_id(self) -> int: ...

    async def snapshot(self) -> tuple[int, Update | None]:
        """Return the position now, and what a new subscriber gets first."""
        ...

    async def since(self, position: int) -> tuple[int, Sequence[Update]]:
        """Return the position now, and what changed after the one given, the oldest first."""
        ...


class Sink(Protocol):
    """One subscriber's outlet; neither waits."""

    def offer(self, update: Update) -> None: ...

    def end(self, error: GatewayError | None) -> None:
        """Nothing more comes: because of an error, or because the process stops."""
        ...


Revisions: TypeAlias = Callable[[Collection[int]], Awaitable[Mapping[int, int]]]
"""Reads the revisions of accounts."""


@dataclass(slots=True, eq=False)
class _Member:
    sink: Sink
    position: int


@dataclass(slots=True, eq=False)
class _Group:
    """Those who asked for the same. `position` is what all members have at least been offered."""

    feed: Feed
    members: dict[_Member, None] = field(default_factory=dict)
    joining: int = 0
    position: int = -1
    snapshot: asyncio.Task[tuple[int, Update | None]] | None = None
    read_at: float = 0
    changed: bool = False
    following: asyncio.Task[None] | None = None


class Hub:
    """The live subscriptions of one process."""

    def __init__(self) -> None:
        self._groups: dict[Feed, _Group] = {}
        self._by_account: dict[int, dict[_Group, None]] = {}
        self._reading = asyncio.Semaphore(READING_LIMIT)
        self._revisions: Revisions | None = None
        self._signals: Signals | None = None
        self._looking: asyncio.Task[None] | None = None
        self._again = False
        self.members = 0
        self.pushes = 0
        self.resyncs = 0

    @property
    def groups(self) -> int:
        return len(self._groups)

    @property
    def listening(self) -> bool:
        """Whether changes are heard, and not only looked for."""
        return self._signals is not None and self._signals.connected

    @asynccontextmanager
    async def running(self, signals: Signals, revisions: Revisions) -> AsyncIterator[None]:
        """Hear the signals while entered; at the end every subscriber is told that it is over."""
        self._revisions, self._signals = revisions, signals
        hearing = asyncio.create_task(signals.run(self))
        try:
            yield
        finally:
            groups = self._groups.values()
            reading = [task for each in groups for task in (each.snapshot, each.following)]
            await _cancel([task for task in (hearing, self._looking, *reading) if task])
            self._signals = None
            for group in list(self._groups.values()):
                self._end(group, None)

    async def join(self, feed: Feed, sink: Sink) -> Callable[[], None]:
        """Offer the snapshot, then everything new, and return what leaves.

        Raises what the feed's snapshot raises.
        """
        group = self._enter(feed)
        try:
            position, first = await self._snapshot(group)
            member = _Member(sink, position)
            group.members[member] = None
            self.members += 1
            group.position = position if group.position < 0 else group.position
        finally:
            group.joining -= 1
            self._forget_empty(group)
        if first:
            sink.offer(first)
        if group.changed:
            self._follow(group)
        return partial(self._leave, group, member)

    def changed(self, account_id: int, revision: int) -> None:
        """Hear of an account's new revision."""
        for group in self._by_account.get(account_id, ()):
            if revision > group.position:
                group.changed = True
                self._follow(group)

    def missed(self) -> None:
        """Look at every account that is watched, in one statement."""
        self._again = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    def _enter(self, feed: Feed) -> _Group:
        """Return the feed's group, known before its snapshot is read: no change falls between."""
        group = self._groups.get(feed)
        if group is None:
            group = self._groups[feed] = _Group(feed)
            self._by_account.setdefault(feed.account_id, {})[group] = None
        group.joining += 1
        return group

    def _leave(self, group: _Group, member: _Member) -> None:
        if member in group.members:
            del group.members[member]
            self.members -= 1
            self._forget_empty(group)

    def _forget_empty(self, group: _Group) -> None:
        if group.members or group.joining or self._groups.get(group.feed) is not group:
            return
        del self._groups[group.feed]
        watched = self._by_account[group.feed.account_id]
        del watched[group]
        if not watched:
            del self._by_account[group.feed.account_id]
        if group.following:
            group.following.cancel()

    async def _snapshot(self, group: _Group) -> tuple[int, Update | None]:
        """Read the snapshot, one reading for all who ask at the same time."""
        clock = asyncio.get_running_loop().time
        while True:
            task = group.snapshot
            if task is None or (task.done() and clock() - group.read_at > SHARED_SECONDS):
                task = group.snapshot = asyncio.create_task(self._read_snapshot(group.feed))
                group.read_at = clock()
            try:
                position, first = await asyncio.shield(task)
            except GatewayError:
                group.snapshot = None
                raise
            if position >= group.position:
                return position, first
            # Others have been offered more than this: who joins must not miss it.
            group.snapshot = None

    async def _read_snapshot(self, feed: Feed) -> tuple[int, Update | None]:
        async with self._reading:
            return await feed.snapshot()

    def _follow(self, group: _Group) -> None:
        if group.members and (group.following is None or group.following.done()):
            group.following = asyncio.create_task(self._catch_up(group))

    async def _catch_up(self, group: _Group) -> None:
        """Read and push until nothing is new; a database that is away is waited for."""
        failures = 0
        while group.changed:
            group.changed = False
            try:
                async with self._reading:
                    position, updates = await group.feed.since(group.position)
            except _AWAY:
                group.changed = True
                await _pause(failures)
                failures += 1
            except GatewayError as error:
                self._end(group, error)
            except Exception:
                log.exception("live.feed_failed", account_id=group.feed.account_id)
                self._end(group, GatewayError(FAILED))
            else:
                failures = 0
                # From here on a snapshot that is older is read again by whoever joins.
                group.position = max(group.position, position)
                if updates:
                    await self._push(group, updates)

    async def _push(self, group: _Group, updates: Sequence[Update]) -> None:
        self.pushes += 1
        last = group.position
        for number, member in enumerate(list(group.members), start=1):
            if member in group.members:  # others may leave while they wait for their turn
                self._offer(group, member, updates)
                member.position = max(member.position, last)
            if number % PUSHED_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _offer(self, group: _Group, member: _Member, updates: Sequence[Update]) -> None:
        """Offer what is new to a member; one that fails leaves, and takes nothing from others."""
        try:
            for update in updates:
                if update.position > member.position:
                    member.sink.offer(update)
        except Exception:
            log.exception("live.sink_failed", account_id=group.feed.account_id)
            self._leave(group, member)
            with suppress(Exception):
                member.sink.end(GatewayError(FAILED))

    async def _look(self) -> None:
        failures = 0
        while self._again and self._revisions and self._by_account:
            self._again = False
            self.resyncs += 1
            try:
                found = await self._revisions(list(self._by_account))
            except _AWAY:
                self._again = True
                await _pause(failures)
                failures += 1
            else:
                failures = 0
                for account_id, revision in found.items():
                    self.changed(account_id, revision)

    def _end(self, group: _Group, error: GatewayError | None) -> None:
        members = list(group.members)
        group.members.clear()
        self.members -= len(members)
        for member in members:
            try:
                member.sink.end(error)
            except Exception:
                log.exception("live.sink_failed", account_id=group.feed.account_id)
        self._forget_empty(group)


async def _pause(failures: int) -> None:
    await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
