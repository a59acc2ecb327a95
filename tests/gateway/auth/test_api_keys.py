import hashlib
import hmac
import random
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth.api_keys import ApiKeyRecord, Environment, digest, issue, matches, parse
from gateway.auth.rejected import Rejected

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
KEY = issue("live")


@pytest.mark.parametrize("environment", ["live", "dev"])
def test_an_issued_key_is_read_back(environment: Environment) -> None:
    key = issue(environment)
    assert parse(key.text) == key
    prefix, env, key_id, secret = key.text.split("_")
    assert (prefix, env, key_id) == ("gw", environment, key.id)
    assert (len(key.id), len(secret)) == (12, 43 + 6)


def test_keys_differ() -> None:
    keys = [issue("live") for _ in range(200)]
    assert len({key.id for key in keys}) == 200
    assert len({key.text.split("_")[3][:43] for key in keys}) == 200


def test_a_key_never_prints_its_secret() -> None:
    secret = KEY.text.split("_")[3]
    record = ApiKeyRecord(id=KEY.id, account_id=None, digest=digest(KEY), scopes=frozenset())
    assert secret not in repr(KEY)
    assert "digest" not in repr(record)


@given(st.integers(0, 67), st.sampled_from(string.ascii_letters + string.digits + "_-é١"))
def test_every_typo_is_recognised_without_a_look_up(position: int, character: str) -> None:
    position %= len(KEY.text)
    changed = KEY.text[:position] + character + KEY.text[position + 1 :]
    if changed != KEY.text:
        with pytest.raises(Rejected) as caught:
            parse(changed)
        assert changed not in caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gw_",
        KEY.text[:-1],
        KEY.text + "0",
        KEY.text + "\n",
        " " + KEY.text,
        KEY.text.swapcase(),
    ],
    ids=["empty", "start", "short", "long", "line", "space", "case"],
)
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(Rejected):
        parse(text)


def test_swapped_neighbours_are_recognised() -> None:
    letters = list(KEY.text)
    at = random.Random(1).choice(
        [i for i in range(24, len(letters) - 1) if letters[i] != letters[i + 1]]
    )
    letters[at], letters[at + 1] = letters[at + 1], letters[at]
    with pytest.raises(Rejected):
        parse("".join(letters))


def test_the_digest_is_sha256_or_hmac_with_a_pepper() -> None:
    text = KEY.text.encode()
    assert digest(KEY) == hashlib.sha256(text).digest()
    assert digest(KEY, b"pepper") == hmac.digest(b"pepper", text, "sha256")


def test_only_the_same_key_and_pepper_match() -> None:
    other = issue("live")
    assert matches(KEY, digest(KEY))
    assert matches(KEY, digest(KEY, b"pepper"), b"pepper")
    assert not matches(other, digest(KEY))
    assert not matches(KEY, digest(KEY), b"pepper")
    assert not matches(KEY, digest(KEY, b"pepper"))
    assert not matches(KEY, b"")


def test_a_key_ends_when_it_expires_or_is_revoked() -> None:
    later = NOW + timedelta(seconds=1)

    def record(
        expires_at: datetime | None = None, revoked_at: datetime | None = None
    ) -> ApiKeyRecord:
        return ApiKeyRecord(
            id="a",
            account_id=1,
            digest=b"",
            scopes=frozenset(),
            expires_at=expires_at,
            revoked_at=revoked_at,
        )

    assert record().is_active(NOW)
    assert record(expires_at=later, revoked_at=later).is_active(NOW)
    assert not record(expires_at=NOW).is_active(NOW)
    assert not record(expires_at=later, revoked_at=NOW).is_active(NOW)
