"""Verifies bearer tokens: JWTs that name a person.

A valid token is a signed JWT (JWS, compact) of at most 8 KiB. Its header has one of the configured
algorithms, the type `at+jwt` or `JWT` (RFC 9068; a header without a type is refused, as it may
belong to any protocol of the issuer's) and no `crit`. It is signed with one of the issuer's own
keys, and has `exp`, `iat`, `iss`, `aud` and `sub`. Keys that the token itself carries or points to
(`jwk`, `jku`, `x5u`, `x5c`) are never looked at.
"""

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from gateway import strict_json
from gateway.auth.keys import KeySource, PublicKey
from gateway.auth.rejected import Rejected
from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.principal import Principal
from gateway.settings.values import JWT_ALGORITHMS

MAX_TOKEN_BYTES: Final = 8 * 1024
MAX_SUBJECT: Final = 255
MAX_REMEMBERED: Final = 4096
MAX_QUOTED: Final = 200
"""Characters of a claim that a reason quotes."""
TYPES: Final = frozenset({"at+jwt", "jwt", "application/at+jwt"})


class PinnedAlgorithms(JWSRegistry):
    """Signature algorithms by name: those that were configured, and no other.

    The library's own look-up warns at each use of `EdDSA`, which issuers still write for Ed25519.
    """

    max_header_length = MAX_TOKEN_BYTES
    max_payload_length = MAX_TOKEN_BYTES

    def __init__(self, algorithms: Collection[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)
        if not algorithms or not set(algorithms) <= set(JWT_ALGORITHMS):
            raise ConfigurationError(
                f"GATEWAY_JWT_ALGORITHMS: must be one or more of {', '.join(JWT_ALGORITHMS)}."
            )
        self._pinned = {name: self.algorithms[name] for name in algorithms}

    def get_alg(self, name: str) -> Any:
        try:
            return self._pinned[name]
        except (KeyError, TypeError):
            raise UnsupportedAlgorithmError("the algorithm is not accepted") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    """A verified token: its subject, its signing key, and the seconds between which it is valid."""

    principal: Principal
    kid: str | None
    key: PublicKey
    from_second: float
    until_second: float


class TokenVerifier:
    """Verifies tokens and returns their subjects.

    Good tokens are remembered by their SHA-256, at most 4,096 of them, because a signature costs
    more than the rest of a check. A remembered one holds while the clock is within its times and
    its key is still among the issuer's.
    """

    def __init__(
        self,
        *,
        keys: KeySource,
        issuer: str,
        audience: str,
        clock: Clock,
        algorithms: Collection[str] = ("RS256", "ES256", "EdDSA"),
        leeway_seconds: int = 30,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._leeway = leeway_seconds
        self._registry = PinnedAlgorithms(algorithms)
        self._fixed = {"iss": issuer, "aud": audience}
        self._claims = JWTClaimsRegistry(
            now=self._now,
            leeway=leeway_seconds,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        self._verified: dict[bytes, _Verified] = {}

    async def verify(self, token: str) -> Principal:
        """Return the person that a token names; `expires_at` is its `exp`, without leeway.

        Raises Rejected for a token that does not hold, and ServiceUnavailable where the issuer's
        keys cannot be had.
        """
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise Rejected(f"the token must be ASCII of at most {MAX_TOKEN_BYTES} bytes")
        digest = hashlib.sha256(token.encode("ascii")).digest()
        known = self._verified.get(digest)
        if known is None or not await self._holds(known):
            self._verified.pop(digest, None)
            known = await self._check(token)
            self._verified[digest] = known
            if len(self._verified) > MAX_REMEMBERED:
                del self._verified[next(iter(self._verified))]
        return known.principal

    def begin(self) -> None:
        """Begin to fetch the issuer's keys, where they are fetched."""
        self._keys.begin()

    async def aclose(self) -> None:
        await self._keys.aclose()

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    async def _holds(self, known: _Verified) -> bool:
        now = self._clock.now().timestamp()
        if known.from_second <= now < known.until_second:
            for key in await self._keys.find(known.kid):
                if key is known.key:
                    return True
        return False

    async def _check(self, token: str) -> _Verified:
        kid = _read_header(token).get("kid")
        if not isinstance(kid, str | None):
            raise Rejected("kid must be a string")
        claims, key = self._decode(token, await self._keys.find(kid))
        try:
            self._claims.validate(claims)
        except JoseError as error:
            raise Rejected(f"{error}{self._expected(error, claims)}") from None
        return _Verified(
            principal=_person(claims),
            kid=kid,
            key=key,
            from_second=max(claims["iat"], claims.get("nbf", claims["iat"])) - self._leeway,
            until_second=claims["exp"] + self._leeway,
        )

    def _expected(self, error: JoseError, claims: Mapping[str, object]) -> str:
        """Return the actual and the required value of a claim with one allowed value; the issuer
        has signed the claim.
        """
        name = getattr(error, "claim", "")
        expected = self._fixed.get(name)
        if expected is None or name not in claims:
            return ""
        return f": it is {repr(claims[name])[:MAX_QUOTED]} and has to be {expected!r}"

    def _decode(self, token: str, keys: Sequence[PublicKey]) -> tuple[dict[str, Any], PublicKey]:
        reason = "the issuer has no key of that kid"
        for key in keys:
            try:
                return jwt.decode(token, key, registry=self._registry).claims, key
            except (JoseError, RecursionError) as error:
                reason = str(error)
        raise Rejected(reason)


def _read_header(token: str) -> Mapping[str, object]:
    """Return the header of a token before its signature is verified."""
    segment = token.partition(".")[0]
    try:
        header = strict_json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise Rejected("the header is not a JSON object")
    if "crit" in header:
        raise Rejected("the header has crit")
    if str(header.get("typ")).lower() not in TYPES:
        raise Rejected("the header's typ is neither at+jwt nor JWT")
    return header


def _person(claims: dict[str, Any]) -> Principal:
    subject: str = claims["sub"]
    # Unprintable text cannot be a member's subject either: the database refuses NUL.
    if len(subject) > MAX_SUBJECT or not subject.isprintable():
        raise Rejected(f"sub must be printable text of at most {MAX_SUBJECT} characters")
    try:
        return Principal(subject=subject, expires_at=datetime.fromtimestamp(claims["exp"], UTC))
    except (ValueError, OverflowError, OSError):
        raise Rejected("exp is after the year 9999") from None
