"""Postgres through asyncpg: prepared statements, COPY, and cancellation that reaches the server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from typing import Any, Final, cast

import asyncpg

from gateway.errors import GatewayError, ServiceUnavailable
from gateway.principal import Caller
from gateway.store.engine.database import (
    BUSY,
    NOT_OPEN,
    LostConnection,
    Reader,
    Transaction,
    log_cause,
    translated,
)
from gateway.store.engine.joined import Joins
from gateway.store.engine.load import Loads
from gateway.store.engine.postgres_errors import ReadOnly, translate
from gateway.store.engine.postgres_pool import (
    CLOSING_SECONDS,
    PROBE,
    Connection,
    ConnectionPool,
    Use,
)
from gateway.store.engine.postgres_session import (
    ANSWER_SECONDS,
    BACK,
    EXPORT_SECONDS,
    SAVEPOINT,
    UNLIMITED_SECONDS,
    Sessions,
    start_explained,
)
from gateway.store.engine.row_security import admission, entrance
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import BoundStatement, CompiledStatement, R
from gateway.store.engine.stream import Stream
from gateway.store.engine.write import Insert, W

_TRANSLATED: Final = translated(translate)


class PostgresDriver:
    """One asyncpg connection. A statement without an answer after `timeout_seconds` ends it;
    default: the connection's own timeout. With `joins`, statements that are often requested
    together are one, after the savepoint of a reading transaction.
    """

    def __init__(
        self,
        connection: Connection,
        timeout_seconds: float | None = None,
        joins: Joins | None = None,
    ) -> None:
        self._joins = joins
        self._connection = connection
        self._timeout = timeout_seconds
        self.is_interrupted = False
        """Whether a statement was cancelled, which Postgres may still be running."""
        self._loads: Loads | None = None

    async def fetch(self, statement: CompiledStatement[R], arguments: list[object]) -> Sequence[R]:
        return cast("Sequence[R]", await self._fetch(statement.text, arguments))

    async def _fetch(self, text: str, arguments: list[object]) -> Sequence[asyncpg.Record]:
        """Return records, which map column names to values."""
        try:
            return await self._connection.fetch(text, *arguments, timeout=self._timeout)
        except asyncio.CancelledError:
            self.is_interrupted = True
            raise
        except Exception as error:  # `translated` costs as much as twenty cells
            _raise_known(error)
            raise

    async def fetch_together(
        self, statements: Sequence[BoundStatement[Any]]
    ) -> list[Sequence[Any]] | None:
        if self._joins is None or (joined := self._joins.of(statements)) is None:
            return None
        arguments = [*chain.from_iterable(each.arguments for each in statements)]
        try:
            (record,) = await self._fetch(joined.text, arguments)
        except LostConnection:
            raise
        except Exception:  # the parts run in turn, in the same snapshot
            self._joins.drop(statements)
            with _TRANSLATED:
                await self._connection.execute(BACK, timeout=self._timeout)
            return None
        return [*joined.rows(tuple(record))]

    async def stream(
        self, statement: CompiledStatement[R], arguments: list[object], size: int
    ) -> AsyncGenerator[Sequence[Sequence[object]]]:
        with _TRANSLATED:
            cursor = await self._connection.cursor(
                statement.text, *arguments, timeout=self._timeout
            )
            while records := await cursor.fetch(size, timeout=self._timeout):
                yield cast("Sequence[Sequence[object]]", records)  # a Record is its values too
                if len(records) < size:
                    return

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None:
        with _TRANSLATED:
            if len(arguments) == 1:
                await self._connection.execute(statement.text, *arguments[0], timeout=self._timeout)
            else:
                await self._connection.executemany(statement.text, arguments, timeout=self._timeout)

    async def load(self, statement: Insert[W], records: Iterable[W]) -> None:
        """Insert rows, which are read while earlier ones are inserted."""
        if self._loads is None:
            self._loads = Loads(self._connection, self._timeout)
        with _TRANSLATED:
            await self._loads.load(statement, records)

    async def commit(self) -> None:
        """Commit the transaction. Raises ServiceUnavailable where Postgres rolled it back."""
        with _TRANSLATED:
            status = await self._connection.execute("COMMIT", timeout=self._timeout)
        if status != "COMMIT":
            raise ServiceUnavailable(BUSY)


class PostgresDatabase:
    """One budget of connections, of which reads, writes and exports have a share each: neither
    writers that wait for each other's locks nor slow exports keep a reader waiting.
    """

    dialect: DialectName = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        shares: Mapping[Use, int],
        wait_seconds: float,
        statement_timeout_seconds: float,
        pooled: bool = False,
    ) -> None:
        self._shares = shares
        self._wait_seconds = wait_seconds
        self._sessions = Sessions(
            url, statement_timeout_seconds=statement_timeout_seconds, pooled=pooled
        )
        self._joins = Joins()
        self._opened: ConnectionPool | None = None
        self._returning: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the first connections; every connection has the timeouts, and speaks UTC.

        Raises ConfigurationError if Postgres refuses the role (before the first migration there may
        be none), if TLS fails, or if a pooler drops the timeouts.
        """
        pool = ConnectionPool(
            self._sessions.connect,
            self._shares,
            roll_back=_roll_back,
            wait_seconds=self._wait_seconds,
        )
        try:
            with start_explained():
                await pool.start(("read", PROBE))
                first = await pool.acquire(PROBE)
                await self._sessions.check(first)
                pool.release(PROBE, first)
        except BaseException:
            await pool.close()
            raise
        self._opened = pool

    @property
    def _pool(self) -> ConnectionPool:
        if self._opened is None:
            raise ServiceUnavailable(NOT_OPEN)
        return self._opened

    @asynccontextmanager
    async def reading(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[PostgresDriver]:
        begin = self._sessions.begin
        text = begin.unlimited_read if unlimited else begin.read
        async with self._lent("read", text, caller, SAVEPOINT) as loan:
            timeout_seconds = UNLIMITED_SECONDS if unlimited else None
            driver = PostgresDriver(loan.connection, timeout_seconds, self._joins)
            yield driver
            # A pooler lends the connection to others once the transaction has ended.
            loan.may_stay_open = not (driver.is_interrupted or self._sessions.pooled)

    async def read_once(
        self, caller: Caller, statements: Sequence[BoundStatement[Any]], /
    ) -> list[Sequence[Any]] | None:
        if self._sessions.pooled:  # its connections have no settings of their own
            return None
        entered = entrance(caller)
        whole = self._joins.whole(statements, entered)
        if whole is None:
            return None
        values: list[object] = [entered.value]
        for each in statements:
            values += each.arguments
        pool = self._pool
        try:
            connection = await pool.acquire("read")
            try:
                if connection.is_in_transaction():  # an earlier one, which has yet to end
                    await connection.execute("ROLLBACK")
                records = await connection.fetch(whole.text, *values)
            except BaseException:
                self._return(pool, "read", connection, is_idle=False)
                raise
        except Exception as error:
            _raise_known(error)
            raise
        pool.release("read", connection)
        return whole.rows(records)

    @asynccontextmanager
    async def writing(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[Transaction]:
        begin = self._sessions.begin
        text = begin.unlimited_write if unlimited else begin.write
        async with self._lent("write", text, caller) as loan:
            driver = PostgresDriver(loan.connection, UNLIMITED_SECONDS if unlimited else None)
            transaction = Transaction(driver, self.dialect)
            yield transaction
            await driver.commit()
            transaction.committed()

    @asynccontextmanager
    async def exporting(
        self, caller: Caller, /, *, unlimited: bool = False
    ) -> AsyncIterator[Stream]:
        begin = self._sessions.begin
        text = begin.unlimited_export if unlimited else begin.export
        seconds = UNLIMITED_SECONDS if unlimited else EXPORT_SECONDS + ANSWER_SECONDS
        async with self._lent("export", text, caller) as loan:
            yield Stream(PostgresDriver(loan.connection, seconds), self.dialect)

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[Reader]:
        async with self._lent(PROBE, self._sessions.begin.read) as loan:
            yield Stream(PostgresDriver(loan.connection), self.dialect)

    @asynccontextmanager
    async def _lent(
        self, use: Use, begin: str, caller: Caller | None = None, *more: str
    ) -> AsyncIterator["_Loan"]:
        """Lend a connection in a transaction of a caller, which is rolled back unless it was
        committed. Without a caller it sees no row of an account.
        """
        message = "; ".join((begin, *([admission(caller)] if caller else []), *more))
        pool = self._pool
        with _TRANSLATED:
            connection = await pool.acquire(use)
        loan = _Loan(connection)
        try:
            with _TRANSLATED:
                await _begin(connection, message)
            yield loan
        except ReadOnly:
            pool.retire()
            raise
        finally:
            if loan.may_stay_open:
                pool.release(use, connection)
            else:
                self._return(pool, use, connection)

    def _return(
        self, pool: ConnectionPool, use: Use, connection: Connection, *, is_idle: bool = True
    ) -> None:
        """Give a connection back, in the background if its transaction has not ended, or perhaps
        its statement: no answer waits for that.
        """
        if connection.is_closed() or (is_idle and not connection.is_in_transaction()):
            pool.release(use, connection)
            return
        returning = asyncio.create_task(_roll_back(connection))
        self._returning.add(returning)

        def returned(_: asyncio.Task[None]) -> None:
            self._returning.discard(returning)
            if returning.cancelled():  # perhaps before it began
                connection.terminate()
            pool.release(use, connection)

        returning.add_done_callback(returned)

    async def close(self) -> None:
        """Close every connection, in the worst case without waiting for Postgres."""
        pool, self._opened = self._opened, None
        if pool is None:
            return
        if self._returning:
            await asyncio.wait(self._returning, timeout=CLOSING_SECONDS)
        await pool.close()


def _raise_known(error: Exception) -> None:
    """Raise the gateway's error for a driver's, where there is one."""
    if not isinstance(error, GatewayError) and (known := translate(error)):
        log_cause(known, error)
        raise known from error


class _Loan:
    """A lent connection. `may_stay_open` is set if it may be kept in its transaction, which is
    over.
    """

    __slots__ = ("connection", "may_stay_open")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.may_stay_open = False


async def _begin(connection: Connection, begin: str) -> None:
    """Begin a transaction with its settings, in one message, which ends the transaction before.
    Where the caller is cancelled meanwhile, nobody knows whether there is one, and the connection
    is closed.
    """
    if connection.is_in_transaction():
        begin = f"ROLLBACK; {begin}"
    try:
        await connection.execute(begin)
    except (asyncio.CancelledError, TimeoutError):
        connection.terminate()
        raise


async def _roll_back(connection: Connection) -> None:
    """End a transaction, or the connection. It raises nothing that the connection is to blame
    for.
    """
    try:
        await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except asyncio.CancelledError:
        connection.terminate()
        raise
    except _FAULTS:
        connection.terminate()


_ROLLBACK_SECONDS: Final = 5
"""A server that is gone must not keep a connection of the pool."""

_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement that timed out is still being cancelled
    OSError,  # TimeoutError is one
)
