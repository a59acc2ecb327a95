import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from pydantic import SecretStr

from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.live import changes
from gateway.live.changes import PostgresChangeListener, open_change_listener
from gateway.settings import Settings, load_settings
from gateway.store import Database, connect
from gateway.store.engine.sqlite import SqliteDatabase
from gateway.work import loops
from gateway.work.loops import Loops
from tests.gateway.live.feeds import ListHandler, until
from tests.support.books import NOW, Books, usd
from tests.support.postgres import own_postgres


@asynccontextmanager
async def listening(source: changes.ChangeListener) -> AsyncIterator[ListHandler]:
    handler = ListHandler()
    running = asyncio.create_task(source.run(handler))
    try:
        await until(lambda: handler.looks)
        yield handler
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def credit(books: Books, account_id: int, key: str) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd("1"), source=SourceKey.adjustment(key), occurred_at=NOW
        )


async def credit_and_fail(books: Books, account_id: int) -> None:
    async with books.open([account_id]) as book:
        adjust_balance(
            book, account_id, usd("1"), source=SourceKey.adjustment("a"), occurred_at=NOW
        )
        await book.close()
        raise RuntimeError


async def test_a_commit_is_announced_with_its_revision(
    database: Database, database_url: str
) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    async with listening(
        open_change_listener(settings_of(database_url), database, Loops())
    ) as handler:
        await credit(books, account_id, "a")
        await credit(books, account_id, "b")
        await until(lambda: handler.heard == [(account_id, 1), (account_id, 2)])


async def test_a_rollback_announces_nothing(database: Database, database_url: str) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    async with listening(
        open_change_listener(settings_of(database_url), database, Loops())
    ) as handler:
        with pytest.raises(RuntimeError):
            await credit_and_fail(books, account_id)
        await credit(books, account_id, "b")
        await until(lambda: handler.heard)
        assert handler.heard == [(account_id, 1)]


async def test_an_unchanged_account_is_not_announced(database: Database, database_url: str) -> None:
    books = Books(database)
    account_id = await books.account("acme")
    async with listening(
        open_change_listener(settings_of(database_url), database, Loops())
    ) as handler:
        async with books.open([account_id]):
            pass
        await credit(books, account_id, "a")
        await until(lambda: handler.heard)
        assert handler.heard == [(account_id, 1)]


async def test_a_commit_of_another_process_is_found(database: Database, database_url: str) -> None:
    other = await connect(settings_of(database_url))
    account_id = await Books(other).account("acme")
    async with listening(
        open_change_listener(settings_of(database_url), database, Loops())
    ) as handler:
        looks = handler.looks
        await credit(Books(other), account_id, "a")
        await until(lambda: (account_id, 1) in handler.heard or handler.looks > looks)
    await other.close()


async def test_a_lost_connection_reconnects_and_resyncs(
    postgres_database_url: str, postgres_url: str
) -> None:
    async with listening(PostgresChangeListener(postgres_database_url, Loops())) as handler:
        owner = await asyncpg.connect(postgres_url)
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'gateway-live'"
        )
        await owner.close()
        await until(lambda: handler.looks == 2)


async def test_an_unanswered_heartbeat_reconnects(
    postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "HEARTBEAT_TIMEOUT_SECONDS", 0.3)
    async with BlackHole(postgres_database_url) as hole:
        source = PostgresChangeListener(hole.url, Loops(), heartbeat_seconds=0.1)
        async with listening(source) as handler:
            looks = handler.looks
            hole.swallows = True
            await until(lambda: not source.connected)
            hole.swallows = False
            await until(lambda: handler.looks > looks)


async def test_without_notifications_the_database_is_polled(
    postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "PROOF_SECONDS", 0.1)
    monkeypatch.setattr(changes, "POLL_WITHOUT_NOTIFICATIONS_SECONDS", 0.05)
    monkeypatch.setattr(changes, "CHANNEL", "another_channel")
    source = PostgresChangeListener(postgres_database_url, Loops())
    monkeypatch.setattr(asyncpg.Connection, "add_listener", hear_nothing)
    async with listening(source) as handler:
        await until(lambda: handler.looks > 3)
        assert not source.connected


