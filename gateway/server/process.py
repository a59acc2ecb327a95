"""The process: uvicorn without its own access log, and a stop that loses no answer."""

import asyncio
import gc
import math
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from socket import (
    AF_INET6,
    AI_PASSIVE,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    getaddrinfo,
    socket,
)
from threading import Timer
from types import FrameType
from typing import Final, Literal, cast

import structlog
import uvicorn
from starlette.applications import Starlette

from gateway.errors import ConfigurationError
from gateway.http.headers import ResponseHeaders
from gateway.server.connections import Connections, connection_metrics
from gateway.server.drain import Drain
from gateway.server.http_protocol import ConnectionLimits, HttpProtocol
from gateway.server.open_files import capacity
from gateway.server.unread import longest_unread_seconds
from gateway.server.uvicorn_names import check_uvicorn
from gateway.server.websocket_protocol import WebSocketProtocol
from gateway.settings import Settings

# What lives as long as the process is frozen; young garbage is then rare and cheap to look for.
GC_THRESHOLD: Final = 2_000
# After running requests were cut off, this long for their answers to be written.
LAST_WORDS_SECONDS: Final = 2
CLOSING_SECONDS: Final = 4
"""Longest time from the end of the grace period to the end of the process."""
FORCED_SECONDS: Final = 1
"""Longest time from a second signal to the end of the process."""
LISTENERS: Final = 8
"""Of each address: a turn of uvloop accepts one connection of each, however many wait."""

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """A uvicorn server that says so before it stops.

    At the first signal readiness ends; a notice later the listener closes; requests that run may
    go on for the grace period and then get a 503. The application's lifespan always ends. At the
    second signal nothing is waited for, and at the third the process dies. With `ends_process`
    no thread, and no server that stopped answering, keeps the process longer than that.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        drain: Drain,
        settings: Settings,
        *,
        ends_process: bool = False,
    ) -> None:
        super().__init__(config)
        self.ends_process = ends_process
        self.drain = drain
        self.notice_seconds = settings.stop_notice_seconds
        self.grace_seconds = settings.stop_grace_seconds
        self.forced = asyncio.Event()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self._end_in(FORCED_SECONDS, code=1)
            self.force_exit = True
            signal.signal(sig, signal.SIG_DFL)
            asyncio.get_running_loop().call_soon_threadsafe(self._force)
        else:
            self._end_in(max(self.grace_seconds, self.notice_seconds) + CLOSING_SECONDS, code=0)
        self.should_exit = True
        self.drain.begin()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        await self._listen_more()
        spare_collector()

    async def _listen_more(self) -> None:
        """Listen several times on each socket, so that new connections wait for few turns."""
        protocol = partial(
            cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        listening = [each.fileno() for server in self.servers for each in server.sockets]
        for number in listening * (LISTENERS - 1):
            again = socket(fileno=os.dup(number))
            self.servers.append(
                await asyncio.get_running_loop().create_server(
                    protocol, sock=again, backlog=self.config.backlog
                )
            )

    async def main_loop(self) -> None:
        await super().main_loop()
        self.drain.streams_over.set()
        asyncio.get_running_loop().call_later(self.grace_seconds, self.drain.expire)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.forced.wait(), self.notice_seconds)

    def _end_in(self, seconds: float, *, code: int) -> None:
        if self.ends_process:
            timer = Timer(seconds, _end, [code])
            timer.daemon = True
            timer.start()

    def _force(self) -> None:
        self.forced.set()
        self.drain.expire()


def _end(code: int) -> None:
    log.error("stop.cut_off", reason="The process did not end in time; it is ended now.")
    os._exit(code)


def spare_collector() -> None:
    """Freeze startup objects so that later collections skip them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


def check_address(host: str, port: int) -> None:
    """Raise ConfigurationError where the gateway cannot listen at an address. Port 0 is any."""
    try:
        places = getaddrinfo(host, port, type=SOCK_STREAM, flags=AI_PASSIVE)
        for family, _, _, _, place in places:
            with socket(family, SOCK_STREAM) as trial:
                trial.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
                if family == AF_INET6:
                    trial.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1)
                trial.bind(place)
    except OSError as error:
        raise ConfigurationError(
            f"The gateway cannot listen at {host}, port {port} (GATEWAY_HOST, GATEWAY_PORT): "
            f"{error.strerror or error}."
        ) from error


def serve(app: Starlette, settings: Settings) -> int:
    """Serve until told to stop; return the process's exit code: 0, or 1 where the stop was forced
    or the start failed, which the log explains.

    `app.state` has the application's `drain` and `metrics`. Raises ConfigurationError where the
    installed uvicorn is another one than the gateway's protocols are made for, and where the
    process may not open enough files.
    """
    check_uvicorn()
    server = Server(server_config(app, settings), app.state.drain, settings, ends_process=True)
    try:
        server.run()
    except SystemExit:
        return 1
    return int(server.force_exit)


def server_config(
    app: Starlette, settings: Settings, *, loop: Literal["uvloop", "none"] = "uvloop"
) -> uvicorn.Config:
    """Return uvicorn's configuration; `loop` is "none" where an event loop runs already. Raises
    ConfigurationError where the process may not open enough files.
    """
    limits = ConnectionLimits(
        settings=settings.http,
        headers=ResponseHeaders(dev=settings.environment == "dev"),
        request_log=app.state.request_log,
        unread_seconds=longest_unread_seconds(settings),
    )
    room = capacity(settings)
    places = Connections(
        most=room.connections,
        each=settings.http.address_connections,
        health=settings.http.health_connections,
        exempt=settings.trusted_proxies,
    )
    app.state.metrics.watch(*connection_metrics(places))
    running_seconds = max(settings.stop_grace_seconds - settings.stop_notice_seconds, 0)
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop=loop,
        backlog=room.backlog,
        http=_with(HttpProtocol, limits=limits, places=places),
        ws=_with(
            WebSocketProtocol,
            frames_per_second=settings.live.messages_per_second,
            limits=limits,
            places=places,
        ),
        ws_max_size=settings.live.message_bytes,
        # A peer that stops reading does so just after a ping, at the worst.
        ws_ping_interval=settings.live.unread_seconds * 0.4,
        ws_ping_timeout=settings.live.unread_seconds * 0.5,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=settings.http.keep_alive_seconds,
        timeout_graceful_shutdown=math.ceil(running_seconds + LAST_WORDS_SECONDS),
    )


def _with(protocol: type[asyncio.Protocol], **arguments: object) -> type[asyncio.Protocol]:
    """Return the protocol with more arguments than uvicorn gives; uvicorn only calls it."""
    return cast("type[asyncio.Protocol]", partial(protocol, **arguments))
