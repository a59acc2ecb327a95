"""The metrics of WebSockets and subscriptions."""

from collections.abc import Sequence

from gateway.live.hub import Hub
from gateway.observability.metrics import ObservedValue
from gateway.quotas import LiveQuotas


def live_metrics(hub: Hub, quotas: LiveQuotas) -> Sequence[ObservedValue]:
    """Return the metrics of the hub and of the open connections."""
    return (
        ObservedValue(
            name="gateway_sockets",
            text="WebSockets that are open and authenticated.",
            read=quotas.sockets.held,
        ),
        ObservedValue(
            name="gateway_subscriptions",
            text="Subscriptions that are open.",
            read=quotas.subscriptions.held,
        ),
        ObservedValue(
            name="gateway_live_groups",
            text="Different subscriptions that are open; equal ones count once.",
            read=lambda: hub.groups,
        ),
        ObservedValue(
            name="gateway_live_pushes",
            text="Changes that were pushed; each counts once for all of its subscribers.",
            read=lambda: hub.pushes,
            grows=True,
        ),
        ObservedValue(
            name="gateway_live_resyncs",
            text="Checks of every subscribed account, at intervals and after a lost connection.",
            read=lambda: hub.resyncs,
            grows=True,
        ),
        ObservedValue(
            name="gateway_live_listening",
            text="1 while the database announces changes, 0 while it is polled for them.",
            read=lambda: hub.listening,
        ),
    )
