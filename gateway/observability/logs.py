"""Logs: one line for each event, JSON, or readable where a developer watches; always with the
request's id. Logs never include tokens, variables or the local values of a traceback.
"""

import logging
import sys
from io import StringIO
from typing import Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, Processor

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


_ESCAPED: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
"""Control characters, which a terminal would obey."""
_ESCAPED_IN_LINES: Final = {
    code: text for code, text in _ESCAPED.items() if chr(code) not in "\n\t"
}


class Forwarder(logging.Handler):
    """Hands records of the standard library's loggers to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        logger.log(level, record.getMessage(), exc_info=record.exc_info)


def configure_logging(level: str, *, pretty: bool, stream: TextIO | None = None) -> None:
    """Set up every logger of the process, those of libraries included.

    `level` is one of LEVELS. `pretty` is for a person at a terminal; else each line is one JSON
    object with `timestamp`, `level`, `event` and the event's own fields. Default stream: stderr.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_renderers(pretty=pretty),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [Forwarder()]
    # Libraries' debug lines name statements and their parameters.
    root.setLevel(max(LEVELS[level], logging.INFO))
    # Each call that we make would be a line at info.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True


def _renderers(*, pretty: bool) -> list[Processor]:
    if pretty:
        return [_escape, structlog.dev.ConsoleRenderer(exception_formatter=_write_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_dumps)]


def _dumps(value: object, **_: object) -> str:
    return orjson.dumps(value, default=str).decode("utf-8")


def _escape(_: object, __: str, event: EventDict) -> EventDict:
    return {
        name: value.translate(_ESCAPED) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _write_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    stream.write(written.getvalue().translate(_ESCAPED_IN_LINES))
