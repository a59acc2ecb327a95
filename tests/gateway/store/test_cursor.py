"""Cursors come back as they went out, and nothing else does."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadCursor
from gateway.ids import MAX_KEY
from gateway.instants import EARLIEST, LATEST
from gateway.signing import Signer, SigningKey
from gateway.store import Cursors

OLD = SigningKey(id="old", secret=b"o" * 32)
NEW = SigningKey(id="new", secret=b"n" * 32)
BY_INSTANT = ("created_at", "id")

keys = st.integers(0, MAX_KEY)
instants = st.integers(0, (LATEST - EARLIEST) // timedelta(microseconds=1)).map(
    lambda microseconds: EARLIEST + timedelta(microseconds=microseconds)
)


def cursors(
    *binding: str, keys: tuple[SigningKey, ...] = (NEW,), order: tuple[str, ...] = BY_INSTANT
) -> Cursors:
    return Cursors(Signer(keys), *(binding or ("creditPurchases", "1")), order=order)


@given(instant=instants, key=keys)
def test_a_position_comes_back(instant: datetime, key: int) -> None:
    cursor = cursors().of({"created_at": instant, "id": key, "status": "PENDING"})
    assert len(cursor) == 44
    assert cursors().position(cursor, argument="after") == (instant, key)


@given(places=st.lists(st.tuples(instants, keys), max_size=5))
def test_cursors_of_many_rows_are_those_of_each(places: list[tuple[datetime, int]]) -> None:
    rows = [{"created_at": instant, "id": key} for instant, key in places]
    assert cursors().of_all(rows) == [cursors().of(row) for row in rows]


@given(key=keys)
def test_an_order_by_key_alone_has_positions_of_a_key_alone(key: int) -> None:
    by_key = cursors(order=("account_id",))
    assert by_key.position(by_key.of({"account_id": key}), argument="after") == (key,)


ROW = {"created_at": EARLIEST, "id": 1, "account_id": 1}


@pytest.mark.parametrize(
    "other",
    [
        cursors("creditPurchases", "2"),
        cursors("deployments", "1"),
        cursors("creditPurchases1"),
        cursors("creditPurchases", "1", ""),
        cursors(order=("started_at", "id")),
        cursors(order=("account_id",)),
        cursors(keys=(OLD,)),
    ],
)
def test_a_cursor_holds_in_its_own_context_only(other: Cursors) -> None:
    with pytest.raises(BadCursor) as caught:
        other.position(cursors().of(ROW), argument="before")
    assert caught.value.extensions == {"code": "BAD_CURSOR", "argument": "before"}


def test_a_cursor_outlives_a_rotation_until_its_key_is_gone() -> None:
    before = cursors(keys=(OLD,)).of(ROW)
    assert cursors(keys=(NEW, OLD)).position(before, argument="after") == (EARLIEST, 1)
    with pytest.raises(BadCursor):
        cursors(keys=(NEW,)).position(before, argument="after")


@given(index=st.integers(0, 32), bit=st.integers(0, 7))
def test_one_changed_bit_is_refused(index: int, bit: int) -> None:
    raw = bytearray(urlsafe_b64decode(cursors().of(ROW)))
    raw[index] ^= 1 << bit
    with pytest.raises(BadCursor):
        cursors().position(urlsafe_b64encode(raw).decode(), argument="after")


@given(text=st.text() | st.text(alphabet="Aa0_-", min_size=44, max_size=44))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        cursors().position(text, argument="after")


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("gateway.store.cursor.VERSION", 2)
        later = cursors().of(ROW)
        assert cursors().position(later, argument="after") == (EARLIEST, 1)
    with pytest.raises(BadCursor):
        cursors().position(later, argument="after")
