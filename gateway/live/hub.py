"""Pushes updates to subscribers: one read and one encoding for all with the same subscription.

The hub knows nothing of GraphQL, HTTP or SQL. A `Feed` reads the updates of an account by its
revision, and a `Sink` takes them to one subscriber.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol, TypeAlias

import structlog

from gateway.errors import DeadlineExceeded, GatewayError, ServiceUnavailable
from gateway.live.changes import ChangeListener
from gateway.quotas.admission import AdmissionGate

SHARED_SECONDS: Final = 1
"""How long a first update serves further subscribers, while nothing has changed."""
READING_LIMIT: Final = 4
"""Most feeds that read at the same time, in turn by account; those of one account are one fewer."""
WAITING_LIMIT: Final = 100_000
WAITING_SECONDS: Final = 60
"""Longest wait of a feed that reads; then it tries again."""
PUSHED_AT_ONCE: Final = 500
"""Subscribers served before the event loop gets its turn."""
FAILED: Final = "Internal error; see the server's log."
RETRY_SECONDS: Final = (0.1, 0.2, 0.5, 1, 2)

log = structlog.get_logger(__name__)

_AWAY: Final = (ServiceUnavailable, DeadlineExceeded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """An encoded event for subscribers.

    `revision` is that of the account in the event. The next update with the same `key` (0 for a
    balance, its id for a purchase) replaces it for a subscriber that is behind.
    """

    revision: int
    key: int
    payload: bytes


class Feed(Protocol):
    """One subscription on one account; equal feeds share all work. Both may raise GatewayError."""

    @property
    def account_id(self) -> int: ...

    async def first(self) -> tuple[int, Update | None]:
        """Return the current revision, and the first update of a new subscriber."""
        ...

    async def since(self, revision: int) -> tuple[int, Sequence[Update]]:
        """Return the current revision, and the updates after `revision`, oldest first."""
        ...


class Sink(Protocol):
    """Takes updates to one subscriber; neither method waits."""

    def offer(self, update: Update) -> None: ...

    def end(self, error: GatewayError | None) -> None:
        """End the subscription: because of an error, or without one because the process stops."""
        ...


Revisions: TypeAlias = Callable[[Collection[int]], Awaitable[Mapping[int, int]]]
"""Reads the revisions of accounts."""


@dataclass(slots=True, eq=False)
class _Member:
    sink: Sink
    revision: int


@dataclass(slots=True, eq=False)
class _Group:
    """The subscribers of equal feeds. Each has been offered the updates up to `revision`."""

    feed: Feed
    members: dict[_Member, None] = field(default_factory=dict)
    joining: int = 0
    revision: int = -1
    first_read: asyncio.Task[tuple[int, Update | None]] | None = None
    read_at: float = 0
    changed: bool = False
    following: asyncio.Task[None] | None = None


class Hub:
    """The live subscriptions of one process."""

    def __init__(self) -> None:
        self._groups: dict[Feed, _Group] = {}
        self._by_account: dict[int, dict[_Group, None]] = {}
        self._reading = AdmissionGate(
            running=READING_LIMIT,
            waiting=WAITING_LIMIT,
            delay_seconds=WAITING_SECONDS,
            wait_seconds=WAITING_SECONDS,
        )
        self._revisions: Revisions | None = None
        self._listener: ChangeListener | None = None
        self._resync: asyncio.Task[None] | None = None
        self._again = False
        self.members = 0
        self.pushes = 0
        self.resyncs = 0

    @property
    def groups(self) -> int:
        return len(self._groups)

    @property
    def listening(self) -> bool:
        """Whether notifications of changes arrive; otherwise the database is polled."""
        return self._listener is not None and self._listener.connected

    @asynccontextmanager
    async def running(self, listener: ChangeListener, revisions: Revisions) -> AsyncIterator[None]:
        """Listen for changes while entered; leaving ends every subscription."""
        self._revisions, self._listener = revisions, listener
        listening = asyncio.create_task(listener.run(self))
        try:
            yield
        finally:
            groups = self._groups.values()
            reads = [task for each in groups for task in (each.first_read, each.following)]
            await _cancel([task for task in (listening, self._resync, *reads) if task])
            self._listener = None
            for group in list(self._groups.values()):
                self._end(group, None)

    async def join(self, feed: Feed, sink: Sink) -> Callable[[], None]:
        """Subscribe: offer the first update, then each further one, until the returned function is
        called. Raises the errors of the feed's first read.
        """
        group = self._enter(feed)
        try:
            revision, first = await self._first(group)
            member = _Member(sink, revision)
            group.members[member] = None
            self.members += 1
            group.revision = revision if group.revision < 0 else group.revision
        finally:
            group.joining -= 1
            self._forget_empty(group)
        if first:
            sink.offer(first)
        if group.changed:
            self._follow(group)
        return partial(self._leave, group, member)

    def changed(self, account_id: int, revision: int) -> None:
        """Read and push the updates of an account up to its new revision."""
        for group in self._by_account.get(account_id, ()):
            if revision > group.revision:
                group.changed = True
                self._follow(group)

    def missed(self) -> None:
        """Compare the revision of every subscribed account, in one statement."""
        self._again = True
        if self._resync is None or self._resync.done():
            self._resync = asyncio.create_task(self._compare_revisions())

    def _enter(self, feed: Feed) -> _Group:
        """Return the feed's group; it exists before its first read, so no change is lost."""
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
        groups = self._by_account[group.feed.account_id]
        del groups[group]
        if not groups:
            del self._by_account[group.feed.account_id]
        if group.following:
            group.following.cancel()

    async def _first(self, group: _Group) -> tuple[int, Update | None]:
        """Read the first update, once for all subscribers that join at the same time."""
        clock = asyncio.get_running_loop().time
        while True:
            task = group.first_read
            if task is None or (task.done() and clock() - group.read_at > SHARED_SECONDS):
                task = group.first_read = asyncio.create_task(self._read_first(group.feed))
                group.read_at = clock()
            try:
                revision, first = await asyncio.shield(task)
            except GatewayError:
                group.first_read = None
                raise
            if revision >= group.revision:
                return revision, first
            # Other members have been offered later updates: read those too.
            group.first_read = None

    async def _read_first(self, feed: Feed) -> tuple[int, Update | None]:
        async with self._reads(feed):
            return await feed.first()

    def _reads(self, feed: Feed) -> AbstractAsyncContextManager[None]:
        """Wait for the turn of the feed's account."""
        return self._reading.admitted(str(feed.account_id))

    def _follow(self, group: _Group) -> None:
        if group.members and (group.following is None or group.following.done()):
            group.following = asyncio.create_task(self._catch_up(group))

    async def _catch_up(self, group: _Group) -> None:
        """Read and push until there is no update left; wait for a database that is away."""
        failures = 0
        while group.changed:
            group.changed = False
            try:
                async with self._reads(group.feed):
                    revision, updates = await group.feed.since(group.revision)
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
                # A subscriber that joins with an older first update reads it again.
                group.revision = max(group.revision, revision)
                if updates:
                    await self._push(group, updates)

    async def _push(self, group: _Group, updates: Sequence[Update]) -> None:
        self.pushes += 1
        last = group.revision
        for number, member in enumerate(list(group.members), start=1):
            if member in group.members:  # it may have left while the event loop had its turn
                self._offer(group, member, updates)
                member.revision = max(member.revision, last)
            if number % PUSHED_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _offer(self, group: _Group, member: _Member, updates: Sequence[Update]) -> None:
        """Offer updates to a member; a sink that fails leaves alone."""
        try:
            for update in updates:
                if update.revision > member.revision:
                    member.sink.offer(update)
        except Exception:
            log.exception("live.sink_failed", account_id=group.feed.account_id)
            self._leave(group, member)
            with suppress(Exception):
                member.sink.end(GatewayError(FAILED))

    async def _compare_revisions(self) -> None:
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


async def _cancel(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
