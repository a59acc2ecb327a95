"""Tokens for development, signed by the dev key; production refuses their issuer and their key."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.auth.authenticator import Issuer
from gateway.auth.keys import StaticKeys
from gateway.clock import Clock
from gateway.dev.keys import dev_key

ISSUER: Final = "dev"
AUDIENCE: Final = "billing-usage-gateway"
ALGORITHM: Final = "ES256"
LIFETIME: Final = timedelta(days=30)


def mint(key: ECKey, subject: str, clock: Clock, lifetime: timedelta = LIFETIME) -> str:
    """Return an access token for the subject, valid from now for the lifetime."""
    now = clock.now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, key, [ALGORITHM])


def dev_issuer(data_dir: Path) -> Issuer:
    """Return the issuer of dev mode, which accepts the tokens of its own key alone."""
    return Issuer(
        name=ISSUER,
        audience=AUDIENCE,
        algorithms=(ALGORITHM,),
        keys=StaticKeys([dev_key(data_dir)]),
    )
