"""One request's record: filled in while it is served, then written to the log and metrics."""

import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import structlog
from starlette.types import Scope
from structlog.contextvars import STRUCTLOG_KEY_PREFIX

from gateway.audit.deeds import Deed
from gateway.errors import GatewayError
from gateway.http.arrivals import Arrivals
from gateway.http.headers import index_headers, raw_values
from gateway.observability.metrics import Metrics
from gateway.principal import Principal

CLIENT_DISCONNECTED: Final = 499
WEBSOCKET: Final = "WS"
"""The method of a WebSocket's handshake, and of each of its operations, in the log."""
NOT_READ: Final = "none"
"""The route in the record of a refused message that is no request."""
QUIET_PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})
_KEY: Final = "gateway.record"
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LOGGED_ID: Final = ContextVar[str](f"{STRUCTLOG_KEY_PREFIX}request_id")
"""In the lines of the log; to set it by `bind_contextvars` takes seven times as long."""
_ID_BYTES: Final = 16
_DRAWN: Final = 64
"""Ids that are drawn at once: to draw one is a call of the operating system."""

log = structlog.get_logger(__name__)


Note: TypeAlias = Callable[[Scope, "RequestRecord", int], None]
"""Gets each request that has a principal, with its status, for the audit log."""


def note_nothing(_scope: Scope, _record: "RequestRecord", _status: int) -> None:
    """Keep nothing."""


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """Never holds a token, a variable or a value of a document.

    `began` is in seconds of `time.perf_counter`, `arrivals` are those of the process. `broken_as`
    is the status that a transfer counts with which broke off after its head said 200. `accounts`
    are those that were read. `deed` is what a writing request sets out to do. `status` is that of
    an operation of a WebSocket, which has no answer by HTTP.
    """

    request_id: str
    began: float
    bound: Token[str]
    arrivals: Arrivals
    noting: Note
    is_over: bool = False
    route: str = "other"
    operation: str = "none"
    operation_name: str | None = None
    principal: Principal | None = None
    codes: list[str] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    is_quiet: bool = False
    broken_as: int | None = None
    accounts: Collection[int] = ()
    deed: Deed | None = None
    status: int = 0
    is_noted: bool = False

    @property
    def header(self) -> tuple[bytes, bytes]:
        """The answer's header with the request's id."""
        return b"x-request-id", self.request_id.encode("ascii")

    def note(self, scope: Scope, status: int) -> None:
        """Have the request noted for the audit log, once; a stream is noted when it begins."""
        if not self.is_noted and self.principal is not None:
            self.is_noted = True
            self.noting(scope, self, status)

    def log_fields(self) -> dict[str, object]:
        """Return the access line's fields beside method, path, status and duration."""
        who = self.principal
        fields = {
            "operation": None if self.operation == "none" else self.operation,
            "operation_name": self.operation_name,
            "subject": who.subject if who and who.is_person else None,
            "key_id": who.key_id if who else None,
            "account_id": who.account_id if who else None,
            "codes": self.codes or None,
            **self.details,
        }
        return {name: value for name, value in fields.items() if value is not None}


class RequestLog:
    """Gives each request its id and record, counts it, and writes its line. A WebSocket's handshake
    and each of its operations are requests of their own.

    `paths` are those that the metrics know by themselves; an endpoint of a path with parameters
    names its route in the record.
    """

    def __init__(
        self, metrics: Metrics, paths: Collection[str] = (), note: Note = note_nothing
    ) -> None:
        self._metrics = metrics
        self.paths = paths
        self._note = note
        self._arrivals = Arrivals()
        self._new_ids = _drawn_ids()

    def begin(self, scope: Scope) -> RequestRecord:
        """Return the record of a request that has just come, attached to it. From here to `finish`,
        lines of the log have its id, and its headers are sorted by name.
        """
        index_headers(scope)
        request_id, path = _sent_id(scope) or next(self._new_ids), scope["path"]
        record = RequestRecord(
            request_id=request_id,
            began=time.perf_counter(),
            bound=_LOGGED_ID.set(request_id),
            arrivals=self._arrivals,
            noting=self._note,
        )
        self._arrivals.begin(record)
        if path in self.paths:
            record.route = path if scope["type"] == "http" else f"{WEBSOCKET} {path}"
        scope[_KEY] = record
        self._metrics.in_flight += 1
        return record

    def finish(self, scope: Scope, record: RequestRecord, status: int) -> None:
        """Count and log a request that is over; the status is 0 where no answer began."""
        self._metrics.in_flight -= 1
        self._arrivals.finish(record)
        seconds = time.perf_counter() - record.began
        status = record.broken_as or status or CLIENT_DISCONNECTED
        record.note(scope, status)
        self._metrics.observe(
            route=record.route, status=status, operation=record.operation, seconds=seconds
        )
        is_quiet = scope["path"] in QUIET_PATHS or (record.is_quiet and status < 400)
        level = logging.DEBUG if is_quiet else logging.INFO
        line = log.bind()  # once: `log` makes a logger for each of its calls
        if line.is_enabled_for(level):
            line.log(
                level,
                "request",
                method=scope.get("method", WEBSOCKET),
                path=scope["path"],
                client=scope["client"][0] if scope.get("client") else None,
                status=status,
                milliseconds=round(seconds * 1000, 2),
                **record.log_fields(),
            )
        _LOGGED_ID.reset(record.bound)

    @contextmanager
    def recording(self, socket: Scope) -> Iterator[RequestRecord]:
        """Keep a record of one operation of a WebSocket, or of a credential that fails."""
        scope: Scope = {name: socket[name] for name in ("type", "path", "client")}
        scope["headers"] = ()
        record = self.begin(scope)
        try:
            yield record
        finally:
            self.finish(scope, record, record.status)

    def refused(self, client: str | None, status: int, error: GatewayError) -> str:
        """Count and log what was refused before it was a request; return the id of its line."""
        request_id = next(self._new_ids)
        self._metrics.observe(route=NOT_READ, status=status, operation="none", seconds=0)
        log.info(
            "request",
            request_id=request_id,
            client=client,
            status=status,
            codes=[error.code],
            reason=error.message,
        )
        return request_id


def record_of(scope: Scope) -> RequestRecord:
    """Return the request's record, which the outermost layer attached."""
    record: RequestRecord = scope[_KEY]
    return record


def _sent_id(scope: Scope) -> str | None:
    for value in raw_values(scope, b"x-request-id"):
        if _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return None


def _drawn_ids() -> Iterator[str]:
    while True:
        drawn = os.urandom(_ID_BYTES * _DRAWN)
        for first in range(0, len(drawn), _ID_BYTES):
            yield drawn[first : first + _ID_BYTES].hex()
