import base64
import hmac
import json
import random
import warnings
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.auth.jwt import MAX_REMEMBERED, PinnedAlgorithms, TokenVerifier
from gateway.auth.keys import KeySet, PublicKey, StaticKeys
from gateway.auth.rejected import Rejected
from gateway.clock import FixedClock
from gateway.errors import ConfigurationError
from gateway.principal import Principal
from tests.gateway.auth.issuer import AUDIENCE, ISSUER, NOW, claims, forge, new_key, sign

KEY = new_key("k1")
OTHER = new_key("k1")
RSA = RSAKey.generate_key(2048)
ED = OKPKey.generate_key("Ed25519")
TOKEN = sign(KEY)
EXPIRES = NOW + timedelta(seconds=600)


def verifier(
    *keys: PublicKey,
    clock: FixedClock | None = None,
    algorithms: Sequence[str] = ("RS256", "ES256", "EdDSA"),
    leeway_seconds: int = 30,
) -> TokenVerifier:
    return TokenVerifier(
        keys=StaticKeys(keys or [KEY]),
        issuer=ISSUER,
        audience=AUDIENCE,
        clock=clock or FixedClock(NOW),
        algorithms=algorithms,
        leeway_seconds=leeway_seconds,
    )


async def reason_of(
    token: str, *keys: PublicKey, algorithms: Sequence[str] = ("RS256", "ES256", "EdDSA")
) -> str:
    with pytest.raises(Rejected) as caught:
        await verifier(*keys, algorithms=algorithms).verify(token)
    assert caught.value.message == "The credential is malformed, expired or not valid here."
    return caught.value.reason


@pytest.mark.parametrize(
    ("key", "algorithm"), [(KEY, "ES256"), (RSA, "RS256"), (ED, "EdDSA")], ids=lambda v: str(v)[:5]
)
async def test_a_good_token_names_its_subject(key: PublicKey, algorithm: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns when it signs with EdDSA
        token = sign(key, algorithm)
    assert await verifier(key).verify(token) == Principal(subject="auth0|42", expires_at=EXPIRES)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt"])
async def test_access_tokens_and_plain_jwts_are_accepted(typ: str) -> None:
    principal = await verifier().verify(sign(KEY, header={"typ": typ}))
    assert principal.subject == "auth0|42"


@pytest.mark.parametrize("typ", [None, "", "id_token+jwt", "logout+jwt", "dpop+jwt", 7, ["JWT"]])
async def test_other_types_and_none_are_refused(typ: object) -> None:
    token = forge({"alg": "ES256", "typ": typ}, claims())
    assert await reason_of(token) == "the header's typ is neither at+jwt nor JWT"


async def test_a_header_without_type_is_refused() -> None:
    assert "typ" in await reason_of(sign(KEY, header={"typ": None}))


@pytest.mark.parametrize("name", ["none", "None", "NONE"])
async def test_an_unsigned_token_is_refused(name: str) -> None:
    for signature in (b"", b"signature"):
        token = forge({"alg": name, "typ": "JWT"}, claims(), signature)
        assert "not accepted" in await reason_of(token)


@pytest.mark.parametrize("key", [KEY, RSA], ids=["EC", "RSA"])
async def test_a_public_key_used_as_hmac_secret_is_refused(key: ECKey | RSAKey) -> None:
    for secret in (key.as_pem(), key.as_der(), json.dumps(key.as_dict(private=False)).encode()):
        token = forge(
            {"alg": "HS256", "typ": "JWT"},
            claims(),
            partial(hmac.digest, secret, digest="sha256"),
        )
        assert "not accepted" in await reason_of(token, key)


async def test_the_algorithm_of_another_key_type_is_refused() -> None:
    token = sign(KEY)
    head, payload, signature = token.split(".")
    swapped = forge({"alg": "RS256", "typ": "JWT"}, b"").split(".")[0]
    assert "requires 'RSA' key" in await reason_of(f"{swapped}.{payload}.{signature}")
    assert "not accepted" in await reason_of(sign(RSA, "RS512"), RSA)
    assert "not accepted" in await reason_of(token, algorithms=["RS256"])
    assert head != swapped


async def test_a_key_serves_only_the_algorithm_and_use_that_it_names() -> None:
    rs512 = RSAKey.import_key(RSA.as_dict(private=True) | {"alg": "RS512"})
    encryption = RSAKey.import_key(RSA.as_dict(private=True) | {"use": "enc"})
    token = sign(RSA, "RS256")
    assert "RS512" in await reason_of(token, rs512)
    assert "enc" in await reason_of(token, encryption)
    assert (await verifier(rs512, RSA).verify(token)).subject == "auth0|42"


async def test_a_changed_token_is_refused() -> None:
    token = sign(KEY)
    head, payload, signature = token.split(".")
    other = forge({}, claims(sub="auth0|1")).split(".")[1]
    for changed in (
        token[:-1],
        token[: len(token) // 2],
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}..{signature}",
        f"{head}.{other}.{signature}",
        f"{head}.{payload}.{signature}.{signature}",
        f"{head}.{payload}=.{signature}",
        f" {token}",
        "",
        "..",
    ):
        await reason_of(changed)


async def test_a_token_signed_by_another_key_is_refused() -> None:
    assert "bad_signature" in await reason_of(sign(OTHER))
    assert "no key of that kid" in await reason_of(sign(KEY, header={"kid": "k2"}))


@pytest.mark.parametrize("name", ["exp", "iat", "iss", "aud", "sub"])
async def test_each_required_claim_must_be_there(name: str) -> None:
    others = {key: value for key, value in claims().items() if key != name}
    assert f"Missing claim: '{name}'" in await reason_of(forge_signed(others))
    assert name in await reason_of(forge_signed(claims() | {name: None}))


def forge_signed(payload: object) -> str:
    """A token that our key signed, whatever its payload."""
    signer = PinnedAlgorithms(["ES256"]).get_alg("ES256")
    return forge({"alg": "ES256", "typ": "JWT"}, payload, lambda text: signer.sign(text, KEY))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://issuer.example"},
        {"iss": [ISSUER]},
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"aud": [AUDIENCE, 7]},
        {"aud": []},
        {"aud": {"x": AUDIENCE}},
        {"sub": ""},
        {"sub": 42},
        {"sub": "a" * 256},
        {"sub": "nul\0"},
        {"sub": "\ud800"},
        {"sub": "right\u202eleft"},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**20},
        {"exp": 10**300},
        {"iat": "now"},
        {"nbf": "now"},
        {"nbf": [0]},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
