"""Checks the settings before the gateway listens: production has explicit keys and origins, and dev
is not reachable from the network.
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
    """Raise ConfigurationError with one line per setting that prevents the start."""
    if problems := list(_problems(settings)):
        raise ConfigurationError("\n".join(problems))


def _problems(settings: Settings) -> Iterator[str]:
    check = _check_dev if settings.environment == "dev" else _check_production
    yield from check(settings)
    if (settings.console.oidc_issuer is None) != (settings.console.oidc_client_id is None):
        yield "GATEWAY_OIDC_ISSUER and GATEWAY_OIDC_CLIENT_ID must be set together."
    if settings.database.pooler and settings.database.listen_url is None:
        yield (
            "GATEWAY_LISTEN_DATABASE_URL: must be the direct URL of Postgres with "
            "GATEWAY_DATABASE_POOLER: neither notifications nor migrations go through a pooler."
        )
    if settings.documents.trusted_only and settings.console.graphiql:
        yield (
            "GATEWAY_GRAPHIQL: cannot be combined with GATEWAY_TRUSTED_ONLY, which serves "
            "trusted documents only."
        )


def _check_dev(settings: Settings) -> Iterator[str]:
    """Dev tokens are in a file, so dev listens on loopback only, except in a container."""
    if not is_loopback(settings.host) and not settings.dev_listen_all:
        yield (
            "GATEWAY_HOST: `--dev` listens on loopback only; in a container with its port "
            "published on loopback, set GATEWAY_DEV_LISTEN_ALL=1."
        )


def _check_production(settings: Settings) -> Iterator[str]:
    """Production needs an issuer, a public URL and its own secrets.

    SQLite is allowed in production with an explicit GATEWAY_DATABASE_URL; the default in the data
    directory is for development.
    """
    for name in REQUIRED:
        if SETTINGS[name].value(settings) is None:
            yield f"{PREFIX}{name.upper()}: must be set in production."
    yield from missing_seller(settings)
    if (settings.auth.jwt_jwks_url is None) == (settings.auth.jwt_public_key is None):
        yield (
            "Exactly one of GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_PUBLIC_KEY must be set in "
            "production."
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
    """Yield a warning for each setting that may be missing in production."""
    is_behind_proxy = (settings.public_url or "").startswith("https://")
    if settings.environment == "production" and is_behind_proxy and not settings.trusted_proxies:
        yield (
            "GATEWAY_TRUSTED_PROXIES: is not set, although the public URL is https. Behind an "
            "untrusted proxy, limits per client address count all clients together."
        )


def missing_seller(settings: Settings) -> Iterator[str]:
    """Yield a line for each missing detail of the seller. Receipts and statements are permanent,
    so production must have the details before the first is issued.
    """
    seller = settings.seller
    issued = {"RECEIPTS": seller.issues_receipts, "STATEMENTS": seller.statements}
    switches = " and ".join(f"{PREFIX}{name}=0" for name, is_on in issued.items() if is_on)
    if settings.environment == "dev" or not switches:
        return
    for name in ("seller_name", "seller_address"):
        if not SETTINGS[name].value(settings):
            yield f"{PREFIX}{name.upper()}: must be set in production, unless {switches}."


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
