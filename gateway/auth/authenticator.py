"""Authenticates requests: from an `Authorization` header to a principal. Every request passes this
check; dev mode differs only in the signing key.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.auth import api_keys
from gateway.auth.api_keys import ApiKeyRecord
from gateway.auth.jwks import RemoteKeys
from gateway.auth.jwt import TokenVerifier
from gateway.auth.keys import KeySource, PublicKey, StaticKeys, parse_public_keys
from gateway.auth.rejected import Rejected
from gateway.clock import Clock
from gateway.errors import ConfigurationError, Unauthenticated
from gateway.principal import Principal
from gateway.settings.auth import AuthSettings

log = structlog.get_logger(__name__)

# Looks up a stored API key by its id.
FindApiKey = Callable[[str], Awaitable[ApiKeyRecord | None]]

# Notes that an API key was used, by its id; returns at once.
NoteUse = Callable[[str], None]

# Exactly one credential (RFC 6750, section 2.1).
_BEARER: Final = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)", re.ASCII)


class Authenticator:
    """Checks a credential, a JWT or an API key, and returns its principal."""

    def __init__(
        self,
        verifier: TokenVerifier,
        *,
        clock: Clock,
        find_api_key: FindApiKey | None = None,
        pepper: bytes | None = None,
        note_use: NoteUse | None = None,
    ) -> None:
        self._verifier = verifier
        self._clock = clock
        self._find_api_key = find_api_key
        self._pepper = pepper
        self._note_use = note_use

    async def authenticate(self, authorization: str | None) -> Principal:
        """Return the principal of the header's value (None without a header).

        Raises Unauthenticated where there is none, its subclass Rejected for one that does not
        hold, and ServiceUnavailable where the issuer's keys cannot be had. Nobody is anonymous.
        """
        if authorization is None:
            raise Unauthenticated("Authentication required: send `Authorization: Bearer …`.")
        try:
            credential = _credential(authorization)
            if credential.startswith(api_keys.PREFIX):
                return await self._key_holder(credential)
            return await self._verifier.verify(credential)
        except Rejected as error:
            # The reason is for the operator who sets up sign-in, not for the client.
            log.info("credential rejected", reason=error.reason)
            raise

    def begin(self) -> None:
        """Begin to fetch the issuer's keys: where that fails, the log says so at once."""
        self._verifier.begin()

    async def aclose(self) -> None:
        await self._verifier.aclose()

    async def _key_holder(self, text: str) -> Principal:
        key = api_keys.parse(text)
        if self._find_api_key is None:
            raise Rejected("API keys are not accepted here")
        record = await self._find_api_key(key.id)
        if record is None or not api_keys.matches(key, record.digest, self._pepper):
            raise Rejected("the API key does not exist")
        if not record.is_active(self._clock.now()):
            raise Rejected("the API key was revoked or has expired")
        if self._note_use is not None:
            self._note_use(record.id)
        return Principal(
            subject=f"key:{record.id}",
            key_id=record.id,
            account_id=record.account_id,
            scopes=record.scopes,
            expires_at=record.expires_at,
        )


def _credential(authorization: str) -> str:
    match = _BEARER.fullmatch(authorization.strip(" \t"))
    if match is None:
        raise Rejected("the Authorization header must be `Bearer` and one credential")
    return match[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The issuer of the tokens that are accepted: its name, its keys, and how it signs."""

    name: str
    audience: str
    algorithms: tuple[str, ...]
    keys: KeySource


def open_authenticator(
    settings: AuthSettings,
    issuer: Issuer,
    clock: Clock,
    find_api_key: FindApiKey | None = None,
    note_use: NoteUse | None = None,
) -> Authenticator:
    """Return the authenticator for one issuer; close it when the gateway stops."""
    verifier = TokenVerifier(
        keys=issuer.keys,
        issuer=issuer.name,
        audience=issuer.audience,
        clock=clock,
        algorithms=issuer.algorithms,
        leeway_seconds=settings.jwt_leeway_seconds,
    )
    pepper = settings.api_key_pepper
    return Authenticator(
        verifier,
        clock=clock,
        find_api_key=find_api_key,
        pepper=pepper.get_secret_value().encode() if pepper else None,
        note_use=note_use,
    )


def configured_issuer(settings: AuthSettings, clock: Clock) -> Issuer:
    """Return the identity provider that the settings name. Raises ConfigurationError."""
    if not settings.jwt_issuer or not settings.jwt_audience:
        raise ConfigurationError("GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE must be set.")
    url = settings.jwt_jwks_url
    return Issuer(
        name=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=settings.jwt_algorithms,
        keys=RemoteKeys(url, clock) if url else StaticKeys(configured_keys(settings)),
    )


def configured_keys(settings: AuthSettings) -> tuple[PublicKey, ...]:
    """Return GATEWAY_JWT_PUBLIC_KEY's keys; raise ConfigurationError where they are unusable."""
    try:
        return parse_public_keys(settings.jwt_public_key or "")
    except ValueError as error:
        raise ConfigurationError(f"GATEWAY_JWT_PUBLIC_KEY: {error}.") from None