async def test_listening_resumes_after_a_restart_of_postgres() -> None:
    with own_postgres() as postgres:
        source = PostgresChangeListener(postgres.url, Loops())
        async with listening(source) as handler:
            await asyncio.to_thread(postgres.stop)
            await until(lambda: not source.connected)
            await asyncio.sleep(1)
            await asyncio.to_thread(postgres.start)
            await until(lambda: source.connected and handler.looks == 2)
            owner = await asyncpg.connect(postgres.url)
            await owner.execute("SELECT pg_notify('gateway_account', '7 9')")
            await owner.close()
            await until(lambda: handler.heard == [(7, 9)])


async def pauses_of(
    source: PostgresChangeListener, count: int, monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """Return the longest pauses that follow failures, without waiting for them."""
    pauses: list[float] = []

    def note(_: float, longest: float) -> float:
        pauses.append(longest)
        return 0

    monkeypatch.setattr("gateway.work.loops.random.uniform", note)
    running = asyncio.create_task(source.run(ListHandler()))
    await until(lambda: len(pauses) >= count or running.done())
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return pauses[:count]


async def test_listening_survives_a_long_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops.log, "warning", lambda *_, **__: None)
    nobody = PostgresChangeListener("postgresql://nobody@127.0.0.1:1/none", Loops())
    pauses = await pauses_of(nobody, 1_100, monkeypatch)
    assert (pauses[:5], pauses[-1]) == ([0.4, 0.8, 1.6, 3, 3], 3)


async def test_failed_connections_back_off(
    postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise asyncpg.ReadOnlySQLTransactionError("cannot execute LISTEN during recovery")

    monkeypatch.setattr(asyncpg.Connection, "add_listener", refuse)
    pauses = await pauses_of(PostgresChangeListener(postgres_database_url, Loops()), 6, monkeypatch)
    assert pauses == [0.4, 0.8, 1.6, 3, 3, 3]


async def test_an_unexpected_error_does_not_end_listening(
    postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = asyncpg.Connection.add_listener
    failures = [ValueError(), KeyError()]

    async def fail_first(
        connection: "asyncpg.Connection[asyncpg.Record]",
        channel: str,
        callback: Callable[..., None],
    ) -> None:
        if failures:
            raise failures.pop()
        await listen(connection, channel, callback)

    monkeypatch.setattr(asyncpg.Connection, "add_listener", fail_first)
    async with listening(PostgresChangeListener(postgres_database_url, Loops())) as handler:
        assert handler.looks == 1


async def test_an_unexpected_error_does_not_end_polling(
    sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RECONNECT_SECONDS", 0.01)
    database = await connect(settings_of(sqlite_database_url))
    assert isinstance(database, SqliteDatabase)
    look = database.data_version
    failures = [ValueError()]

    async def fail_first() -> int:
        if failures:
            raise failures.pop()
        return await look()

    monkeypatch.setattr(database, "data_version", fail_first)
    async with listening(
        open_change_listener(settings_of(sqlite_database_url), database, Loops())
    ) as handler:
        assert handler.looks == 1
    await database.close()


async def test_silence_before_the_first_notification_reconnects(
    postgres_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []

    async def swallow_after_the_first(source: PostgresChangeListener) -> object:
        monkeypatch.setattr(changes, "HEARTBEAT_TIMEOUT_SECONDS", 30 if opened else 0.5)
        hole.swallows = False
        connection = await connect_as_ever(source)
        hole.swallows = not opened
        opened.append(connection)
        return connection

    connect_as_ever = PostgresChangeListener._connect
    monkeypatch.setattr(PostgresChangeListener, "_connect", swallow_after_the_first)
    async with (
        BlackHole(postgres_database_url) as hole,
        listening(PostgresChangeListener(hole.url, Loops())),
    ):
        assert len(opened) == 2


async def hear_nothing(*_: object) -> None:
    """Listen as a transaction pooler lets one listen."""


def settings_of(url: str) -> Settings:
    return load_settings(database_url=SecretStr(url))


class BlackHole:
    """A proxy before Postgres's socket that can swallow what comes from either side."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._login = parts.netloc.rpartition("@")[0]
        self._path = parts.path
        self._tasks: set[asyncio.Task[None]] = set()
        self.swallows = False
        self.url = ""

    async def __aenter__(self) -> "BlackHole":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://{self._login}@127.0.0.1:{port}{self._path}?sslmode=disable"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # for what was closed to be gone

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(self._socket)
        for pair in ((reader, inner_writer), (inner_reader, writer)):
            self._tasks.add(asyncio.create_task(self._pump(*pair)))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if not self.swallows:
                    writer.write(data)
        finally:
            writer.transport.abort()
