"""Around each request: its correlation id, security headers, two figures, and one log line of ids only."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g, request

from shared.correlation import correlated
from shared.ids import new_id
from shared.web.metrics import durations, expect, requests

# Only what cannot say anything of anybody: it is told to partners too.
_SANE = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
_log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def accompany(app: Flask) -> None:
    app.wsgi_app = _Accompanied(app.wsgi_app)  # type: ignore[method-assign]
    app.before_request(_start)
    app.after_request(_finish)


def expect_all(app: Flask) -> None:
    """Once every route is there."""
    rules = app.url_map.iter_rules()
    expect((method, str(rule)) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


class _Accompanied:
    """The caller's correlation id where it is a UUID, or a new one, and the headers of every answer."""

    def __init__(self, inner: Wsgi) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.get("HTTP_X_CORRELATION_ID", "")
        trace = environ.get("HTTP_TRACEPARENT", "")
        id = given if _SANE.fullmatch(given) else new_id()

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            names = {name.lower() for name, _ in headers}
            missing = [one for one in _ALWAYS if one[0].lower() not in names]
            return start_response(status, [*headers, *missing, ("X-Correlation-Id", id)], error)

        with correlated(id, traceparent=trace if _TRACEPARENT.fullmatch(trace) else None):
            return self._inner(environ, start)


def _start() -> None:
    g.started = time.perf_counter()


def _finish(response: Response) -> Response:
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    # The rule, never the path: labels and logs carry no values, and only so many of them.
    route = str(request.url_rule) if request.url_rule else "none"
    method = request.method if request.method in _METHODS else "other"
    requests(method, route, response.status_code).inc()
    durations(method, route).observe(seconds)
    caller = g.get("caller")
    _log.info(
        "Request answered",
        extra={
            "method": method,
            "route": route,
            "status": response.status_code,
            "ms": round(seconds * 1000, 1),
            "caller_id": caller and caller.id,
            "practice_id": caller and caller.practice_id,
        },
    )
    return response
