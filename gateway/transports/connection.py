"""One WebSocket of graphql-transport-ws: its messages, its operations, and why it is closed."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, Final, TypeAlias

import orjson
from starlette.types import Receive, Send

from gateway import strict_json
from gateway.auth.rejected import Rejected
from gateway.clock import Clock
from gateway.errors import (
    BadRequest,
    GatewayError,
    Throttled,
    TooManySubscriptions,
    Unauthenticated,
)
from gateway.execution.errors import format_error
from gateway.execution.operation import OperationResult, Outcome
from gateway.http.credentials import CredentialChecker, only_one
from gateway.http.request_log import RequestRecord
from gateway.http.responses import STATUS_BY_CODE
from gateway.live.hub import Update
from gateway.principal import Principal
from gateway.quotas import Release
from gateway.transports.expiry import Expiry, expires_at
from gateway.transports.http import status_of
from gateway.transports.operations import Operations
from gateway.transports.request import parse_payload

MAX_ID_LENGTH: Final = 128
MAX_REASON_BYTES: Final = 123
RATE_SECONDS: Final = 5
"""Window over which the message rate is measured."""
CLOSE_SECONDS: Final = 1
"""Longest wait for a client that is behind to take the close frame."""
BACKLOG: Final = 100
"""Most messages queued for a slow client; beyond it, nothing more is read from the client."""

POLICY: Final = 1008
TRY_LATER: Final = 1013
BAD: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
LATE: Final = 4408
DUPLICATE: Final = 4409
TOO_MANY: Final = 4429

_OWN: Final = ""
_PONG: Final = b'{"type":"pong"'
_ACK: Final = b'{"type":"connection_ack"}'

Key: TypeAlias = tuple[str, str | int]
"""Of a queued message: its operation's id, or _OWN of the socket, and its kind."""


