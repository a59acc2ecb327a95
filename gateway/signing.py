"""Signs and verifies cursors and links.

The first key signs and every key verifies, so a key is rotated by putting a new one in front and
taking the old one away when nothing signed by it is in use any more. Comparisons take the same time
whatever differs.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import ConfigurationError

SETTING: Final = "GATEWAY_SIGNING_KEYS"
MIN_SECRET_BYTES: Final = 32
TAG_BYTES: Final = 16

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    id: str
    secret: bytes = field(repr=False)


def parse_signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Return the keys of `id:secret,id:secret`, the newest first.

    Raises ConfigurationError, without quoting the text, for none at all, a malformed or repeated
    id, or a secret of less than 32 bytes.
    """
    keys = []
    for part in text.split(","):
        key_id, colon, secret = part.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(key_id):
            raise ConfigurationError(
                f"{SETTING}: must be `id:secret`, separated by commas, where an id is 1 to 16 "
                "letters, digits, `-` or `_`."
            )
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ConfigurationError(f"{SETTING}: a secret must have at least 32 bytes.")
        keys.append(SigningKey(id=key_id, secret=secret.encode()))
    if len({key.id for key in keys}) < len(keys):
        raise ConfigurationError(f"{SETTING}: two keys must not have the same id.")
    return tuple(keys)


class Signer:
    """Signs with the first of its keys and verifies with all of them."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._secrets = {key.id: key.secret for key in keys}
        self.key_id = keys[0].id

    def sign(self, *parts: bytes) -> bytes:
        """Return the HMAC-SHA256 (32 bytes) of the parts under the key `key_id`.

        Where one part ends and the next begins is signed too.
        """
        return hmac.digest(self._secrets[self.key_id], _framed(parts), "sha256")

    def verify(self, signature: bytes, *parts: bytes, key_id: str) -> bool:
        """Whether the key of that id made the signature of these parts."""
        secret = self._secrets.get(key_id)
        return secret is not None and hmac.compare_digest(
            signature, hmac.digest(secret, _framed(parts), "sha256")
        )

    def context(self, *parts: bytes) -> "SigningContext":
        """Return a signer of short messages that hold for these parts alone.

        It may be kept: making one costs as much as several tags.
        """
        return SigningContext(tuple(self._secrets.values()), _framed(parts))


class SigningContext:
    """Tags messages with 16 bytes, under a key and parts that were hashed beforehand."""

    def __init__(self, secrets: Sequence[bytes], prefix: bytes) -> None:
        self._states = [
            hashlib.blake2b(prefix, digest_size=TAG_BYTES, key=_blake2_key(secret))
            for secret in secrets
        ]

    def tag(self, message: bytes) -> bytes:
        """Return the message's tag under the first key; less than a microsecond."""
        return self.tags([message])[0]

    def tags(self, messages: Iterable[bytes]) -> list[bytes]:
        """Return each message's tag under the first key."""
        copy, found = self._states[0].copy, []
        for message in messages:
            state = copy()
            state.update(message)
            found.append(state.digest())
        return found

    def verify(self, message: bytes, tag: bytes) -> bool:
        """Whether one of the keys gave the message this tag, in this context."""
        held = False
        for prepared in self._states:
            state = prepared.copy()
            state.update(message)
            held |= hmac.compare_digest(state.digest(), tag)
        return held


def _framed(parts: Sequence[bytes]) -> bytes:
    """Return one text for the parts that no other parts have, and that none's begins with."""
    lengths = b"".join(len(part).to_bytes(4, "big") for part in parts)
    return len(parts).to_bytes(4, "big") + lengths + b"".join(parts)


def _blake2_key(secret: bytes) -> bytes:
    # BLAKE2b takes keys of up to 64 bytes; the name keeps this key apart from the HMAC's.
    return hashlib.blake2b(secret, person=b"gateway-context").digest()
