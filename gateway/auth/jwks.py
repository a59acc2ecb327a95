"""Fetches and caches the issuer's published keys."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog

from gateway.auth.keys import KeySet, PublicKey, parse_key_set
from gateway.clock import Clock
from gateway.errors import ServiceUnavailable
from gateway.settings.values import is_loopback

FRESH_FOR: Final = timedelta(minutes=10)
USABLE_FOR: Final = timedelta(hours=24)
RETRY_AFTER: Final = timedelta(seconds=30)
TIMEOUT_SECONDS: Final = 3
MAX_BYTES: Final = 64 * 1024

log = structlog.get_logger(__name__)


class RemoteKeys:
    """The keys of a JWKS URL.

    They are fetched at the start or when first looked for, and again once they are 10 minutes old,
    or 30 seconds where a token names a key that is not among them. Only one fetch runs at a time,
    and after the start at most one begins in 30 seconds; all waiting requests share the outcome.
    While fetches fail, the last keys are used for 24 hours from when they were fetched.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        # Loopback URLs bypass the proxy.
        remote = not is_loopback(urlsplit(url).hostname or "")
        self._client = httpx.AsyncClient(
            # Authorities of SSL_CERT_FILE are trusted here too.
            verify=httpx.create_ssl_context(),
            timeout=TIMEOUT_SECONDS,
            trust_env=remote,
        )
        self._keys = KeySet()
        self._document = b""
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Sequence[PublicKey]:
        """Return the keys that may have signed a token with this `kid` in the header.

        Raises ServiceUnavailable where the keys were never fetched, or not for 24 hours.
        """
        if not self._within(FRESH_FOR, self._fetched_at):
            await self._refresh()
        self._check_usable()
        found = self._keys.matching(kid)
        if not found:
            await self._refresh()
            found = self._keys.matching(kid)
        return found

    def begin(self) -> None:
        """Fetch the keys while nobody waits. The next caller may fetch at once if that fails."""
        if self._fetching is None:
            self._start()

    async def aclose(self) -> None:
        """Stop a fetch that is under way and close the connections."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])
        await self._client.aclose()

    def _within(self, limit: timedelta, since: datetime | None) -> bool:
        # A clock that was set back makes ages negative: they count as over.
        return since is not None and timedelta() <= self._clock.now() - since < limit

    def _check_usable(self) -> None:
        fetched_at = self._fetched_at
        if fetched_at is None or abs(self._clock.now() - fetched_at) >= USABLE_FOR:
            raise ServiceUnavailable(
                "The sign-in service's keys cannot be fetched at the moment; please try again."
            )

    async def _refresh(self) -> None:
        """Wait for the fetch that is under way, or for a new one where that is due."""
        if self._fetching is None:
            if self._within(RETRY_AFTER, self._tried_at):
                return
            self._tried_at = self._clock.now()
            fetching = self._start()
        else:
            fetching = self._fetching
        # Shielded: the caller that started it may leave, the others still wait for it.
        await asyncio.shield(fetching)

    def _start(self) -> asyncio.Task[None]:
        self._fetching = fetching = asyncio.create_task(self._fetch())
        fetching.add_done_callback(self._done)
        return fetching

    def _done(self, _: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                document = await self._download()
            # The same document keeps the same key objects, and what was verified with them.
            if document != self._document:
                self._keys = KeySet(parse_key_set(document))
                self._document = document
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            log.warning("jwks_fetch_failed", url=self._url, reason=reason, help=self._help(reason))
        else:
            self._fetched_at = self._clock.now()

    def _help(self, reason: str) -> str:
        """Return a failure's reason, with a hint if one is known."""
        if self._fetched_at is not None:
            return "Keys of before are used for 24 hours from their fetch."
        missing = "No token is accepted until the keys of GATEWAY_JWT_JWKS_URL are fetched."
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            return f"{missing} Where an authority of yours signed: set SSL_CERT_FILE to its file."
        return missing

    async def _download(self) -> bytes:
        """Return the body of a plain 200; raise ValueError for any other answer."""
        document = b""
        # Decompression could turn 64 KiB into many megabytes, so compressed answers are neither
        # requested nor read.
        plain = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with self._client.stream("GET", self._url, headers=plain) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"the answer's status is {response.status_code}")
            async for chunk in response.aiter_raw():
                document += chunk
                if len(document) > MAX_BYTES:
                    raise ValueError(f"the answer has more than {MAX_BYTES} bytes")
        return document