async def test_wrong_claims_are_refused(changes: dict[str, object]) -> None:
    assert next(iter(changes)) in await reason_of(forge_signed(claims() | changes))


@pytest.mark.parametrize(("name", "expected"), [("iss", ISSUER), ("aud", AUDIENCE)])
async def test_a_claim_of_one_value_says_what_it_has_to_be(name: str, expected: str) -> None:
    reason = await reason_of(forge_signed(claims() | {name: f"{expected}/"}))
    assert f"it is '{expected}/' and has to be '{expected}'" in reason
    assert len(await reason_of(forge_signed(claims() | {name: "x" * 3000}))) < 400


async def test_one_of_several_audiences_is_enough() -> None:
    token = sign(KEY, aud=["https://other.example", AUDIENCE])
    assert (await verifier().verify(token)).subject == "auth0|42"


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 4000,
        b"[]",
        b"7",
        b"null",
        b"",
        b"\xff",
        b'{"exp": NaN}',
        b'{"exp": 1e999}',
        b'{"exp": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda payload: repr(payload[:12]),
)
async def test_signed_nonsense_is_refused(payload: bytes) -> None:
    await reason_of(forge_signed(payload))
    await reason_of(forge(payload, claims()))


async def test_a_claim_that_is_no_number_never_lasts_for_ever() -> None:
    now = int(NOW.timestamp())
    for number in ("NaN", "Infinity", "1e999"):
        text = json.dumps(claims()).replace(f'"exp": {now + 600}', f'"exp": {number}')
        assert "exp" in await reason_of(forge_signed(text.encode()))


@pytest.mark.parametrize("leeway", [0, 30, 60])
async def test_times_hold_to_the_second_with_leeway(leeway: int) -> None:
    now = int(NOW.timestamp())

    async def accepts(**times: int) -> bool:
        try:
            await verifier(leeway_seconds=leeway).verify(sign(KEY, "ES256", None, **times))
        except Rejected:
            return False
        return True

    assert await accepts(exp=now - leeway + 1)
    assert not await accepts(exp=now - leeway)
    assert await accepts(nbf=now + leeway)
    assert not await accepts(nbf=now + leeway + 1)
    assert await accepts(iat=now + leeway)
    assert not await accepts(iat=now + leeway + 1)


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "exp", None])
async def test_crit_is_refused(crit: object) -> None:
    token = forge({"alg": "ES256", "typ": "JWT", "crit": crit, "b64": False}, claims())
    assert await reason_of(token) == "the header has crit"


