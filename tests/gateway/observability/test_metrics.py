from prometheus_client import CollectorRegistry, Histogram, generate_latest

from gateway.observability.metrics import SECONDS, Metrics

NAME = "gateway_http_request_seconds"


def test_seconds_are_written_as_the_library_writes_them() -> None:
    metrics, registry = Metrics(), CollectorRegistry()
    library = Histogram(
        NAME,
        "Time from the head of a request to the end of its answer.",
        ("route",),
        buckets=SECONDS,
        registry=registry,
    )
    for route, seconds in [("/a", 0.001), ("/a", 0.0011), ("/a", 11.5), ("/b", 0.0), ("/b", 10.0)]:
        metrics.observe(route=route, status=200, operation="query", seconds=seconds)
        library.labels(route).observe(seconds)
    expected = [
        line
        for line in generate_latest(registry).decode().splitlines()
        if NAME in line and "_created" not in line
    ]
    assert [line for line in metrics.text().decode().splitlines() if NAME in line] == expected
    assert len(expected) == 2 + 2 * (len(SECONDS) + 1 + 2)
