"""Keys and the ids that clients hold."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.errors import NotFound
from gateway.ids import (
    MAX_KEY,
    GlobalId,
    KeyFactory,
    encode_global_id,
    encode_global_ids,
    parse_global_id,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEYS = st.integers(0, MAX_KEY)


def test_keys_grow_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    clock = FixedClock(NOW)
    factory = KeyFactory(clock, Random(1).getrandbits)
    keys = [factory.new() for _ in range(5000)]
    clock.instant -= timedelta(days=1)
    keys += [factory.new() for _ in range(5000)]
    assert keys == sorted(set(keys))
    assert 0 < keys[0] < keys[-1] <= MAX_KEY


@given(KEYS, KEYS, st.sampled_from(["CreditPurchase", "Refund", "Receipt", "Deployment"]))
def test_an_id_is_read_as_it_was_written(account_id: int, key: int, typename: str) -> None:
    text = encode_global_id(typename, account_id, key)
    assert encode_global_ids(typename, [account_id, 1], [key, 2]) == [
        text,
        encode_global_id(typename, 1, 2),
    ]
    assert parse_global_id(text) == GlobalId(typename, account_id, key)


@given(KEYS)
def test_an_accounts_id_is_its_key(account_id: int) -> None:
    text = encode_global_id("Account", account_id)
    assert parse_global_id(text) == GlobalId("Account", account_id, 0)


GOOD = encode_global_id("CreditPurchase", 1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "9" * 400,
        str(2**64),
        "١",
        "../../etc/passwd",
        GOOD.upper(),
        f"{GOOD} ",
        f"{GOOD}\n",
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace("purchase", "acct"),
        encode_global_id("Account", 1).replace("acct", "purchase"),
        "purchase_" + "f" * 32,
        "purchase_" + "٠" * 32,
        "unknown_" + "0" * 32,
    ],
)
def test_any_other_spelling_is_no_id(text: str) -> None:
    with pytest.raises(NotFound):
        parse_global_id(text)
