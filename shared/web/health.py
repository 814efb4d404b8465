"""/livez, /readyz and /metrics on a port of their own, for the platform and not for its users.

Liveness is the process alone; readiness asks each check, at most once in two seconds, however many ask.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson

from shared.web.metrics import CONTENT_TYPE, exposed
from shared.web.remembered import Remembered

Check = Callable[[], bool]


class PortTaken(Exception):
    """Another process listens there."""


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A listening socket, or `PortTaken` with a sentence that names the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"Port {port} of {host} cannot be had ({error.strerror}): "
            f"end what listens there, or set {variable} to another one."
        ) from error
    return listener


def answer(
    listener: socket.socket,
    checks: Mapping[str, Check],
    alive: Check = lambda: True,
    figures: Callable[[], bytes] = exposed,
) -> None:
    """Answer on this socket from a thread beside."""
    remembered = {name: Remembered(partial(_passes, check)) for name, check in checks.items()}
    server = _Server(
        listener.getsockname()[:2], _handler(remembered, alive, figures), bind_and_activate=False
    )
    server.socket.close()
    server.socket = listener
    threading.Thread(target=server.serve, name="health", daemon=True).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def serve(self) -> None:
        # Not serve_forever, which wakes twice a second to see whether it should end.
        while True:
            self.handle_request()


def _passes(check: Check) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 (a check that fails in any way has not passed)
        return False


def _handler(
    checks: Mapping[str, Check], alive: Check, figures: Callable[[], bytes]
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        server_version = "tandem"
        sys_version = ""

        def do_GET(self) -> None:
            status, body, content_type = _answer(self.path.partition("?")[0], checks, alive, figures)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds and are no news."""

    return Handler


def _answer(
    path: str, checks: Mapping[str, Check], alive: Check, figures: Callable[[], bytes]
) -> tuple[int, bytes, str]:
    if path == "/metrics":
        return 200, figures(), CONTENT_TYPE
    if path == "/livez":
        found = {"alive": _passes(alive)}
    elif path == "/readyz":
        found = {name: check() for name, check in checks.items()}
    else:
        return 404, b"", "text/plain"
    return 200 if all(found.values()) else 503, orjson.dumps(found), "application/json"
