"""Figures of every process, in prometheus-client's single-process registry."""

import math
from collections.abc import Callable, Iterable
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from shared.store.client import StoreUnavailable, within
from shared.web.remembered import Remembered

CONTENT_TYPE = CONTENT_TYPE_LATEST
# The consumer may take another second (shared/report.py), and Prometheus gives up after 10.
_PATIENCE = 1.5
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


def expect(routes: Iterable[tuple[str, str]]) -> None:
    """Show with 0 what alerts are made of: (method, route) answered 500 or 503."""
    for method, route in routes:
        for status in (500, 503):
            requests(method, route, status)


def asks(gauge: Gauge, figure: Callable[[], float]) -> None:
    """Have the gauge ask when it is looked at, once in two seconds; it is NaN while the database is away."""

    def ask() -> float:
        try:
            return figure()
        except StoreUnavailable:
            return math.nan

    gauge.set_function(Remembered(ask))


def exposed(registry: CollectorRegistry = REGISTRY) -> bytes:
    """The text of /metrics; the database has so long for all that the gauges ask."""
    with within(_PATIENCE):
        return generate_latest(registry)
