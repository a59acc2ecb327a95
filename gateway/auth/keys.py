"""The issuer's public keys, read from PEM or JSON, and the interface of their source."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from pydantic import JsonValue

from gateway import strict_json

PublicKey = RSAKey | ECKey | OKPKey

MAX_KEYS: Final = 16
MIN_RSA_BITS: Final = 2048

_TYPES: Final[dict[str, type[PublicKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PUBLIC_MEMBERS: Final = ("kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----", re.DOTALL)


class KeySource(Protocol):
    """Finds the public keys of a verifier's issuer."""

    async def find(self, kid: str | None) -> Sequence[PublicKey]:
        """Return the keys that may have signed a token with this `kid` in the header.

        The same objects are returned as long as the issuer's keys are the same. Raises
        ServiceUnavailable where the keys cannot be had.
        """
        ...

    def begin(self) -> None:
        """Start fetching the keys, without waiting; called once, when the gateway starts."""

    async def aclose(self) -> None: ...


class StaticKeys:
    """Keys that never change."""

    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys = KeySet(keys)

    async def find(self, kid: str | None) -> Sequence[PublicKey]:
        return self._keys.matching(kid)

    def begin(self) -> None:
        """Nothing is fetched."""

    async def aclose(self) -> None:
        """Nothing is held open."""


class KeySet:
    """The keys of an issuer, by their ids."""

    def __init__(self, keys: Sequence[PublicKey] = ()) -> None:
        self._keys = tuple(keys)
        self._nameless = tuple(key for key in keys if key.kid is None)
        self._by_id = {
            kid: tuple(key for key in keys if key.kid == kid)
            for kid in {key.kid for key in keys} - {None}
        }

    def matching(self, kid: str | None) -> Sequence[PublicKey]:
        """Return the keys with this id, or else keys without an id; for a token without an id, all
        keys.
        """
        if kid is None:
            return self._keys
        return self._by_id.get(kid, self._nameless)


def parse_public_keys(text: str) -> tuple[PublicKey, ...]:
    """Return the keys of PEM blocks, of a JWK or of a JWK set.

    Raises ValueError, without quoting the text, where there is none or more than 16, where one is
    private or symmetric, or an RSA key has less than 2048 bits.
    """
    if text.lstrip().startswith("{"):
        document = _parse_object(text)
        listed = _keys_of(document)
        keys = [_import_jwk(jwk) for jwk in ([document] if listed is None else listed)]
    else:
        # Line ends are written as \n where an environment's values have one line.
        blocks = _PEM.finditer(text.replace("\\n", "\n"))
        keys = [_import_pem(block[0]) for block in blocks]
    return _checked(keys)


def parse_key_set(document: bytes) -> tuple[PublicKey, ...]:
    """Return the usable keys of a published JWK set; the others are left out (RFC 7517, section 5).

    Raises ValueError where the document is not a JWK set, or has no usable key or more than 16.
    """
    keys = []
    for jwk in _keys_of(_parse_object(document)) or ():
        try:
            keys.append(_import_jwk(jwk))
        except ValueError:
            continue
    return _checked(keys)


def _checked(keys: Sequence[PublicKey]) -> tuple[PublicKey, ...]:
    if not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f"must hold 1 to {MAX_KEYS} usable public keys")
    return tuple(keys)


def _parse_object(text: str | bytes) -> dict[str, JsonValue]:
    try:
        document = strict_json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict) and isinstance(document.get("keys", []), list):
        return document
    raise ValueError("must be a JWK or a JWK set")


def _keys_of(document: Mapping[str, JsonValue]) -> list[JsonValue] | None:
    """Return the keys of a JWK set; None for a JWK."""
    keys = document.get("keys")
    return keys if isinstance(keys, list) else None


def _import_jwk(jwk: object) -> PublicKey:
    members = jwk if isinstance(jwk, dict) else {}
    key_type = _TYPES.get(str(members.get("kty")))
    if key_type is None or "d" in members:
        raise ValueError("must hold public keys of the types RSA, EC or OKP alone")
    try:
        # Members that point elsewhere (x5u and such) are not even read.
        key = key_type.import_key(
            {name: members[name] for name in _PUBLIC_MEMBERS if name in members}
        )
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        raise ValueError("holds a JWK that is malformed") from None
    return _strong(key)


def _import_pem(block: str) -> PublicKey:
    if "PRIVATE" in block:
        raise ValueError("must hold public keys only; it holds a private key")
    for key_type in _TYPES.values():
        try:
            return _strong(key_type.import_key(block))
        except JoseError:
            continue  # a key of another type
        except (ValueError, TypeError):
            break
    raise ValueError(
        f"must hold PEM of public keys (RSA of at least {MIN_RSA_BITS} bits, EC, Ed25519)"
    )


def _strong(key: PublicKey) -> PublicKey:
    if isinstance(key, RSAKey) and key.raw_value.key_size < MIN_RSA_BITS:
        raise ValueError(f"holds an RSA key of less than {MIN_RSA_BITS} bits")
    if isinstance(key, OKPKey) and not key.curve_name.startswith("Ed"):
        raise ValueError("holds a key that cannot sign")
    return key
