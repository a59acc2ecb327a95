"""Errors that many operations have, and the limits that go with them."""

from typing import Final

from gateway.routes.openapi.operation import Refusal

INVALID: Final = Refusal(
    status=400,
    codes=("BAD_REQUEST", "BAD_USER_INPUT", "OUT_OF_RANGE"),
    text="The request is malformed, or a field or parameter is not allowed. Each fault of a body "
    "is an error of its own with the `path` of its field, at most 20.",
)
INVALID_PAGE: Final = Refusal(
    status=400,
    codes=("BAD_REQUEST", "BAD_USER_INPUT", "BAD_CURSOR"),
    text="The request is malformed, or a parameter is not allowed.",
)
MALFORMED: Final = Refusal(
    status=400, codes=("BAD_REQUEST",), text="The request is malformed, or names another host."
)
UNAUTHENTICATED: Final = Refusal(
    status=401,
    codes=("UNAUTHENTICATED",),
    text="There is no credential, or it is malformed, expired or revoked.",
    headers=("WWW-Authenticate",),
)
FORBIDDEN: Final = Refusal(
    status=403, codes=("FORBIDDEN",), text="The credential holds, but does not allow this."
)
NOT_FOUND: Final = Refusal(
    status=404,
    codes=("NOT_FOUND",),
    text="It does not exist, or the credential may not see it: the answer is the same.",
)
METHOD: Final = Refusal(
    status=405,
    codes=("BAD_REQUEST",),
    text="The path does not serve this method.",
    headers=("Allow",),
)
SLOW: Final = Refusal(status=408, codes=("BAD_REQUEST",), text="The body did not arrive in time.")
LARGE: Final = Refusal(status=413, codes=("BAD_REQUEST",), text="The body is too large.")
TARGET: Final = Refusal(status=414, codes=("BAD_REQUEST",), text="The address is too long.")
MEDIA_TYPE: Final = Refusal(
    status=415,
    codes=("BAD_REQUEST",),
    text="The body has another media type, or is compressed.",
)
THROTTLED: Final = Refusal(
    status=429,
    codes=("THROTTLED",),
    text="Too many credentials of this client address failed. A credential that holds is never "
    "throttled.",
    headers=("Retry-After",),
)
HEAD: Final = Refusal(
    status=431, codes=("BAD_REQUEST",), text="The headers are too long or too many."
)
INTERNAL: Final = Refusal(
    status=500,
    codes=("INTERNAL_SERVER_ERROR",),
    text="Unexpected; the log has it under the request's id.",
)
UNAVAILABLE: Final = Refusal(
    status=503,
    codes=("SERVICE_UNAVAILABLE",),
    text="The database is away or busy, or the gateway is stopping. The same request may be sent "
    "again.",
    headers=("Retry-After",),
)
TIMEOUT: Final = Refusal(status=504, codes=("TIMEOUT",), text="It took longer than it may.")
FULL: Final = Refusal(
    status=507, codes=("STORAGE_FULL",), text="The database has no room; nothing was written."
)

OPEN: Final = (MALFORMED, METHOD, TARGET, HEAD, INTERNAL, UNAVAILABLE)
"""Of every path."""
READ: Final = (
    INVALID,
    UNAUTHENTICATED,
    FORBIDDEN,
    METHOD,
    TARGET,
    THROTTLED,
    HEAD,
    INTERNAL,
    UNAVAILABLE,
)
"""Of reads with a credential."""
PAGE: Final = (INVALID_PAGE, *READ[1:])
"""Of lists."""
WRITE: Final = (*READ, SLOW, LARGE, MEDIA_TYPE, FULL)
"""Of writes with a credential."""

EVERYWHERE: Final = (
    UNAUTHENTICATED,
    METHOD,
    SLOW,
    LARGE,
    TARGET,
    MEDIA_TYPE,
    THROTTLED,
    HEAD,
    INTERNAL,
    UNAVAILABLE,
    FULL,
)
"""What `docs/api.md` says once, for all."""

HEAD_LIMITS: Final = ("http_header_bytes", "http_header_count")
CREDENTIAL_LIMITS: Final = (*HEAD_LIMITS, "failed_credentials_per_minute")
BODY_LIMITS: Final = ("http_body_bytes", "http_body_seconds", *CREDENTIAL_LIMITS)
