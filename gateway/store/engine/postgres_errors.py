"""The errors for clients of asyncpg's exceptions."""

from typing import Final

import asyncpg

from gateway.errors import (
    AlreadyRecorded,
    Conflict,
    DeadlineExceeded,
    GatewayError,
    KeyTaken,
    OutOfRange,
    ServiceUnavailable,
    StorageFull,
)
from gateway.money import OUT_OF_RANGE
from gateway.store.engine.database import (
    BUSY,
    CUSTOMER_TAKEN,
    DRAWN_KEYS,
    EVENT_RECORDED,
    FULL,
    SLOW,
    LostConnection,
)


class ReadOnly(ServiceUnavailable):
    """The server accepts no writes: it is a standby by now, or its operator closed it."""


_LOST: Final = ("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04")
_READ_ONLY: Final = "25006"
_FULL: Final = ("53100",)
# "28" and "3D": the role, its password or the database changed while the gateway serves.
_BUSY: Final = ("53", "40", "55P03", "28", "3D", "58030")
# Two writers may both find the customer free before they write; SQLite has one writer, which sees
# the conflict before.
_TAKEN: Final = {
    "uq_account_stripe_customer_id": CUSTOMER_TAKEN,
    "uq_job_lock": "Another job with the same lock has begun to run.",
}
_DRAWN_KEYS: Final = tuple(f"pk_{name}" for name in DRAWN_KEYS)


def translate(error: Exception) -> GatewayError | None:
    """Return the error for clients of a driver's error."""
    match error:
        case TimeoutError():
            return ServiceUnavailable(BUSY)
        case asyncpg.QueryCanceledError():
            return DeadlineExceeded(SLOW)
        case asyncpg.UniqueViolationError(constraint_name=str(name)) if name in _TAKEN:
            return Conflict(_TAKEN[name])
        case asyncpg.UniqueViolationError(constraint_name=str(name)) if name in _DRAWN_KEYS:
            return KeyTaken(BUSY)
        case asyncpg.UniqueViolationError(constraint_name="pk_usage_event"):
            return AlreadyRecorded(EVENT_RECORDED)
        case asyncpg.NumericValueOutOfRangeError():
            return OutOfRange(OUT_OF_RANGE)
        case asyncpg.PostgresError(sqlstate=str(state)):
            return _translate_state(state)
        case asyncpg.InterfaceError() if "connection" in str(error):
            return LostConnection(BUSY)
        # The driver's own state is confused by a server that ends in the middle of a message.
        case asyncpg.InternalClientError() | OSError():
            return LostConnection(BUSY)
    return None


def _translate_state(state: str) -> GatewayError | None:
    if state.startswith(_LOST):
        return LostConnection(BUSY)
    if state == _READ_ONLY:
        return ReadOnly(BUSY)
    if state.startswith(_FULL):
        return StorageFull(FULL)
    if state.startswith(_BUSY):
        return ServiceUnavailable(BUSY)
    return None
