"""The metrics of WebSockets and subscriptions, and of the requests that run and wait."""

from collections.abc import Sequence

from prometheus_client.registry import Collector

from gateway.live.hub import Hub
from gateway.observability.metrics import ObservedValue, Tally
from gateway.quotas import LiveQuotas, Quotas
from gateway.quotas.shared_buckets import RedisStore


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


def load_metrics(quotas: Quotas) -> Sequence[Collector]:
    """Return the metrics of requests that run, that wait, and that were refused; and of the bodies
    that are held.
    """
    gates, bodies = quotas.gates, quotas.bodies
    reads, writes = gates.reads, gates.writes
    return (
        ObservedValue(
            name="gateway_reads_running",
            text="Operations and reads that run.",
            read=lambda: reads.running,
        ),
        ObservedValue(
            name="gateway_reads_waiting",
            text="Operations and reads that wait to run.",
            read=lambda: reads.waiting,
        ),
        ObservedValue(
            name="gateway_writes_running",
            text="Writing requests to /v1 that run.",
            read=lambda: writes.running,
        ),
        ObservedValue(
            name="gateway_writes_waiting",
            text="Writing requests to /v1 that wait to run.",
            read=lambda: writes.waiting,
        ),
        ObservedValue(
            name="gateway_body_bytes",
            text="Bytes of bodies that are held while they arrive, wait or are written.",
            read=lambda: bodies.held,
        ),
        ObservedValue(
            name="gateway_bodies_refused",
            text="Bodies that were refused, because too many bytes were held.",
            read=lambda: bodies.refused,
            grows=True,
        ),
        Tally(
            name="gateway_refused",
            text="Requests that were refused for load.",
            labels=("gate", "reason"),
            read=gates.refused,
        ),
        Tally(
            name="gateway_throttled",
            text="Requests that were refused because their client sent too much in a short time.",
            labels=("quota",),
            read=quotas.throttled,
        ),
        *_redis_metrics(quotas.store),
    )


def _redis_metrics(store: RedisStore | None) -> Sequence[Collector]:
    """Return the metrics of the Redis that limits are shared in, if there is one."""
    if store is None:
        return ()
    return (
        ObservedValue(
            name="gateway_redis_available",
            text="1 while limits are shared in Redis, 0 while this process counts by itself.",
            read=lambda: not store.is_away,
        ),
        ObservedValue(
            name="gateway_redis_failures",
            text="Commands to Redis that failed or took too long.",
            read=lambda: store.failures,
            grows=True,
        ),
    )
