"""Types of settings' values: how each is parsed and validated."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Final, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

# Algorithms with a public key. With HMAC, everyone who can verify a token could also sign one.
JWT_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)


SSL_MODES: Final = ("prefer", "disable", "allow", "require", "verify-ca", "verify-full")
"""libpq's values of `sslmode`, the default first."""
SSL_FILES: Final = ("sslrootcert", "sslcert", "sslkey")
SYSTEM_CERTIFICATES: Final = "system"
"""The value of `sslrootcert` for the system's certificates."""

DEPLOYMENT_ID: Final = "{externalId}"
"""The place of a deployment's id in a URL."""
MAX_NAME: Final = 50
"""Longest platform name, characters."""


class LimitMark:
    """Marks a setting as a limit; `docs/settings.md` lists limits in a table of their own."""


T = TypeVar("T")
Limit = Annotated[T, LimitMark()]
"""The type of a setting that is a limit: `Limit[int]`."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is loopback; IPv6 with or without brackets."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Return the origin of an absolute URL as browsers send it: lower case, no default port."""
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}".removesuffix(
        ":443" if parts.scheme == "https" else ":80"
    )


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for raw in value.split(",") if (part := raw.strip()))
    return value


def _parse_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        known = None  # urlsplit's message would quote the value
    if not known or parts.username or parts.password or parts.fragment:
        raise ValueError("must be an absolute http or https URL without credentials or fragment")
    return parts


def _check_base_url(text: str) -> str:
    if _parse_url(text).query:
        raise ValueError("must not have a query")
    return text.rstrip("/")


def _check_keys_url(text: str) -> str:
    parts = _parse_url(text)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("must be an https URL (http is allowed for loopback only)")
    return text


def _check_deployment_url(text: str) -> str:
    _check_keys_url(text.replace(DEPLOYMENT_ID, "id"))
    if DEPLOYMENT_ID not in text:
        raise ValueError(f"must contain {DEPLOYMENT_ID}, in place of the deployment's id")
    return text


def _check_database_url(url: SecretStr) -> SecretStr:
    """Refuse a URL that a driver would misread. Error messages never quote the URL."""
    text = url.get_secret_value()
    if text.startswith("sqlite:///"):
        return url
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"postgresql", "postgres"} and parts.port != 0
    except ValueError:
        known = False  # urlsplit's message would quote the value
    if not known or not text.startswith(f"{parts.scheme}://"):
        raise ValueError("must be postgresql://user:password@host:port/database or sqlite:///path")
    if parts.netloc.count("@") > 1:
        raise ValueError("must encode @ in the password as %40")
    _check_tls(dict(parse_qsl(parts.query)))
    return url


def _check_redis_url(url: SecretStr) -> SecretStr:
    """Refuse a URL that the client would misread. Error messages never quote the URL."""
    try:
        parts = urlsplit(url.get_secret_value())
        known = (parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0) or (
            parts.scheme == "unix" and parts.path
        )
    except ValueError:
        known = None  # urlsplit's message would quote the value
    if not known:
        raise ValueError("must be redis://host:port/0, rediss://host:port/0 or unix:///path?db=0")
    return url


def _check_tls(parameters: Mapping[str, str]) -> None:
    mode = parameters.get("sslmode", SSL_MODES[0])
    if mode not in SSL_MODES:
        raise ValueError(f"must have one of these as sslmode: {', '.join(SSL_MODES)}")
    if mode.startswith("verify-") and "sslrootcert" not in parameters:
        raise ValueError(f"must name the issuer's certificate as sslrootcert with sslmode={mode}")
    for name in SSL_FILES:
        path = parameters.get(name)
        if path not in {None, SYSTEM_CERTIFICATES} and not os.access(path, os.R_OK):
            raise ValueError(f"must name a file that can be read as {name}")
    if ("sslcert" in parameters) != ("sslkey" in parameters):
        raise ValueError("must name sslcert and sslkey together")


def _check_network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or network") from None
    return text


def _check_host(text: str) -> str:
    if "/" in text or "@" in text or (":" in text and not text.startswith("[")):
        raise ValueError("must be a host name without scheme or port")
    return text.lower()


def _check_origin(text: str) -> str:
    if text == "*":
        return text
    parts = _parse_url(text)
    # Origins go into headers, where a semicolon or a quote would start another value.
    if parts.path or parts.query or not re.fullmatch(r"[\w.*:\[\]-]+", parts.netloc):
        raise ValueError("must be an origin: scheme, host and optional port, without a path")
    return origin_of(text)


def _check_colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("must be a colour such as #3b5bdb")
    return text.lower()


def _split_lines(value: object) -> object:
    if isinstance(value, str):
        return tuple(line for raw in re.split(r"[|\n]", value) if (line := raw.strip()))
    return value


def _check_name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise ValueError(f"must have 1 to {MAX_NAME} printable characters")
    return name


def _check_algorithm(name: str) -> str:
    if name not in JWT_ALGORITHMS:
        raise ValueError(f"must be one of {', '.join(JWT_ALGORITHMS)}")
    return name


CommaSeparated = BeforeValidator(_split_commas)
Lines = Annotated[tuple[str, ...], BeforeValidator(_split_lines)]
Colour = Annotated[str, AfterValidator(_check_colour)]
PlainName = Annotated[str, AfterValidator(_check_name)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
RedisUrl = Annotated[SecretStr, AfterValidator(_check_redis_url)]
Url = Annotated[str, AfterValidator(_check_base_url)]
DeploymentUrl = Annotated[str, AfterValidator(_check_deployment_url)]
KeysUrl = Annotated[str, AfterValidator(_check_keys_url)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_check_network)], ...], CommaSeparated]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_check_host)], ...], CommaSeparated]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_check_origin)], ...], CommaSeparated]
Algorithms = Annotated[tuple[Annotated[str, AfterValidator(_check_algorithm)], ...], CommaSeparated]
