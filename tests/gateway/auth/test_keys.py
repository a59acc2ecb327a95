import json
from collections.abc import Sequence

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from gateway.auth.keys import MAX_KEYS, KeySet, PublicKey, parse_key_set, parse_public_keys
from tests.gateway.auth.issuer import key_set, new_key

EC = ECKey.generate_key("P-256", {"kid": "ec"})
RSA = RSAKey.generate_key(2048)
ED = OKPKey.generate_key("Ed25519")
PUBLIC_PEM = "".join(key.as_pem().decode() for key in (EC, RSA, ED))


def thumbprints(keys: Sequence[PublicKey]) -> list[str]:
    return [key.thumbprint() for key in keys]


def test_pem_blocks_of_every_type_are_read() -> None:
    keys = parse_public_keys(PUBLIC_PEM)
    assert thumbprints(keys) == thumbprints([EC, RSA, ED])
    assert not any(key.is_private for key in keys)


def test_pem_on_one_line_is_read() -> None:
    assert thumbprints(parse_public_keys(PUBLIC_PEM.replace("\n", "\\n"))) == thumbprints(
        [EC, RSA, ED]
    )


def test_a_jwk_and_a_jwk_set_are_read() -> None:
    (key,) = parse_public_keys(json.dumps(EC.as_dict(private=False)))
    assert (key.kid, key.thumbprint()) == ("ec", EC.thumbprint())
    assert thumbprints(parse_public_keys(key_set(EC, RSA).decode())) == thumbprints([EC, RSA])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 16"),
        ("hunter2", "1 to 16"),
        ("{hunter2", "JWK"),
        ('{"keys": 7}', "JWK set"),
        ('{"keys": []}', "1 to 16"),
        ('{"keys": [7]}', "types RSA, EC or OKP"),
        ('{"kty": ["EC"]}', "types RSA, EC or OKP"),
        ('{"kty": "EC", "crv": "P-256", "x": "hunter2", "y": "hunter2"}', "malformed"),
        ('{"kty": "EC", "crv": "P-255", "x": "AA", "y": "AA"}', "malformed"),
        pytest.param(
            json.dumps(OctKey.generate_key(256).as_dict()), "types RSA, EC or OKP", id="oct"
        ),
        (json.dumps(EC.as_dict(private=True)), "public keys"),
        (EC.as_pem(private=True).decode(), "private"),
        (PUBLIC_PEM + RSA.as_pem(private=True).decode(), "private"),
        ("-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----", "PEM of public keys"),
        (OKPKey.generate_key("X25519").as_pem().decode(), "PEM of public keys"),
        pytest.param(
            json.dumps(OKPKey.generate_key("X25519").as_dict(private=False)),
            "cannot sign",
            id="X25519",
        ),
        (EC.as_pem().decode() * (MAX_KEYS + 1), "1 to 16"),
    ],
)
def test_other_texts_are_refused_without_a_quotation(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_public_keys(text)
    assert "hunter2" not in str(caught.value)


def test_short_rsa_keys_are_refused() -> None:
    with pytest.warns(SecurityWarning):
        weak = RSAKey.generate_key(1024)
    with pytest.warns(SecurityWarning), pytest.raises(ValueError, match="2048"):
        parse_public_keys(json.dumps(weak.as_dict(private=False)))
    with pytest.warns(SecurityWarning), pytest.raises(ValueError, match="2048"):
        parse_public_keys(weak.as_pem().decode())


def test_a_published_set_is_read_without_its_unusable_keys() -> None:
    published = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"},
        EC.as_dict(private=True),
        OctKey.generate_key(256).as_dict(),
        "nonsense",
        RSA.as_dict(private=False) | {"x5u": 7, "extra": {"a": 1}},
    ]
    (key,) = parse_key_set(json.dumps({"keys": published}).encode())
    assert key.thumbprint() == RSA.thumbprint()
    with pytest.raises(ValueError, match="1 to 16"):
        parse_key_set(json.dumps({"keys": published[:-1]}).encode())


def test_keys_are_found_by_id_else_those_without_one() -> None:
    named, nameless = new_key("a"), new_key()
    both = KeySet([named, nameless])
    assert both.matching("a") == (named,)
    assert both.matching("b") == (nameless,)
    assert both.matching(None) == (named, nameless)
    assert KeySet([named]).matching("b") == ()
