"""The names of uvicorn that the gateway's server and protocols override or read.

uvicorn promises none of them, so the dependency is held to one minor version. `check_uvicorn` says
so before the gateway listens where another version is installed that lacks one of them.
"""

import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.errors import ConfigurationError

SUPPORTED: Final = "0.54"
"""The minor version in pyproject.toml."""

METHODS: Final[dict[type, dict[str, tuple[str, ...]]]] = {
    uvicorn.Server: {
        "__init__": ("config",),
        "handle_exit": ("sig", "frame"),
        "startup": ("sockets",),
        "main_loop": (),
        "_serve": ("sockets",),
    },
    HttpToolsProtocol: {
        "__init__": ("config", "server_state", "app_state", "_loop"),
        "connection_made": ("transport",),
        "connection_lost": ("exc",),
        "data_received": ("data",),
        "on_message_begin": (),
        "on_headers_complete": (),
        "on_body": ("body",),
        "on_message_complete": (),
        "handle_websocket_upgrade": (),
        "on_response_complete": (),
        "pause_writing": (),
        "resume_writing": (),
        "send_400_response": ("msg",),
    },
    WebSocketsSansIOProtocol: {
        "__init__": ("config", "server_state", "app_state", "_loop"),
        "connection_lost": ("exc",),
        "data_received": ("data",),
        "handle_events": (),
        "handle_connect": ("event",),
        "handle_ping": (),
        "handle_pong": ("event",),
        "handle_cont": ("event",),
        "handle_text": ("event",),
        "handle_bytes": ("event",),
        "pause_writing": (),
        "resume_writing": (),
        "handle_parser_exception": (),
        "send": ("message",),
        "send_receive_event_to_app": (),
        "keepalive_timeout": (),
        "shutdown": (),
        "on_task_complete": ("task",),
    },
}
"""Methods that are overridden or called, with their parameters."""

ATTRIBUTES: Final[dict[type, frozenset[str]]] = {
    uvicorn.Server: frozenset(
        {
            *("should_exit", "force_exit", "started", "servers"),
            *("config", "server_state", "lifespan"),
        }
    ),
    HttpToolsProtocol: frozenset(
        {
            *("scope", "transport", "cycle", "headers", "loop", "timeout_keep_alive"),
            *("app", "client", "pipeline", "logger", "url"),
        }
    ),
    RequestResponseCycle: frozenset(
        {
            *("transport", "flow", "keep_alive", "default_headers", "on_response"),
            *("more_body", "disconnected", "message_event", "body", "waiting_for_100_continue"),
            *("response_started", "response_complete"),
        }
    ),
    WebSocketsSansIOProtocol: frozenset(
        {
            *("logger", "loop", "transport", "conn", "queue", "writable", "scope", "request"),
            *("response", "frames", "curr_msg_data_type", "close_sent", "close_timeout"),
            *("client", "disconnected", "handshake_complete", "read_paused"),
        }
    ),
}
"""Attributes of instances that are read or replaced."""


def check_uvicorn() -> None:
    """Raise ConfigurationError where the installed uvicorn lacks a name that the gateway needs."""
    if problems := list(missing_names()):
        raise ConfigurationError(
            f"The gateway needs uvicorn {SUPPORTED}; {uvicorn.__version__} is installed and "
            f"differs in {', '.join(problems)}. Install the version of requirements.lock."
        )


def missing_names() -> Iterator[str]:
    """Yield each method with other parameters, and each attribute that the class does not use."""
    for owner, methods in METHODS.items():
        for name, expected in methods.items():
            if _parameters(getattr(owner, name, None)) != expected:
                yield f"{owner.__name__}.{name}"
    for owner, attributes in ATTRIBUTES.items():
        for name in sorted(attributes - _names_used(owner)):
            yield f"{owner.__name__}.{name}"


def _parameters(method: object) -> tuple[str, ...] | None:
    """Return the names of a method's parameters without `self`; None where there is no method."""
    if not isinstance(method, FunctionType):
        return None
    return tuple(inspect.signature(method).parameters)[1:]


def _names_used(owner: type) -> frozenset[str]:
    """Return the names that the functions of a class read or set."""
    functions = (each for each in vars(owner).values() if isinstance(each, FunctionType))
    return frozenset(name for each in functions for name in each.__code__.co_names)
