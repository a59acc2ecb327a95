"""Postgres through asyncpg: prepared statements, COPY, and cancellation that reaches the server."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from gateway.errors import (
    ConfigurationError,
    Conflict,
    DeadlineExceeded,
    GatewayError,
    OutOfRange,
    ServiceUnavailable,
    StorageFull,
)
from gateway.money import OUT_OF_RANGE
from gateway.store.engine import numeric
from gateway.store.engine.database import (
    BUSY,
    CUSTOMER_TAKEN,
    FULL,
    NOT_OPEN,
    SLOW,
    LostConnection,
    Transaction,
    translated,
    within,
)
from gateway.store.engine.sql import DialectName
from gateway.store.engine.statement import BoundStatement, CompiledStatement, R
from gateway.store.engine.stream import Stream
from gateway.store.engine.write import PIECE

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


class PostgresDriver:
    """One asyncpg connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, statement: CompiledStatement[R], arguments: list[object]) -> Sequence[R]:
        try:
            records = await self._connection.fetch(statement.text, *arguments)
        except Exception as error:  # `translated` costs as much as twenty cells
            if known := translate(error):
                raise known from error
            raise
        return cast("Sequence[R]", records)  # a Record maps column names to values

    async def fetch_all(self, statements: Sequence[BoundStatement[Any]]) -> list[Sequence[Any]]:
        """Run statements in turn."""
        return [await self.fetch(each.statement, each.arguments) for each in statements]

    async def stream(
        self, statement: CompiledStatement[R], arguments: list[object], size: int
    ) -> AsyncGenerator[Sequence[Sequence[object]]]:
        with translated(translate):
            cursor = await self._connection.cursor(statement.text, *arguments)
            while records := await cursor.fetch(size):
                yield cast("Sequence[Sequence[object]]", records)  # a Record is its values too
                if len(records) < size:
                    return

    async def execute_many(
        self, statement: CompiledStatement[None], arguments: Sequence[Sequence[object]]
    ) -> None:
        with translated(translate):
            if len(arguments) == 1:
                await self._connection.execute(statement.text, *arguments[0])
            else:
                await self._connection.executemany(statement.text, arguments)

    async def copy(
        self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]
    ) -> None:
        with translated(translate):
            await self._connection.copy_records_to_table(
                table, columns=columns, records=_pausing(records)
            )


async def _pausing(records: Iterable[Sequence[object]]) -> AsyncGenerator[Sequence[object]]:
    """Yield rows, with a turn for the event loop between encoded parts."""
    for number, record in enumerate(records, 1):
        yield record
        if not number % PIECE:
            await asyncio.sleep(0)


class _Pools(NamedTuple):
    reads: asyncpg.Pool
    writes: asyncpg.Pool
    exports: asyncpg.Pool


class PostgresDatabase:
    """Three pools, so that neither writers that wait for each other's locks nor exports that take
    their time ever keep a reader waiting.
    """

    dialect: DialectName = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        export_slots: int,
        wait_seconds: float,
        statement_timeout_seconds: float,
    ) -> None:
        self._url = url
        self._pool_size = pool_size
        self._export_slots = export_slots
        self._wait_seconds = wait_seconds
        self._options = _OPTIONS | {"statement_timeout": f"{statement_timeout_seconds * 1000:.0f}"}
        self._opened: _Pools | None = None
        self._returning: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the pools; every connection has the timeouts, but for exports', and speaks UTC.

        Raises ConfigurationError where Postgres refuses the role: before the first migration there
        may be none.
        """
        try:
            reads = await self._open_pool(self._pool_size, {})
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise ConfigurationError(REFUSED) from error
        self._opened = _Pools(
            reads=reads,
            writes=await self._open_pool(max(2, self._pool_size // 2), _KEYED),
            exports=await self._open_pool(self._export_slots, _PATIENT, least=0),
        )

    async def _open_pool(
        self, size: int, more: Mapping[str, str], *, least: int = 1
    ) -> asyncpg.Pool:
        with translated(translate):
            return await asyncpg.create_pool(
                self._url,
                min_size=least,
                max_size=size,
                server_settings={**self._options, **more},
                init=_init,
                reset=_no_reset,
                timeout=10,
            )

    @property
    def _pools(self) -> _Pools:
        if self._opened is None:
            raise ServiceUnavailable(NOT_OPEN)
        return self._opened

    @asynccontextmanager
    async def reading(self, *, unlimited: bool = False) -> AsyncIterator[PostgresDriver]:
        pool = self._pools.reads
        connection = await self._acquire(pool)
        try:
            with translated(translate):
                await _begin(connection, _READ if not unlimited else f"{_READ}; {_UNLIMITED}")
            yield PostgresDriver(connection)
        finally:
            self._return(pool, connection)

    @asynccontextmanager
    async def writing(self, *, unlimited: bool = False) -> AsyncIterator[Transaction]:
        pool = self._pools.writes
        connection = await self._acquire(pool)
        try:
            with translated(translate):
                transaction = Transaction(PostgresDriver(connection), self.dialect)
                async with connection.transaction():
                    if unlimited:
                        await connection.execute(_UNLIMITED)
                    yield transaction
                transaction.committed()
        finally:
            await _release(pool, connection)

    @asynccontextmanager
    async def exporting(self) -> AsyncIterator[Stream]:
        pool = self._pools.exports
        connection = await self._acquire(pool)
        try:
            with translated(translate):
                await _begin(connection, _SNAPSHOT)
            yield Stream(PostgresDriver(connection), self.dialect)
        finally:
            await _release(pool, connection)

    async def _acquire(self, pool: asyncpg.Pool) -> Connection:
        async with within(self._wait_seconds):
            with translated(translate):
                return await pool.acquire()

    def _return(self, pool: asyncpg.Pool, connection: Connection) -> None:
        """Give a connection back in the background: no answer waits for its snapshot's end."""
        returning = asyncio.create_task(_release(pool, connection))
        self._returning.add(returning)

        def returned(_: asyncio.Task[None]) -> None:
            self._returning.discard(returning)
            if returning.cancelled():  # perhaps before it began
                with suppress(asyncpg.InterfaceError):
                    connection.terminate()

        returning.add_done_callback(returned)

    async def close(self) -> None:
        pools, self._opened = self._opened, None
        if pools is not None:
            await asyncio.gather(*self._returning, return_exceptions=True)
            await asyncio.gather(*(pool.close() for pool in pools))


