"""Listens for changed accounts, whichever process changed them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeAlias

import asyncpg
import structlog

from gateway.errors import GatewayError, ServiceUnavailable
from gateway.settings import Settings
from gateway.store import Database
from gateway.store.engine.database import CHANNEL
from gateway.store.engine.databases import direct_url
from gateway.store.engine.sqlite import SqliteDatabase
from gateway.work.loops import Loop, Loops

POLL_SECONDS: Final = 0.25
"""Interval of checks whether another process has written to the SQLite file."""
HEARTBEAT_SECONDS: Final = 10
HEARTBEAT_TIMEOUT_SECONDS: Final = 3
RESYNC_SECONDS: Final = 30
"""Longest time until a change is found after its notification was lost."""
PROOF_SECONDS: Final = 2
"""Longest time that a notification to ourselves may take; then the database is polled."""
POLL_WITHOUT_NOTIFICATIONS_SECONDS: Final = 1
RECONNECT_SECONDS: Final = 3
LOST: Final = "Listening for changes failed"

# Dead peers are noticed by the kernel too; the heartbeat is faster.
_NAME: Final = {"application_name": "gateway-live"}
_KEEPALIVE: Final = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5"}

log = structlog.get_logger(__name__)


class ChangeHandler(Protocol):
    """Handles changes. Both methods return at once."""

    def changed(self, account_id: int, revision: int) -> None:
        """An account has a new revision."""
        ...

    def missed(self) -> None:
        """Changes may have been missed: every subscribed account is to be read again."""
        ...


class ChangeListener(Protocol):
    @property
    def connected(self) -> bool:
        """Whether notifications arrive now."""
        ...

    async def run(self, handler: ChangeHandler) -> None:
        """Call the handler until cancelled; no failure ends it."""
        ...


def open_change_listener(settings: Settings, database: Database, loops: Loops) -> ChangeListener:
    """Return the listener of a database."""
    if isinstance(database, SqliteDatabase):
        return SqliteChangeListener(database, loops)
    return PostgresChangeListener(direct_url(settings), loops)


class SqliteChangeListener:
    """Hears this process's commits at once, and other processes' by polling the file's version."""

    def __init__(self, database: SqliteDatabase, loops: Loops) -> None:
        self._database = database
        self._loops = loops
        self._seen: int | None = None
        self.connected = False

    async def run(self, handler: ChangeHandler) -> None:
        self._database.listeners.append(handler.changed)
        self.connected = True
        try:
            await self._loops.make(
                "live.poll",
                partial(self._poll, handler),
                seconds=POLL_SECONDS,
                failed_seconds=RECONNECT_SECONDS,
            ).run()
        finally:
            self.connected = False
            self._database.listeners.remove(handler.changed)

    async def _poll(self, handler: ChangeHandler) -> None:
        try:
            version = await self._database.data_version()
        except GatewayError:
            return  # the file is busy or away: the next poll reads it
        if version != self._seen:
            handler.missed()
        self._seen = version


_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class PostgresChangeListener:
    """LISTEN on its own connection to the primary.

    A lost connection shows by its end, or by a statement without an answer: heartbeats are sent for
    that. After each reconnect, and every RESYNC_SECONDS, the handler reads every account again. A
    pooler may swallow notifications: then a notification to ourselves does not come back, an error
    is logged, and the database is polled.
    """

    def __init__(
        self, url: str, loops: Loops, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self._url = url
        self._loops = loops
        self._heartbeat_seconds = heartbeat_seconds
        self.connected = False

    async def run(self, handler: ChangeHandler) -> None:
        async def listen() -> None:
            try:
                await self._use(await self._connect(), handler, loop)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise ServiceUnavailable(f"{LOST}: {type(error).__name__}.") from error
            raise ServiceUnavailable(f"{LOST}: its connection ended.")

        loop = self._loops.make("live.listen", listen, seconds=RECONNECT_SECONDS)
        await loop.run()

    async def _connect(self) -> _Connection:
        try:
            return await self._open(_NAME | _KEEPALIVE)
        except asyncpg.ProtocolViolationError:  # a pooler refuses the second; see `_prove`
            return await self._open(_NAME)

    async def _open(self, settings: Mapping[str, str]) -> _Connection:
        return await asyncpg.connect(
            self._url,
            timeout=HEARTBEAT_TIMEOUT_SECONDS,
            command_timeout=HEARTBEAT_TIMEOUT_SECONDS,
            statement_cache_size=0,
            server_settings=dict(settings),
        )

    async def _use(self, connection: _Connection, handler: ChangeHandler, loop: Loop) -> None:
        try:
            await self._listen(connection, handler, loop)
        finally:
            self.connected = False
            connection.terminate()

    async def _listen(self, connection: _Connection, handler: ChangeHandler, loop: Loop) -> None:
        """Listen until the connection ends; raises TimeoutError for an unanswered heartbeat."""
        ended, proven = asyncio.Event(), asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            account_id, _, revision = str(payload).partition(" ")
            if account_id == "proof":
                proven.set()
            else:
                handler.changed(int(account_id), int(revision))

        await connection.add_listener(CHANNEL, hear)
        heard = await self._prove(connection, proven)
        if not heard:
            log.error(
                "live.not_listening",
                advice="No notification arrives, perhaps because of a pooler: set "
                "GATEWAY_LISTEN_DATABASE_URL to the primary itself. Polling until then.",
            )
        self.connected = heard
        loop.recovered()
        await self._stay(connection, handler, ended, heard=heard)

    async def _prove(self, connection: _Connection, proven: asyncio.Event) -> bool:
        """Return whether a notification to ourselves arrives. A pooler passes one on to the
        connection that sends it: behind a pooler that is another one.
        """
        sender = connection if await _is_direct(connection) else await self._connect()
        try:
            await sender.execute(f"SELECT pg_notify('{CHANNEL}', 'proof')")
            await _wait(proven, PROOF_SECONDS)
        finally:
            if sender is not connection:
                sender.terminate()
        return proven.is_set()

    async def _stay(
        self, connection: _Connection, handler: ChangeHandler, ended: asyncio.Event, *, heard: bool
    ) -> None:
        clock = asyncio.get_running_loop().time
        pause = self._heartbeat_seconds if heard else POLL_WITHOUT_NOTIFICATIONS_SECONDS
        resynced = -float(RESYNC_SECONDS)
        while not ended.is_set():
            await connection.execute("SELECT 1")
            if not heard or clock() - resynced >= RESYNC_SECONDS - pause:
                resynced = clock()
                handler.missed()
            await _wait(ended, pause)


async def _is_direct(connection: _Connection) -> bool:
    """Whether no pooler is between: the server's process is the one that answered the start."""
    async with connection.transaction():  # on one connection of a pooler
        pid: int = await connection.fetchval("SELECT pg_backend_pid()")
    return pid == connection.get_server_pid()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    # Not `wait_for`, which before Python 3.12 swallows a cancellation that comes with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
