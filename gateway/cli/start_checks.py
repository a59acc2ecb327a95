"""What must hold before the gateway listens: production is never open by accident, dev never to the
network.
"""

from collections.abc import Iterator

from gateway.auth.authenticator import configured_keys
from gateway.dev import tokens
from gateway.dev.keys import KEY_FILE, SIGNING_KEY_ID, dev_key
from gateway.errors import ConfigurationError
from gateway.settings import SETTINGS, Settings
from gateway.settings.environment import PREFIX
from gateway.settings.values import is_loopback
from gateway.signing import parse_signing_keys

REQUIRED = ("jwt_issuer", "jwt_audience", "public_url", "database_url", "signing_keys")


def check_start(settings: Settings) -> None:
    """Raise ConfigurationError, with a line for each setting that stops the start."""
    if problems := list(_problems(settings)):
        raise ConfigurationError("\n".join(problems))


def _problems(settings: Settings) -> Iterator[str]:
    check = _check_dev if settings.environment == "dev" else _check_production
    yield from check(settings)
    if (settings.console.oidc_issuer is None) != (settings.console.oidc_client_id is None):
        yield "GATEWAY_OIDC_ISSUER and GATEWAY_OIDC_CLIENT_ID must be set together."
    if settings.documents.trusted_only and settings.console.graphiql:
        yield (
            "GATEWAY_GRAPHIQL: is of no use with GATEWAY_TRUSTED_ONLY, which serves no other "
            "documents than those of the manifests."
        )


def _check_dev(settings: Settings) -> Iterator[str]:
    """Dev mode's tokens lie in a file, so only this machine may ask; a container says otherwise."""
    if not is_loopback(settings.host) and not settings.dev_listen_all:
        yield (
            "GATEWAY_HOST: `--dev` listens on loopback alone; GATEWAY_DEV_LISTEN_ALL=1 lifts that, "
            "for containers whose port is published on loopback."
        )


def _check_production(settings: Settings) -> Iterator[str]:
    """Production says whose tokens it accepts, where it is, and keeps its own secrets.

    SQLite serves production too, where GATEWAY_DATABASE_URL says so: the default in the data
    directory is for development.
    """
    for name in REQUIRED:
        if SETTINGS[name].value(settings) is None:
            yield f"{PREFIX}{name.upper()}: must be set in production."
    yield from missing_seller(settings)
    if (settings.auth.jwt_jwks_url is None) == (settings.auth.jwt_public_key is None):
        yield (
            "GATEWAY_JWT_JWKS_URL or GATEWAY_JWT_PUBLIC_KEY must be set in production, and only "
            "one of them."
        )
    for name in ("allowed_hosts", "allowed_origins", "frame_ancestors"):
        if "*" in SETTINGS[name].value(settings):
            yield f"{PREFIX}{name.upper()}: must not be `*` in production."
    for check in (_check_issuer, _check_signing_keys, _check_public_keys):
        try:
            check(settings)
        except ConfigurationError as error:
            yield error.message


def start_warnings(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each setting that production may have forgotten."""
    is_behind_proxy = (settings.public_url or "").startswith("https://")
    if settings.environment == "production" and is_behind_proxy and not settings.trusted_proxies:
        yield (
            "GATEWAY_TRUSTED_PROXIES: is not set, and the public URL is https. Behind a proxy, "
            "the limits for each client address then count all clients together."
        )


def missing_seller(settings: Settings) -> Iterator[str]:
    """Yield a line for each detail of the seller that production's receipts lack: they keep for
    ever what they are issued with.
    """
    if settings.environment == "dev" or not settings.seller.issues_receipts:
        return
    for name in ("seller_name", "seller_address"):
        if not SETTINGS[name].value(settings):
            yield (
                f"{PREFIX}{name.upper()}: must be set in production, or GATEWAY_RECEIPTS=0 where "
                "no receipts are issued."
            )


def _check_issuer(settings: Settings) -> None:
    if settings.auth.jwt_issuer == tokens.ISSUER:
        raise ConfigurationError("GATEWAY_JWT_ISSUER: must not be `dev` in production.")


def _check_signing_keys(settings: Settings) -> None:
    """Raise ConfigurationError for malformed keys and for the dev key."""
    if settings.signing_keys is not None and any(
        key.id == SIGNING_KEY_ID
        for key in parse_signing_keys(settings.signing_keys.get_secret_value())
    ):
        raise ConfigurationError("GATEWAY_SIGNING_KEYS: must not hold the dev key in production.")


def _check_public_keys(settings: Settings) -> None:
    """Raise ConfigurationError for malformed keys and for the dev key."""
    if settings.auth.jwt_public_key is None:
        return
    keys = configured_keys(settings.auth)
    has_dev_key = (settings.data_dir / KEY_FILE).exists()
    if has_dev_key and dev_key(settings.data_dir).thumbprint() in {
        key.thumbprint() for key in keys
    }:
        raise ConfigurationError("GATEWAY_JWT_PUBLIC_KEY: must not be the dev key in production.")
