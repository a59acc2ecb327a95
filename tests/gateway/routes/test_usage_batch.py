"""A batch of usage events is read in pieces: as it would be read whole, and in turns."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from gateway.errors import BadRequest
from gateway.principal import Permission
from gateway.routes.bodies.usage_batch import EVENT_BYTES, PIECE_BYTES, Unreadable, read_batch
from gateway.store import connect
from tests.support.books import Books
from tests.support.days import LATELY
from tests.support.live import Gateway, gateway
from tests.support.patience import PATIENCE_SECONDS
from tests.support.served import issued_key
from tests.support.turns import least_longest

JSON, LINES = "application/json", "application/x-ndjson"
LONGEST_SECONDS: Final = 0.05
MOST_BYTES: Final = 5_242_880
LIMIT: Final = 25_000


def nested(number: int) -> dict[str, Any]:
    """Return an object with everything that looks like the end of an event, and is none."""
    return {"n": number, "a": [{"b": "},{"}, {"c": '"},\n{'}], "d": "\\" * (number % 3), "e": {}}


@pytest.mark.parametrize("separator", [b",", b" , \n"])
async def test_pieces_are_read_as_the_whole(separator: bytes) -> None:
    values = [nested(number) for number in range(8 * PIECE_BYTES // 70)]
    body = b" [" + separator.join(map(orjson.dumps, values)) + b"]\n"
    assert len(body) > 6 * PIECE_BYTES
    assert await read_batch(body, JSON, limit=LIMIT) == values
    lines = b"\n".join(map(orjson.dumps, values)) + b"\n"
    assert await read_batch(lines, LINES, limit=LIMIT) == values


async def test_a_fault_in_one_piece_harms_no_other() -> None:
    texts = [orjson.dumps(nested(number)) for number in range(8 * PIECE_BYTES // 70)]
    place = len(texts) // 2
    texts[place] = b'{"a":1e400}'
    texts[-1] = b'{"a":1,"a":2}'
    for body, media_type in ((b"[" + b",".join(texts) + b"]", JSON), (b"\n".join(texts), LINES)):
        values = await read_batch(body, media_type, limit=LIMIT)
        faults = {n: each.message for n, each in enumerate(values) if isinstance(each, Unreadable)}
        assert [*faults] == [place, len(texts) - 1]
        assert "is not valid JSON" in faults[place]
        assert 'the key "a" twice' in faults[len(texts) - 1]
        line = f"Line {place + 1} " if media_type == LINES else "The event "
        assert faults[place].startswith(line)
        for number, value in enumerate(values):
            assert number in faults or value == nested(number)


@pytest.mark.parametrize("media_type", [JSON, LINES])
async def test_an_event_that_is_too_long_is_refused_alone(media_type: str) -> None:
    texts = [b"{}", b'{"sku":"' + b"x" * 3 * EVENT_BYTES + b'"}', b'{"n":1}']
    body = b"[" + b",".join(texts) + b"]" if media_type == JSON else b"\n".join(texts)
    first, long, last = await read_batch(body + b"\n" * PIECE_BYTES, media_type, limit=3)
    assert (first, last) == ({}, {"n": 1})
    assert isinstance(long, Unreadable)
    assert long.message.endswith("has more than 65,536 bytes.")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"{}\n" * 4, LINES),
        (b"[{},{},{},{}]", JSON),
        (b"[1,2,3,4]", JSON),
        (b"[" + b'{"n":1},' * PIECE_BYTES + b"{}]", JSON),
        (b"[" + b"1," * PIECE_BYTES + b"1]", JSON),
    ],
)
async def test_more_than_the_limit_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(BadRequest, match="at most 3 events"):
        await read_batch(body, media_type, limit=3)


def repeated(piece: bytes, separator: bytes = b",") -> bytes:
    """Return an array, or lines, as long as a body may be."""
    return separator.join([piece] * ((MOST_BYTES - 8) // (len(piece) + len(separator))))


def array(piece: bytes) -> bytes:
    return b"[" + repeated(piece) + b"]"


def small_events() -> list[bytes]:
    event = {
        "account": "acme",
        "source": "m",
        "resource": "GPU",
        "quantity": "1",
        "unit": "h",
        "amount": "0.1",
        "currency": "USD",
        "start": LATELY,
        "end": LATELY,
    }
    return [orjson.dumps(event | {"id": str(number)}) for number in range(LIMIT)]


DEAR: Final[dict[str, tuple[bytes, str, int]]] = {
    "lines of x": (repeated(b"x", b"\n"), LINES, 400),
    "lines of objects": (repeated(b"{}", b"\n"), LINES, 400),
    "blank lines": (b"\n" * MOST_BYTES, LINES, 200),
    "as many lines of x as there may be": (b"x\n" * LIMIT, LINES, 200),
    "empty lists": (array(b"[]"), JSON, 400),
    "numbers": (array(b"1"), JSON, 400),
    "as many empty objects as there may be": (b"[" + b",".join([b"{}"] * LIMIT) + b"]", JSON, 200),
    "one object with all keys alike": (b"[{" + repeated(b'"a":1') + b"}]", JSON, 200),
    "one list of objects": (b"[" + array(b"{}") + b"]", JSON, 400),
    "one text": (b'["' + b"x" * (MOST_BYTES - 4) + b'"]', JSON, 200),
    "lists in lists": (b"[" * (MOST_BYTES // 2) + b"]" * (MOST_BYTES // 2), JSON, 200),
    "commas": (b"[" + b"," * (MOST_BYTES - 2) + b"]", JSON, 400),
    "as many events as there may be": (b"[" + b",".join(small_events()) + b"]", JSON, 200),
    "the same events as lines": (b"\n".join(small_events()), LINES, 200),
}


@pytest.fixture
async def served(sqlite_database_url: str, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(sqlite_database_url, tmp_path / "data") as served:
        yield served


async def post(
    served: Gateway, body: bytes, media_type: str, key: str, answers: list[bytes]
) -> None:
    """Append the answer; no work of a client's library counts as the server's."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(
        f"POST /v1/usage-events HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        f"content-type: {media_type}\r\nauthorization: Bearer {key}\r\n"
        f"content-length: {len(body)}\r\n\r\n".encode()
    )
    writer.write(body)
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await reader.read(2**16)
        while await reader.read(2**18):
            pass
    writer.close()
    answers.append(answer)


async def test_no_batch_makes_others_wait(served: Gateway) -> None:
    database = await connect(served.settings)
    await Books(database).account("acme")
    key = (await issued_key(database, Permission.USAGE_WRITE)).text
    await database.close()
    longest: dict[str, float] = {}
    for name, (body, media_type, status) in DEAR.items():
        answers: list[bytes] = []
        send = partial(post, served, body, media_type, key, answers)
        longest[name] = await least_longest(send, LONGEST_SECONDS)
        for answer in answers:
            assert answer.startswith(b"HTTP/1.1 %d " % status), (name, answer[-300:])
    print("", *(f"{seconds * 1000:6.1f} ms  {name}" for name, seconds in longest.items()), sep="\n")
    assert max(longest.values()) <= LONGEST_SECONDS, longest
