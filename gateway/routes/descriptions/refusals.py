"""Errors that many operations share, and their limits."""

from typing import Final

from gateway.routes.openapi.operation import Refusal

INVALID: Final = Refusal(
    status=400,
    codes=("BAD_REQUEST", "BAD_USER_INPUT", "OUT_OF_RANGE"),
    text="The request is malformed, or a field or parameter is invalid. Each invalid field of a "
    "body is a separate error with its `path`; at most 20.",
)
INVALID_PAGE: Final = Refusal(
    status=400,
    codes=("BAD_REQUEST", "BAD_USER_INPUT", "BAD_CURSOR"),
    text="The request is malformed, or a parameter is invalid.",
)
MALFORMED: Final = Refusal(
    status=400,
    codes=("BAD_REQUEST",),
    text="The request is malformed, or its `Host` header is not allowed.",
)
UNAUTHENTICATED: Final = Refusal(
    status=401,
    codes=("UNAUTHENTICATED",),
    text="The credential is missing, malformed, expired or revoked.",
    headers=("WWW-Authenticate",),
)
FORBIDDEN: Final = Refusal(
    status=403,
    codes=("FORBIDDEN",),
    text="The credential is valid, but does not allow this request.",
)
NOT_FOUND: Final = Refusal(
    status=404,
    codes=("NOT_FOUND",),
    text="The object does not exist, or the credential has no access; both answers are the same.",
)
METHOD: Final = Refusal(
    status=405,
    codes=("BAD_REQUEST",),
    text="The path does not support this method.",
    headers=("Allow",),
)
SLOW: Final = Refusal(status=408, codes=("BAD_REQUEST",), text="The body did not arrive in time.")
LARGE: Final = Refusal(status=413, codes=("BAD_REQUEST",), text="The body is too large.")
TARGET: Final = Refusal(status=414, codes=("BAD_REQUEST",), text="The URL is too long.")
MEDIA_TYPE: Final = Refusal(
    status=415,
    codes=("BAD_REQUEST",),
    text="The body has another media type, or is compressed.",
)
THROTTLED: Final = Refusal(
    status=429,
    codes=("THROTTLED",),
    text="The caller has too few points, or too many requests of this client address had no valid "
    "credential.",
    headers=("Retry-After",),
)
HEAD: Final = Refusal(
    status=431, codes=("BAD_REQUEST",), text="The headers are too long or too many."
)
INTERNAL: Final = Refusal(
    status=500,
    codes=("INTERNAL_SERVER_ERROR",),
    text="Unexpected error; the log has the details under the request id.",
)
UNAVAILABLE: Final = Refusal(
    status=503,
    codes=("SERVICE_UNAVAILABLE",),
    text="The database is unreachable or busy, or the gateway is stopping. The same request may "
    "be sent again.",
    headers=("Retry-After",),
)
TIMEOUT: Final = Refusal(status=504, codes=("TIMEOUT",), text="The request took too long.")
FULL: Final = Refusal(
    status=507, codes=("STORAGE_FULL",), text="The database is full; nothing was written."
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
"""Errors that `docs/api.md` lists once for all operations."""

HEAD_LIMITS: Final = ("http_header_bytes", "http_header_count")
CREDENTIAL_LIMITS: Final = (
    *HEAD_LIMITS,
    "failed_credentials_per_minute",
    "rate_points",
    "rate_points_per_second",
)
BODY_LIMITS: Final = ("http_body_bytes", "http_body_seconds", *CREDENTIAL_LIMITS)
