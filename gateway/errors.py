"""Every error that clients can get, with its stable code.

    GatewayError
    ├── BadRequest             BAD_REQUEST           a malformed message
    ├── BadUserInput           BAD_USER_INPUT        a value that is not allowed
    │   ├── BadCursor          BAD_CURSOR            a cursor from elsewhere
    │   ├── InvalidFields      (its first fault's)   fields of a body, each with its path
    │   └── OutOfRange         OUT_OF_RANGE          a number or a sum beyond what is kept
    ├── Unauthenticated        UNAUTHENTICATED       no credential that holds
    ├── Forbidden              FORBIDDEN             known, and not allowed
    ├── NotFound               NOT_FOUND             not there, or not yours: the same answer
    ├── Conflict               CONFLICT              the key was used otherwise
    ├── TooManySubscriptions   TOO_MANY_SUBSCRIPTIONS  no more may be open
    ├── Throttled              THROTTLED             too much in too short a time
    ├── TooComplex             QUERY_TOO_COMPLEX     an answer that is too large
    ├── DeadlineExceeded       TIMEOUT               it took longer than it may
    ├── ServiceUnavailable     SERVICE_UNAVAILABLE   the database is away or busy
    │   └── StorageFull        STORAGE_FULL          no writes until there is room
    └── ConfigurationError     (never sent)          a setting that stops the start

An exception outside this tree is unexpected: the edge logs it and sends only a request id.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class GatewayError(Exception):
    """An error with a stable code and a sentence that says what was wrong and what is allowed."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> dict[str, object]:
        """The `errors[].extensions` of the error; always has `code`."""
        return {"code": self.code}


class BadRequest(GatewayError):
    code = "BAD_REQUEST"


class BadUserInput(GatewayError):
    code = "BAD_USER_INPUT"

    def __init__(self, message: str, *, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument

    @property
    def extensions(self) -> dict[str, object]:
        return super().extensions | ({"argument": self.argument} if self.argument else {})


class BadCursor(BadUserInput):
    code = "BAD_CURSOR"


class OutOfRange(BadUserInput):
    """A number that is too large, or that would make a sum too large."""

    code = "OUT_OF_RANGE"


class Fault(NamedTuple):
    """A field's fault: its path, such as `lowBalance.amount`, a message that names the path, and
    the error's code.
    """

    path: str
    message: str
    code: str = BadUserInput.code


class InvalidFields(BadUserInput):
    """Fields of one body that are not allowed, with each fault by itself."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(first.message, argument=first.path.partition(".")[0] or None)
        self.code = first.code  # type: ignore[misc]  # a class has one, this error its fault's
        self.faults = faults


class Unauthenticated(GatewayError):
    code = "UNAUTHENTICATED"


class Forbidden(GatewayError):
    code = "FORBIDDEN"


class NotFound(GatewayError):
    code = "NOT_FOUND"


class Conflict(GatewayError):
    code = "CONFLICT"


class AlreadyRecorded(Conflict):
    """A usage event that was written as a new one is recorded already."""


class TooManySubscriptions(GatewayError):
    code = "TOO_MANY_SUBSCRIPTIONS"


class Throttled(GatewayError):
    """Too much in too short a time; `wait_seconds`, where it is known, says when to come back."""

    code = "THROTTLED"

    def __init__(self, message: str, *, wait_seconds: int | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds

    @property
    def extensions(self) -> dict[str, object]:
        known = self.wait_seconds is not None
        return super().extensions | ({"retryAfterSeconds": self.wait_seconds} if known else {})


class TooComplex(GatewayError):
    code = "QUERY_TOO_COMPLEX"


class DeadlineExceeded(GatewayError):
    code = "TIMEOUT"


class ServiceUnavailable(GatewayError):
    code = "SERVICE_UNAVAILABLE"


class KeyTaken(ServiceUnavailable):
    """A new row's key was drawn for another row already; the next key will be another one."""


class StorageFull(ServiceUnavailable):
    code = "STORAGE_FULL"


class ConfigurationError(GatewayError):
    """A setting that is missing or wrong; the process ends with one sentence that names it."""
