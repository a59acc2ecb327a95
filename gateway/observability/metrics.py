"""The process's numbers, in a registry of its own so that two applications never share them."""

from bisect import bisect_left
from collections import Counter as Numbers
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LIMITS: Final = (*(str(float(limit)) for limit in SECONDS), "+Inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedValue(Collector):
    """A value that each scrape reads, without waiting; one that only `grows` is a counter."""

    name: str
    text: str
    read: Callable[[], float]
    grows: bool = False

    def collect(self) -> Iterator[Metric]:
        kind = CounterMetricFamily if self.grows else GaugeMetricFamily
        yield kind(self.name, self.text, value=self.read())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Collector):
    """Counters by labels that something else keeps; reading them waits for nothing."""

    name: str
    text: str
    labels: Sequence[str]
    read: Callable[[], Iterable[tuple[tuple[str, ...], int]]]

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self.name, self.text, labels=self.labels)
        for values, number in self.read():
            family.add_metric(values, number)
        yield family


class RequestCounts(Collector):
    """Requests by route, status and operation, and their seconds by route.

    Plain numbers: requests are counted on the event loop alone, so that none of the library's locks
    is needed.
    """

    def __init__(self) -> None:
        self._numbers: Numbers[tuple[str, int, str]] = Numbers()
        self._durations: dict[str, list[int]] = {}
        """For each route the number of requests between two neighbours of SECONDS."""
        self._seconds: dict[str, float] = {}

    def add(self, route: str, status: int, operation: str, seconds: float) -> None:
        self._numbers[route, status, operation] += 1
        durations = self._durations.get(route)
        if durations is None:
            durations = self._durations[route] = [0] * len(_LIMITS)
            self._seconds[route] = 0.0
        durations[bisect_left(SECONDS, seconds)] += 1
        self._seconds[route] += seconds

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "gateway_http_requests",
            "Requests answered; status 499 where the client left first.",
            labels=("route", "status", "operation"),
        )
        for (route, status, operation), number in self._numbers.items():
            requests.add_metric((route, str(status), operation), number)
        yield requests
        seconds = HistogramMetricFamily(
            "gateway_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            labels=("route",),
        )
        for route, durations in self._durations.items():
            buckets = list(zip(_LIMITS, accumulate(map(float, durations)), strict=True))
            seconds.add_metric((route,), buckets, self._seconds[route])
        yield seconds


class Metrics:
    """Counts requests by route, status and kind of operation: few labels, none a client's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._webhooks = Counter(
            "gateway_webhook_events",
            "Providers' events by outcome.",
            ("provider", "outcome"),
            registry=self.registry,
        )
        self._deprecated = Counter(
            "gateway_deprecated_fields",
            "Requests with a document that uses a deprecated field.",
            ("field",),
            registry=self.registry,
        )
        self._fallbacks = Counter(
            "gateway_graphql_fallbacks",
            "Operations that were not run compiled, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.in_flight = 0
        self._requests = RequestCounts()
        self.watch(
            self._requests,
            ObservedValue(
                name="gateway_http_requests_in_flight",
                text="Requests that are being served.",
                read=lambda: self.in_flight,
            ),
        )

    def watch(self, *numbers: Collector) -> None:
        """Read these sources whenever the metrics are read."""
        for number in numbers:
            self.registry.register(number)

    def observe(self, *, route: str, status: int, operation: str, seconds: float) -> None:
        """Count a request that is over."""
        self._requests.add(route, status, operation, seconds)

    def count_webhook(self, provider: str, outcome: str) -> None:
        """Count an event by outcome: applied, parked, ignored or duplicate."""
        self._webhooks.labels(provider, outcome).inc()

    def count_deprecated(self, field: str) -> None:
        """Count a request that uses a deprecated field, as `Type.field`."""
        self._deprecated.labels(field).inc()

    def count_fallback(self, reason: str) -> None:
        """Count an operation that graphql-core runs in the place of a compiled run."""
        self._fallbacks.labels(reason).inc()

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