async def test_a_header_with_a_key_twice_is_refused() -> None:
    token = forge({"alg": "ES256", "typ": "JWT"}, claims())
    header = base64.urlsafe_b64encode(b'{"alg":"none","alg":"ES256","typ":"JWT"}').rstrip(b"=")
    twice = f"{header.decode()}.{token.partition('.')[2]}"
    assert await reason_of(twice) == "the header is not a JSON object"


async def test_tokens_above_eight_kibibytes_are_refused_unread() -> None:
    fitting = sign(KEY, pad="x" * 5_500)
    assert len(fitting) <= 8192
    assert (await verifier().verify(fitting)).subject == "auth0|42"
    assert "8192" in await reason_of(sign(KEY, pad="x" * 6_900))
    assert "ASCII" in await reason_of("é" + sign(KEY))


async def test_keys_that_the_token_brings_are_ignored() -> None:
    thief = ECKey.generate_key("P-256")
    carried = {
        "jwk": thief.as_dict(private=False),
        "jku": "http://127.0.0.1:1/keys",
        "x5u": "http://127.0.0.1:1/cert",
    }
    assert "bad_signature" in await reason_of(sign(thief, header=carried))
    assert (await verifier().verify(sign(KEY, header=carried))).subject == "auth0|42"


async def test_unknown_header_members_are_no_fault() -> None:
    signer = PinnedAlgorithms(["ES256"]).get_alg("ES256")
    token = forge(
        {"alg": "ES256", "typ": "JWT", "nonce": "n"}, claims(), lambda text: signer.sign(text, KEY)
    )
    assert (await verifier().verify(token)).subject == "auth0|42"


@pytest.mark.parametrize("names", [[], ["HS256"], ["RS256", "HS512"], ["none"], ["RS257"]])
def test_symmetric_and_unknown_algorithms_cannot_be_configured(names: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_JWT_ALGORITHMS"):
        verifier(algorithms=names)


class ReplaceableKeys(StaticKeys):
    """Keys that a test may change."""

    def replace(self, *keys: PublicKey) -> None:
        self._keys = KeySet(keys)


async def test_a_remembered_token_ends_with_its_times() -> None:
    clock = FixedClock(NOW)
    checks = verifier(clock=clock)
    token = sign(KEY)
    first = await checks.verify(token)
    assert await checks.verify(token) is first
    for seconds, holds in ((629, True), (630, False), (0, True), (-30, True), (-31, False)):
        clock.instant = NOW + timedelta(seconds=seconds)
        if holds:
            assert await checks.verify(token) == first
        else:
            with pytest.raises(Rejected):
                await checks.verify(token)


@pytest.mark.parametrize("days", [1, -1])
async def test_a_clock_that_jumps_a_day_ends_remembered_tokens(days: int) -> None:
    clock = FixedClock(NOW)
    checks = verifier(clock=clock)
    token = sign(KEY)
    await checks.verify(token)
    clock.instant += timedelta(days=days)
    with pytest.raises(Rejected):
        await checks.verify(token)
    clock.instant = NOW
    assert (await checks.verify(token)).subject == "auth0|42"


async def test_a_remembered_token_ends_with_its_key() -> None:
    keys = ReplaceableKeys([KEY])
    checks = TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, clock=FixedClock(NOW))
    token = sign(KEY)
    await checks.verify(token)
    keys.replace(OTHER)
    with pytest.raises(Rejected):
        await checks.verify(token)


async def test_the_memory_is_bounded() -> None:
    checks = verifier()
    oldest = await checks.verify(TOKEN)
    assert await checks.verify(TOKEN) is oldest
    (entry,) = checks._verified.values()
    checks._verified |= {index.to_bytes(2, "big"): entry for index in range(MAX_REMEMBERED - 1)}
    assert len(checks._verified) == MAX_REMEMBERED
    await checks.verify(sign(KEY, sub="newest"))
    assert len(checks._verified) == MAX_REMEMBERED
    assert await checks.verify(TOKEN) is not oldest


@given(st.integers(min_value=0), st.randoms(use_true_random=False))
async def test_no_changed_byte_gets_through_or_breaks_the_check(
    position: int, rng: random.Random
) -> None:
    token = bytearray(TOKEN.encode())
    position %= len(token)
    token[position] = rng.choice([byte for byte in range(128) if byte != token[position]])
    await reason_of(token.decode("ascii"))


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)))
async def test_any_header_is_refused_and_none_breaks_the_check(value: object) -> None:
    await reason_of(forge(value, claims()))
    for name in ("alg", "typ", "kid", "b64", "jku"):
        await reason_of(forge({"alg": "ES256", "typ": "JWT"} | {name: value}, claims()))
