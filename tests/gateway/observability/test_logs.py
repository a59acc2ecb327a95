import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from gateway.observability.logs import configure_logging

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def unchanged_loggers() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


def fail() -> None:
    token = SECRET
    raise RuntimeError(f"a token of {len(token)} characters")


@pytest.mark.parametrize("pretty", [True, False])
def test_a_traceback_shows_no_local_values(pretty: bool) -> None:
    stream = io.StringIO()
    configure_logging("info", pretty=pretty, stream=stream)
    try:
        fail()
    except RuntimeError:
        structlog.get_logger().exception("unexpected")
    assert "a token of 7 characters" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_a_line_is_json_with_the_requests_id() -> None:
    stream = io.StringIO()
    configure_logging("info", pretty=False, stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("request", status=200)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "request", "level": "info", "request_id": "r1", "status": 200}


def test_no_terminal_obeys_what_a_client_sent() -> None:
    stream = io.StringIO()
    configure_logging("info", pretty=True, stream=stream)
    sent = "\x1b]0;x\x07\x9b2J\r"
    structlog.get_logger().info("request", path=f"/{sent}", codes=[sent])
    logging.getLogger("library").warning("of a library: %s", sent)
    structlog.get_logger().error("unexpected", exc_info=ValueError(sent))
    written = re.sub("\x1b\\[[0-9;]*m", "", stream.getvalue())  # our own colours
    assert written.count("\\x1b]0;x\\x07\\x9b2J") == 4
    assert [each for each in written if not each.isprintable() and each != "\n"] == []


def test_loggers_of_libraries_end_in_the_same_stream() -> None:
    stream = io.StringIO()
    configure_logging("warning", pretty=False, stream=stream)
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("uvicorn.error").warning("limit of %d", 3)
    logging.getLogger("library").log(45, "odd level")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("limit of 3", "warning"),
        ("odd level", "error"),
    ]


def test_debug_lines_of_libraries_and_calls_that_we_make_stay_out() -> None:
    stream = io.StringIO()
    configure_logging("debug", pretty=False, stream=stream)
    logging.getLogger("library").debug("SELECT … %s", SECRET)
    logging.getLogger("httpx").info("HTTP Request: …")
    structlog.get_logger().debug("ours")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["ours"]
