"""Failed credentials, limited for each client address; and never two credentials in one request.

A good credential always passes: clients behind one address do not lock each other out.
"""

from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth.rejected import Rejected
from gateway.errors import BadRequest, Throttled
from gateway.http.headers import raw_values
from gateway.http.responses import error_response
from gateway.principal import Principal
from gateway.quotas import RateQuota

ONE_CREDENTIAL: Final = "Send exactly one credential per request."


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


class FailedCredentials:
    """Limits failed credentials for each client address.

    A request without a credential does not count. The credential of a WebSocket may come later:
    its endpoint counts it.
    """

    def __init__(self, quota: RateQuota) -> None:
        self._quota = quota

    async def count(self, scope: Scope) -> Response | None:
        """Count one; return the answer 429 where the address has too many."""
        try:
            await self._quota.take(address_of(scope))
        except Throttled as error:
            return error_response(error)
        return None


class FailedCredentialsMiddleware:
    """Answers 429 instead of 401 to addresses with too many failed credentials."""

    def __init__(self, app: ASGIApp, *, failures: FailedCredentials) -> None:
        self.app = app
        self.failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            credential = credential_of(scope) if scope["type"] == "http" else None
        except BadRequest as error:
            await error_response(error)(scope, receive, send)
            return
        if credential is None:
            await self.app(scope, receive, send)
            return
        throttled: Response | None = None

        async def count(message: Message) -> None:
            nonlocal throttled
            if message["type"] == "http.response.start" and message["status"] == 401:
                throttled = await self.failures.count(scope)
                if throttled is not None:
                    await throttled(scope, receive, send)
            if throttled is None:
                await send(message)

        await self.app(scope, receive, count)


def credential_of(scope: Scope) -> str | None:
    """Return the value of `Authorization`, None without one. Raises BadRequest for two credentials,
    of which one may be in the query.
    """
    values = raw_values(scope, b"authorization")
    if not values:
        return None
    if len(values) > 1 or has_access_token(scope):
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
    """Return the client's address as the server tells it, through trusted proxies too."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def has_access_token(scope: Scope) -> bool:
    """Say whether a credential stands in the request's address."""
    if not scope["query_string"]:
        return False
    query = scope["query_string"].decode("latin-1")
    return any(name == "access_token" for name, _ in parse_qsl(query, keep_blank_values=True))
