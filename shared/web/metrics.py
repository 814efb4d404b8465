"""Figures of every process, in prometheus-client's single-process registry."""

from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
_REQUESTS = Counter("tandem_http_requests", "Requests answered.", ["method", "route", "status"])
_SECONDS = Histogram(
    "tandem_http_request_seconds",
    "Time to answer a request.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


@cache
def requests(method: str, route: str, status: int) -> Counter:
    """How many of these were answered; there are only so many, since a route is a rule and never a path."""
    return _REQUESTS.labels(method, route, status)


@cache
def durations(method: str, route: str) -> Histogram:
    return _SECONDS.labels(method, route)


def exposed(registry: CollectorRegistry = REGISTRY) -> bytes:
    """The text of /metrics."""
    return generate_latest(registry)
