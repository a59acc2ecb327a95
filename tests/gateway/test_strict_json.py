"""JSON from outside in which each key stands once."""

import gc
import json
from collections.abc import Sequence
from contextlib import suppress
from time import process_time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import strict_json
from gateway.errors import BadRequest
from gateway.strict_json import DuplicateKey, cut, loads, loads_each, read
from tests.support.cpu import least_cpu

TWICE = {
    "at the top": ('{"a": 1, "b": 2, "a": 1}', "a"),
    "of equal values": ('{"a": {}, "a": {}}', "a"),
    "in an object": ('{"a": {"b": 1, "b": 2}}', "b"),
    "in a list": ('[[1, [{"b": 1, "b": 2}]]]', "b"),
    "in what a later key replaces": ('{"a": {"b": 1, "b": 1}, "c": 1}', "b"),
    "once as an escape": (r'{"a": 1, "\u0061": 2}', "a"),
    "a colon": ('{":": 1, ":": 2}', ":"),
    "a colon as an escape makes up for the lost one": (r'{"a": "\u003a", "a": "\u003A"}', "a"),
    "an upper-case escape": (r'{"a": 1, "a": "\u003A\u003A"}', "a"),
    "empty": ('{"": 1, "": 2}', ""),
    "not ASCII": ('{"é": 1, "é": 2}', "é"),
    "beside a large number": ('{"a": 99999999999999999999999, "a": 1}', "a"),
    "deep": ('{"a":' * 400 + '{"b": 1, "b": 2}' + "}" * 400, "b"),
}


@pytest.mark.parametrize("name", TWICE)
@pytest.mark.parametrize("encode", [str, str.encode])
def test_a_key_twice_is_refused_and_named(name: str, encode: Any) -> None:
    text, key = TWICE[name]
    with pytest.raises(DuplicateKey) as refused:
        loads(encode(text))
    assert str(refused.value) == f'A JSON object has the key "{key}" twice.'


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(':a"\\\u003a', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from("ab:é"), inner)),
    max_leaves=12,
)


def written(value: Any, *, ascii_only: bool) -> str:
    """Return a value as JSON, lists of pairs as objects, which may have a key twice."""
    if isinstance(value, list) and value and all(isinstance(each, tuple) for each in value):
        pairs = (
            f"{json.dumps(name, ensure_ascii=ascii_only)}: {written(each, ascii_only=ascii_only)}"
            for name, each in value
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, ascii_only=ascii_only) for each in value) + "]"
    text = json.dumps(value, ensure_ascii=ascii_only)
    return text.replace(":", r"\u003a") if ascii_only else text


def refuse_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise KeyError
    return dict(pairs)


@given(VALUES, st.booleans())
def test_any_text_is_read_as_the_slow_way_reads_it(value: Any, ascii_only: bool) -> None:
    text = written(value, ascii_only=ascii_only)
    try:
        expected = json.loads(text, object_pairs_hook=refuse_twice)
    except KeyError:
        with pytest.raises(DuplicateKey):
            loads(text)
        with pytest.raises(DuplicateKey):
            loads(text.encode())
    else:
        assert loads(text) == loads(text.encode()) == expected
        assert loads_each(f"[{text}]".encode()) == [expected]


def test_an_element_with_a_key_twice_stands_alone() -> None:
    values = loads_each(b'[{"a": 1}, {"a": 1, "a": 1}, 7, [{"a": 1, "a": 2}]]')
    first, second, third, fourth = values
    assert (first, third) == ({"a": 1}, 7)
    assert isinstance(second, DuplicateKey)
    assert isinstance(fourth, DuplicateKey)
    with pytest.raises(ValueError, match="array"):
        loads_each(b'{"a": 1}')


@pytest.mark.parametrize(
    "text", ["", "{", "[NaN]", "[Infinity]", r'"\ud800"', b'"\xff"', "[" * 100_000, "\ufeff{}"]
)
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize("depth", [250, 260, 600])
def test_deep_nesting_is_read(depth: int) -> None:
    for opening, closing in ("[]", ('{"a":', "}")):
        text = opening * depth + "1" + closing * depth
        assert loads(text) == orjson.loads(text)


def test_nesting_without_end_is_refused() -> None:
    for depth in (1_020, 1_030):
        with pytest.raises(ValueError, match=r"deep|depth|recursion") as refused:
            loads("[" * depth + "]" * depth)
        assert not isinstance(refused.value, DuplicateKey)


