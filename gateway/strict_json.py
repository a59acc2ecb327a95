"""JSON from outside: UTF-8, no NaN or Infinity, no lone surrogates, and no key twice in one object.

Parsers differ in which of two equal keys they keep, so such an object means different things to
different readers. orjson keeps the last one in silence: what it lost shows in the number of colons.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import orjson
from pydantic import JsonValue

from gateway.errors import BadRequest

_SHOWN: Final = 100
_SPACE: Final = b" \t\n\r"
_MOST_BRACKETS: Final = 1_000_000
"""Groups of brackets in an array that is cut: some half of a second."""
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1, ord(","): 0}

_TEXT: Final = rb'"(?:[^"\\]++|\\.)*+"'
_SKIPPED: Final = rb"[^\]\[{}\"%s]*+(?:" + _TEXT + rb"[^\]\[{}\"%s]*+)*+"
# Up to what comes next outside of texts: in an element brackets, between elements a comma too.
_IN_ELEMENT: Final = re.compile(_SKIPPED.replace(b"%s", b"") + rb"([\[{]++|[\]}]++)", re.DOTALL)
_BETWEEN: Final = re.compile(_SKIPPED.replace(b"%s", b",") + rb"([\[{]++|[\]}]|,)", re.DOTALL)


class DuplicateKey(ValueError):
    """An object that has a key twice; the message is a sentence that names the key."""

    def __init__(self, key: str) -> None:
        super().__init__(f'A JSON object has the key "{key[:_SHOWN]}" twice.')


def loads(text: bytes | str) -> JsonValue:
    """Return the value of a JSON text; raises DuplicateKey, and ValueError for all that is no JSON.

    Takes time in proportion to the text's length.
    """
    value: JsonValue = orjson.loads(text)
    if _may_repeat(text, value) and (repeated := _verdict(_parse(text))):
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


def loads_each(text: bytes | str) -> JsonValue | list[JsonValue | DuplicateKey]:
    """Return the value of a JSON text, like `loads`; but an element of its outermost list in which
    a key stands twice is a DuplicateKey in the element's place.
    """
    value = orjson.loads(text)
    if not isinstance(value, list):
        return loads(text)
    if not _may_repeat(text, value):
        return value
    judged = _parse(text)
    assert isinstance(judged, list)  # noqa: S101  # it is the same text
    verdicts = map(_verdict, judged)
    return [verdict or each for verdict, each in zip(verdicts, value, strict=True)]


def cut(text: bytes, *, limit: int) -> list[bytes]:
    """Return the texts of an array's elements, at most `limit` and one more; an element may be no
    JSON. Raises ValueError where brackets and commas make no array.

    Takes time in proportion to the text's length.
    """
    text = text.strip(_SPACE)
    if not (text.startswith(b"[") and text.endswith(b"]")):
        raise ValueError("The JSON is not an array.")
    elements = [element.strip(_SPACE) for element in islice(_elements(text), limit + 1)]
    if elements == [b""]:
        return []
    if not all(elements):
        raise ValueError("An element is missing between commas.")
    return elements


def _elements(text: bytes) -> Iterator[bytes]:
    depth = first = place = 1
    for _ in range(_MOST_BRACKETS):
        found = (_BETWEEN if depth == 1 else _IN_ELEMENT).match(text, place)
        if found is None:
            break
        mark, place = found[1], found.end()
        depth += _STEPS[mark[0]] * len(mark)
        if depth == 0 or mark == b",":
            yield text[first : place - 1]
            first = place
        if depth <= 0:
            break
    if depth or place < len(text):
        raise ValueError("The brackets of the array do not match.")


def _may_repeat(text: bytes | str, value: object) -> bool:
    """Return False where no key can have been lost.

    A key that was lost took its colon along. Written again, the value has as many colons as the
    text, if none of them was written as an escape.
    """
    try:
        written = orjson.dumps(value)
    except TypeError:
        return True  # orjson reads deeper lists and objects than it writes
    # Most texts lack the first byte of the search, which costs nothing.
    if isinstance(text, str):
        escaped = "\\" in text and ("\\u003a" in text or "\\u003A" in text)
        return escaped or text.count(":") != written.count(b":")
    if text == written:
        return False
    escaped = b"\\" in text and (b"\\u003a" in text or b"\\u003A" in text)
    return escaped or text.count(b":") != written.count(b":")


def _parse(text: bytes | str) -> object:
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
