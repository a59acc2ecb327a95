"""The base of the platform's endpoints: a key with scopes, a body, a JSON answer."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import strict_json
from gateway.audit.deeds import Deed
from gateway.clock import Clock
from gateway.errors import BadRequest, Forbidden, GatewayError
from gateway.http.body import ClientDisconnected, read_body
from gateway.http.credentials import CredentialChecker, credential_of
from gateway.http.headers import header_value
from gateway.http.request_log import record_of
from gateway.http.responses import HTTPError, error_response
from gateway.ids import KeyFactory
from gateway.principal import Permission, Principal
from gateway.quotas import AdmissionGate, HeldBytes, Quotas
from gateway.quotas.rate import REQUEST_POINTS
from gateway.routes.openapi.operation import Operation
from gateway.settings.http import HttpSettings
from gateway.store import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The parts that writing endpoints share. Successes of `quiet_keys` are not logged."""

    database: Database
    authenticator: CredentialChecker
    clock: Clock
    keys: KeyFactory
    limits: HttpSettings
    quotas: Quotas
    usage_delay_seconds: int
    quiet_keys: Collection[str] = ()


class PlatformEndpoint(ABC):
    """One method at one path, for keys with the scopes of its description; an ASGI application.

    What is done is said in the request's log line, beside who did it: its `details`.
    """

    OPERATION: ClassVar[Operation]
    DEED: ClassVar[Deed | None] = None
    """The deed of a writing request, for the audit event of a refusal."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    @property
    def body_bytes(self) -> int:
        """The size of the largest body."""
        return self.platform.limits.body_bytes

    @abstractmethod
    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        """Handle the request; raises GatewayError."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record = record_of(scope)
        try:
            self._check_head(scope)
            record.deed = self.DEED
            record.principal = principal = await self._authenticate(scope)
            await self.platform.quotas.points.take(principal.quota_key, REQUEST_POINTS)
            self._check_scopes(principal)
            record.is_quiet = principal.key_id in self.platform.quiet_keys
            with self.platform.quotas.bodies.holding(principal.quota_key) as held:
                body = await self._read_body(scope, receive, held)
                async with self._gate.admitted(principal.quota_key):
                    response = await self.answer(principal, scope, body, record.details)
        except ClientDisconnected:
            return
        except GatewayError as error:
            record.codes = [error.code]
            response = error_response(error)
        await response(scope, receive, send)

    @property
    def _gate(self) -> AdmissionGate:
        gates = self.platform.quotas.gates
        return gates.reads if self.OPERATION.method == "GET" else gates.writes

    def _check_head(self, scope: Scope) -> None:
        media_types = self.OPERATION.media_types
        if not media_types:
            return
        if media_type_of(scope) not in media_types:
            raise HTTPError(f"The body must be {' or '.join(media_types)} in UTF-8.", 415)
        if header_value(scope, b"content-encoding") not in {None, "identity"}:
            raise HTTPError("The body must not be compressed.", 415)

    async def _read_body(self, scope: Scope, receive: Receive, held: HeldBytes) -> bytes:
        if self.OPERATION.body is None:
            return b""
        return await read_body(
            scope,
            receive,
            max_bytes=self.body_bytes,
            timeout_seconds=self.platform.limits.body_seconds,
            held=held,
        )

    async def _authenticate(self, scope: Scope) -> Principal:
        return await self.platform.authenticator.authenticate(credential_of(scope))

    def _check_scopes(self, principal: Principal) -> None:
        scopes = self.OPERATION.scopes
        if not (principal.scopes.issuperset(scopes) or Permission.ADMIN in principal.scopes):
            noun = "scope" if len(scopes) == 1 else "scopes"
            raise Forbidden(
                f"This request requires an API key with the {noun} {' and '.join(scopes)}."
            )


def media_type_of(scope: Scope) -> str:
    """Return the body's media type without parameters, lower case; empty where there is none."""
    return (header_value(scope, b"content-type") or "").partition(";")[0].strip().lower()


def read_object(body: bytes) -> Mapping[str, object]:
    """Return a body that is one JSON object. Raises BadRequest."""
    value = strict_json.read(body, "The body")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return value
