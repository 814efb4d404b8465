"""The web server: gunicorn, one process with threads a container; scaled by containers."""

import gc
import socket
import struct
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from shared.ids import new_id
from shared.settings import Settings
from shared.store.client import answers
from shared.web import health
from shared.web.application import create_app
from shared.web.metrics import requests

THREADS = 8
PATIENCE = 5
"""Seconds."""
LONGEST_LINE = 8190
_STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


def serve(
    service: Any, settings: Settings, workers: int = 1, threads: int = THREADS, connections: int = 1_000
) -> None:
    """Answer requests until SIGTERM, then finish those under way; a taken port ends it with a sentence.

    /metrics tells of one worker only, so a container has one; more, each with so many connections at most,
    are for measuring.
    """
    try:
        public = health.listen(settings.host, settings.port, "TANDEM_PORT")
        private = health.listen(settings.host, settings.metrics_port, "TANDEM_METRICS_PORT")
    except health.PortTaken as error:
        sys.exit(f"{service.name}: {error}")

    def watch(worker: Any) -> None:
        web = worker.app.wsgi().extensions["tandem"]
        health.answer(private, {"database": lambda: answers(web.database), "keys": web.verifier.has_keys})

    _Gunicorn(
        lambda: create_app(service, settings), public.detach(), watch, workers, threads, connections
    ).run()


class _Gunicorn(BaseApplication):
    def __init__(
        self,
        load: Callable[[], Any],
        listener: int,
        watch: Callable[[Any], None],
        workers: int,
        threads: int,
        connections: int,
    ) -> None:
        self._load = load
        self._options = {
            "bind": f"fd://{listener}",
            "worker_class": _Worker,
            "workers": workers,
            "threads": threads,
            "worker_connections": connections,
            "keepalive": 75,
            "graceful_timeout": 20,
            "limit_request_line": LONGEST_LINE,
            "control_socket_disable": True,
            "logger_class": _Log,
            "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108
            "pre_fork": _share_memory,
            "post_worker_init": watch,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def _share_memory(arbiter: Any, worker: Any) -> None:
    # What is frozen before the fork is never touched by the collector, so parent and child share its pages.
    gc.collect()
    gc.freeze()


class _Log(Logger):
    """gunicorn's own words, as JSON lines like all others; requests have their own line (around.py)."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel("WARNING")


class _Worker(ThreadWorker):
    """Answers what cannot be read as a request with a problem instead of HTML, and logs no URL."""

    def enqueue_req(self, conn: Any) -> None:
        # A thread waits no longer than this for the next bytes, or ten silent callers would hold them all.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PATIENCE, 0))
        super().enqueue_req(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        status = _status(exc)
        requests("other", "none", status.value).inc()
        log = self.log.error if status == HTTPStatus.INTERNAL_SERVER_ERROR else self.log.warning
        log("Request refused before it was read: %s", type(exc).__name__)
        try:
            util.write_nonblock(client, _unread(status))
        except OSError:
            self.log.debug("The client did not wait for the answer.")


def _status(error: BaseException) -> HTTPStatus:
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return status
    unreadable = isinstance(error, errors.ParseException)
    return HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.INTERNAL_SERVER_ERROR


_DETAILS = {
    HTTPStatus.REQUEST_URI_TOO_LONG: f"Send a request line of at most {LONGEST_LINE} bytes.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "Send at most 100 header fields of at most 8190 bytes each.",
}


def _unread(status: HTTPStatus) -> bytes:
    problem = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status,
        "detail": _DETAILS.get(status, "Send a request that HTTP/1.1 (RFC 9112) allows."),
        "correlation_id": new_id(),
    }
    body = orjson.dumps(problem, option=orjson.OPT_APPEND_NEWLINE)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
