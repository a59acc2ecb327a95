import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from gateway.observability import configure_logging

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


def test_loggers_of_libraries_end_in_the_same_stream() -> None:
    stream = io.StringIO()
    configure_logging("warning", pretty=False, stream=stream)
    logging.getLogger("uvicorn.error").info("started")
    logging.getLogger("uvicorn.error").warning("limit of %d", 3)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "limit of 3"
    assert json.loads(line)["level"] == "warning"
