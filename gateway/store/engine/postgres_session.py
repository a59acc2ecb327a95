"""Sessions of Postgres: how a connection is opened, and the settings of its transactions.

A direct connection gets its settings when it is opened. Behind a pooler in transaction mode each
transaction may run on another connection, and startup parameters are refused: there every
transaction begins with its settings.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

import asyncpg

from gateway.errors import ConfigurationError, GatewayError
from gateway.store.engine import numeric
from gateway.store.engine.database import translated
from gateway.store.engine.postgres_errors import translate
from gateway.store.engine.postgres_pool import Connection

CONNECT_SECONDS: Final = 10
ANSWER_SECONDS: Final = 2
"""How much longer than its timeout a statement may take to answer. Then Postgres is considered
unreachable: it would have cancelled the statement itself.
"""
EXPORT_SECONDS: Final = 60
"""Longest run of an export's statement, and of each part of its rows."""
UNLIMITED_SECONDS: Final = 86_400

REFUSED: Final = (
    "GATEWAY_DATABASE_URL: Postgres refuses the role or its password. If the role does not "
    "exist, run `gateway migrate`. To change an existing role's password, use `ALTER ROLE`."
)
BEHIND_POOLER: Final = (
    "GATEWAY_DATABASE_URL: a pooler refuses or ignores the gateway's session settings. If it pools "
    "transactions (PgBouncer), set GATEWAY_DATABASE_POOLER=1 and GATEWAY_LISTEN_DATABASE_URL to "
    "the direct URL of Postgres."
)

_NAME: Final = {"application_name": "gateway"}  # a pooler accepts it
_OPTIONS: Final = {
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "10000",
    "lock_timeout": "2000",
    # Statements are short; compiling them costs more than it saves.
    "jit": "off",
}

# Planning costs more than a small statement: reads look rows up by keys that are parameters, and
# their plan is the same for every key. A session has it too, for statements that are transactions
# of their own.
_READ: Final = {"plan_cache_mode": "force_generic_plan"}

# Writes look rows up by key. A plan made for an empty table and kept while it fills, or one that
# hashes a table without statistics, reads the whole of it for every batch.
_WRITE: Final = {
    "plan_cache_mode": "force_custom_plan",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_UNLIMITED: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}

# How long an export may take is its route's to say; its client may read slowly.
_EXPORT: Final = {
    "plan_cache_mode": "auto",
    "statement_timeout": str(EXPORT_SECONDS * 1_000),
    "idle_in_transaction_session_timeout": "0",
}
SAVEPOINT: Final = "SAVEPOINT reading"
BACK: Final = "ROLLBACK TO SAVEPOINT reading"
"""Takes a failed statement back, so that others can run in the snapshot."""

_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Transactions(NamedTuple):
    """The messages that begin transactions, each one round trip: with the settings of its
    statements as SET LOCAL with literals, a third of the cost of set_config().
    """

    read: str
    unlimited_read: str
    write: str
    unlimited_write: str
    export: str
    unlimited_export: str


class Sessions:
    """Opens connections, and knows how their transactions begin."""

    def __init__(self, url: str, *, statement_timeout_seconds: float, pooled: bool) -> None:
        self._url = url
        self.pooled = pooled
        self._timeout_milliseconds = f"{statement_timeout_seconds * 1000:.0f}"
        self._answer_seconds = statement_timeout_seconds + ANSWER_SECONDS
        self._options = _OPTIONS | {"statement_timeout": self._timeout_milliseconds}
        common = self._options if pooled else {}
        reading = common | _READ if pooled else {}
        self.begin = Transactions(
            read=_begin(_SNAPSHOT, reading),
            unlimited_read=_begin(_SNAPSHOT, reading | _UNLIMITED),
            write=_begin("BEGIN", common | _WRITE),
            unlimited_write=_begin("BEGIN", common | _WRITE | _UNLIMITED),
            export=_begin(_SNAPSHOT, common | _EXPORT),
            unlimited_export=_begin(_SNAPSHOT, common | _EXPORT | _UNLIMITED),
        )

    async def connect(self) -> Connection:
        """Open a connection. Raises the driver's exceptions."""
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            command_timeout=self._answer_seconds,
            # Behind a pooler the next transaction does not find the statements of this one.
            statement_cache_size=0 if self.pooled else 100,
            max_cacheable_statement_size=0,  # joined statements are long
            server_settings=_NAME if self.pooled else _NAME | self._options | _READ,
        )
        try:
            if self.pooled:
                async with connection.transaction():  # on one connection of the pooler
                    await set_codecs(connection)
            else:
                await set_codecs(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def check(self, connection: Connection) -> None:
        """Raise ConfigurationError where a pooler drops the settings of a session."""
        setting = "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'"
        if not self.pooled and await connection.fetchval(setting) != self._timeout_milliseconds:
            raise ConfigurationError(BEHIND_POOLER)


@contextmanager
def start_explained() -> Iterator[None]:
    """Raise ConfigurationError where Postgres, or a pooler before it, refuses the role or the
    session, and the error for clients of any other exception of the driver.
    """
    try:
        with translated(translate):
            yield
    except GatewayError as error:
        if (sentence := _explanation(error.__cause__)) is None:
            raise
        raise ConfigurationError(sentence) from error.__cause__


def _explanation(cause: BaseException | None) -> str | None:
    match cause:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return REFUSED
        case asyncpg.ProtocolViolationError() if "startup parameter" in str(cause):
            return BEHIND_POOLER
        case ssl.SSLError():
            return f"GATEWAY_DATABASE_URL: no TLS connection to Postgres: {tls_reason(cause)}."
    return None


def tls_reason(error: ssl.SSLError) -> str:
    """Return why TLS failed, such as `self-signed certificate in certificate chain`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    return (error.reason or "the handshake failed").replace("_", " ").lower()


async def set_codecs(connection: Connection) -> None:
    """Have a connection read and write quantities as integers."""
    await connection.set_type_codec(
        "numeric",
        schema="pg_catalog",
        encoder=numeric.encode,
        decoder=numeric.decode,
        format="binary",
    )


def _begin(begin: str, settings: Mapping[str, str]) -> str:
    local = (f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
    return "; ".join((begin, *local))