class CloseSocket(Exception):
    """Closes the socket; a close frame holds the first 123 bytes of the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


class Socket:
    """Reads messages in order while operations run. Ends with `clear`."""

    __slots__ = (
        "_abort",
        "_authenticator",
        "_clock",
        "_credentials",
        "_expiry",
        "_loop",
        "_operations",
        "_principal",
        "_push",
        "_rate",
        "_releases",
        "_running",
        "_send",
        "_tasks",
        "_waiting",
        "recording",
    )

    def __init__(
        self,
        *,
        operations: Operations,
        authenticator: CredentialChecker,
        clock: Clock,
        recording: Callable[[], AbstractContextManager[RequestRecord]],
        credentials: Collection[str],
        release: Release,
        push: Callable[[bytes], bool],
        send: Send,
        abort: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._operations = operations
        self._authenticator = authenticator
        self._clock = clock
        self.recording = recording
        self._credentials = list(credentials)
        self._push = push
        self._send = send
        self._abort = abort
        self._releases = [release]
        self._principal: Principal | None = None
        self._running: dict[str, SocketOperation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[Key, bytes] | None = None
        self._rate = (self._loop.time(), 0)
        seconds = operations.limits.init_seconds
        self._expiry: asyncio.TimerHandle | Expiry = self._loop.call_later(
            seconds, self._give_up, LATE, "no connection_init in time"
        )

    async def serve(self, receive: Receive) -> None:
        """Read until either side closes the socket."""
        while (message := await receive())["type"] != "websocket.disconnect":
            try:
                self._count()
                await self._handle(_parse(message.get("text")))
            except CloseSocket as closed:
                await self._close(closed.code, closed.reason)
                return
            if self._tasks and self._waiting and len(self._waiting) > BACKLOG:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def clear(self) -> None:
        """End everything that belongs to the socket."""
        self._expiry.cancel()
        for task in list(self._tasks):
            task.cancel()
        for operation in list(self._running.values()):
            operation.clear()
        while self._releases:
            self._releases.pop()()

    def put(self, key: Key, text: bytes) -> None:
        """Send a message, or queue it while the client is behind: the latest of a key wins."""
        if self._waiting is None:
            if self._push(text):
                return
            self._waiting = {}
            self.spawn(self._flush())
        self._waiting[key] = text

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def forget(self, operation_id: str) -> None:
        self._running.pop(operation_id, None)

    def _drop(self, operation_id: str) -> None:
        """Drop the queued messages of an operation that the client has ended; its id is free."""
        if self._waiting:
            for key in [key for key in self._waiting if key[0] == operation_id]:
                del self._waiting[key]

    async def _flush(self) -> None:
        with suppress(OSError, RuntimeError):  # the peer has gone, or the socket is closed
            while self._waiting:
                text = self._waiting.pop(next(iter(self._waiting)))
                await self._send({"type": "websocket.send", "text": text.decode()})
            self._waiting = None

    def _count(self) -> None:
        began, count = self._rate
        now = self._loop.time()
        if now - began > RATE_SECONDS:
            began, count = now, 0
        self._rate = (began, count + 1)
        if count >= self._operations.limits.messages_per_second * RATE_SECONDS:
            raise CloseSocket(POLICY, "Too many messages")

    async def _handle(self, message: Mapping[str, object]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._initialise(message.get("payload"))
            case "ping":
                payload = _payload(message)
                echo = b',"payload":' + orjson.dumps(payload) + b"}" if payload else b"}"
                self.put((_OWN, "pong"), _PONG + echo)
            case "pong":
                _payload(message)
            case "subscribe":
                self._subscribe(message)
            case "complete":
                operation_id = _id(message)
                operation = self._running.pop(operation_id, None)
                if operation:
                    operation.clear()
                self._drop(operation_id)
            case _:
                raise CloseSocket(BAD, "Unknown message type")

    async def _initialise(self, payload: object) -> None:
        if self._principal is not None:
            raise CloseSocket(TOO_MANY, "Too many initialisation requests")
        try:
            credential = self._credential(payload)
            principal = await self._authenticator.authenticate(credential)
            release = await self._operations.quotas.live.sockets.take(principal.quota_key)
        except GatewayError as error:
            with self.recording() as record:
                _fail(record, error)
            raise _closing(error) from None
        self._releases.pop()()
        self._releases.append(release)
        if principal.key_id is not None:
            self._releases.append(self._operations.access.add(principal, self._revoke))
        self._principal = principal
        self._expiry.cancel()
        if (at := expires_at(principal, self._operations.leeway_seconds)) is not None:
            expired = partial(self._give_up, FORBIDDEN, "token expired")
            self._expiry = Expiry(self._clock, at, expired)
        self.put((_OWN, "ack"), _ACK)

    def _credential(self, payload: object) -> str | None:
        if not isinstance(payload, dict | None):
            raise CloseSocket(BAD, "The payload of connection_init must be an object")
        found = [*self._credentials]
        for name, value in (payload or {}).items():
            if name.lower() == "authorization":
                if not isinstance(value, str):
                    raise CloseSocket(BAD, "Authorization must be a string")
                found.append(value)
        return only_one(found)

    def _subscribe(self, message: Mapping[str, object]) -> None:
        if self._principal is None:
            raise CloseSocket(UNAUTHORIZED, "Unauthorized")
        operation_id, payload = _id(message), message.get("payload")
        if operation_id in self._running:
            raise CloseSocket(DUPLICATE, f"Subscriber for {operation_id} already exists")
        operation = SocketOperation(self, operation_id)
        if len(self._running) >= self._operations.limits.socket_operations:
            limit = self._operations.limits.socket_operations
            error = TooManySubscriptions(f"At most {limit} operations may run on a connection.")
            with self.recording() as record:
                record.principal = self._principal
                _fail(record, error)
            operation.refuse(error)
            return
        try:
            request = parse_payload(payload)
        except BadRequest as error:
            raise CloseSocket(BAD, error.message) from None
        self._running[operation_id] = operation
        start = partial(self._operations.start, self._principal, request, operation)
        operation.task = self.spawn(operation.run(start))

    def _revoke(self, _: GatewayError | None) -> None:
        self._give_up(FORBIDDEN, "credential revoked")

    def _give_up(self, code: int, reason: str) -> None:
        self.spawn(self._close(code, reason))

    async def _close(self, code: int, reason: str) -> None:
        """Close the socket; cut it where the client reads nothing, not even that."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            self._abort()
        except (OSError, RuntimeError):  # it is closed already
            pass


