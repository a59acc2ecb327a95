"""Refusals of requests without a valid credential, limited for each client address; and never two
credentials in one request.

A good credential always passes: clients behind one address do not lock each other out.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final, Protocol
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth.rejected import Rejected
from gateway.errors import BadRequest, Throttled
from gateway.http.headers import raw_values
from gateway.http.request_log import record_of
from gateway.http.responses import error_response
from gateway.principal import Principal
from gateway.quotas import RateQuota

ONE_CREDENTIAL: Final = "Send exactly one credential per request."
_PREFIX_BITS: Final = 64
_ADDRESSES: Final = 1_024
"""Most addresses that are kept."""


class CredentialChecker(Protocol):
    async def authenticate(self, authorization: str | None) -> Principal:
        """Return the credential's principal; raises Unauthenticated."""
        ...


class CountingChecker:
    """Checks the credentials of one address and counts those that fail. Raises Throttled too."""

    def __init__(self, authenticator: CredentialChecker, failures: RateQuota, address: str) -> None:
        self._authenticator = authenticator
        self._failures = failures
        self._address = address

    async def authenticate(self, authorization: str | None) -> Principal:
        try:
            return await self._authenticator.authenticate(authorization)
        except Rejected:
            await self._failures.take(self._address)
            raise


class AddressLimits:
    """Limits what a client address sends without a valid credential: failed credentials, and, much
    more generously, all other requests that are refused.

    The credential of a WebSocket may come later: its endpoint counts it.
    """

    def __init__(self, failures: RateQuota, refusals: RateQuota) -> None:
        self._failures = failures
        self._refusals = refusals

    async def count(self, scope: Scope, status: int) -> Response | None:
        """Count an answer; return 429 in its place where the address has too many refusals."""
        if not 400 <= status < 500 or record_of(scope).principal is not None:
            return None
        has_failed = status == 401 and raw_values(scope, b"authorization")
        quota = self._failures if has_failed else self._refusals
        try:
            await quota.take(address_of(scope))
        except Throttled as error:
            record_of(scope).codes = [error.code]
            return error_response(error)
        return None


class AddressLimitsMiddleware:
    """Answers 429 to addresses with too many refusals; refuses two credentials in one request."""

    def __init__(self, app: ASGIApp, *, limits: AddressLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        throttled: Response | None = None

        async def count(message: Message) -> None:
            nonlocal throttled
            if message["type"] == "http.response.start":
                throttled = await self.limits.count(scope, message["status"])
                if throttled is not None:
                    await throttled(scope, receive, send)
            if throttled is None:
                await send(message)

        try:
            credential_of(scope)
        except BadRequest as error:
            await error_response(error)(scope, receive, count)
            return
        await self.app(scope, receive, count)


def credential_of(scope: Scope) -> str | None:
    """Return the value of `Authorization`, None without one. Raises BadRequest for two credentials,
    of which one may be in the query.
    """
    values = raw_values(scope, b"authorization")
    if not values:
        return None
    if len(values) > 1 or (scope["query_string"] and has_access_token(scope)):
        raise BadRequest(ONE_CREDENTIAL)
    return values[0].decode("latin-1")


def refuse_credential(scope: Scope) -> None:
    """Raise BadRequest where a request has a credential beside its signed link."""
    if credential_of(scope) is not None or has_access_token(scope):
        raise BadRequest(ONE_CREDENTIAL)


def only_one(credentials: Sequence[str]) -> str | None:
    """Return the credential, None without one. Raises BadRequest for more."""
    if len(credentials) > 1:
        raise BadRequest(ONE_CREDENTIAL)
    return credentials[0] if credentials else None


def address_of(scope: Scope) -> str:
    """Return the address that a client counts by, as the server tells it, through trusted proxies
    too.
    """
    client = scope.get("client")
    return _counted(client[0]) if client else "unknown"


@lru_cache(_ADDRESSES)
def _counted(host: str) -> str:
    """Return the network of an IPv6 address, which one client has to itself; other hosts as they
    are.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    mapped = address.ipv4_mapped
    return str(mapped or ip_network((address, _PREFIX_BITS), strict=False))


def has_access_token(scope: Scope) -> bool:
    """Say whether a credential stands in the request's address."""
    if not scope["query_string"]:
        return False
    query = scope["query_string"].decode("latin-1")
    return any(name == "access_token" for name, _ in parse_qsl(query, keep_blank_values=True))
