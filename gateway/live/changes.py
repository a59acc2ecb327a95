"""How a process hears that accounts changed, whoever changed them."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol, TypeAlias

import asyncpg
import structlog

from gateway.errors import GatewayError
from gateway.settings import Settings
from gateway.store import Database
from gateway.store.engine.database import CHANNEL
from gateway.store.engine.databases import database_url
from gateway.store.engine.sqlite import SqliteDatabase

POLL_SECONDS: Final = 0.25
"""Between two looks at whether another process has written to the SQLite file."""
HEARTBEAT_SECONDS: Final = 10
HEARTBEAT_TIMEOUT_SECONDS: Final = 3
RESYNC_SECONDS: Final = 30
"""The longest time that a change goes unnoticed where no signal comes through."""
PROOF_SECONDS: Final = 2
"""How long a signal to ourselves may take before listening is taken for deaf."""
DEAF_POLL_SECONDS: Final = 1
RECONNECT_SECONDS: Final = 3

# Dead peers are noticed by the kernel too; the heartbeat is faster.
_KEEPALIVE: Final = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5"}

log = structlog.get_logger(__name__)


class Ear(Protocol):
    """Who is told. Both return at once."""

    def changed(self, account_id: int, revision: int) -> None:
        """An account has a new revision."""
        ...

    def missed(self) -> None:
        """Something may have changed unheard: whatever is watched is looked at again."""
        ...


class Signals(Protocol):
    @property
    def connected(self) -> bool:
        """Whether changes are heard now."""
        ...

    async def run(self, ear: Ear) -> None:
        """Tell the ear until cancelled; nothing that fails ends it."""
        ...


def open_signals(settings: Settings, database: Database) -> Signals:
    """Return the signals of a database: Postgres's own, or for SQLite the file's and ours."""
    if isinstance(database, SqliteDatabase):
        return SqliteSignals(database)
    direct = settings.database.listen_url
    return PostgresSignals(direct.get_secret_value() if direct else database_url(settings))


class SqliteSignals:
    """This process's commits at once, other processes' by looking at the file's version."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self.connected = False

    async def run(self, ear: Ear) -> None:
        self._database.listeners.append(ear.changed)
        self.connected = True
        try:
            seen = None
            while True:
                try:
                    version = await self._database.data_version()
                except GatewayError:
                    pass  # the file is busy or away: at the next look
                except Exception:
                    log.exception("live.look_failed")
                    await asyncio.sleep(RECONNECT_SECONDS)
                else:
                    if version != seen:
                        ear.missed()
                    seen = version
                await asyncio.sleep(POLL_SECONDS)
        finally:
            self.connected = False
            self._database.listeners.remove(ear.changed)


_Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
_Hear: TypeAlias = Callable[[object, int, str, object], None]


class PostgresSignals:
    """LISTEN on a connection of its own, straight to the primary.

    A lost connection is noticed by its end, or by a statement that stays unanswered, heartbeats
    among them; after each reconnect, and every so often, everything that is watched is looked at
    again. Where a pooler swallows the notifications, a signal to ourselves does not come back: that
    is said aloud, and the database is polled.
    """

    def __init__(self, url: str, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._url = url
        self._heartbeat_seconds = heartbeat_seconds
        self.connected = False
        self._failures = 0

    async def run(self, ear: Ear) -> None:
        while True:
            self._failures += 1
            try:
                await self._use(await self._connect(), ear)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("live.listening_lost", error=type(error).__name__)
            except Exception:
                log.exception("live.listening_lost")
            ceiling = min(RECONNECT_SECONDS, 0.2 * 2 ** min(self._failures, 10))
            await asyncio.sleep(random.uniform(0.05, ceiling))  # noqa: S311  # only spreads load

    async def _connect(self) -> _Connection:
        return await asyncpg.connect(
            self._url,
            timeout=HEARTBEAT_TIMEOUT_SECONDS,
            command_timeout=HEARTBEAT_TIMEOUT_SECONDS,
            server_settings={"application_name": "gateway-live", **_KEEPALIVE},
        )

    async def _use(self, connection: _Connection, ear: Ear) -> None:
        try:
            await self._listen(connection, ear)
        finally:
            self.connected = False
            connection.terminate()

    async def _listen(self, connection: _Connection, ear: Ear) -> None:
        """Listen until the connection ends; a heartbeat that stays away is a TimeoutError."""
        ended, proven = asyncio.Event(), asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())

        def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            account_id, _, revision = str(payload).partition(" ")
            if account_id == "proof":
                proven.set()
            else:
                ear.changed(int(account_id), int(revision))

        await connection.add_listener(CHANNEL, hear)
        heard = await _prove(connection, proven)
        if not heard:
            log.error(
                "live.deaf",
                advice="LISTEN hears nothing here, as through a pooler: set "
                "GATEWAY_LISTEN_DATABASE_URL to the primary itself. Polling until then.",
            )
        self.connected = heard
        self._failures = 0
        await self._stay(connection, ear, ended, heard=heard)

    async def _stay(
        self, connection: _Connection, ear: Ear, ended: asyncio.Event, *, heard: bool
    ) -> None:
        clock = asyncio.get_running_loop().time
        pause = self._heartbeat_seconds if heard else DEAF_POLL_SECONDS
        looked = -float(RESYNC_SECONDS)
        while not ended.is_set():
            await connection.execute("SELECT 1")
            if not heard or clock() - looked >= RESYNC_SECONDS - pause:
                looked = clock()
                ear.missed()
            await _wait(ended, pause)


async def _prove(connection: _Connection, proven: asyncio.Event) -> bool:
    """Say whether a signal that is sent comes back."""
    await connection.execute(f"SELECT pg_notify('{CHANNEL}', 'proof')")
    await _wait(proven, PROOF_SECONDS)
    return proven.is_set()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    # Not `wait_for`, which before Python 3.12 swallows a cancellation that comes with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
