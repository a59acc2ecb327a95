"""What the profiles count."""

import pytest

from tests.bench.round_trips import Messages
from tests.bench.shares import counted, part_of

LOOP = "run_forever (/project/uvloop/loop.c:1)"
RUNNER = "Runner.run (/x/gateway/execution/runner.py:80)"


def message(kind: bytes, content: bytes = b"") -> bytes:
    return kind + (4 + len(content)).to_bytes(4, "big") + content


def test_statements_are_counted_across_writes() -> None:
    stream = message(b"", b"user bench") + message(b"Q", b"BEGIN")
    stream += message(b"P", b"parse") + message(b"B") + message(b"E") + message(b"S")
    assert Messages().statements(stream) == 2
    messages = Messages()
    assert sum(messages.statements(bytes((each,))) for each in stream) == 2


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (f"{LOOP};{RUNNER};dumps (/lib/orjson/orjson.so)", "JSON"),
        (f"{LOOP};{RUNNER};datetime_now (_datetimemodule.c:9)", "execution"),
        (f"{LOOP};{RUNNER};fetch (/lib/asyncpg/connection.py:7)", "driver"),
        (f"{LOOP};uv__io_poll (linux.c:1);epoll_pwait (/lib/libc.so.6)", "waiting"),
        (f"{LOOP};get (queue.c:1);PyThread_acquire_lock_timed (p.so);0x7f (libc.so.6)", "waiting"),
        (f"{LOOP};write (/lib/libc.so.6)", "event loop and sockets"),
        ("main (/x/y.py:1)", "other"),
    ],
)
def test_a_sample_counts_for_its_innermost_known_frame(stack: str, part: str) -> None:
    assert part_of(stack) == part


def test_samples_are_added_up() -> None:
    assert counted(iter([f"{LOOP};{RUNNER} 3", f"{RUNNER} 4", f"{LOOP} 2"])) == {
        "execution": 7,
        "event loop and sockets": 2,
    }
