"""API keys: their text, and their stored digest.

A key is `gw_<environment>_<id>_<secret><checksum>`: the environment a hint for people, the id a
name that may be logged, the secret 256 random bits in 43 characters, the checksum six characters
over everything before it. The checksum separates keys from typos and from scanners' finds without a
look-up. Stored is a SHA-256, or an HMAC-SHA256 where there is a pepper. A slow hash would add
nothing to 256 bits, and would let anyone spend our processor time.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from gateway.auth.rejected import Rejected
from gateway.principal import Permission

PREFIX: Final = "gw_"
SECRET_BITS: Final = 256
ID_BITS: Final = 71

Environment = Literal["live", "dev"]

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_KEY: Final = re.compile(
    r"(gw_(live|dev)_([0-9A-Za-z]{12})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyText:
    """A whole key, for the moment in which it is issued or checked."""

    id: str
    environment: Environment
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRecord:
    """A stored key. Without `account_id` it is a platform key."""

    id: str
    account_id: int | None
    digest: bytes = field(repr=False)
    scopes: frozenset[Permission]
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_active(self, at: datetime) -> bool:
        """Whether the key may be used at an instant: neither revoked nor expired by then."""
        ends = [end for end in (self.expires_at, self.revoked_at) if end is not None]
        return all(at < end for end in ends)


def issue(environment: Environment) -> ApiKeyText:
    """Return a new key. Its text can be shown now and never again."""
    key_id = _base62(secrets.randbits(ID_BITS), 12)
    body = f"{PREFIX}{environment}_{key_id}_{_base62(secrets.randbits(SECRET_BITS), 43)}"
    return ApiKeyText(id=key_id, environment=environment, text=body + _checksum(body))


def parse(text: str) -> ApiKeyText:
    """Return the parts of a key; raise Rejected for any other text and for a wrong checksum."""
    match = _KEY.fullmatch(text)
    if match is None or _checksum(match[1]) != match[4]:
        raise Rejected("the API key is malformed or mistyped")
    environment: Environment = "live" if match[2] == "live" else "dev"
    return ApiKeyText(id=match[3], environment=environment, text=text)


def digest(key: ApiKeyText, pepper: bytes | None = None) -> bytes:
    """Return the stored digest of a key, 32 bytes."""
    text = key.text.encode("ascii")
    return hmac.digest(pepper, text, "sha256") if pepper else hashlib.sha256(text).digest()


def matches(key: ApiKeyText, stored: bytes, pepper: bytes | None = None) -> bool:
    """Whether this is the key of which `stored` is the digest, in constant time."""
    return hmac.compare_digest(digest(key, pepper), stored)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), 6)


def _base62(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))
