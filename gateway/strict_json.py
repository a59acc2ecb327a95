"""JSON from outside: UTF-8, no NaN or Infinity, no lone surrogates, and no key twice in one object.

Parsers differ in which of two equal keys they keep, so such an object means different things to
different readers. orjson keeps the last one in silence: what it lost shows in the number of colons.
A slower parser finds the key's name; in a long text it is not named.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

import orjson
from pydantic import JsonValue

from gateway.errors import BadRequest

_SHOWN: Final = 100
_SPACE: Final = b" \t\n\r"
_MOST_BRACKETS: Final = 1_000_000
"""Groups of brackets in an array that is cut: some half of a second."""
_TURN_STEPS: Final = 512
"""Groups of brackets, or commas, that are passed in one turn: less than a millisecond."""
_TURN_BYTES: Final = 262_144
"""Bytes without brackets that are passed in one turn."""
_NAMED_BYTES: Final = 131_072
"""Longest text in which a key that stands twice is named: some 15 milliseconds."""
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1, ord(","): 0}

_TEXT: Final = rb'"(?:[^"\\]++|\\.)*+"'
# The repetition is not possessive: in Debian's Python 3.11.2 such a one does not give back what a
# failed last round took.
_SKIPPED: Final = rb"[^\]\[{}\"%s]*+(?:" + _TEXT + rb"[^\]\[{}\"%s]*+)*"
# Up to what comes next outside of texts: in an element brackets, between elements a comma too.
_IN_TEXT: Final = re.compile(rb'(?:[^"\\]++|\\.)*("?)', re.DOTALL)
_NO_BRACKETS: Final = re.compile(_SKIPPED.replace(b"%s", b""), re.DOTALL)
_IN_ELEMENT: Final = re.compile(_SKIPPED.replace(b"%s", b"") + rb"([\[{]++|[\]}]++)", re.DOTALL)
_ESCAPED_COLON: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")
_BETWEEN: Final = re.compile(_SKIPPED.replace(b"%s", b",") + rb"([\[{]++|[\]}]|,)", re.DOTALL)


class DuplicateKey(ValueError):
    """An object that has a key twice; the message is a sentence that names the key, if known."""

    def __init__(self, key: str | None) -> None:
        name = "a key" if key is None else f'the key "{key[:_SHOWN]}"'
        super().__init__(f"A JSON object has {name} twice.")


def loads(text: bytes | str) -> JsonValue:
    """Return the value of a JSON text; raises DuplicateKey, and ValueError for all that is no JSON.

    Takes time in proportion to the text's length.
    """
    data = text.encode() if isinstance(text, str) else text
    value: JsonValue = orjson.loads(data)
    if _may_repeat(data, value):
        if len(data) > _NAMED_BYTES:
            raise _unnamed(value)
        if repeated := _verdict(_parse(data)):
            raise repeated
    return value


def read(text: bytes | str, subject: str) -> JsonValue:
    """Return the value of a JSON text that a client sent as `subject`, such as "The body". Raises
    BadRequest.
    """
    try:
        return loads(text)
    except ValueError as error:
        raise refusal(error, subject) from None


def refusal(error: ValueError, subject: str) -> BadRequest:
    """Return the error for a text that `loads` refused."""
    if isinstance(error, DuplicateKey):
        return BadRequest(f"{subject}: {error}")
    return BadRequest(f"{subject} must be valid JSON in UTF-8.")


def loads_each(text: bytes) -> list[JsonValue | DuplicateKey]:
    """Return the elements of a JSON array; in the place of an element in which a key stands twice
    there is a DuplicateKey. Raises ValueError for all that is no array.

    For short texts: it may take a tenth of a second for each MB.
    """
    value = orjson.loads(text)
    if not isinstance(value, list):
        raise ValueError("The JSON is not an array.")  # noqa: TRY004  # as for what is no JSON
    if not _may_repeat(text, value):
        return value
    judged = _parse(text)
    assert isinstance(judged, list)  # noqa: S101  # it is the same text
    verdicts = map(_verdict, judged)
    return [verdict or each for verdict, each in zip(verdicts, value, strict=True)]


def cut(text: bytes) -> Iterator[bytes | None]:
    """Yield the texts of an array's elements, which may be no JSON, and None wherever others may
    have a turn. Raises ValueError where brackets and commas make no array.

    Takes time in proportion to the text's length.
    """
    text = text.strip(_SPACE)
    if not (text.startswith(b"[") and text.endswith(b"]")):
        raise ValueError("The JSON is not an array.")
    is_empty, count = False, 0
    for element in _elements(text):
        if element is None:
            yield None
            continue
        stripped = element.strip(_SPACE)
        count += 1
        is_empty = is_empty or not stripped
        if is_empty and count > 1:
            raise ValueError("An element is missing between commas.")
        if stripped:
            yield stripped


def _elements(text: bytes) -> Iterator[bytes | None]:
    depth = first = place = 1
    for step in range(_MOST_BRACKETS):
        if not step % _TURN_STEPS:
            yield None
        found = (_BETWEEN if depth == 1 else _IN_ELEMENT).match(text, place, place + _TURN_BYTES)
        if found is None:
            passed = _NO_BRACKETS.match(text, place, place + _TURN_BYTES)
            if passed is not None and passed.end() > place:
                place = passed.end()
                yield None
            elif text.startswith(b'"', place):
                for reached in _places_in_text(text, place + 1):
                    place = reached
                    yield None
            else:
                break
            continue
        mark, place = found[1], found.end()
        depth += _STEPS[mark[0]] * len(mark)
        if depth == 0 or mark == b",":
            yield text[first : place - 1]
            first = place
        if depth <= 0:
            break
    if depth or place < len(text):
        raise ValueError("The brackets of the array do not match.")


def _places_in_text(text: bytes, place: int) -> Iterator[int]:
    """Yield how far a JSON text is read from a place in it on, turn by turn, to its end. Raises
    ValueError where it does not end.
    """
    while part := _IN_TEXT.match(text, place, place + _TURN_BYTES):
        if part.end() == place:
            break
        place = part.end()
        yield place
        if part[1]:
            return
    raise ValueError("A text of the array does not end.")


def _may_repeat(text: bytes, value: object) -> bool:
    """Return False where no key can have been lost.

    A key that was lost took its colon along: written again, the value has fewer colons than the
    text.
    """
    try:
        written = orjson.dumps(value)
    except TypeError:
        return True  # orjson reads deeper lists and objects than it writes
    if text == written:
        return False
    # Most texts lack the first byte of the search, which costs nothing.
    is_escaped = b"\\" in text and (b"\\u003a" in text or b"\\u003A" in text)
    escaped = len(_ESCAPED_COLON.findall(text)) if is_escaped else 0
    return text.count(b":") + escaped != written.count(b":")


def _unnamed(value: object) -> ValueError:
    """Return the error for a long text in which a key may stand twice."""
    try:
        orjson.dumps(value)
    except TypeError:
        return ValueError("The JSON is nested too deeply.")
    return DuplicateKey(None)


def _parse(text: bytes) -> object:
    """Return the value with a verdict in the place of each object, and of each number nothing."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_judge,
            parse_int=_nothing,
            parse_float=_nothing,
        )
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None


def _nothing(_number: str) -> None:
    return None


def _judge(pairs: Sequence[tuple[str, object]]) -> DuplicateKey | None:
    """Return the key that an object, or an object within it, has twice."""
    names = set()
    for name, value in pairs:
        if name in names:
            return DuplicateKey(name)
        names.add(name)
        if repeated := _verdict(value):
            return repeated
    return None


def _verdict(value: object) -> DuplicateKey | None:
    """Return the first verdict in a value; lists in lists are looked through one after another."""
    if isinstance(value, DuplicateKey):
        return value
    open_lists = [value] if isinstance(value, list) else []
    while open_lists:
        for each in open_lists.pop():
            if isinstance(each, DuplicateKey):
                return each
            if isinstance(each, list):
                open_lists.append(each)
    return None
