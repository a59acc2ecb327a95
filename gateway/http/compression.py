"""Compression of answers and files: Zstandard, Brotli or gzip, as the client accepts."""

from typing import Final

from starlette.middleware import Middleware
from starlette_compress import CompressMiddleware, add_compress_type, remove_compress_type

MINIMUM_BYTES: Final = 1_024
"""Size of the smallest answer that is compressed: less would not save a packet."""

_TYPES: Final = ("application/graphql-response+json", "application/x-ndjson", "text/csv")
"""Media types that the library does not know."""


def compression() -> Middleware:
    """Return the middleware; event streams pass as they are, because an event must not wait."""
    for media_type in _TYPES:
        add_compress_type(media_type)
    remove_compress_type("text/event-stream")
    return Middleware(CompressMiddleware, minimum_size=MINIMUM_BYTES)
