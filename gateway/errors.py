"""Every error that a client can be told about, with its stable code.

    GatewayError
    ├── BadRequest                 BAD_REQUEST                   the transport's message is malformed
    ├── BadUserInput               BAD_USER_INPUT                a value is not allowed; names the argument
    │   └── BadCursor              BAD_CURSOR                    a cursor that this field did not hand out
    ├── Unauthenticated            UNAUTHENTICATED               no credential, or one that does not hold
    ├── Forbidden                  FORBIDDEN                     known, and not allowed to see this field
    ├── NotFound                   NOT_FOUND                     not there, or not yours: the same answer
    ├── Conflict                   CONFLICT                      the same key was used for something else
    ├── DeadlineExceeded           TIMEOUT                       the request took longer than it may
    ├── ServiceUnavailable         SERVICE_UNAVAILABLE           the database is away or too busy; try again
    │   └── StorageFull            STORAGE_FULL                  writes are refused until there is room
    └── ConfigurationError         (never sent)                  a setting that stops the start

An exception outside this tree is unexpected: the edge logs it and sends only a request id.
"""

from typing import ClassVar


class GatewayError(Exception):
    """An error with a stable code and a sentence that says what was wrong and what is allowed."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> dict[str, object]:
        """What stands in `errors[].extensions`; always has `code`."""
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


class Unauthenticated(GatewayError):
    code = "UNAUTHENTICATED"


class Forbidden(GatewayError):
    code = "FORBIDDEN"


class NotFound(GatewayError):
    code = "NOT_FOUND"


class Conflict(GatewayError):
    code = "CONFLICT"


class DeadlineExceeded(GatewayError):
    code = "TIMEOUT"


class ServiceUnavailable(GatewayError):
    code = "SERVICE_UNAVAILABLE"


class StorageFull(ServiceUnavailable):
    code = "STORAGE_FULL"


class ConfigurationError(GatewayError):
    """A setting that is missing or wrong; the process ends with one sentence that names it."""
