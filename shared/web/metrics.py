"""Figures of every process, in prometheus-client's single-process registry."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
REQUESTS = Counter("tandem_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "tandem_http_request_seconds",
    "Time to answer a request.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def exposed(registry: CollectorRegistry = REGISTRY) -> bytes:
    """The text of /metrics."""
    return generate_latest(registry)