async def _begin(connection: Connection, begin: str) -> None:
    """Begin a snapshot with its settings, in one message. Where the caller is cancelled meanwhile,
    nobody knows whether there is one, and the connection is closed.
    """
    try:
        await connection.execute(begin)
    except asyncio.CancelledError:
        connection.terminate()
        raise


async def _release(pool: asyncpg.Pool, connection: Connection) -> None:
    """Give a connection back: outside a transaction if it can be, else closed, so that the pool
    opens another in its place. It raises nothing that the connection is to blame for.
    """
    try:
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except asyncio.CancelledError:
        connection.terminate()
        raise
    except _FAULTS:
        # The pool may have taken back what it found closed.
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
    finally:
        with suppress(*_FAULTS):
            await pool.release(connection)


_ROLLBACK_SECONDS: Final = 5
"""A server that is gone must not keep a place of the pool."""

_FAULTS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement that timed out is still being cancelled
    OSError,
)

_OPTIONS: Final = {
    "application_name": "gateway",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10000",
    "lock_timeout": "2000",
    # Statements are short; compiling them costs more than it saves.
    "jit": "off",
}

REFUSED: Final = (
    "GATEWAY_DATABASE_URL: Postgres refuses the role or its password. If the role does not "
    "exist, run `gateway migrate`. To change an existing role's password, use `ALTER ROLE`."
)

_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# One message, and one round trip. Planning costs more than a small statement: reads look rows up
# by keys that are parameters, and their plan is the same for every key (writes: see _KEYED). What
# else a read's statements need to know of it belongs here too, as SET LOCAL with a literal: a third
# of the cost of set_config(), and with a pooler between, a session's settings may be another's.
_READ: Final = f"{_SNAPSHOT}; SET LOCAL plan_cache_mode = force_generic_plan"

_UNLIMITED: Final = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
)

# Writes look rows up by key. A plan made for an empty table and kept while it fills, or one that
# hashes a table without statistics, reads the whole of it for every batch.
_KEYED: Final = {
    "plan_cache_mode": "force_custom_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


# How long an export may take is its route's to say; its client may read slowly.
_PATIENT: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}


async def _init(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec(
        "numeric",
        schema="pg_catalog",
        encoder=numeric.encode,
        decoder=numeric.decode,
        format="binary",
    )


async def _no_reset(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing to reset: no statement here leaves session state, and RESET ALL is a round trip."""


_LOST: Final = ("08", "57P01", "57P02", "57P03")
_FULL: Final = ("53100",)
_BUSY: Final = ("53", "40", "55P03")
# Two writers may both find the customer free before they write; SQLite has one writer, which sees
# the conflict before.
_TAKEN: Final = {
    "uq_account_stripe_customer_id": CUSTOMER_TAKEN,
    "uq_job_lock": "Another job with the same lock has begun to run.",
}


def translate(error: Exception) -> GatewayError | None:
    """Return the error for clients of a driver's error."""
    match error:
        case asyncpg.QueryCanceledError():
            return DeadlineExceeded(SLOW)
        case asyncpg.UniqueViolationError(constraint_name=str(name)) if name in _TAKEN:
            return Conflict(_TAKEN[name])
        case asyncpg.NumericValueOutOfRangeError():
            return OutOfRange(OUT_OF_RANGE)
        case asyncpg.PostgresError(sqlstate=str(state)):
            return _translate_state(state)
        case asyncpg.InterfaceError() if "connection" in str(error):
            return LostConnection(BUSY)
        case OSError():
            return LostConnection(BUSY)
    return None


def _translate_state(state: str) -> GatewayError | None:
    if state.startswith(_LOST):
        return LostConnection(BUSY)
    if state.startswith(_FULL):
        return StorageFull(FULL)
    if state.startswith(_BUSY):
        return ServiceUnavailable(BUSY)
    return None