class SocketOperation:
    """One operation of a socket, a query or a subscription; the hub's sink."""

    __slots__ = ("_head", "_id", "_release", "_socket", "task")

    def __init__(self, socket: Socket, operation_id: str) -> None:
        self._socket = socket
        self._id = operation_id
        self._head = b'{"id":' + orjson.dumps(operation_id) + b',"type":'
        self._release: Release | None = None
        self.task: asyncio.Task[None] | None = None

    async def run(
        self, start: Callable[[RequestRecord], Awaitable[OperationResult | Release]]
    ) -> None:
        with self._socket.recording() as record:
            try:
                started = await start(record)
            except GatewayError as error:
                _fail(record, error)
                self.end(error)
                return
            finally:
                self.task = None
            if not isinstance(started, OperationResult):
                record.status = 200
                self._release = started
                return
            record.status = status_of(started)
        if started.outcome is Outcome.EXECUTED:
            self._put("next", started.encode())
            self._put("complete")
        else:
            self._put("error", orjson.dumps(started.errors))
        self._socket.forget(self._id)

    def offer(self, update: Update) -> None:
        text = self._head + b'"next","payload":' + update.payload + b"}"
        self._socket.put((self._id, update.key), text)

    def end(self, error: GatewayError | None) -> None:
        """Send the error; without one the process stops, which closes the whole socket."""
        if error is None:
            return
        self.clear()
        self._socket.forget(self._id)
        self.refuse(error)

    def refuse(self, error: GatewayError) -> None:
        self._put("error", orjson.dumps([format_error(error)]))

    def clear(self) -> None:
        task, self.task = self.task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
        release, self._release = self._release, None
        if release is not None:
            release()

    def _put(self, kind: str, payload: bytes | None = None) -> None:
        rest = b"" if payload is None else b',"payload":' + payload
        text = self._head + b'"' + kind.encode() + b'"' + rest + b"}"
        self._socket.put((self._id, kind), text)


def _fail(record: RequestRecord, error: GatewayError) -> None:
    """Have a record say that an error ended its operation."""
    record.codes = [error.code]
    record.status = STATUS_BY_CODE.get(error.code, 500)


def _closing(error: GatewayError) -> CloseSocket:
    """Return how the socket closes for an error of its credential."""
    match error:
        case Throttled() | TooManySubscriptions():
            return CloseSocket(TOO_MANY, error.message)
        case Rejected():
            return CloseSocket(FORBIDDEN, "Forbidden")
        case Unauthenticated():
            return CloseSocket(UNAUTHORIZED, "Unauthorized")
        case BadRequest():
            return CloseSocket(BAD, error.message)
    return CloseSocket(TRY_LATER, "Try again later")


def _parse(text: str | None) -> Mapping[str, object]:
    if text is None:
        raise CloseSocket(BAD, "A message must be text")
    try:
        message = strict_json.read(text, "A message")
    except BadRequest as error:
        raise CloseSocket(BAD, error.message) from None
    if not isinstance(message, dict):
        raise CloseSocket(BAD, "A message must be a JSON object")
    return message


def _id(message: Mapping[str, object]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= MAX_ID_LENGTH:
        raise CloseSocket(BAD, f"An id must be a string of 1 to {MAX_ID_LENGTH} characters")
    return found


def _payload(message: Mapping[str, object]) -> Mapping[str, object] | None:
    found = message.get("payload")
    if not isinstance(found, dict | None):
        raise CloseSocket(BAD, "A payload must be an object")
    return found
