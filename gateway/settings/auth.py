"""The issuer of tokens, and the hashes of API keys."""

from pydantic import Field, SecretStr

from gateway.settings.group import Group
from gateway.settings.values import Algorithms, KeysUrl


class AuthSettings(Group):
    """The issuer of tokens, and the hashes of API keys."""

    jwt_issuer: str | None = Field(
        None, description="`iss` claim of valid tokens; required in production."
    )
    jwt_audience: str | None = Field(
        None, description="`aud` claim of valid tokens; required in production."
    )
    jwt_jwks_url: KeysUrl | None = Field(
        None,
        description="URL of the issuer's JWK set (https); this or a public key is required in "
        "production.",
    )
    jwt_public_key: str | None = Field(
        None, description="The issuer's public keys, in place of a JWKS URL: PEM, JWK or JWK set."
    )
    jwt_algorithms: Algorithms = Field(
        ("RS256", "ES256", "EdDSA"),
        min_length=1,
        description="Accepted signature algorithms; symmetric ones are refused.",
    )
    jwt_leeway_seconds: int = Field(
        30, ge=0, le=60, description="Allowed difference between the issuer's clock and ours."
    )
    api_key_pepper: SecretStr | None = Field(
        None,
        min_length=32,
        description="Secret for hashing API keys, at least 32 characters. A change invalidates "
        "every key.",
    )