@pytest.mark.parametrize(
    "piece", ['{"a":{"b":[[[],[]]]}}', '["\\u003a",[[[[]]]]]', '{"a":1,"b":2}']
)
def test_the_time_grows_with_the_length_alone(piece: str) -> None:
    def took(count: int) -> float:
        text = "[" + ",".join([piece] * count) + r',"\u003a"]'
        gc.disable()  # what it costs grows with the square of all that is kept
        started = process_time()
        loads(text)
        seconds = process_time() - started
        gc.enable()
        return seconds

    # Twenty times as long: quadratic would be four hundred times.
    assert min(took(40_000) for _ in range(3)) < 160 * min(took(2_000) for _ in range(5))


def test_values_are_those_of_orjson() -> None:
    text = orjson.dumps({"a": [1, 1.5, "x:y", None, True, {"b": "2026-11-29T20:00:00Z"}]})
    assert loads(text) == orjson.loads(text)


@given(st.lists(VALUES), st.booleans())
def test_an_array_is_cut_into_its_elements(values: list[Any], ascii_only: bool) -> None:
    texts = [written(value, ascii_only=ascii_only).encode() for value in values]
    assert elements(b" [ " + b" ,\n".join(texts) + b" ] ") == texts


def elements(text: bytes) -> list[bytes]:
    return [each for each in cut(text) if each is not None]


@pytest.mark.parametrize("piece", [b'"x",', b"1,", b'"' + b"x" * 300_000 + b'",'])
def test_a_long_element_leaves_turns_to_others(piece: bytes) -> None:
    text = b"[[" + piece * (1_000_000 // len(piece)) + b"1]]"
    found = list(cut(text))
    assert [each for each in found if each is not None] == [text[1:-1]]
    assert found.count(None) > 3


@pytest.mark.parametrize("turn_bytes", range(2, 12))
def test_a_text_longer_than_a_turn_is_passed_in_several(
    monkeypatch: pytest.MonkeyPatch, turn_bytes: int
) -> None:
    monkeypatch.setattr(strict_json, "_TURN_BYTES", turn_bytes)
    texts = ["x" * 40, 'a\\"],[b' * 9, "\\" * 31, 'c\\\\"' * 7, "", '"']
    written = [json.dumps(text).encode() for text in texts]
    for some in (written, [b'{"a": [%b, 1]}' % each for each in written]):
        assert elements(b"[" + b" , ".join(some) + b"]") == some
    for end in (b"", b"]", b"\\", b'\\"', b'\\"]'):
        with pytest.raises(ValueError, match=r"end|match|array"):
            elements(b'["' + b"x" * 30 + end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "]",
        "{}",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[1]]",
        "[[1]",
        "[1}",
        '["]',
        '["\\"]',
        "[1] [2]",
    ],
)
def test_what_is_no_array_is_not_cut(text: str) -> None:
    with pytest.raises(ValueError, match=r"array|element"):
        elements(text.encode())


@pytest.mark.parametrize(
    "piece", [b"[", b"[]", b"{}[]", b'"', b'"\\"', b'{"', b",", b'[",', b"[],"]
)
def test_five_megabytes_are_cut_in_time(piece: bytes) -> None:
    text = b"[[" + piece * (5_000_000 // len(piece)) + b"]"

    def attempt() -> None:
        with suppress(ValueError):
            elements(text)

    assert least_cpu(attempt, times=1) < 3


def test_a_key_twice_in_a_long_text_is_refused_quickly() -> None:
    text = b"[" + b'{"a":1,"a":2},' * 100_000 + b"0]"

    def attempt() -> None:
        with pytest.raises(DuplicateKey, match=r"^A JSON object has a key twice\.$"):
            loads(text)

    assert least_cpu(attempt) < 0.2
    escaped = orjson.dumps([{"a:b": 1}] * 20_000).replace(b"a:b", rb"a\u003a\\u003A")
    assert loads(escaped) == [{"a:\\u003A": 1}] * 20_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a":1,"a":2}', 'The body: A JSON object has the key "a" twice.'),
        (b"{", "The body must be valid JSON in UTF-8."),
    ],
)
def test_a_client_is_told_what_is_wrong_with_its_json(text: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(text, "The body")
    assert refused.value.message == message
