"""Limits of WebSockets, streams and subscriptions."""

from typing import ClassVar

from pydantic import Field

from gateway.settings.group import Group
from gateway.settings.values import Limit


class LiveSettings(Group):
    """Limits of WebSockets, streams and subscriptions."""

    PREFIX: ClassVar = "live_"

    init_seconds: Limit[float] = Field(
        10, gt=0, le=300, description="Longest wait for `connection_init` on a new WebSocket."
    )
    message_bytes: Limit[int] = Field(
        131_072,
        ge=1_024,
        le=16_777_216,
        description="Largest WebSocket message from a client, bytes.",
    )
    messages_per_second: Limit[int] = Field(
        100,
        ge=1,
        le=100_000,
        description="Most messages per second from one WebSocket, averaged over 5 seconds.",
    )
    unread_seconds: Limit[float] = Field(
        30,
        ge=1,
        le=600,
        description="Longest time a client may stop reading a WebSocket, an event stream or an "
        "answer; then the connection is cut.",
    )
    unauthenticated_sockets: Limit[int] = Field(
        20, ge=1, le=1_000_000, description="Most unauthenticated WebSockets per client address."
    )
    sockets: Limit[int] = Field(
        5, ge=1, le=1_000_000, description="Most WebSockets per principal in one process."
    )
    socket_operations: Limit[int] = Field(
        25, ge=1, le=10_000, description="Most operations at once on one WebSocket."
    )
    subscriptions: Limit[int] = Field(
        100, ge=1, le=1_000_000, description="Most subscriptions per principal in one process."
    )
    process_subscriptions: Limit[int] = Field(
        20_000, ge=1, le=1_000_000, description="Most subscriptions in one process."
    )
    recheck_seconds: float = Field(
        30, gt=0, le=60, description="How often subscribers' membership and keys are checked again."
    )
    heartbeat_seconds: float = Field(
        12, gt=0, le=60, description="How often an idle event stream sends a heartbeat."
    )
