"""What must hold before the gateway listens: production is never open by accident, dev never to the
network.
"""

from gateway.auth import dev, tokens
from gateway.auth.keys import PublicKey, parse_public_keys
from gateway.environment import PREFIX
from gateway.errors import ConfigurationError
from gateway.setting_types import is_loopback
from gateway.settings import Settings
from gateway.signing import parse_signing_keys

REQUIRED = ("jwt_issuer", "jwt_audience", "public_url", "database_url", "signing_keys")


def check_start(settings: Settings) -> None:
    """Raise ConfigurationError, one sentence that names the setting, where it must not start."""
    if settings.environment == "dev":
        check_dev(settings)
    else:
        check_production(settings)
    if (settings.oidc_issuer is None) != (settings.oidc_client_id is None):
        raise ConfigurationError(
            "GATEWAY_OIDC_ISSUER and GATEWAY_OIDC_CLIENT_ID must be set together."
        )
    if settings.trusted_only and settings.graphiql:
        raise ConfigurationError(
            "GATEWAY_GRAPHIQL: is of no use with GATEWAY_TRUSTED_ONLY, which serves no other "
            "documents than those of the manifests."
        )


def check_dev(settings: Settings) -> None:
    """Dev mode's tokens lie in a file, so only this machine may ask; a container says otherwise."""
    if not is_loopback(settings.host) and not settings.dev_listen_all:
        raise ConfigurationError(
            "GATEWAY_HOST: `--dev` listens on loopback alone; GATEWAY_DEV_LISTEN_ALL=1 lifts that, "
            "for containers whose port is published on loopback."
        )


def check_production(settings: Settings) -> None:
    """Production says whose tokens it accepts, where it is, and keeps its own secrets.

    SQLite serves production too, where GATEWAY_DATABASE_URL says so: the default in the data
    directory is for development.
    """
    for name in REQUIRED:
        if getattr(settings, name) is None:
            raise ConfigurationError(f"{PREFIX}{name.upper()}: must be set in production.")
    if (settings.jwt_jwks_url is None) == (settings.jwt_public_key is None):
        raise ConfigurationError(
            "GATEWAY_JWT_JWKS_URL or GATEWAY_JWT_PUBLIC_KEY must be set in production, and only "
            "one of them."
        )
    for name in ("allowed_hosts", "allowed_origins", "frame_ancestors"):
        if "*" in getattr(settings, name):
            raise ConfigurationError(f"{PREFIX}{name.upper()}: must not be `*` in production.")
    _refuse_dev_credentials(settings)


def configured_keys(settings: Settings) -> tuple[PublicKey, ...]:
    """Return GATEWAY_JWT_PUBLIC_KEY's keys; raise ConfigurationError where they are unusable."""
    try:
        return parse_public_keys(settings.jwt_public_key or "")
    except ValueError as error:
        raise ConfigurationError(f"GATEWAY_JWT_PUBLIC_KEY: {error}.") from None


def _refuse_dev_credentials(settings: Settings) -> None:
    """Also reads the signing keys and the public keys, so that malformed ones stop the start."""
    if settings.jwt_issuer == tokens.ISSUER:
        raise ConfigurationError("GATEWAY_JWT_ISSUER: must not be `dev` in production.")
    if settings.signing_keys is not None and any(
        key.id == dev.SIGNING_KEY_ID
        for key in parse_signing_keys(settings.signing_keys.get_secret_value())
    ):
        raise ConfigurationError("GATEWAY_SIGNING_KEYS: must not hold the dev key in production.")
    if settings.jwt_public_key is not None:
        keys = configured_keys(settings)
        has_dev_key = (settings.data_dir / dev.KEY_FILE).exists()
        if has_dev_key and dev.dev_key(settings.data_dir).thumbprint() in {
            key.thumbprint() for key in keys
        }:
            raise ConfigurationError(
                "GATEWAY_JWT_PUBLIC_KEY: must not be the dev key in production."
            )
