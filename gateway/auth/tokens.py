"""Tokens for development, signed by the dev key; production refuses their issuer and their key."""

from datetime import timedelta
from typing import Final

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.clock import Clock

ISSUER: Final = "dev"
AUDIENCE: Final = "billing-usage-gateway"
ALGORITHM: Final = "ES256"
LIFETIME: Final = timedelta(days=30)


def mint(key: ECKey, subject: str, clock: Clock, lifetime: timedelta = LIFETIME) -> str:
    """Return an access token for the subject, good from now on for the lifetime."""
    now = clock.now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, key, [ALGORITHM])
